# Thin front of the command asp (`.asp/venv/bin/asp --help`), which is a thin front of pulumi or the embedded engine,
# ansible-playbook and pytest. `make help` lists the targets.
ENV ?= dev
PY := .asp/venv/bin/python
ASP := $(PY) -m centre
export ASP_ENV := $(ENV)
export PULUMI
.DEFAULT_GOAL := help
.PHONY: help host up status plan down clean check join leave endpoints stack conformance test test-long test-unit \
        test-cells test-machines attack bench soak lock lint outdated sbom counts alone mutation coverage

help:  ## this list
	@echo "make TARGET [ENV=dev]"; grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | sort | awk -F'\t' '{printf "  %-12s %s\n", $$1, $$2}'
	@echo 'Every verb, with examples: .asp/venv/bin/asp --help (PATH="$$PWD/.asp/venv/bin:$$PATH" makes it asp)'

host:  ## prepare this machine: packages, Docker, Swarm, Python environment
	@python3 -m centre host

up: host  ## the whole path: images, stacks, municipalities, workstations, readiness (minutes; ports 80 and 443)
	@$(ASP) up $(ENV)

status:  ## what runs, addresses, how to sign in
	@$(ASP) status $(ENV)

plan:  ## what up would change in every stack
	@$(ASP) plan $(ENV)

down:  ## stop everything of ENV, keep the data
	@$(ASP) down $(ENV)

clean:  ## remove everything this project made, in all environments, for good (asks; YES=1 does not)
	@if [ -x $(PY) ]; then YES=$(YES) $(ASP) clean --all; fi && rm -rf .asp

check:  ## readiness of TENANT, with its report: TENANT=16054
	@$(ASP) check $(TENANT) $(ARGS)

join:  ## move TENANT in: TENANT=16054 (ARGS="--check --diff" only says what would change)
	@$(ASP) join $(TENANT) $(ARGS)

leave:  ## move TENANT out after an export: TENANT=16054 CONFIRM=<its name>
	@$(ASP) leave $(TENANT) $(if $(CONFIRM),--confirm '$(CONFIRM)') $(ARGS)

endpoints:  ## set up the workstations (ARGS="--limit sajoszentpeter-1")
	@$(ASP) endpoints $(ARGS)

stack:  ## the engine on one stack: STACK=edge DO="preview --diff"
	@$(ASP) stack $(STACK) $(DO)

conformance:  ## the engine against recordings of the real CLI, some minutes (CASES=<folder> for others)
	@$(PY) -m tests.engine.conformance $(if $(CASES),--cases $(CASES))

bench:  ## a bench by its target's id: ID=E1 (make bench ID= lists them all); ARGS for its options
	@$(PY) -m tests.bench $(ID) $(ARGS)

soak:  ## everybody at work in the running ENV while things break, 30 minutes, then all verified (ARGS="--minutes 3")
	@$(PY) -m tests.soak --env $(ENV) $(ARGS)

power:  ## everybody at work in the running ENV while this machine's Docker daemon is killed, twice (asks; YES=1 does not)
	@YES=$(YES) $(PY) -m tests.soak --env $(ENV) --minutes 9 --pause 4 --only "machine,machine up" $(ARGS)

test-cells: host  ## all tests of a three-node cell, in environments of their own (long)
	@$(PY) -m pytest --long tests/live/cells

test-machines:  ## playbooks/machines.yml on three machines in containers, an hour at most
	@timeout 3600 $(PY) -m pytest tests/machines $(ARGS)

attack:  ## attack the running ENV, all ways, some fifteen minutes: make attack ENV=dev (ARGS for some: ARGS="-k database")
	@$(PY) -m pytest --long tests/attack $(ARGS)

test-unit:  ## tests without Docker, some minutes (ARGS="--shuffle 7" in another order)
	@python3 -m centre host --no-docker
	@$(PY) -m pytest -n 2 --dist worksteal $(ARGS) tests/unit

counts:  ## write how many tests each folder holds, after some were added or removed on purpose
	@$(PY) -m tests.counts

alone:  ## collect every test file in a process of its own (ARGS for some)
	@$(PY) -m tests.alone $(ARGS)

coverage:  ## which lines and branches unit and systems tests run, folder by folder (ARGS for some tests)
	@$(PY) -m tests.covered $(ARGS)

mutation:  ## faults planted on purpose, and which of them no test notices (ARGS for areas or paths)
	@$(PY) -m tests.mutants $(ARGS)

test:  ## the tests, in an environment of its own that is removed afterwards (long)
	@bash tests/run

test-long:  ## the same with whole families of tests: every step that may be killed, every leak
	@bash tests/run --long

lint:  ## every linter, over what it is for (tests/lint TOOL… for some)
	@bash tests/lint

# uv makes one lock for all Pythons of pyproject.toml; it is a tool of these two targets and no dependency.
UV := .asp/lock/bin/uv
$(UV):
	@python3 -m venv .asp/lock && .asp/lock/bin/pip install -q --disable-pip-version-check uv

lock: $(UV)  ## write both lock files from pyproject.toml
	@$(UV) pip compile -q --no-header --generate-hashes --no-emit-index-url --group lint --group systems --group test \
	  --universal --python-version 3.11 pyproject.toml -o requirements.lock && \
	$(UV) pip compile -q --no-header --generate-hashes --no-emit-index-url --group pyproject.toml:systems \
	  --python-version 3.13 --python-platform x86_64-manylinux_2_28 -o requirements-systems.lock

outdated: $(UV)  ## pins that are behind what the registries have: Python packages, downloads of images
	@$(UV) pip list --outdated --python $(PY)
	@$(PY) -m stacks.images.build.outdated

# cyclonedx-py runs in an environment of its own, so that it is not part of what it lists.
sbom:  ## bills of materials (CycloneDX) of the Python environment, the app servers' lock and the images: .asp/sbom/
	@mkdir -p .asp/sbom && { [ -x .asp/cyclonedx/bin/cyclonedx-py ] || { python3 -m venv .asp/cyclonedx && \
	  .asp/cyclonedx/bin/pip install -q --disable-pip-version-check cyclonedx-bom==7.5.0; }; }
	@.asp/cyclonedx/bin/cyclonedx-py environment --pyproject pyproject.toml --output-reproducible \
	  --of JSON -o .asp/sbom/python.cdx.json $(PY)
	@.asp/cyclonedx/bin/cyclonedx-py requirements requirements-systems.lock --output-reproducible \
	  --of JSON -o .asp/sbom/python-systems.cdx.json
	@$(PY) -m stacks.images.build --sbom
