# Everything that developers do here. `make help` lists it. Needs make and Python, nothing else:
# each target sets up what it needs, once.

VENV ?= .venv
OLDEST_VENV ?= build/oldest-venv
STUBS_VENV ?= build/stubs-venv
DEPLOY_VENV ?= build/deploy-venv

# How many tests run side by side. Most of them wait for something: more than there are cores.
JOBS ?= 4

# More arguments for the program that a target runs: make test ARGS="-k feed -x".
ARGS ?=
# The system that `make run` opens the console on.
SYSTEM ?= eventsourcing_grpc.example:system
# The names that `make ssl` makes certificates for.
NAMES ?= orders reservations payments
# And where.
SSL ?= ssl
# Where the example system records its events in containers: postgres, sqlite or memory.
PERSISTENCE ?= postgres
# And on Kubernetes, as which namespace: in-memory, postgres or external-postgres.
OVERLAY ?= in-memory
KUBE_NAMESPACE ?= eventsourcing-grpc

DOCKER ?= docker
KUBECTL ?= kubectl
MINIKUBE ?= minikube
VERSION := $(shell sed -n 's/^version = "\(.*\)"/\1/p' pyproject.toml)
IMAGE ?= eventsourcing-grpc:$(VERSION)

CAN_INSTALL := import ensurepip, sys, venv; sys.exit(not (3, 11) <= sys.version_info < (3, 15))
# The newest Python that will do. Another one: make PYTHON=/path/to/python3 ...
PYTHON ?= $(shell for python in python3.14 python3.13 python3.12 python3.11 python3; do \
	"$$python" -c '$(CAN_INSTALL)' 2>/dev/null && echo "$$python" && break; done)

# What make leaves in an environment to know it by.
REQUIREMENTS := $(VENV)/.requirements.stamp
INSTALLED := $(VENV)/.install.stamp
OLDEST := $(OLDEST_VENV)/.install.stamp
STUBS := $(STUBS_VENV)/.requirements.stamp
DEPLOY := $(DEPLOY_VENV)/.requirements.stamp

