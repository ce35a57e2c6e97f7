# make mine | make test | make test-all | make lint | make setup. All make .venv first where it is
# missing: `make mine` with what mining needs, the others with all. `make test` leaves out what is
# costly and has something smaller beside it, and hypothesis draws the same examples each time; in
# `make test-all` it looks for new ones. A worker of pytest that dies ends the run: with another in its
# place pytest-xdist can wait for tests that nobody has.

PYTHON ?= python3.11
# Another build of torch, for example:
#   make setup TORCH='torch==2.13.0 --index-url https://download.pytorch.org/whl/cu126'
TORCH ?= torch==2.13.0
EXTRAS ?= dev,datasets
OUTPUT ?= out

BIN := .venv/bin
MINING := .venv/.negmine-mining
STAMP := .venv/.negmine-setup
PYTEST := $(BIN)/python -m pytest -n auto --dist loadfile --max-worker-restart 0

# Folders whose import names are negmine.<folder>; mypy and import-linter want to find them so.
ROOMS := schemas transforms pipelines jobs

.PHONY: setup mine test test-all lint clean

setup: $(STAMP)

$(BIN)/python:
	@command -v $(PYTHON) >/dev/null || { \
	  echo "$(PYTHON) is not here; install Python 3.11, 3.12 or 3.13 and say which:" \
	    "make setup PYTHON=python3.12" >&2; exit 1; }
	$(PYTHON) -m venv .venv

$(MINING): pyproject.toml setup.py | $(BIN)/python
	$(BIN)/python -m pip install --upgrade pip
	$(BIN)/python -m pip install $(TORCH)
	$(BIN)/python -m pip install -e .
	@touch $@

$(STAMP): $(MINING)
	$(BIN)/python -m pip install -e '.[$(EXTRAS)]'
	@touch $@

mine: $(MINING)
	$(BIN)/negmine mine stdlib --output $(OUTPUT)

test: $(STAMP)
	$(PYTEST) --no-loadscope-reorder -m 'not long' --hypothesis-profile=ci

test-all: $(STAMP)
	$(PYTEST)

lint: $(STAMP)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	@rm -rf build/names && mkdir -p build/names/negmine
	@ln -s $(addprefix ../../../,negmine/__init__.py negmine/__main__.py $(ROOMS)) build/names/negmine/
	MYPYPATH=build/names $(BIN)/mypy -p negmine
	cd build/names && $(abspath $(BIN))/lint-imports ../../pyproject.toml

clean:
	rm -rf build dist *.egg-info .mypy_cache .ruff_cache .pytest_cache .import_linter_cache
