# Everything that people and CI do with this project. `make` alone lists it.
# Needs make and Python 3.11 or newer, nothing else.

SHELL := /bin/sh
.DEFAULT_GOAL := help

VENV ?= .venv
BIN := $(VENV)/bin
PYTEST_ARGS ?=
# One worker a core; PYTEST_WORKERS=0 runs the tests in one process.
PYTEST_WORKERS ?= auto
LOCK_TOOL := uv==0.13.8

# A candidate counts only if it really runs: version managers leave names on the path that do not.
# One that cannot make an environment (Debian has that apart) is passed over. The environment's own
# stands first: it keeps its version, and is found without asking the others.
PYTHON ?= $(shell for name in $(BIN)/python python3.14 python3.13 python3.12 python3.11 python3; do \
	$$name -c 'import sys, ensurepip; sys.exit(sys.version_info < (3, 11))' 2>/dev/null \
	&& { command -v $$name; break; }; done)

# The one way in which locks are installed. A Python that somebody names is the one that is used.
INSTALL = @python="$(PYTHON)"; \
	"$${python:-false}" -c 'import sys, ensurepip; sys.exit(sys.version_info < (3, 11))' 2>/dev/null \
	|| { echo "Python 3.11 or newer was not found$${python:+ at $$python}; install it (on Debian and" \
		"Ubuntu python3 and python3-venv), or name it: make PYTHON=/path/to/python3" >&2; exit 1; }; \
	exec "$$python" tools/install.py $(if $(filter file,$(origin PYTHON)),,--this-python) \
	--editable . "$(VENV)"

RUNTIME := runtime-environment
DEVELOPMENT := development-environment

.PHONY: help
help: ## List these targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-16s %s\n", $$1, $$2 }' Makefile

# Asked each time, and done in a moment when all is there: only so is an environment noticed whose
# Python has gone since.
.PHONY: $(RUNTIME) $(DEVELOPMENT)
$(RUNTIME):
	$(INSTALL) requirements.lock

$(DEVELOPMENT):
	$(INSTALL) requirements.lock requirements-dev.lock

.PHONY: setup
setup: $(DEVELOPMENT) ## Make .venv from the locks, with the package and all tools

.PHONY: demo
demo: $(RUNTIME) ## Run the whole service against fictional patients (DEMO_EXIT=1: check, then stop)
	@$(BIN)/alk-cds demo

.PHONY: serve
serve: $(RUNTIME) ## Serve as in production, with the ALK_CDS_ settings of the environment
	@PATH="$(abspath $(BIN)):$$PATH"; \
	exec gunicorn --config python:cds_service.operations.gunicorn_conf "cds_service.app:create_app()"

.PHONY: test
test: $(DEVELOPMENT) ## Run the quick tests; the closing line is pytest's own
	@TEST_DEPTH=quick $(BIN)/python -m pytest -q -n $(PYTEST_WORKERS) -m "not slow and not long" \
		$(PYTEST_ARGS)

.PHONY: coverage
coverage: $(DEVELOPMENT) ## Run the quick tests and print which lines and branches they leave out
	@$(MAKE) test PYTEST_ARGS="--cov --cov-report=term:skip-covered $(PYTEST_ARGS)"

# Tests of one group share one server and stay in one process.
.PHONY: test-slow
test-slow: $(DEVELOPMENT) ## Run the exhaustive tests and those that start servers
	@TEST_DEPTH=slow $(BIN)/python -m pytest -q -n $(PYTEST_WORKERS) --dist loadgroup \
		--durations=40 --durations-min=8 -m "(slow or deep) and not long" $(PYTEST_ARGS)

.PHONY: test-long
test-long: $(DEVELOPMENT) ## Run what takes many minutes: the whole fuzz (TEST_DEPTH=sample: a tenth)
	@TEST_DEPTH=$(or $(TEST_DEPTH),long) $(BIN)/python -m pytest -q -n $(PYTEST_WORKERS) \
		--dist loadgroup -m long $(PYTEST_ARGS)