PACKAGES := eventsourcing_grpc esgrpc_console
SCRIPTS := ssl/make_certificates.py proto/generate_stubs.py
CHECKED := $(PACKAGES) tests $(SCRIPTS) $(wildcard benchmarks docs/*.py)

PIP_INSTALL = -m pip install --quiet --disable-pip-version-check
COMPILE = $(VENV)/bin/uv --quiet --no-config pip compile --universal --python-version 3.11 \
	--generate-hashes --no-header --no-annotate --upgrade

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help install run test test-oldest lint lint-format lint-ruff lint-types lint-imports \
	lint-proto lint-stubs lint-deploy fmt ssl grpc-stubs update-packages benchmark pictures clean \
	docker-image docker-secrets docker-check docker-up docker-logs docker-down test-docker \
	namespace ssl-secrets has-same-root root-ssl-secret postgres-secret minikube-start minikube-image \
	minikube-deploy minikube-logs minikube-delete test-minikube \
	has-docker has-compose has-kubectl has-minikube

help: ## Lists what make can do.
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-16s %s\n", $$1, $$2 }' $(firstword $(MAKEFILE_LIST))

install: $(INSTALLED) ## Sets up the environment .venv, with what requirements/development.lock says.

run: $(INSTALLED) ## Opens the console on the example system.
	@$(VENV)/bin/esgrpc-console run $(SYSTEM) $(ARGS)

test: $(INSTALLED) ## Runs all tests.
	@$(VENV)/bin/python -m pytest --numprocesses $(JOBS) --dist loadfile $(ARGS)

test-oldest: $(OLDEST) ## Runs all tests with the oldest supported versions of what the library needs.
	@$(OLDEST_VENV)/bin/python -m pytest --numprocesses $(JOBS) --dist loadfile $(ARGS)

lint: lint-format lint-ruff lint-types lint-imports lint-proto lint-stubs ## Checks format, style, types, layers, protocol and stubs.

lint-format: $(INSTALLED)
	@$(VENV)/bin/python -m black --check --quiet --diff $(CHECKED)
	@$(VENV)/bin/python -m isort --check-only --quiet --diff $(CHECKED)

lint-ruff: $(INSTALLED)
	@$(VENV)/bin/python -m ruff check --quiet $(CHECKED)

lint-types: $(INSTALLED)
	@$(VENV)/bin/python -m mypy --strict $(CHECKED)

lint-imports: $(INSTALLED)
	@$(VENV)/bin/lint-imports

lint-proto: $(INSTALLED)
	@$(VENV)/bin/buf lint proto

lint-stubs: $(STUBS)
	@$(STUBS_VENV)/bin/python proto/generate_stubs.py --check

lint-deploy: $(DEPLOY) ## Checks what is in deploy/: Dockerfiles, Compose and Kubernetes files.
	@$(DEPLOY_VENV)/bin/python -m tests.deploy.check_files

fmt: $(INSTALLED) ## Formats the code, and mends what ruff can mend.
	@$(VENV)/bin/python -m ruff check --quiet --fix-only $(CHECKED)
	@$(VENV)/bin/python -m isort --quiet $(CHECKED)
	@$(VENV)/bin/python -m black --quiet $(CHECKED)

ssl: $(INSTALLED) ## Makes a root and certificates for trying TLS, in ssl/. Keeps those that are still good.
	@$(VENV)/bin/python ssl/make_certificates.py --directory $(SSL) $(ARGS) $(NAMES)

grpc-stubs: $(STUBS) ## Generates eventsourcing_grpc/protos from proto/.
	@$(STUBS_VENV)/bin/python proto/generate_stubs.py

update-packages: $(INSTALLED) ## Locks the newest (and oldest) versions of all packages anew, and installs the newest.
	@$(COMPILE) pyproject.toml --all-extras --group dev --group benchmark \
		--output-file requirements/development.lock >/dev/null
	@$(COMPILE) pyproject.toml --all-extras --group build --group test \
		--resolution lowest-direct --output-file requirements/oldest.lock >/dev/null
	@$(COMPILE) --group stubs --output-file requirements/stubs.lock >/dev/null
	@$(COMPILE) --group deploy --output-file requirements/deploy.lock >/dev/null
	@$(COMPILE) --group build --constraint requirements/development.lock \
		--output-file requirements/build.lock >/dev/null
	@$(COMPILE) pyproject.toml --extra postgres --extra telemetry --constraint requirements/development.lock \
		--output-file requirements/image.lock >/dev/null
	@$(MAKE) --no-print-directory install

benchmark: $(INSTALLED) ## Measures the figures that the README quotes.
	@$(VENV)/bin/python -m benchmarks $(ARGS)

pictures: $(INSTALLED) ## Makes the pictures and the table of keys in docs/ from the running console.
	@$(VENV)/bin/python docs/make_keys.py
	@$(VENV)/bin/python docs/make_pictures.py $(ARGS)

# The example system in containers. Their user must be able to read the keys and the password, which
# belong to who makes them. Root gives them away instead: containers don't run as root.

MY_UID := $(shell id -u)
APP_UID := $(if $(filter 0,$(MY_UID)),10001,$(MY_UID))
PASSWORD := deploy/secrets/postgres-password
COMPOSE = IMAGE=$(IMAGE) APP_UID=$(APP_UID) $(DOCKER) compose --file deploy/docker/compose.yaml \
	--env-file deploy/docker/$(PERSISTENCE).env

docker-image: has-docker ## Builds the container image. Another name: IMAGE=registry.example/shop:1.
	@$(DOCKER) build --file deploy/docker/Dockerfile --tag $(IMAGE) $(ARGS) .

docker-secrets: $(INSTALLED) $(PASSWORD)
	@$(VENV)/bin/python ssl/make_certificates.py $(NAMES) $(if $(filter 0,$(MY_UID)),--owner $(APP_UID))
	@chown $(APP_UID) $(PASSWORD)

docker-up: has-compose docker-image docker-secrets ## Starts the example system in containers. PERSISTENCE=postgres, sqlite or memory.
	@$(COMPOSE) up --detach --wait $(ARGS)
	@$(COMPOSE) ps

docker-check: has-compose docker-secrets ## Says what the containers would serve, and what is wrong with that.
	@for name in $(NAMES); do $(COMPOSE) run --rm --no-deps $$name --check || exit $$?; done

docker-logs: has-compose ## Shows what the containers write.
	@$(COMPOSE) --profile '*' logs --follow $(ARGS)

docker-down: has-compose ## Stops the containers. ARGS=--volumes deletes what they have recorded.
	@$(COMPOSE) --profile '*' down $(ARGS)

test-docker: $(INSTALLED) ## Tests the example system in containers, where a container engine is.
	@TEST_CONTAINERS=docker $(VENV)/bin/python -m pytest --override-ini faulthandler_timeout=0 tests/deploy/containers/test_docker.py $(ARGS)

$(PASSWORD): | $(INSTALLED)
	@umask 077; $(VENV)/bin/python -c 'import secrets; print(secrets.token_urlsafe(32))' >$@

# The example system on Kubernetes. Targets of minikube talk to no other cluster.

KUBE_CONTEXT ?=
KUBE = $(KUBECTL) $(if $(KUBE_CONTEXT),--context=$(KUBE_CONTEXT)) --namespace=$(KUBE_NAMESPACE)
MADE = --dry-run=client --output=yaml | $(KUBE) apply --filename=-
PARTS = --selector=app.kubernetes.io/part-of=eventsourcing-grpc-example
minikube-deploy minikube-logs: KUBE_CONTEXT = minikube

namespace: has-kubectl
	@$(KUBE) create namespace $(KUBE_NAMESPACE) $(MADE)

ssl-secrets: root-ssl-secret $(NAMES:%=%-ssl-secret) ## Stores certificates on Kubernetes. Each by itself: root-ssl-secret, orders-ssl-secret, ...

# Servers that have certificates of different roots don't trust each other.
has-same-root: has-kubectl ssl
	@stored=$$($(KUBE) get secret root-ssl-secret --ignore-not-found --output=jsonpath='{.data.root\.crt}') \
		|| exit 2; \
	if [ -n "$$stored" ] && [ "$$stored" != "$$(base64 <$(SSL)/root/root.crt | tr -d '\n')" ] \
	&& [ "$(REPLACE_ROOT)" != yes ]; then \
		echo "secret/root-ssl-secret has another root than $(SSL)/root: until all servers have the new one, some" \
			"trust nobody. To go on: make REPLACE_ROOT=yes $(MAKECMDGOALS)" >&2; exit 2; fi

root-ssl-secret: has-same-root
	@$(KUBE) create secret generic $@ --from-file=root.crt=$(SSL)/root/root.crt $(MADE)

.PHONY: $(NAMES:%=%-ssl-secret)
$(NAMES:%=%-ssl-secret): %-ssl-secret: has-same-root
	@$(KUBE) create secret tls $@ --key=$(SSL)/$*/$*.key --cert=$(SSL)/$*/$*.crt $(MADE)

# One that is there stays: the database was made with it.
postgres-secret: has-kubectl $(PASSWORD) ## Stores the password of PostgreSQL on Kubernetes, from deploy/secrets, if there is none.
	@if $(KUBE) get secret $@ >/dev/null 2>&1; then echo "secret/$@ is there, and stays as it is"; \
	else $(KUBE) create secret generic $@ --from-file=password=$(PASSWORD) $(MADE); fi

minikube-start: has-minikube ## Starts a Kubernetes cluster on this machine.
	@$(MINIKUBE) start $(ARGS)

minikube-image: has-minikube docker-image ## Builds the image, and gives it to minikube.
	@$(MINIKUBE) image load $(IMAGE)

minikube-deploy: has-minikube namespace ssl-secrets postgres-secret ## Runs the example system on minikube. OVERLAY=in-memory or postgres.
	@$(KUBE) apply --kustomize=deploy/kubernetes/overlays/$(OVERLAY)
	@$(KUBE) rollout status deployment $(PARTS) --timeout=300s

minikube-logs: has-minikube has-kubectl ## Shows what the servers on minikube write.
	@$(KUBE) logs $(PARTS) --prefix --follow --max-log-requests=20 $(ARGS)

minikube-delete: has-minikube ## Deletes the cluster, with everything that is recorded there.
	@$(MINIKUBE) delete $(ARGS)

test-minikube: $(INSTALLED) ## Tests the example system on minikube, where minikube is.
	@TEST_CONTAINERS=minikube $(VENV)/bin/python -m pytest --override-ini faulthandler_timeout=0 tests/deploy/containers/test_minikube.py $(ARGS)

# Each says what is missing.

has-docker:
	@command -v $(DOCKER) >/dev/null || { echo "$(DOCKER) is not installed: install Docker, or name" \
		"another engine's command: make DOCKER=podman $(MAKECMDGOALS)" >&2; exit 2; }
	@$(DOCKER) info >/dev/null 2>&1 || { echo "No container engine answers to \"$(DOCKER) info\":" \
		"start it, or join the group that may use it" >&2; exit 2; }

has-compose: has-docker
	@$(DOCKER) compose version >/dev/null 2>&1 || { echo "\"$(DOCKER) compose\" is not installed:" \
		"install the Compose plugin, 2.20 or newer" >&2; exit 2; }

has-kubectl:
	@command -v $(firstword $(KUBECTL)) >/dev/null || { echo "$(KUBECTL) is not installed: install it," \
		"or name it: make KUBECTL=/path/to/kubectl $(MAKECMDGOALS)" >&2; exit 2; }

has-minikube:
	@command -v $(MINIKUBE) >/dev/null || { echo "$(MINIKUBE) is not installed: install it," \
		"or name it: make MINIKUBE=/path/to/minikube $(MAKECMDGOALS)" >&2; exit 2; }

clean: ## Removes what was built, and caches. Keeps .venv and certificates.
	@rm -rf build dist .mypy_cache .pytest_cache .ruff_cache .import_linter_cache snapshot_report.html
	@find $(CHECKED) -name __pycache__ -type d -prune -exec rm -rf {} +

%/bin/pip:
	@if [ -z "$(PYTHON)" ] || ! "$(PYTHON)" -c '$(CAN_INSTALL)' 2>/dev/null; then \
		echo "$(if $(PYTHON),$(PYTHON) is not a Python 3.11 to 3.14,No Python 3.11 to 3.14 was found) with venv and ensurepip." \
			"Install one, or name it: make PYTHON=/path/to/python3 $(MAKECMDGOALS)" >&2; exit 1; fi
	@echo "Setting up $* with $$("$(PYTHON)" --version)"
	@"$(PYTHON)" -m venv $*

$(REQUIREMENTS): requirements/development.lock | $(VENV)/bin/pip
	@$(VENV)/bin/python $(PIP_INSTALL) --require-hashes -r $<
	@touch $@

$(INSTALLED): pyproject.toml $(REQUIREMENTS)
	@$(VENV)/bin/python $(PIP_INSTALL) --no-deps --no-build-isolation -e .
	@touch $@

$(OLDEST): requirements/oldest.lock pyproject.toml | $(OLDEST_VENV)/bin/pip
	@$(OLDEST_VENV)/bin/python $(PIP_INSTALL) --require-hashes -r $<
	@$(OLDEST_VENV)/bin/python $(PIP_INSTALL) --no-deps --no-build-isolation -e .
	@touch $@

$(STUBS): requirements/stubs.lock | $(STUBS_VENV)/bin/pip
	@$(STUBS_VENV)/bin/python $(PIP_INSTALL) --require-hashes -r $<
	@touch $@

$(DEPLOY): requirements/deploy.lock | $(DEPLOY_VENV)/bin/pip
	@$(DEPLOY_VENV)/bin/python $(PIP_INSTALL) --require-hashes -r $<
	@touch $@
