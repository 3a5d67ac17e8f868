# Needs Python 3.11 or newer and make; everything else goes into .venv. `make help` tells what there is.

VENV := .venv
PY := $(VENV)/bin/python
ARGS ?=
TIMES ?= 20
PYTHON ?=
comma := ,

# The driver of the database in use, as an extra of pyproject.toml.
DRIVER := $(if $(filter postgres% psql% pgsql%,$(DATABASE_URL)),-postgres,$(if $(filter mysql% mariadb%,$(DATABASE_URL)),-mysql))

# The first of these that exists, really runs (a pyenv shim may not), is new enough, and can make an environment.
define find-python
for python in $(PYTHON) python3.13 python3.12 python3.11 python3; do \
	"$$python" -c 'import ensurepip, sqlite3, ssl, sys, venv; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1 && break; \
	python=; \
done; \
if [ -z "$$python" ]; then \
	echo "Python 3.11 or newer with venv and sqlite3 is needed (on Debian: apt-get install python3-venv)." >&2; \
	echo "If it is not on PATH, name it: make PYTHON=/path/to/python3" >&2; \
	exit 1; \
fi
endef

# An environment whose Python is gone or broken is made anew: forget what was installed in it.
ifneq ($(shell $(PY) -c 'print("runs")' 2>/dev/null),runs)
$(shell rm -f $(VENV)/.installed-*)
endif

.PHONY: help demo test explore ci lint bench chaos setup python clean

help:
	@echo "make demo    the whole thing on this machine: a fake HubSpot, the product, workers (ARGS=--check: verify and end)"
	@echo "make test    the tests, on SQLite, or on the database that DATABASE_URL names (ARGS: for pytest)"
	@echo "make explore every property test with new examples, TIMES=20 times as many (ARGS: for pytest)"
	@echo "make ci      what must pass before a change lands: tests on SQLite and PostgreSQL, and lint"
	@echo "make lint    layers, types, style, migrations"
	@echo "make bench   measure (ARGS: which)"
	@echo "make chaos   kill and disturb everything, then compare both sides (ARGS: how long)"
	@echo "make setup   only make .venv, with the tools of a developer"
	@echo "make clean   remove .venv, var and caches: all that was made here"

demo: $(VENV)/.installed-demo$(DRIVER)
	@exec $(PY) -m project.launch --with-parent $(ARGS)

test: $(VENV)/.installed-dev$(DRIVER)
	@$(PY) -m pytest $(ARGS)

explore: $(VENV)/.installed-dev$(DRIVER)
	@CRMSYNC_EXPLORE=$(TIMES) $(PY) -m pytest --timeout=0 $(ARGS)

ci:
	@.ci/run

lint: $(VENV)/.installed-dev
	@echo "--- layers" && $(VENV)/bin/lint-imports --no-logo
	@echo "--- types" && $(PY) -m mypy
	@echo "--- style" && $(PY) -m ruff check && $(PY) -m ruff format --check
	@echo "--- migrations" && $(PY) manage.py makemigrations --check --dry-run

bench: $(VENV)/.installed-dev$(DRIVER)
	@$(PY) -m benchmarks $(ARGS)

chaos: $(VENV)/.installed-dev$(DRIVER)
	@$(PY) -m benchmarks.chaos $(ARGS)

setup: $(VENV)/.installed-dev
	@:

python:
	@$(find-python); command -v "$$python"

clean:
	@rm -rf $(VENV) var dist .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis .coverage
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +

# .installed-demo-postgres: the package in place, with the extras demo and postgres.
$(VENV)/.installed-%: pyproject.toml
	@if ! $(PY) -c '' 2>/dev/null; then \
		$(find-python); \
		echo "Making $(VENV) with $$(command -v "$$python"), once; this takes a moment."; \
		"$$python" -m venv --clear $(VENV); \
	fi
	@$(PY) -m pip --version >/dev/null 2>&1 || $(PY) -m ensurepip >/dev/null
	@$(PY) -m pip install -qq --disable-pip-version-check -e '.[$(subst -,$(comma),$*)]'
	@touch $@
