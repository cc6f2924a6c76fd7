# Learning dynamics.  `make book` builds the course, `make test` checks everything.
# Works with the make of macOS (3.81): no .ONESHELL, no grouped targets.
BIN := .venv/bin
ENV := .venv/.complete
NODE := node_modules/.package-lock.json

# The first interpreter on PATH that is 3.11 or 3.12; `make PYTHON=/path/to/python` overrides it.
FITS := import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 12))
PYTHON ?= $(shell for p in python3.12 python3.11 python3 python; do $$p -c '$(FITS)' 2>/dev/null && echo $$p && break; done)

.PHONY: env lock clean

env: $(ENV) $(NODE)

# From the lock alone: exact versions, hashes checked, no resolver.  uv is used where it is installed.
$(ENV): requirements.lock
	@test -n "$(PYTHON)" || { echo "make: Python 3.11 or 3.12 is needed; install one, or name one: make PYTHON=/path/to/python3.12"; exit 1; }
	@echo "env: building .venv from requirements.lock (once, and again when it changes)"
	@rm -rf .venv
	@if command -v uv >/dev/null; then \
	  uv venv --quiet --python "$(PYTHON)" .venv && \
	  uv pip sync --quiet --python $(BIN)/python --require-hashes requirements.lock && \
	  uv pip install --quiet --python $(BIN)/python --no-deps --no-build-isolation --editable . ; \
	else \
	  $(PYTHON) -m venv .venv && \
	  $(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes --requirement requirements.lock && \
	  $(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable . ; \
	fi
	@touch $@

# MathJax for the pages and axe-core for their tests, by the npm that the lock brings along.
$(NODE): package-lock.json $(ENV)
	@PATH="$(CURDIR)/$(BIN):$$PATH" npm ci --silent --ignore-scripts --no-audit --no-fund
	@touch $@

# Resolve the direct dependencies of pyproject.toml again (needs uv); the builds only read the result.
lock:
	uv pip compile pyproject.toml --quiet --all-extras --universal --python-version 3.11 --generate-hashes \
	  --no-annotate --no-header --output-file requirements.lock
	npm install --package-lock-only --ignore-scripts

clean:
	rm -rf _build .cache
