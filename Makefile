# Everything that developers do here. `make help` lists it. Needs make and Python, nothing else:
# each target sets up what it needs, once.

VENV ?= .venv
OLDEST_VENV ?= build/oldest-venv
STUBS_VENV ?= build/stubs-venv

# More arguments for the program that a target runs: make test ARGS="-k feed -x".
ARGS ?=
# The system that `make run` opens the console on.
SYSTEM ?= eventsourcing_grpc.example:system
# The names that `make ssl` makes certificates for.
NAMES ?= orders reservations payments

CAN_INSTALL := import ensurepip, sys, venv; sys.exit(not (3, 11) <= sys.version_info < (3, 15))
# The newest Python that will do. Another one: make PYTHON=/path/to/python3 ...
PYTHON ?= $(shell for python in python3.14 python3.13 python3.12 python3.11 python3; do \
	"$$python" -c '$(CAN_INSTALL)' 2>/dev/null && echo "$$python" && break; done)

# What make leaves in an environment to know it by.
REQUIREMENTS := $(VENV)/.requirements.stamp
INSTALLED := $(VENV)/.install.stamp
OLDEST := $(OLDEST_VENV)/.install.stamp
STUBS := $(STUBS_VENV)/.requirements.stamp

PACKAGES := eventsourcing_grpc esgrpc_console
SCRIPTS := ssl/make_certificates.py proto/generate_stubs.py
CHECKED := $(PACKAGES) tests $(SCRIPTS) $(wildcard benchmarks docs/*.py)

PIP_INSTALL = -m pip install --quiet --disable-pip-version-check
COMPILE = $(VENV)/bin/uv --quiet --no-config pip compile --universal --python-version 3.11 \
	--generate-hashes --no-header --no-annotate --upgrade

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help install run test test-oldest lint lint-format lint-ruff lint-types lint-imports \
	lint-proto lint-stubs fmt ssl grpc-stubs update-packages benchmark pictures clean

help: ## Lists what make can do.
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-16s %s\n", $$1, $$2 }' $(firstword $(MAKEFILE_LIST))

install: $(INSTALLED) ## Sets up the environment .venv, with what requirements/development.lock says.

run: $(INSTALLED) ## Opens the console on the example system.
	@$(VENV)/bin/esgrpc-console run $(SYSTEM) $(ARGS)

test: $(INSTALLED) ## Runs all tests.
	@$(VENV)/bin/python -m pytest $(ARGS)

test-oldest: $(OLDEST) ## Runs all tests with the oldest supported versions of what the library needs.
	@$(OLDEST_VENV)/bin/python -m pytest $(ARGS)

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

fmt: $(INSTALLED) ## Formats the code, and mends what ruff can mend.
	@$(VENV)/bin/python -m ruff check --quiet --fix-only $(CHECKED)
	@$(VENV)/bin/python -m isort --quiet $(CHECKED)
	@$(VENV)/bin/python -m black --quiet $(CHECKED)

ssl: $(INSTALLED) ## Makes a root and certificates for trying TLS, in ssl/. Keeps those that are still good.
	@$(VENV)/bin/python ssl/make_certificates.py $(ARGS) $(NAMES)

grpc-stubs: $(STUBS) ## Generates eventsourcing_grpc/protos from proto/.
	@$(STUBS_VENV)/bin/python proto/generate_stubs.py

update-packages: $(INSTALLED) ## Locks the newest (and oldest) versions of all packages anew, and installs the newest.
	@$(COMPILE) pyproject.toml --all-extras --group dev --group benchmark \
		--output-file requirements/development.lock >/dev/null
	@$(COMPILE) pyproject.toml --all-extras --group build --group test \
		--resolution lowest-direct --output-file requirements/oldest.lock >/dev/null
	@$(COMPILE) --group stubs --output-file requirements/stubs.lock >/dev/null
	@$(MAKE) --no-print-directory install

benchmark: $(INSTALLED) ## Measures the figures that the README quotes.
	@$(VENV)/bin/python -m benchmarks $(ARGS)

pictures: $(INSTALLED) ## Makes the pictures and the table of keys in docs/ from the running console.
	@$(VENV)/bin/python docs/make_keys.py
	@$(VENV)/bin/python docs/make_pictures.py $(ARGS)

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
