# make app   sets up .venv and starts the app        make test  sets up .venv and runs every check and test
# The rest: make lint, screenshots, messages, bench, clean.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check
# Tests share the cores between their own processes; more threads in each only get in each other's way.
JOBS ?= 2
PYTEST_ARGS ?=

.DEFAULT_GOAL := help
.PHONY: help app setup setup-test lint test screenshots messages bench clean

help:
	@sed -n 's/^# //p' Makefile | head -2

# The app's own address is printed by streamlit; it takes the first free port from 8501 on.
app: setup
	$(BIN)/streamlit run app/streamlit_app.py

setup: $(VENV)/.stamp-app
setup-test: $(VENV)/.stamp-test

lint: setup-test
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

test: lint
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n $(JOBS) --dist loadgroup $(PYTEST_ARGS)

screenshots: setup-test
	$(BIN)/python -m tools.screenshots

messages: setup
	$(BIN)/python -m seqviz.i18n.extract

bench: setup
	$(BIN)/python -m benchmarks.run

clean:
	rm -rf $(VENV) build dist *.egg-info .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis test-results
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(BIN)/pip:
	@$(PYTHON) -c 'import sys; sys.version_info >= (3, 11) or sys.exit("seqviz needs Python 3.11 or newer; this is " + sys.version.split()[0] + ". Name another one: make PYTHON=python3.12 ...")'
	$(PYTHON) -m venv $(VENV)

# setuptools is among the requirements, so the project itself is installed without fetching a second one.
$(VENV)/.stamp-app: requirements.txt pyproject.toml | $(BIN)/pip
	$(PIP) install -r requirements.txt
	$(PIP) install --no-deps --no-build-isolation -e .
	@touch $@

$(VENV)/.stamp-test: requirements-test.txt $(VENV)/.stamp-app
	$(PIP) install -r requirements-test.txt
	@touch $@
