# Everything runs in .venv, which the first target makes; nothing but Python 3.11+, make and git is needed.
PYTHON ?= python3
BIN    := .venv/bin
STAMP  := .venv/.made
ARGS   ?=
# test processes; 0: none but pytest itself (for --pdb)
AT_ONCE ?= 2
REPEAT ?= 1
CASES  ?= *

.DEFAULT_GOAL := help
.PHONY: help run test lab check format texts schemas docs binary new-area pins bench fuzz mutants clean

help:        ## this list
	@sed -nE 's/^([a-z-]+): .*## (.*)/\1\t\2/p' $(MAKEFILE_LIST) | expand -t 12

$(STAMP): requirements/dev.txt pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed, this is " + sys.version.split()[0])'
	@echo "setting up .venv (once)" >&2
	@$(PYTHON) -m venv .venv
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/dev.txt
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@

texts: $(STAMP)   ## compile the German texts
	@$(BIN)/python tools/texts.py compile

run: texts        ## run on this machine: make run ARGS="--size M"
	@$(BIN)/vorflug run $(ARGS)

test: texts       ## all tests that this machine can run; the others are named with the reason
	@$(BIN)/python -m pytest --numprocesses=$(AT_ONCE) --no-loadscope-reorder $(ARGS)

lab: texts        ## every network fault and every awkward but healthy network (root): make lab REPEAT=20
	@PYTHONPATH=tests $(BIN)/python -m lab.repeat $(REPEAT) "$(CASES)"

check: texts      ## ruff, mypy, import contracts, texts, docs and schemas up to date
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports
	@$(BIN)/python tools/texts.py check
	@$(BIN)/python tools/generate.py check

format: $(STAMP)  ## format and fix what can be fixed
	@$(BIN)/ruff format .
	@$(BIN)/ruff check --fix .

schemas: texts    ## write schemas/ and the generated tables of docs/
	@$(BIN)/python tools/generate.py write

docs: schemas     ## the same

binary: texts     ## dist/vorflug: one file for this machine's glibc, and a smoke test of it
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/binary.txt
	@$(BIN)/python packaging/binary.py

new-area: texts   ## a new subject: make new-area NAME=printers
	@$(BIN)/python tools/new_area.py "$(NAME)"

bench: texts      ## start times, sizes and endpoints against curl; where Go is there, 32 host checks against goss
	@$(BIN)/python benchmarks/start.py
	@$(BIN)/python benchmarks/egress.py
	@$(BIN)/python benchmarks/host_checks.py

fuzz: $(STAMP)    ## every parser of bytes from outside, a minute each: make fuzz ARGS="frames --seconds 600"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check "atheris>=3.0"
	@cd tests && ../$(BIN)/python -m fuzz $(ARGS)

mutants: texts    ## change each decision of the areas once: make mutants ARGS="clock"
	@$(BIN)/python tools/mutants.py $(ARGS)

pins: $(STAMP)    ## pin the requirements again
	@$(BIN)/python -m pip install --quiet pip-tools
	@for set in run: dev:--extra=dev binary:--extra=binary; do \
	  $(BIN)/python -m piptools compile --quiet --strip-extras --generate-hashes --no-emit-index-url --no-emit-trusted-host --no-emit-find-links --no-header --allow-unsafe --no-annotate --build-deps-for=editable \
	    $${set#*:} --output-file requirements/$${set%%:*}.txt pyproject.toml || exit 1; done

clean:            ## remove what was built
	rm -rf .venv build dist
