"""Values that may not change once a tenant exists are refused, the applied one and the new one both named."""

import json
from types import SimpleNamespace

import pytest

from centre.verbs import preconditions
from centre.verbs.progress import StepFailed
from inventory import applied, paths, register
from inventory.errors import RegisterError
from tests.unit.inventory.register_copy import Copy

ENVIRONMENT = "environments/dev/environment.yaml"
SAJO = "environments/dev/municipalities/16054-sajoszentpeter.yaml"
SECOND_CELL = "\n  - {id: baz2, county: Borsod-Abaúj-Zemplén, capacity: 9, nodes: 1}\nbackup:"


@pytest.fixture
def copy(tmp_path, monkeypatch):
    """A register of which Sajószentpéter was joined."""
    monkeypatch.setattr(paths, "LOCAL", tmp_path / ".asp")
    copy = Copy(tmp_path)
    applied.change("dev", {"16054": applied.snapshot_entry(copy.load().municipality("16054"))})
    return copy


def test_unchanged_is_accepted(copy):
    assert copy.load().municipality("16054").cell == "baz1"


def test_other_municipalities_may_still_change(copy):
    copy.edit(ENVIRONMENT, "\nbackup:", SECOND_CELL)
    copy.edit("environments/dev/municipalities/14784-tardona.yaml", "cell: baz1", "cell: baz2")
    assert copy.load().municipality("14784").cell == "baz2"


def test_cell_of_a_tenant(copy):
    copy.edit(ENVIRONMENT, "\nbackup:", SECOND_CELL)
    copy.edit(SAJO, "cell: baz1", "cell: baz2")
    (fault,) = copy.faults()
    assert "cell = 'baz2': the cell cannot change once a tenant exists: 16054 was applied in 'baz1'" in fault


def test_ksh_of_a_tenant(copy):
    copy.edit(SAJO, 'ksh: "16054"', 'ksh: "14784"')
    faults = copy.faults()
    words = "ksh = '14784': the KSH code cannot change once a tenant exists: Sajószentpéter was applied as '16054'"
    assert any(words in fault for fault in faults), faults


def test_tenant_without_a_file(copy):
    (copy.root / SAJO).unlink()
    (copy.root / "environments/dev/offices/16054-sajoszentpeter.yaml").unlink()
    (fault,) = copy.faults()
    assert "its tenant exists (Sajószentpéter), but no file names it" in fault and "leave.yml" in fault


def test_tenant_back_in_preparation(copy):
    copy.edit(SAJO, "phase: live", "phase: preparation")
    (fault,) = copy.faults()
    assert "phase = 'preparation': its tenant exists: 16054 was applied in phase 'live'" in fault


def test_order_of_cells(copy):
    copy.edit(ENVIRONMENT, "cells:\n", "cells:\n  - {id: baz0, county: Borsod-Abaúj-Zemplén, capacity: 9, nodes: 1}\n")
    (fault,) = copy.faults()
    assert "cells.1 = 'baz1': cell 'baz1' was applied at place 0 of the list" in fault


def test_the_subnet_stays(copy):
    snapshot = applied.snapshot_entry(copy.load().municipality("16054"))
    applied.change("dev", {"16054": snapshot})
    assert copy.load() and snapshot["subnet"] == "10.61.0.0/16"
    copy.edit(ENVIRONMENT, "10.61.0.0/16", "10.63.0.0/16")
    (fault,) = copy.faults()
    assert "subnet = '10.63.0.0/16': the subnet cannot change once a tenant exists" in fault
    assert "it was applied with '10.61.0.0/16'. Write 10.61.0.0/16" in fault


def test_nodes_of_a_cell_grow_and_never_shrink(copy):
    copy.edit(ENVIRONMENT, "nodes: 1 ", "nodes: 3 ")
    applied.change("dev", {"16054": applied.snapshot_entry(copy.load().municipality("16054"))})
    copy.edit(ENVIRONMENT, "nodes: 3 ", "nodes: 1 ")
    (fault,) = copy.faults()
    assert "cells.0.nodes = 1: a cell gets no fewer nodes: 'baz1' was applied with 3" in fault
    assert "Write nodes: 3; for fewer, let its tenants leave (playbooks/leave.yml)" in fault


@pytest.mark.parametrize(("there", "nodes", "refused"), [(1, 1, False), (3, 3, False), (3, 1, True), (1, 3, False)])
def test_nodes_that_run_are_not_taken_out_where_nothing_is_remembered(copy, monkeypatch, there, nodes, refused):
    applied.change("dev", {}, forget=["16054"])
    copy.edit(ENVIRONMENT, "nodes: 1 ", f"nodes: {nodes} ")
    volumes = [SimpleNamespace(name=f"asp-dev-baz1-postgres-{number}") for number in range(1, there + 1)]
    client = SimpleNamespace(volumes=SimpleNamespace(list=lambda: volumes))
    monkeypatch.setattr(preconditions, "Runtime", lambda register: SimpleNamespace(client=client))
    if not refused:
        preconditions.keeps_its_nodes(copy.load())
        return
    with pytest.raises(StepFailed, match=r"has 3 on this machine.*baz1-postgres-2.*Write nodes: 3.* Nothing was"):
        preconditions.keeps_its_nodes(copy.load())


def test_after_leaving_all_may_change(copy):
    applied.change("dev", {}, forget=["16054"])
    copy.edit(SAJO, "phase: live", "phase: preparation")
    assert not copy.load().municipality("16054").joined


def test_dry_run_writes_nothing(copy):
    before, after = applied.change("dev", {}, forget=["16054"], dry_run=True)
    assert "16054" in before and "16054" not in after
    assert applied.read("dev") == before


def test_damaged_snapshot_is_one_message(copy):
    applied.snapshot_file("dev").write_text('{"16054": 3}')
    (fault,) = copy.faults()
    assert ".asp/dev/applied.json" in fault and "is no snapshot. Restore it" in fault


def test_evidence_is_kept(copy):
    file = applied.keep_evidence("dev", "2026-01-01T10:00:00+00:00-joined", {"steps": {"edge": ["opened"]}})
    assert json.loads(file.read_text())["steps"] == {"edge": ["opened"]} and ":" not in file.name


def test_the_projects_own_snapshot_is_the_one_compared():
    assert applied.snapshot_file("dev", paths.REGISTER) == paths.environment_dir("dev") / "applied.json"
    assert issubclass(RegisterError, Exception) and register.load("test")
