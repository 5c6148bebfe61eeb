# Everything a person does with a checkout. `make up` and `make test` need Python ≥ 3.11 and make, nothing else.

VENV    ?= .venv
PYTHON  ?= $(firstword $(foreach name,python3 python3.14 python3.13 python3.12 python3.11 python,$(if $(shell $(name) -c 'import sys; print(sys.version_info[:2] >= (3, 11) or "")' 2>/dev/null | grep True),$(name))))
ARGS    ?=
TORCH   := torch==2.13.0
# A plain torch on Linux drags gigabytes of CUDA. A CPU wheel on this machine is taken first, then this index if it answers.
TORCH_CPU_INDEX ?= https://download.pytorch.org/whl/cpu

pip      = $(VENV)/bin/python -m pip install -qq --disable-pip-version-check
stamp_up    := $(VENV)/.ready-to-run
stamp_tests := $(VENV)/.ready-to-test

.DEFAULT_GOAL := help
.PHONY: help up test check bench prove clean

help: ## Say what can be made
	@sed -n 's/^\([a-z]*\):.*## /  make \1	/p' $(MAKEFILE_LIST) | expand -t 16
	@echo "  Options: ARGS=\"…\" is handed to mur up or pytest, PYTHON=… names the Python for $(VENV)."

up: $(stamp_up) ## Run the whole desk on one port: candles, training, forecasts, API
	@echo "Starting the desk: mur up $(ARGS) (Ctrl-C ends it)."
	@exec $(VENV)/bin/mur up $(ARGS)

test: $(stamp_tests) ## Run the tests, without network or service
	@echo "Testing: pytest $(ARGS)"
	@$(VENV)/bin/python -m pytest -n logical --maxprocesses 4 --dist loadfile $(ARGS)

check: $(stamp_tests) ## Check style, types and the layers of the house
	@echo "Checking: ruff, mypy --strict, import-linter."
	@$(VENV)/bin/ruff check src tests scripts docs/examples
	@$(VENV)/bin/ruff format --check src tests scripts docs/examples
	@$(VENV)/bin/mypy
	@PATH="$(CURDIR)/$(VENV)/bin:$$PATH" lint-imports

bench: $(stamp_tests) ## Measure speed: make bench WHAT=…
	@$(call run_script,bench)

prove: $(stamp_tests) ## Repeat a proof at full size: make prove WHAT=…
	@$(call run_script,prove)

clean: ## Remove the environment and every cache
	rm -rf $(VENV) build dist src/*.egg-info .mypy_cache .ruff_cache .hypothesis .import_linter_cache
	find src tests scripts -name __pycache__ -type d -prune -exec rm -rf {} +

# Without WHAT the scripts are listed with the first line of what they say about themselves.
define run_script
if [ -n "$(WHAT)" ] && [ -f "scripts/$(1)/$(WHAT).py" ]; then exec $(VENV)/bin/python "scripts/$(1)/$(WHAT).py" $(ARGS); fi; \
if [ -n "$(WHAT)" ]; then echo "There is no scripts/$(1)/$(WHAT).py." >&2; fi; \
echo "Say which: make $(1) WHAT=…"; \
for script in scripts/$(1)/*.py; do [ -f "$$script" ] || continue; \
  printf '  %-16s %s\n' "$$(basename "$$script" .py)" "$$(sed -n '1s/"""//gp' "$$script")"; done; \
[ -z "$(WHAT)" ]
endef

$(VENV)/bin/python:
	@test -n "$(PYTHON)" || { echo "Python 3.11 or newer is needed and was not found; name it with: make PYTHON=/path/to/python3"; exit 1; }
	@echo "Setting up: making $(VENV) with $$($(PYTHON) --version)."
	@$(PYTHON) -m venv $(VENV) || { echo "$(PYTHON) cannot make an environment; on Debian or Ubuntu install python3-venv"; rm -rf $(VENV); exit 1; }

$(stamp_up): pyproject.toml constraints.txt | $(VENV)/bin/python
	@echo "Setting up: installing the desk and what training needs into $(VENV) (minutes the first time, then never again)."
	@$(pip) "pip>=25.1"
	@$(pip) --no-index --no-deps $(TORCH) 2>/dev/null \
	  || { $(VENV)/bin/python -c "import urllib.request as u; u.urlopen('$(TORCH_CPU_INDEX)/', timeout=5)" 2>/dev/null \
	       && $(pip) --extra-index-url $(TORCH_CPU_INDEX) -c constraints.txt $(TORCH); } \
	  || $(pip) -c constraints.txt $(TORCH)
	@$(pip) -c constraints.txt --editable '.[train]'
	@touch $@

$(stamp_tests): pyproject.toml constraints.txt $(stamp_up)
	@echo "Setting up: adding the tools for tests and checks to $(VENV)."
	@$(pip) -c constraints.txt --editable '.[train,mlflow,wandb]' --group test --group check
	@touch $@
