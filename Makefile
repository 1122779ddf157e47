# Thin front of the native tools (pulumi or the embedded engine, ansible-playbook, pytest). `make help` lists the targets.
ENV ?= dev
TENANT ?= 16054
PY := .asp/venv/bin/python
ENVIRONMENTS = $(notdir $(patsubst %/,%,$(dir $(wildcard inventory/environments/*/environment.yaml))))
export ASP_ENV := $(ENV)
export PULUMI
.DEFAULT_GOAL := help
.PHONY: help host up status down clean check join leave endpoints stack conformance test test-long test-unit test-cells bench lock lint

help:  ## this list
	@echo "make TARGET [ENV=dev]"; grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | sort | awk -F'\t' '{printf "  %-12s %s\n", $$1, $$2}'

host:  ## prepare this machine: packages, Docker, Swarm, Python environment
	@python3 -m centre.verbs.host

up: host  ## the whole path: images, stacks, municipalities, workstations, readiness
	@$(PY) -m centre.verbs.up up $(ENV)

status:  ## what runs, addresses, how to sign in
	@$(PY) -m centre.verbs.up status $(ENV)

down:  ## stop everything of ENV, keep the data
	@$(PY) -m centre.verbs.up down $(ENV)

clean:  ## remove everything this project made, in all environments (asks; YES=1 does not)
	@set -e; if [ -x $(PY) ]; then \
	  for env in $(ENVIRONMENTS); do YES=$(YES) $(PY) -m centre.verbs.up clean $$env; done; \
	  $(PY) -m centre.verbs.environment; fi; rm -rf .asp

check:  ## readiness of TENANT, with its report
	@$(PY) -m checks --env $(ENV) --tenant $(TENANT)

join:  ## move TENANT in (ARGS="--check --diff" only says what would change)
	@.asp/venv/bin/ansible-playbook playbooks/join.yml -e municipality=$(TENANT) $(ARGS)

leave:  ## move TENANT out after an export; CONFIRM=<its name>
	@.asp/venv/bin/ansible-playbook playbooks/leave.yml -e municipality=$(TENANT) -e '{"confirm": "$(CONFIRM)"}' $(ARGS)

endpoints:  ## set up the workstations (ARGS="--limit sajoszentpeter-1")
	@.asp/venv/bin/ansible-playbook playbooks/endpoints.yml $(ARGS)

stack:  ## the engine on one stack: STACK=edge DO="preview --diff"
	@$(PY) -m centre.verbs.up stack $(ENV) $(STACK) $(DO)

conformance:  ## the engine against recordings of the real CLI (CASES=<folder> for others)
	@$(PY) -m tests.engine.conformance $(if $(CASES),--cases $(CASES))

bench:  ## a bench by its target's id: ID=E1 (make bench ID= lists them all); ARGS for its options
	@$(PY) -m tests.bench $(ID) $(ARGS)

test-cells: host  ## all tests of a three-node cell, in environments of their own (long)
	@$(PY) -m pytest --long tests/live/cells

test-unit:  ## tests without Docker, some four minutes
	@python3 -m centre.verbs.host --no-docker
	@$(PY) -m pytest tests/unit

test:  ## the tests, in an environment of its own that is removed afterwards
	@bash tests/run

test-long:  ## the same with whole families of tests: every step that may be killed, every leak
	@bash tests/run --long

lint:  ## ruff
	@$(PY) -m ruff check .

lock:  ## make both lock files anew from pyproject.toml
	@python3 -m venv .asp/lock && .asp/lock/bin/pip install -q uv && \
	.asp/lock/bin/uv pip compile -q --no-header --generate-hashes --no-emit-index-url --group systems --group test --universal --python-version 3.11 pyproject.toml -o requirements.lock && \
	.asp/lock/bin/uv pip compile -q --no-header --generate-hashes --no-emit-index-url --group pyproject.toml:systems --python-version 3.13 --python-platform x86_64-manylinux_2_28 -o requirements-systems.lock
