# An image with applications of your own, here in a package "shop". Copy it into your project:
#
#   docker build -f shop.Dockerfile -t shop .
#
# and run it with APPLICATION_TOPIC=shop.applications:Orders and SYSTEM_TOPIC=shop.applications:system.

ARG IMAGE=eventsourcing-grpc:1.0.0a1
ARG PYTHON_VERSION=3.13

FROM ${IMAGE} AS server

# Adds what your applications need. Leave this stage out if they need nothing.
FROM python:${PYTHON_VERSION}-slim AS builder
COPY --from=server /opt/venv /opt/venv
COPY requirements.txt /src/
RUN python -m pip --python /opt/venv/bin/python install --no-cache-dir -r /src/requirements.txt

FROM server
COPY --from=builder /opt/venv /opt/venv
# Modules are found in the working directory, /app.
COPY shop /app/shop
