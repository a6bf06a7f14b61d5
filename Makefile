# The commands of this repository. Each sets up what it needs first; nothing is done twice.

PYTHON ?= python3
BIN := .venv/bin
SOURCES := bench cli gateway infra producer runtime schemas streams tests tools
COMPILE := $(BIN)/uv pip compile --quiet --universal --generate-hashes --no-emit-index-url --no-header \
	--python-version 3.11 pyproject.toml

# bytecode is kept, whatever the environment says: many processes are started here
unexport PYTHONDONTWRITEBYTECODE

.PHONY: run test check bench lock clean

# start the platform on a demo library; Ctrl-C ends it
run:
	@$(PYTHON) infra/bootstrap.py run
	@exec $(BIN)/catalogizer up

# all tests, against a real Kafka and a real PostgreSQL; choose some with make test ARGS="-k word"
test:
	@$(PYTHON) infra/bootstrap.py dev
	@$(BIN)/python -m pytest -n 3 --dist loadfile --no-loadscope-reorder --basetemp=$$(mktemp -d /tmp/catalogizer-tests-XXXXXX) tests $(ARGS)

# format, lint, types, import contracts, unit tests
check:
	@$(PYTHON) infra/bootstrap.py dev
	@$(BIN)/ruff format --check $(SOURCES)
	@$(BIN)/ruff check $(SOURCES)
	@$(BIN)/mypy
	@$(BIN)/lint-imports
	@$(BIN)/python -m tools.generate --check
	@$(BIN)/python -m pytest -q tests/unit

# figures, each with its baseline in the same run
bench:
	@$(PYTHON) infra/bootstrap.py dev
	@$(BIN)/python -m bench

# write the lock files anew: Python's packages, Kafka's jars
lock:
	@$(PYTHON) infra/bootstrap.py dev
	$(COMPILE) --output-file requirements/run.txt
	$(COMPILE) --group dev --output-file requirements/dev.txt
	$(BIN)/python -m tools.lock_jars

# remove what was made here, except the platform's state
clean:
	rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis dist
