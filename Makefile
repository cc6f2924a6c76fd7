# Learning dynamics.  `make book` builds the course, `make test` checks everything.
# Works with the make of macOS (3.81): no .ONESHELL, no grouped targets.
BIN := .venv/bin
ENV := .venv/.complete
NODE := node_modules/.package-lock.json

# The first interpreter on PATH that is 3.11 or 3.12; `make PYTHON=/path/to/python` overrides it.
FITS := import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 12))
PYTHON ?= $(shell for p in python3.12 python3.11 python3 python; do $$p -c '$(FITS)' 2>/dev/null && echo $$p && break; done)

.PHONY: help env chapters book test lab serve lock clean
.DEFAULT_GOAL := help

help:
	@echo "make book      build the whole book: chapters are executed (only what changed), pages are made"
	@echo "make test      run every check: library, chapters, book, pages in a browser"
	@echo "make chapters  execute the chapters, without making pages"
	@echo "make lab       open the chapters in JupyterLab"
	@echo "make serve     serve the built book on http://localhost:8000"
	@echo "make env       make the environment in .venv (the others do it when it is missing)"
	@echo "make clean     remove what was built and executed, keep the environment"

env: $(ENV) $(NODE)

chapters book test: $(ENV) $(NODE)
	@$(BIN)/python book/_ext/stages.py $@

lab: $(ENV)
	@JUPYTER_CONFIG_PATH="$(CURDIR)/book/_ext/lab" $(BIN)/jupyter lab --notebook-dir=book

PORT ?= 8000
serve: $(ENV)
	@test -f _build/html/index.html || { echo "make: there is no built book yet; run: make book"; exit 1; }
	@echo "serve: http://localhost:$(PORT) (stop with Ctrl-C)"
	@$(BIN)/python -m http.server $(PORT) --bind localhost --directory _build/html

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
