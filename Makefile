# The commands of this repository. Each sets up what it needs first; nothing is done twice.

PYTHON ?= python3
BIN := .venv/bin
SOURCES := bench cli gateway infra producer runtime schemas storage streams tests tools
COMPILE := $(BIN)/uv pip compile --quiet --universal --generate-hashes --no-emit-index-url --no-header \
	--python-version 3.11 pyproject.toml

# bytecode is kept, whatever the environment says: many processes are started here
unexport PYTHONDONTWRITEBYTECODE

.PHONY: help setup run test check lint fix bench lock release clean
.DEFAULT_GOAL := help

# list these commands
help:
	@awk '/^# /{text=substr($$0, 3); next} /^[a-z]+:/{if (text) printf "make %-9s%s\n", substr($$1, 1, length($$1)-1), text} {text=""}' $(firstword $(MAKEFILE_LIST))

# make .venv with everything that work on the project needs
setup:
	@$(PYTHON) infra/bootstrap.py dev

# start the platform on a demo library; Ctrl-C ends it
run:
	@$(PYTHON) infra/bootstrap.py run
	@exec $(BIN)/catalogizer up

# all tests, against a real Kafka and a real PostgreSQL; choose some with make test ARGS="-k word"
test: setup
	@$(BIN)/python -m pytest -n 3 --dist loadfile --no-loadscope-reorder --durations=30 --basetemp=$$(mktemp -d /tmp/catalogizer-tests-XXXXXX) tests $(ARGS)

# lint and the unit tests; changes nothing
check: lint
	@$(BIN)/python -m pytest -q tests/unit

# format, lint, types, import contracts, generated files, a search for secrets; changes nothing
lint: setup
	@$(BIN)/ruff format --check $(SOURCES)
	@$(BIN)/ruff check $(SOURCES)
	@$(BIN)/mypy
	@$(BIN)/lint-imports
	@$(BIN)/python -m tools.generate --check
	@$(BIN)/python -m tools.secrets
	@PATH="$(CURDIR)/$(BIN):$$PATH" web/node_modules/.bin/tsc -p web/client/tsconfig.json
	@$(BIN)/python -m tools.web --check

# put right what a program can: format, lint, generated files
fix: setup
	@$(BIN)/ruff format $(SOURCES)
	@$(BIN)/ruff check --fix $(SOURCES)
	@$(BIN)/python -m tools.generate
	@$(BIN)/python -m tools.web

# figures, each with its baseline in the same run
bench: setup
	@$(BIN)/python -m bench

# write the lock files anew: Python's packages, Kafka's jars, the web client's packages
lock: setup
	$(COMPILE) --output-file requirements/run.txt
	$(COMPILE) --group dev --output-file requirements/dev.txt
	$(subst pyproject.toml,,$(COMPILE)) --group node --output-file requirements/node.txt
	npm install --prefix web --package-lock-only --ignore-scripts
	$(BIN)/python -m tools.lock_jars

# build wheel, source archive and bill of materials into dist/, and try the wheel in a fresh environment
release: setup
	@$(BIN)/python -m tools.release

# remove what was made here, except the platform's state
clean:
	rm -rf .venv web/node_modules web/client/dist .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis dist
