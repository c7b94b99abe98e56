# Few verbs, the same on a laptop and in CI. Everything lives in .venv; `make` alone prints this help.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
UV := $(BIN)/uv
STAMP := $(VENV)/.installed
JS := tests/serving/js
AT_ONCE ?= 3
COMPILE := $(UV) pip compile pyproject.toml --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url

# The machine's own certificates, as pip and git use them: many houses have a proxy with its own.
export UV_SYSTEM_CERTS := true

.DEFAULT_GOAL := help
.PHONY: help setup demo serve test check format bench lock

help: ## Print this help
	@awk 'BEGIN {FS = ":.*## "} /^[a-z-]+:.*## / {printf "  make %-8s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

$(UV):
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "Copydesk needs Python 3.11 or newer; name one with: make PYTHON=python3.11 ..."; exit 2; }
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --disable-pip-version-check uv

$(STAMP): requirements.lock pyproject.toml | $(UV)
	VIRTUAL_ENV=$(VENV) $(UV) pip install --quiet --compile-bytecode --require-hashes -r requirements.lock
	VIRTUAL_ENV=$(VENV) $(UV) pip install --quiet --no-deps --editable .
	@touch $@

setup: $(STAMP) ## Install everything into .venv, by the lock

demo: $(STAMP) ## Check a real article through the whole service, and show what happened
	$(BIN)/copydesk demo

serve: $(STAMP) ## Run the API, the worker and the MLflow pages until Ctrl-C
	$(BIN)/copydesk serve

test: $(STAMP) ## Run the tests, AT_ONCE=3 files at a time
	-@$(BIN)/python -m tests.azurite_server
	$(BIN)/python -m pytest --numprocesses $(AT_ONCE) --dist loadfile

check: $(STAMP) ## Lint, types of Python and JavaScript, architecture
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache --no-logo
	@if command -v npm >/dev/null; then \
		npm ci --silent --prefix $(JS) && $(JS)/node_modules/.bin/tsc -p $(JS) && echo "JavaScript types: fine"; \
	elif [ -n "$$CI" ]; then echo "npm is missing: apt-get install nodejs npm"; exit 1; \
	else echo "JavaScript types were NOT checked: npm is missing (apt-get install nodejs npm)"; fi

format: $(STAMP) ## Mend what can be mended by a machine
	$(BIN)/ruff check --fix-only --quiet .
	$(BIN)/ruff format .

bench: $(STAMP) ## Print the measurements; ONLY=name for one
	$(BIN)/python -m tests.bench $(ONLY)

lock: $(UV) ## Resolve requirements.lock anew, and that of the extra azureml
	$(COMPILE) --extra evaluation --extra azure --group dev --output-file requirements.lock
	$(COMPILE) --extra azureml --output-file registry/azureml.lock
