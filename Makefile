# Two commands on a fresh machine (python3.11 or newer with pip and venv, and make):
#   make demo    make test
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/pip install --quiet --disable-pip-version-check -c constraints.txt

.PHONY: demo test test-slow paper speed costs catalogue peers lint format constraints clean help

help:  ## this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 16

demo: $(VENV)/.runs  ## set up, run the demo experiment (minutes), write its report
	$(BIN)/bench run experiment=demo
	$(BIN)/bench report results/demo

test: $(VENV)/.develops  ## set up, run the test suite
	$(BIN)/pytest -q -n logical --maxprocesses 8 --dist worksteal

test-slow: $(VENV)/.develops  ## the tests that take longer
	$(BIN)/pytest -q -m slow

# The same commit gives the same PDF: its date is the commit's.
paper: export SOURCE_DATE_EPOCH ?= $(shell git log -1 --format=%ct 2>/dev/null || echo 0)
paper: export FORCE_SOURCE_DATE := 1
paper: $(VENV)/.runs  ## set up, build paper/paper.pdf: stored runs, then tables, figures, numbers
	$(BIN)/python scripts/paper.py
	$(BIN)/python scripts/paper.py --check
	sh scripts/install_latex.sh
	cd paper && latexmk -pdf -interaction=nonstopmode -halt-on-error -outdir=build paper.tex
	cp paper/build/paper.pdf paper/paper.pdf

speed: $(VENV)/.runs  ## measure the speed (ten minutes; let nothing else run), write docs/performance.md
	$(BIN)/python scripts/speed.py

costs: $(VENV)/.runs  ## measure what each member costs (minutes; let nothing else run), for the catalogue
	$(BIN)/python scripts/costs.py
	$(BIN)/python scripts/catalogue.py

catalogue: $(VENV)/.runs  ## write docs/catalogue.md anew from the members' files
	$(BIN)/python scripts/catalogue.py

peers:  ## an environment with JAX, which `make speed` then compares with
	$(PYTHON) -m venv .venv-peers
	.venv-peers/bin/pip install --quiet --disable-pip-version-check 'jax>=0.4.30'

lint: $(VENV)/.develops  ## ruff, mypy, the import contracts
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports

format: $(VENV)/.develops  ## let ruff lay the code out
	$(BIN)/ruff format
	$(BIN)/ruff check --fix

constraints: $(VENV)/.develops  ## write constraints.txt anew from what is installed
	@{ head -n 1 constraints.txt; $(BIN)/pip freeze --exclude-editable | sed 's/+cpu//'; } > constraints.tmp
	@mv constraints.tmp constraints.txt

clean:  ## remove the virtual environment and caches, never results
	rm -rf $(VENV) build dist *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis

# The stamps make a second call set up nothing anew.
$(VENV)/.runs: pyproject.toml constraints.txt | $(BIN)/pip
	$(PIP) -e .
	@touch $@

$(VENV)/.develops: pyproject.toml constraints.txt | $(BIN)/pip
	$(PIP) -e '.[dev]'
	@touch $(VENV)/.runs $@

$(BIN)/pip:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "$(PYTHON) is older than 3.11: call make with PYTHON=python3.11, say"; exit 2; }
	@# Debian's python3 has pip but, without python3-venv, none for a new environment.
	@$(PYTHON) -m venv $(VENV) 2>/dev/null || \
		{ rm -rf $(VENV) && $(PYTHON) -m venv --without-pip $(VENV) && \
		  $(PYTHON) -m pip --python $(BIN)/python install --quiet pip; } || \
		{ rm -rf $(VENV); echo "$(PYTHON) has neither venv nor pip: install python3-venv"; exit 2; }
