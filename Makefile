# make run: the embedded sample (or PMC_SOURCE=…) to tables, shards and SQL.   make test: lint, types, all tests.
# make ui: the Dagster UI on 127.0.0.1:3000.                                  make drill: kill it at random, lose nothing.
PYTHON ?= $(shell command -v python3.11 || command -v python3)
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed

.PHONY: env run test lint types ui drill clean

env: $(STAMP)

$(STAMP): pyproject.toml constraints.txt
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --disable-pip-version-check --upgrade pip  # an old resolver takes twice as long
	$(BIN)/pip install --quiet --disable-pip-version-check torch==2.13.0
	$(BIN)/pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[test,dinov2,ray,postgres]'
	touch $@

run: env
	$(BIN)/pmc-assets run
	$(BIN)/pmc-assets tour

lint: env
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .

types: env
	$(BIN)/mypy

test: lint types
	bash assets_tests/install_chromium.sh
	$(BIN)/pytest

ui: env
	$(BIN)/pmc-assets ui

drill: env
	$(BIN)/python -m benchmarks.drill

clean:
	rm -rf lake .sample .dagster
