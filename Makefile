# `make help` lists what can be made. PYTHON=/path/to/python3.11 chooses the interpreter `.venv` is made from.
PYTHON ?= python3
RUN := .venv/bin/python -m

.DEFAULT_GOAL := help
.PHONY: help setup up down status demo proto check test bench soak clean

help: ## this list
	@sed -n 's/^\([a-z]*\):.*## /\1|/p' Makefile | while IFS='|' read -r name what; do printf '%-8s %s\n' "$$name" "$$what"; done

setup: .venv/.stamp ## make .venv with the locked packages; done once until the lock changes

.venv/.stamp: requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit("Shilian needs Python 3.11 or later: make PYTHON=/path/to/python3.11" if sys.version_info < (3, 11) else 0)'
	@$(PYTHON) -c 'import ensurepip' || { echo 'This Python cannot make a venv (on Debian: apt-get install python3-venv).'; exit 1; }
	$(PYTHON) -m venv .venv
	$(RUN) pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	$(RUN) pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

up: setup ## start the embedded stack and every process, and say what listens where
	@$(RUN) deploy.local up

down: ## stop exactly those; the data stays
	@test ! -e .venv/.stamp || $(RUN) deploy.local down

status: setup ## show each process of the stack
	@$(RUN) deploy.local status

demo: setup ## one month of three cities, on a stack of its own (KEEP=1 leaves it running)
	@$(RUN) demo $(if $(KEEP),--keep)

proto: setup ## generate the gRPC stubs, AsyncAPI document and JSON schemas
	$(RUN) proto.generate
	$(RUN) contracts.generate

check: setup ## lint, types, import rules, and no drift of what is generated
	.venv/bin/ruff check
	.venv/bin/ruff format --check
	.venv/bin/mypy
	.venv/bin/lint-imports
	$(RUN) contracts.generate --check
	$(RUN) proto.generate --check

test: setup ## all tests, on a real broker and database (ARGS="-k name")
	$(RUN) pytest $(ARGS)

bench: setup ## side-by-side benchmarks (ONLY=name for one, FULL=1 for the long ones too)
	@$(RUN) bench $(if $(ONLY),--only $(ONLY)) $(if $(FULL),--full)

soak: setup ## the long-running benchmark alone
	@$(RUN) bench --only soak --full

clean: down ## remove all that was made here: stacks and their data, fetched servers, .venv, caches
	@for stack in .local/stack .local/*/stack; do \
	  test ! -e .venv/.stamp -o ! -d $$stack || $(RUN) deploy.local down --dir $$stack || exit 1; \
	done
	rm -rf .local .venv .mypy_cache .pytest_cache .ruff_cache .import_linter_cache .hypothesis
