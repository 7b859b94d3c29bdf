# Needs Python 3.11 or newer, make, and a package index. `make` alone lists what it can do.
SHELL := /bin/sh
.DEFAULT_GOAL := help
.PHONY: help run load test lint lint-static format messages constraints bench graph mutants admin release clean

PYTHON ?= $(shell for p in python3 python3.14 python3.13 python3.12 python3.11; do \
	$$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && { echo $$p; break; }; done)
BIN := .venv/bin
MANAGE := $(BIN)/python manage.py
PIP := $(BIN)/pip --disable-pip-version-check --no-input
# On PostgreSQL or with Redis the site needs their drivers too: EXTRAS=postgresql,redis
EXTRAS ?=
INSTALLED := .venv/installed$(if $(EXTRAS),-$(EXTRAS))
WORKERS ?= auto
# Checks scripts and styles. Deno, which pip installs, fetches it once; neither Node nor a folder of packages is needed.
BIOME := DENO_DIR=.cache/deno DENO_NO_UPDATE_CHECK=1 $(BIN)/deno run --quiet --no-config --no-lock --allow-all npm:@biomejs/biome@2.6.8
export PYTHONUTF8 = 1

help: ## List the commands
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "make %-12s %s\n", $$1, $$2 }' Makefile

# Stamps: installed again only when what to install has changed.
.venv/bin/python:
	@test -n "$(PYTHON)" || { echo "Python 3.11 or newer is needed; name it with PYTHON=/path/to/python3." >&2; exit 1; }
	$(PYTHON) -m venv .venv || { rm -rf .venv; exit 1; }

$(INSTALLED): .venv/bin/python pyproject.toml constraints.txt
	$(PIP) install -q -c constraints.txt -e ".$(if $(EXTRAS),[$(EXTRAS)])"
	@touch $@

.venv/installed-test: $(INSTALLED)
	$(PIP) install -q -c constraints.txt -e ".[test]"
	@touch $@

.venv/installed-mutants: .venv/installed-test
	$(PIP) install -q -c constraints.txt -e ".[mutants]"
	@touch $@

# Compressing takes a quarter of a minute, so it is done again only when a file has changed.
staticfiles/staticfiles.json: $(INSTALLED) $(shell find static -type f) config/settings.py config/static_files.py
	$(MANAGE) collectstatic --no-input -v 0

load: $(INSTALLED) staticfiles/staticfiles.json
	$(MANAGE) migrate -v 0
	$(MANAGE) sync_catalog

run: load ## Install, load the catalogue and serve it on http://127.0.0.1:8000 (HOST=, PORT=)
	@exec $(BIN)/gunicorn

admin: $(INSTALLED) ## Make an account for the admin
	$(MANAGE) migrate -v 0
	$(MANAGE) createsuperuser

test: .venv/installed-test ## Run all tests (browser tests where there is a Chromium; ARGS="-k name")
	$(BIN)/pytest -n $(WORKERS) --dist loadfile $(ARGS)

lint-static: .venv/installed-test
	$(BIOME) ci --colors=off --error-on-warnings

lint: .venv/installed-test lint-static ## Check style, types, import contracts, templates, scripts, migrations, data, translations
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy .
	$(BIN)/lint-imports --no-cache
	$(BIN)/djlint --quiet --lint templates
	$(MANAGE) makemigrations --check --dry-run
	$(MANAGE) check --fail-level WARNING
	HTTPS=1 BEHIND_PROXY=1 ALLOWED_HOSTS=atlas.example $(MANAGE) check --deploy --fail-level WARNING
	$(MANAGE) check_catalog
	$(BIN)/python -m config.messages --check

format: .venv/installed-test ## Rewrite code, templates and scripts in the house style
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .
	$(BIOME) check --colors=off --write

messages: .venv/installed-test ## Collect strings to translate (needs gettext), then compile them (does not)
	$(BIN)/python -m config.messages

bench: .venv/installed-test load ## Time the memory model, cold answers and the pages of a real server (ARGS=model, cold, pages, servers, weight, lighthouse, growth or hosts)
	$(BIN)/python -m tests.bench $(ARGS)

graph: .venv/installed-test ## Print who imports whom inside a package, and the circles (PACKAGE=catalog)
	@$(BIN)/python -m tests.import_graph $(PACKAGE)

mutants: .venv/installed-mutants ## Change the code and count what no test notices (ARGS="memory/vllm")
	$(BIN)/python -m tests.mutants $(ARGS)

HASHES = .cache/constraints/bin/pip-compile -q --generate-hashes --strip-extras --no-header --no-annotate \
	--no-emit-index-url --no-emit-find-links --no-emit-trusted-host --allow-unsafe

constraints: ## Renew constraints.txt (the newest versions that pyproject.toml allows), and the hashes of what a site installs
	$(PYTHON) -m venv --clear .cache/constraints
	.cache/constraints/bin/pip install -q --upgrade pip
	.cache/constraints/bin/pip install -q -e ".[mutants]"
	{ head -n 1 constraints.txt; .cache/constraints/bin/pip freeze --exclude-editable --exclude pip --exclude setuptools; } > .cache/constraints.txt
	mv .cache/constraints.txt constraints.txt
	.cache/constraints/bin/pip install -q "pip-tools~=7.6"
	$(HASHES) --extra metrics --extra postgresql --extra redis -c constraints.txt -o .cache/hashes pyproject.toml
	{ head -n 2 requirements.txt; cat .cache/hashes; } > .cache/requirements.txt && mv .cache/requirements.txt requirements.txt
	echo "setuptools>=77" | $(HASHES) -o .cache/hashes-build -
	{ head -n 1 requirements-build.txt; sed '/^\(#.*\)*$$/d' .cache/hashes-build; } > .cache/requirements.txt
	mv .cache/requirements.txt requirements-build.txt

# The wheel is built from the sdist and tried as a reader would have it: installed alone, outside the checkout.
release: $(INSTALLED) ## Build the sdist and wheel of pyproject.toml's version into dist/, and try the wheel
	$(BIN)/python -m config.release
	rm -rf dist build *.egg-info .cache/release
	$(PYTHON) -m venv .cache/release/build && .cache/release/build/bin/pip install -q "build~=1.6"
	.cache/release/build/bin/python -m build --outdir dist . > .cache/release/log 2>&1 || { cat .cache/release/log; exit 1; }
	$(BIN)/python -m config.release --wheel dist/*.whl
	$(PYTHON) -m venv .cache/release/try && .cache/release/try/bin/pip install -q -c constraints.txt dist/*.whl
	cd .cache/release && DATA_DIR=data try/bin/model-atlas load && DATA_DIR=data try/bin/model-atlas estimate qwen3-0-6b | head -n 1
	@ls -l dist

clean: ## Remove what the commands above made, except the database
	rm -rf .venv staticfiles .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
