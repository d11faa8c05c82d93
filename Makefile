# Each step leaves a file that is newer than what the step was made from, so a second run redoes only what changed.

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
# The checks run in the order in which they are written, the cheap ones first.
.NOTPARALLEL:
.PHONY: help run test fuzz soak bench-fanout bench-queries bench-page screenshots lock clean lint types web-test services

BIN := .venv/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet install
LOCK := $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header
WEB := web/dist/index.html
WEB_SOURCES := $(shell find web -name node_modules -prune -o -name dist -prune -o -type f -print)

help: ## This list
	@sed -n 's/^\([a-z-]*\):.*## /make \1\t/p' Makefile

run: .venv/requirements.installed $(BIN)/dams $(WEB) ## Set up, load the dams at the first start, and serve (DAMS_PORT=8001 make run)
	@$(BIN)/dams init
	@exec $(BIN)/dams serve

test: .venv/requirements-dev.installed $(BIN)/dams lint types web-test $(WEB) services ## Set up and check everything
	$(BIN)/pytest --numprocesses 2 --dist loadfile

bench-fanout: .venv/requirements.installed $(BIN)/dams ## Compare what telling many subscribers costs, ours and others (ARGS="--n 1000")
	@$(BIN)/python -m bench.fanout.run $(ARGS)

bench-queries: .venv/requirements.installed $(BIN)/dams services ## Compare what queries and adds cost, ours and others (ARGS="--rounds 1")
	@$(BIN)/python -m bench.queries.run $(ARGS)

bench-page: .venv/requirements-dev.installed $(BIN)/dams $(WEB) services ## How soon a browser shows the map of all dams, and how it moves (ARGS="--rounds 3")
	@$(BIN)/python -m bench.page.run $(ARGS)

soak: .venv/requirements-dev.installed $(BIN)/dams services ## Ten minutes of random faults under 200 subscribers (SOAK_SEED=17 SOAK_MINUTES=2 make soak)
	@$(BIN)/python -m tests.soak

fuzz: .venv/requirements-dev.installed $(BIN)/dams services ## A thousand random cases for each test that tries some dozens, in minutes (FUZZ_CASES=10000 make fuzz)
	@FUZZ_CASES=$${FUZZ_CASES:-1000} $(BIN)/pytest -m fuzz --numprocesses 2 --timeout 0

screenshots: .venv/requirements-dev.installed $(BIN)/dams $(WEB) services ## Take the pictures of docs/ anew
	@SCREENSHOTS=docs $(BIN)/pytest tests/test_web_screenshots.py

lock: .venv/requirements-dev.installed ## Bring requirements*.lock in line with pyproject.toml (delete them first for all the newest)
	$(LOCK) --group build pyproject.toml --output-file requirements.lock
	$(LOCK) --group build --extra dev --constraint requirements.lock pyproject.toml --output-file requirements-dev.lock
	$(LOCK) --group node --output-file requirements-node.lock

clean: ## Remove what was made, but not data/
	rm -rf .venv .*_cache .hypothesis build *.egg-info web/node_modules web/dist bench/*/peers/node/node_modules
	find . -name __pycache__ -prune -exec rm -r {} +

lint:
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/lint-imports

types:
	$(BIN)/mypy

web-test: web/node_modules/.package-lock.json
	scripts/npm run check
	scripts/npm test

# Not a stamp: whether the machine has them is asked each time.
services:
	@missing=$$($(BIN)/python tests/services.py); [ -z "$$missing" ] || scripts/apt-install $$missing

$(BIN)/python:
	scripts/venv

.venv/%.installed: %.lock | $(BIN)/python
	@echo "Installing $<"
	@$(PIP) --require-hashes --requirement $<
	@touch $@

# After the smaller lock, which is a part of it and has what builds the project.
.venv/requirements-dev.installed: | .venv/requirements.installed

$(BIN)/dams: pyproject.toml | .venv/requirements.installed
	@$(PIP) --no-deps --no-build-isolation --editable .
	@touch $@

web/node_modules/.package-lock.json: web/package-lock.json | .venv/requirements.installed
	scripts/npm ci --no-audit --no-fund
	@touch $@

$(WEB): web/node_modules/.package-lock.json $(WEB_SOURCES)
	scripts/npm run build
	@touch $@
