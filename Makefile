# `make` lists what there is. Only Python 3.11 or newer, git and make have to be there before.
.DEFAULT_GOAL := help
.PHONY: help setup up down demo console types check fmt test bench clean

PYTHON ?= $(shell for p in python3 python3.14 python3.13 python3.12 python3.11; do \
  $$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$p && break; done)
export PYTHONPATH :=
SETUP = $(if $(PYTHON),,$(error Python 3.11 or newer is needed and no python3 on PATH is; \
  install it (Debian, Ubuntu: apt install python3 python3-venv) or name one with make PYTHON=/path/to/python3))$(PYTHON) -m supervisor.bootstrap
BIN = .venv/bin

help: ## list these targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-9s %s\n", $$1, $$2}'

setup: ## install what the hub needs and build the console
	@$(SETUP) run console

up: ## set up what is missing, then run the hub until Ctrl-C
	@$(SETUP) run console && exec $(BIN)/modelhub up

down: ## stop the hub that runs with this MODELHUB_HOME
	@$(BIN)/python -m supervisor stop

demo: ## make the starter model, deploy it, ask it three questions
	@$(SETUP) run console && exec $(BIN)/modelhub demo

console: ## build the console
	@$(SETUP) run console

types: ## the console's types from the API's description
	@$(SETUP) run && $(BIN)/python -m api.openapi > .stamps/openapi.json && \
	  $(SETUP) npm run --silent types < .stamps/openapi.json

check: ## style, types and import law, for Python and the console
	@$(SETUP) dev console-deps && exec $(BIN)/python -m supervisor.bootstrap.verify check

fmt: ## put the Python code in order
	@$(SETUP) dev && $(BIN)/ruff check --fix-only --quiet . && $(BIN)/ruff format --quiet .

test: ## every test: pytest, then vitest (PYTEST='-k name' narrows the first)
	@$(SETUP) dev console && exec $(BIN)/python -m supervisor.bootstrap.verify test $(PYTEST)

bench: ## measure the figures in bench/RESULTS.md again
	@$(SETUP) dev && $(BIN)/python -m bench.download --write && exec $(BIN)/python -m bench.relay --write

clean: ## remove what was built here (not your data)
	@rm -rf .venv .stamps console/node_modules console/dist .mypy_cache .ruff_cache .pytest_cache .import_linter_cache
	@find . -name __pycache__ -prune -exec rm -rf {} +
