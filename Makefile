# The commands of the house. `make` alone lists them.

PYTHON ?= $(shell command -v python3.11 || command -v python3)
BIN := .venv/bin
INSTALLED := .venv/.installed

# One process more than a small machine has cores, as some tests wait. The tests of a file stay together.
PARALLEL := -n 3 --dist loadfile --no-loadscope-reorder

# Where an environment sets it, each of the thousands of processes that tests start would compile the house anew.
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.PHONY: help setup compiled demo test check up down bench

help: ## list the commands
	@grep -E '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):.*## /  make \1\t/' | expand -t 16

setup: $(INSTALLED) compiled ## install everything into .venv, and compile the proxy where there is a C compiler

compiled: $(INSTALLED)
	@$(BIN)/python -m proxy.compile

$(INSTALLED): requirements.txt pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
	  || { echo "found $$($(PYTHON) --version 2>&1 || echo no Python), wanted Python 3.11 or newer"; \
	       echo "     next: make PYTHON=/path/to/python3.11 setup"; exit 2; }
	@echo "setting up .venv (once; a minute or so)"
	@$(PYTHON) -m venv .venv
	@$(BIN)/pip install --quiet --disable-pip-version-check -r requirements.txt
	@$(BIN)/pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@

demo: setup ## a real migration of the shop under live traffic, on embedded databases
	@$(BIN)/python -m demo

test: setup ## every test; the monolith's own on SQLite and on PostgreSQL
	@$(BIN)/pytest $(PARALLEL)
	@STRANGLER_INTERPRETED=1 $(BIN)/pytest $(PARALLEL) tests/unit/proxy tests/integration/proxy/test_proxy_f*.py
	@$(BIN)/python -m tests.on_postgres $(PARALLEL)

check: setup ## lint, format, types, import contracts
	@$(BIN)/ruff check
	@$(BIN)/ruff format --check
	@$(BIN)/mypy
	@PYTHONPATH=monolith $(BIN)/lint-imports

up: setup ## start the whole stack on this machine
	@$(BIN)/strangler up

down: setup ## stop it
	@$(BIN)/strangler down

bench: setup ## cost, flips and shadows beside nginx, HAProxy and Envoy, comparison beside deepdiff
	@$(BIN)/python -m bench