.PHONY: lint
lint: $(DEVELOPMENT) ## Check style, format, types, patterns and which room imports which
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python tools/check_patterns.py

.PHONY: format
format: $(DEVELOPMENT) ## Rewrite the code in the house format
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

.PHONY: bench
bench: $(DEVELOPMENT) ## Measure speed on this machine
	@$(BIN)/python -m benchmarks

.PHONY: bench-instructions
bench-instructions: $(DEVELOPMENT) ## Count the instructions of an answer with valgrind (minutes), and write them down
	@$(BIN)/python -m benchmarks.instructions --write

.PHONY: mutation
mutation: $(DEVELOPMENT) ## Change every table by one slip at a time and ask whether a case notices (minutes)
	@$(BIN)/python -m benchmarks.mutation --write

# Status 3 of these three says "not checked": the data could not be had.
.PHONY: audit
audit: $(DEVELOPMENT) ## Look up known vulnerabilities of what the locks name (needs a network)
	@$(BIN)/python tools/supply_chain.py audit

.PHONY: licences
licences: $(DEVELOPMENT) ## Check the licences of what production installs
	@$(BIN)/python tools/supply_chain.py licences

.PHONY: sbom
sbom: $(DEVELOPMENT) ## List what production installs, with hashes, in dist/sbom.cdx.json (CycloneDX)
	@$(BIN)/python tools/supply_chain.py sbom

.PHONY: knowledge-check
knowledge-check: $(RUNTIME) ## Check the clinical tables for gaps, overlaps and rows without a source
	@$(BIN)/alk-cds knowledge check

.PHONY: pages
pages: $(DEVELOPMENT) ## Write the pages and tables of docs/ that are made of the code and the tables
	@$(BIN)/alk-cds knowledge render
	@$(BIN)/python -m docs.generate

.PHONY: lock
lock: ## Resolve the dependencies again and rewrite the locks
	$(INSTALL)
	$(BIN)/python -m pip --disable-pip-version-check --no-input install --quiet "$(LOCK_TOOL)"
	$(BIN)/uv pip compile pyproject.toml --quiet --upgrade --universal --python-version 3.11 \
		--fork-strategy fewest \
		--extra postgresql --extra redis \
		--group package --generate-hashes --no-emit-index-url \
		--custom-compile-command "make lock" --output-file requirements.lock
	$(BIN)/uv pip compile pyproject.toml --quiet --upgrade --universal --python-version 3.11 \
		--fork-strategy fewest \
		--group package --extra dev --constraints requirements.lock --generate-hashes \
		--no-emit-index-url --no-emit-package alk-cds \
		--custom-compile-command "make lock" --output-file requirements-dev.lock
	$(BIN)/uv pip compile --group docs --quiet --upgrade --universal --python-version 3.11 \
		--fork-strategy fewest --generate-hashes --no-emit-index-url \
		--custom-compile-command "make lock" --output-file requirements-docs.lock

# In an environment of its own: the service and its tests need nothing of it.
.PHONY: docs
docs: ## Build the site of the documentation into site/ (some two minutes)
	@"$(PYTHON)" tools/install.py "$(VENV)-docs" requirements-docs.lock
	@"$(VENV)-docs/bin/sphinx-build" -q -W --keep-going -j auto -b html docs site
	@echo "site/index.html is the first page; it needs no server"

.PHONY: wheel
wheel: $(DEVELOPMENT) ## Build the wheel into dist/
	rm -rf build dist
	$(BIN)/python -m build --wheel --no-isolation --outdir dist .

.PHONY: clean
clean: ## Remove the environment and everything that was built or cached
	rm -rf $(VENV) $(VENV)-docs site build dist *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis \
		.import_linter_cache .coverage .coverage.* htmlcov
	find cds_service hooks fhir_fixtures tests -type d -name __pycache__ -prune -exec rm -rf {} +
