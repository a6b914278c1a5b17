# The only commands a person or a CI needs. Each sets up what it needs, once.
#
#   make demo     train and evaluate all four tasks on a phantom cohort, write the HTML page
#   make test     every test except the nightly ones
#   make nightly  tests that take minutes, and every table of the paper on phantoms
#   make check    every gate (docs/explanation/gates.md)
#   make bench    our training step against four single-task steps
#   make docs     links of the documentation, and that its Python parses
#   make setup    only the set-up
#   make clean    remove caches and built things; `make clean-all` also removes .venv
#
# PYTHON=python3.12   which Python to build .venv with (default: the first that is new enough)
# VENV=/some/venv     use an environment that is ready, and never set anything up
# ARGS="..."          passed on to `tetract demo`, pytest or the benchmark
# TETRACT_SHARED=dir  real CT for the tests marked `real`; without it they are skipped

SHELL := /bin/sh
.DEFAULT_GOAL := help

VENV ?= .venv
BIN := $(VENV)/bin
ARGS ?=
PYTHONPATH_SRC := PYTHONPATH=src
# Two processes: the tests are many and small. One thread in each, or they fight over the cores.
TEST_WORKERS ?= 2

.PHONY: help setup demo test nightly check bench docs clean clean-all \
	check-format check-lint check-types check-imports check-sizes check-text check-errors

help:
	@sed -n '3,15p' Makefile | sed 's/^# \{0,1\}//'

# A ready environment is recognised by its stamp in a few milliseconds (scripts/setup_env.py).
setup:
ifeq ($(VENV),.venv)
	@sh scripts/setup.sh
endif

demo: setup
	$(BIN)/tetract demo $(ARGS)

test: setup
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n $(TEST_WORKERS) -m "not nightly" $(ARGS)

nightly: setup
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n $(TEST_WORKERS) -m nightly
	$(BIN)/tetract reproduce --profile smoke $(ARGS)

check: check-format check-lint check-sizes check-text check-errors docs check-imports check-types

check-format: setup
	$(BIN)/ruff format --check .

check-lint: setup
	$(BIN)/ruff check .

check-types: setup
	$(BIN)/basedpyright --pythonpath $(BIN)/python

check-imports: setup
	$(PYTHONPATH_SRC) $(BIN)/lint-imports --no-cache

check-sizes: setup
	$(BIN)/python scripts/check_sizes.py

check-text: setup
	$(BIN)/python scripts/check_text.py

check-errors: setup
	$(BIN)/python scripts/check_errors.py

docs: setup
	$(BIN)/python scripts/check_docs.py

bench: setup
	$(BIN)/python -m benchmarks $(ARGS)

clean:
	rm -rf build dist .pytest_cache .ruff_cache .import_linter_cache .hypothesis .coverage htmlcov
	find src tests scripts benchmarks -name __pycache__ -type d -prune -exec rm -rf {} +

clean-all: clean
	rm -rf .venv
