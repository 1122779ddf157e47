"""Schemas as SQL: made without a database, complete, up to date; and app servers read the stacks' files."""

import json
import subprocess
import sys
from dataclasses import replace

import pytest

from inventory import paths
from inventory.register import load
from stacks.components.app_server import catalogue
from systems.configuration import CatalogueEntry
from tests.support.registers import altered


def run(*arguments):
    command = [sys.executable, "-W", "ignore", "-m", "systems.schema", *arguments]
    return subprocess.run(command, cwd=paths.ROOT, capture_output=True, text=True, timeout=60)


@pytest.fixture(scope="module")
def scripts():
    process = run()
    assert process.returncode == 0, process.stderr
    return json.loads(process.stdout)


def test_no_model_is_ahead_of_its_migrations():
    process = run("--check")
    assert process.returncode == 0, f"{process.stdout}{process.stderr}\nrun python -m systems.schema --make"


def test_every_system_has_its_tables_and_its_own_sessions(scripts):
    created = [
        (script["system"], line.split("(")[0].split()[2].strip('"'))
        for script in scripts
        for line in script["sql"].splitlines()
        if line.startswith("CREATE TABLE")
    ]
    tables = {system: {table for owner, table in created if owner == system} for system, _ in created}
    assert tables.pop("chain") == {"message", "receipt", "failure", "run", "dead", "allowed"}
    assert set(tables) == set(load("dev").installed_systems)
    for system, own in tables.items():
        assert "django_session" in own, system
        assert len(own) > 1, f"{system} has no table of its own"


def test_scripts_come_once_in_order_and_leave_transaction_schema_and_rights_to_who_runs_them(scripts):
    keys = [(script["system"], script["version"]) for script in scripts]
    assert len(set(keys)) == len(keys)
    irat = [version for system, version in keys if system == "irat"]
    assert irat[:3] == ["sessions.0001_initial", "irat.0001_initial", "irat.0002_document_form_token"]
    for script in scripts:
        # A function may keep the schema in which it was created; the script itself sets none.
        words = script["sql"].replace("SET search_path FROM CURRENT", "").upper().split()
        assert not {"BEGIN;", "COMMIT;", "GRANT", "SEARCH_PATH"} & set(words), script["version"]


def test_app_servers_read_the_registers_catalogue():
    register = load("dev")
    entries = {
        entry.id: entry
        for entry in (CatalogueEntry(**e) for e in json.loads(catalogue(register, register.cell("baz1"))))
    }
    assert list(entries) == list(register.systems)
    for system in register.systems.values():
        assert entries[system.id].serves("16054") is system.installed


def test_a_municipality_that_lacks_a_system_is_told_to_its_app_server():
    less = load("dev").municipality("14784").model_copy(update={"systems": ["keret"]})
    register = altered(load("dev"), municipalities={"14784": less})
    entries = {
        entry.id: entry
        for entry in (CatalogueEntry(**e) for e in json.loads(catalogue(register, register.cell("baz1"))))
    }
    assert not entries["irat"].serves("14784")
    assert entries["irat"].serves("16054")
    assert entries["keret"].serves("14784")
    elsewhere = replace(register.cell("baz1"), prefix="asp-dev-other")
    assert all(not entry.get("absent_at") for entry in json.loads(catalogue(register, elsewhere)))
