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
    monkeypatch.setattr(preconditions, "Runtime", lambda register: SimpleNamespace(daemons=lambda: [client]))
    if not refused:
        preconditions.keeps_its_nodes(copy.load())
        return
    with pytest.raises(StepFailed, match=r"has 3 already.*baz1-postgres-2.*Write nodes: 3.* Nothing was"):
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


THREE = "environments/three/environment.yaml"
M4 = """  - id: m4
    address: 10.199.0.14
    host_key: ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIDQwNDA0MDQwNDA0MDQwNDA0MDQwNDA0MDQwNDA0MDQw
    roles: [data, apps]
    domain: room-4
    capacity: {memory: 16384, processors: 4, disk: 200}
"""


@pytest.fixture
def three(tmp_path, monkeypatch):
    """A register of four machines, of which the cell has three, where Sajószentpéter was joined."""
    monkeypatch.setattr(paths, "LOCAL", tmp_path / ".asp")
    copy = Copy(tmp_path, "three")
    copy.edit(THREE, "administration:", f"{M4}administration:")
    return copy


def joined(copy):
    applied.change("three", {"16054": applied.snapshot_entry(copy.load().municipality("16054"))})


def test_with_one_machine_nothing_is_remembered_of_it(copy):
    assert not [key for key in applied.read("dev")["16054"] if "machine" in key]


@pytest.mark.parametrize(
    ("nodes", "before", "now", "refused"),
    [
        (3, "[m1, m2, m3]", "[m1, m2, m4]", False),
        (3, "[m1, m2, m3]", "[m4, m2, m3]", False),
        (3, "[m1, m2, m3]", "[m4, m3, m2]", True),
        (3, "[m1, m2, m3]", "[m2, m1, m3]", True),
        (3, "[m1]", "[m1, m2, m3]", True),
        (1, "[m1]", "[m2]", True),
        (1, "[m1]", "[m1]", False),
    ],
)
def test_most_nodes_of_a_cell_stay_where_their_data_lie(three, nodes, before, now, refused):
    three.edit(THREE, "nodes: 3 ", f"nodes: {nodes} ")
    three.edit(THREE, "machines: [m1, m2, m3]", f"machines: {before}")
    joined(three)
    three.edit(THREE, f"machines: {before}", f"machines: {now}")
    if not refused:
        three.load()
        return
    (fault,) = three.faults()
    places = ", ".join((before.strip("[]").split(", ") * 3)[:nodes])
    assert f"cells.0.machines = '{now.strip('[]')}': the nodes of cell baz1 were applied on {places}, and" in fault
    assert "of three, change one at a time" in fault


def test_a_cell_of_one_node_may_grow_to_three_machines(three):
    three.edit(THREE, "nodes: 3 ", "nodes: 1 ")
    three.edit(THREE, "machines: [m1, m2, m3]", "machines: [m2]")
    joined(three)
    three.edit(THREE, "nodes: 1 ", "nodes: 3 ")
    three.edit(THREE, "machines: [m2]", "machines: [m2, m1, m3]")
    three.load()


def test_what_everybody_signs_in_by_is_not_moved_by_another_order_of_machines(three):
    joined(three)
    text = (three.root / THREE).read_text()
    three.write(THREE, text.replace(M4, "").replace("machines:         # docs/machines.md\n", f"machines:\n{M4}"))
    (fault,) = three.faults()
    assert "machines = 'm4, m1, m2, m3': sign-in and the certificate authority were applied on m1, the first" in fault
    assert "Keep m1 before the other machines for data" in fault
