# `make help` says what there is. Everything lives in .venv and .carillon; nothing else is touched.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PACKAGES := ingest workers push_gateway storage ops
CONSOLE := ingest/console
SWAGGER := ingest/routes/swagger_ui
INBOX := ingest/inbox/static
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet
LOCK := $(BIN)/uv pip compile pyproject.toml --universal --python-version 3.11 --generate-hashes \
	--no-header --no-annotate --no-emit-index-url --quiet $(ARGS)

# Parts without I/O that have tests of their own.
PURE := storage/model/*,*/sends/rules.py,*/http/json_body.py,*/http/request_headers.py,*/micro_batcher.py,*/lookups.py,*/tokens.py,*/token_keys.py
PURE := $(PURE),push_gateway/hub.py,push_gateway/resume/*,push_gateway/dispatcher.py,push_gateway/frames.py,push_gateway/connection.py,push_gateway/gateway.py

# Compiled modules are kept beside their source: without them a start compiles them all first.
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.PHONY: help run test check coverage faults bench-accept bench-persist bench-broadcast bench-reads bench-push vendor clients format lock docs screenshots clean
# A half-written stamp would pass for an installation.
.DELETE_ON_ERROR:

# An environment of another Python (one was upgraded under it), of another place (the project was moved) or of before a package
# was added does not import what is ours: it is made anew. Asked before any rule, for make looks at its stamps once. Another Python: only one asked for by name.
ASKED := $(if $(filter command,$(origin PYTHON)),$(PYTHON))
ifneq ($(filter-out help clean vendor,$(or $(MAKECMDGOALS),help)),)
ifeq ($(shell test ! -e $(VENV) || $(BIN)/python -I ops/local/own_environment.py $(ASKED) 2>/dev/null || echo stale),stale)
$(shell echo "$(VENV) is of another Python or another place, or lacks a package of ours; it is made anew." >&2; rm -rf $(VENV))
endif
endif

help: ## What there is
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /make \1\t/' | expand -t 22

run: $(VENV)/installed ## Start everything in the foreground; Ctrl-C stops it
	@exec $(BIN)/carillon up

test: $(VENV)/installed-dev ## The whole test suite, on servers of its own
	@$(BIN)/python -m pytest -n 2 --dist loadfile --max-worker-restart 0 $(ARGS)

check: $(VENV)/installed-dev ## Format, lint, spelling, types, floors of the architecture
	@$(BIN)/ruff format --check
	@$(BIN)/ruff check
	@$(BIN)/codespell
	@$(BIN)/mypy
	@$(BIN)/lint-imports --no-cache

coverage: $(VENV)/installed-dev ## Lines and branches of the pure parts that their own tests take (ARGS: other tests, all modules)
	@$(BIN)/coverage run -m pytest -n 0 -q $(or $(ARGS),-m pure)
	@$(BIN)/coverage report $(if $(ARGS),,--include='$(PURE)')

faults: $(VENV)/installed-dev ## The fault matrix, three seeds a row (ARGS: --rows 1,4 --seeds 1 --short)
	@$(BIN)/python -m tests.faults $(ARGS)

bench-accept: $(VENV)/installed ## Accepting against an echo, and request to frame (ARGS: --help)
	@$(BIN)/python -m ops.bench.accept $(ARGS)

bench-persist: $(VENV)/installed ## Persisting against the bare statement
	@$(BIN)/python -m ops.bench.persist $(ARGS)

bench-broadcast: $(VENV)/installed ## Two lanes against one statement, a million people (ARGS: --help)
	@$(BIN)/python -m ops.bench.broadcast $(ARGS)

bench-reads: $(VENV)/installed ## Histories, lists, counts and search against bare SQL (ARGS: --help)
	@$(BIN)/python -m ops.bench.reads $(ARGS)

bench-push: $(VENV)/installed ## Fan-out to sockets against a bare loop of writes (ARGS: --help)
	@$(BIN)/python -m ops.bench.push $(ARGS)

vendor: ## Copy what the pages take from npm into the package (needs npm; the copy is committed)
	@cd $(CONSOLE) && npm ci --ignore-scripts --silent && mkdir -p static/vendor ../../$(SWAGGER)
	@cp $(CONSOLE)/node_modules/uplot/dist/uPlot.iife.min.js $(CONSOLE)/node_modules/uplot/dist/uPlot.min.css $(CONSOLE)/static/vendor/
	@cp $(CONSOLE)/node_modules/uplot/LICENSE $(CONSOLE)/static/vendor/uPlot.LICENSE
	@cd $(CONSOLE)/node_modules/swagger-ui-dist && cp swagger-ui-bundle.js swagger-ui.css swagger-ui-bundle.js.LICENSE.txt \
		favicon-32x32.png LICENSE NOTICE $(CURDIR)/$(SWAGGER)/
	@rm -rf $(CONSOLE)/node_modules

# Their tests ask real servers, which are Python's. No package's install script is run: none is needed.
clients: $(VENV)/installed-dev ## Build and test the TypeScript clients; copy the inbox into the package (needs Node; the copy is committed)
	@for name in clients/typescript clients/inbox; do \
		test -e $$name/package.json || continue; echo "$$name"; \
		(cd $$name && npm ci --ignore-scripts --no-audit --no-fund --silent && npm run --silent build && npm test --silent) || exit 1; \
	done
	@if test -e clients/inbox/dist/index.html; then rm -rf $(INBOX) && cp -R clients/inbox/dist $(INBOX); fi
	@echo clients/e2e; cd clients/e2e && npm ci --ignore-scripts --no-audit --no-fund --silent && npm run --silent build && npm test --silent

format: $(VENV)/installed-dev ## Put the code into its format
	@$(BIN)/ruff check --fix-only --quiet
	@$(BIN)/ruff format

# What is locked stays as far as pyproject.toml allows; `make lock ARGS=--upgrade` moves on.
lock: $(VENV)/bin/python ## Write the lock files anew from pyproject.toml
	@test -x $(BIN)/uv || $(PIP) install "uv>=0.13"
	@$(LOCK) --extra build -o requirements.lock
	@$(LOCK) --extra build --extra traces -c requirements.lock -o requirements-traces.lock
	@$(LOCK) --extra build --extra traces --extra dev -c requirements-traces.lock -o requirements-dev.lock

docs: $(VENV)/installed ## Write the pages that are made from the code (docs/settings.md, docs/api/errors.md)
	@mkdir -p docs/api && $(BIN)/carillon settings --markdown >docs/settings.md
	@$(BIN)/python -m ops.errors_page >docs/api/errors.md

screenshots: $(VENV)/installed-dev ## Take the pictures in docs/images anew (needs Chromium and a Chinese font); look at them
	@$(BIN)/python -m tests.ingest.console.screenshots
	@$(BIN)/python -m tests.ingest.documents.screenshots

clean: ## Remove .venv and caches; .carillon (the data) stays
	rm -rf $(VENV) build dist *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis

$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
		echo "Carillon needs Python 3.11 or newer; $(PYTHON) is not. Try: make PYTHON=python3.12 $(MAKECMDGOALS)" >&2; exit 1; }
	@$(PYTHON) -m venv $(VENV) || { rm -rf $(VENV); exit 1; }

# --no-compile: what is never imported need not be compiled.
$(VENV)/installed: requirements.lock pyproject.toml | $(VENV)/bin/python
	@echo "Installing the locked packages into $(VENV) ..."
	@$(PIP) install --no-compile --require-hashes --only-binary :all: -r requirements.lock
	@$(PIP) install --no-deps --no-build-isolation --no-index --editable .
	@touch $@

$(VENV)/installed-dev: requirements-dev.lock pyproject.toml | $(VENV)/bin/python
	@echo "Installing the locked packages for tests and checks into $(VENV) ..."
	@$(PIP) install --no-compile --require-hashes -r requirements-dev.lock
	@$(PIP) install --no-deps --no-build-isolation --no-index --editable .
	@touch $@
