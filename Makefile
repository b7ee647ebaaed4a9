# make run: the embedded sample (or PMC_SOURCE=…) to tables, shards and SQL.   make test: lint, types, all tests.
# make ui: the Dagster UI on 127.0.0.1:3000.                                  make drill: kill it at random, lose nothing.
PYTHON ?= $(shell command -v python3.11 || command -v python3)
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
comma := ,
EXTRAS := test,dinov2,ray,postgres
# Of a Python that has pip, the environment needs none of its own to begin with.
HAS_PIP = $(shell $(PYTHON) -c "import importlib.util as u; print(u.find_spec('pip') or '')")
PIP = $(if $(HAS_PIP),$(PYTHON) -m pip --python $(BIN)/python,$(BIN)/python -m pip) install --quiet --no-compile --disable-pip-version-check --constraint constraints.txt
UV := VIRTUAL_ENV=$(VENV) $(BIN)/uv pip install --quiet --constraint constraints.txt
PACKAGES := pip --requirements pyproject.toml $(patsubst %,--extra %,$(subst $(comma), ,$(EXTRAS)))
TORCH_APART := $(VENV)/torch-apart.txt

MAKEFLAGS += --jobs=2
unexport PYTHONDONTWRITEBYTECODE  # modules are compiled at their first import, the others never

.PHONY: env run test suite lint types debian ui drill clean

env: $(STAMP)

# torch alone by pip, which takes a CPU build where one is at hand; beside it uv installs the rest, in a fifth of pip's time.
$(STAMP): pyproject.toml constraints.txt setup.py $(wildcard pmc_assets/jats/*.p[yx][xi])
	test -x $(BIN)/python || $(PYTHON) -m venv $(if $(HAS_PIP),--without-pip) $(VENV)
	$(PIP) --no-deps uv
	echo "torch; python_version < '3'" > $(TORCH_APART)
	$(PIP) --no-deps torch & torch=$$!; \
		$(UV) --no-deps --editable . && $(UV) --override $(TORCH_APART) $(PACKAGES) && wait $$torch && $(UV) $(PACKAGES) \
		|| { wait; $(PIP) --editable '.[$(EXTRAS)]'; }
	touch $@

run: env
	$(BIN)/pmc-assets run
	$(BIN)/pmc-assets tour

lint: env
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .

types: env
	$(BIN)/pyrefly check

debian:
	bash assets_tests/install_debian_packages.sh

# Two at a time: types are checked beside the suite.
test: lint suite types

# Three processes on two cores: threads of numeric libraries would wait for each other.
suite: env debian
	OMP_NUM_THREADS=1 $(BIN)/pytest -n 3 --dist loadscope --no-loadscope-reorder

ui: env
	$(BIN)/pmc-assets ui

drill: env
	$(BIN)/python -m benchmarks.drill

clean:
	rm -rf lake .sample .dagster build
