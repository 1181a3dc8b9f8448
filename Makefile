# Every target sets up what it needs, so that each works in a fresh clone.
PYTHON  ?= python3
WORKERS ?= auto
VENV    := .venv
BIN     := $(VENV)/bin
READY   := $(VENV)/.ready
TESTS   := $(VENV)/.ready-for-tests

.DEFAULT_GOAL := help
.PHONY: help setup tools elasticsearch run test check format bench torture clean

help: ## List the targets.
	@sed -n 's/^\([a-z]*\):.*## /\1\t/p' $(MAKEFILE_LIST) | expand -t 12

setup: $(TESTS) ## Make the virtual environment and install everything in it.

$(READY): setup.cfg pyproject.toml deploy/venv
	@PYTHON=$(PYTHON) sh deploy/venv $(VENV)
	@$(BIN)/pip install --quiet --disable-pip-version-check --editable .
	@touch $@

$(TESTS): $(READY)
	@$(BIN)/pip install --quiet --disable-pip-version-check --editable '.[frames,test]'
	@touch $@

tools: ## Install what tests run beside Trailhound (zstd, Suricata, Elasticsearch), where that is allowed.
	@sh deploy/tools-for-tests

elasticsearch: setup ## Start a real Elasticsearch on http://127.0.0.1:9200 until Ctrl-C, with no data.
	@sh deploy/elasticsearch-for-tests
	@$(BIN)/python -m tests.elasticsearch

run: $(READY) ## Watch LOGS=<folder> (a live sample when not given); console and API on http://127.0.0.1:8338.
	@$(BIN)/trailhound $(if $(LOGS),run '$(LOGS)',demo)

# A file of tests is one worker's: it may have a server of its own. Files start in their order, since those with real
# processes, which take longest, come early in it.
test: setup tools ## Run the tests, in WORKERS processes (one a core, four at most, when not given).
	@$(BIN)/python -m pytest -q -n $(WORKERS) --maxprocesses 4 --dist loadfile --no-loadscope-reorder

check: setup ## ruff, mypy --strict and the house rules.
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/python -m pytest -q tests/house

format: setup ## Let ruff write the code in its own form.
	@$(BIN)/ruff check --fix .
	@$(BIN)/ruff format .

bench: setup ## Measure speed and memory; TRAILS=<folder or archive of Maltrail's static trails> for the real set.
	@$(BIN)/python -m bench $(if $(TRAILS),--trails '$(TRAILS)')

torture: setup tools ## Kill, rotate and starve real processes for a long time.
	@$(BIN)/python -m pytest -q -m torture --torture=full tests

clean: ## Remove what was made here.
	rm -rf $(VENV) build dist *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis
