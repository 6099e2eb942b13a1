# Every target first sets up what it needs, once. Required on the machine: Python 3.11 or later, and make.

PYTHON ?= python3
BIN := .venv/bin
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt
READY := .venv/ready
DEV_READY := .venv/dev-ready
DOCS_READY := .venv/docs-ready

.PHONY: demo test test-slow check bench docs

demo: $(READY)
	$(BIN)/regreen demo

test: $(DEV_READY)
	$(BIN)/python -m pytest -n 2 --dist loadfile

test-slow: $(DEV_READY)
	$(BIN)/python -m pytest -n 2 --dist loadfile -m slow

check: $(DEV_READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

bench: $(DEV_READY)
	$(BIN)/python benches/judge.py
	$(BIN)/python benches/generation.py
	$(BIN)/python benches/training.py
	$(BIN)/python benches/cycle.py
	$(BIN)/python benches/rltf.py
	$(BIN)/python benches/serve.py
	$(BIN)/python benches/cluster.py
	$(BIN)/python benches/client.py
	$(BIN)/python benches/passt.py
	$(BIN)/python benches/katas.py
	$(BIN)/python benches/overlap.py
	$(BIN)/python benches/tracing.py
	$(BIN)/python benches/page.py

docs: $(DOCS_READY)
	NO_MKDOCS_2_WARNING=1 $(BIN)/python -m mkdocs build --strict

$(READY): pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or later is needed: make PYTHON=python3.12")'
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(PIP) -e .
	@touch $@

$(DEV_READY): $(READY)
	$(PIP) -e '.[dev]'
	@command -v chromium >/dev/null || test "$$(id -u)" != 0 || { apt-get -qq update && \
	  apt-get -qq install -y --no-install-recommends chromium fonts-dejavu-core >/dev/null; } || \
	  echo "no Chromium: tests of the report's page are skipped"
	@touch $@

$(DOCS_READY): $(READY)
	$(PIP) -e '.[docs]'
	@touch $@
