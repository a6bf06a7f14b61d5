# Each target sets up what it needs by itself and can be run again at any time.
PYTHON ?= python3
BIN := .venv/bin

.PHONY: run test check bench lock format clean setup-run setup-dev

run: setup-run          ## set up and start the platform in the foreground
	@exec $(BIN)/catalogizer up

test: setup-dev         ## set up and pass all tests, on a real Kafka and a real PostgreSQL
	@$(BIN)/python -m pytest tests

check: setup-dev        ## format, lint, strict types, import contracts, unit tests
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python -m schemas.generate --check
	$(BIN)/python -m pytest -q tests/unit

bench: setup-dev        ## figures, each with its baseline in the same run
	@$(BIN)/python -m bench

format: setup-dev       ## format and mend what can be mended by itself
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

lock: setup-dev         ## resolve the lock files anew: hashes, no addresses
	@$(BIN)/python infra/lock.py
	@$(BIN)/python infra/kafka/lock.py

clean:                  ## remove the environment and the state of this checkout (not the user's download cache)
	rm -rf .venv .catalogizer

setup-run:
	@$(PYTHON) infra/bootstrap.py run

setup-dev:
	@$(PYTHON) infra/bootstrap.py dev
