"""Bad registers are refused, naming file, field, value and remedy. Each case breaks one thing in a valid copy."""

import json
import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
import yaml

from inventory import applied, paths
from stacks.components.app_server import operations
from tests.unit.inventory.register_copy import Copy

DEV = "environments/dev"
ENVIRONMENT = f"{DEV}/environment.yaml"
SAJO = f"{DEV}/municipalities/16054-sajoszentpeter.yaml"
TARDONA = f"{DEV}/municipalities/14784-tardona.yaml"
SAJO_OFFICE = f"{DEV}/offices/16054-sajoszentpeter.yaml"
MALYINKA = f"{DEV}/municipalities/14915-malyinka.yaml"
JOINT = f"{DEV}/offices/14915-malyinka.yaml"

CASES = yaml.safe_load((Path(__file__).parent / "data" / "faults.yaml").read_text(encoding="utf-8"))


def path_of(name: str) -> str:
    """A file named in the cases, from `inventory/`."""
    return name[1:] if name.startswith("/") else f"{DEV}/{name}"


@pytest.fixture
def copy(tmp_path):
    return Copy(tmp_path)


def test_the_copy_is_sound_before_anything_is_broken(copy):
    assert len(copy.load().municipalities) == 5


def test_the_cases_are_all_there():
    assert len(CASES) >= 50


@pytest.mark.parametrize("case", CASES)
def test_refused_with_file_field_value_and_remedy(copy, case):
    edit = CASES[case]
    copy.edit(path_of(edit["file"]), edit["for"], edit["write"])
    faults = copy.faults()
    start = re.escape(f"inventory/{path_of(edit.get('in', edit['file']))}: {edit['field']}")
    pattern = re.compile(rf"{start}[^=]*= {re.escape(edit['seen'])}.*{edit['says']}", re.DOTALL)
    assert any(pattern.search(fault) for fault in faults), "\n".join(faults)


def test_slug_collision_names_both(copy):
    cells = "".join(
        f"  - {{id: {cell}, county: {county}, capacity: 9, nodes: 1}}\n"
        for cell, county in (("bar1", "Baranya"), ("hev1", "Heves"))
    )
    copy.edit(ENVIRONMENT, "backup:\n", f"{cells}backup:\n")
    for ksh, name, cell in (("26408", "Komló", "bar1"), ("14535", "Kömlő", "hev1")):
        copy.add_municipality(ksh, name, office=f'"{ksh}"', cell=cell, office_source="a decision made up for this test")
        office = f'seat: "{ksh}"\nname: Hivatal ({name})\nkind: own\nclerks: []\nworkstations: []\n'
        copy.write(f"{DEV}/offices/{ksh}.yaml", office)
    (fault,) = copy.faults()
    assert "slug collision: Kömlő (14535) and Komló (26408)" in fault and "komlo.asp.test" in fault
    assert "14535-new.yaml" in fault and "26408-new.yaml" in fault and "host_slug: komlo-" in fault
    copy.edit(f"{DEV}/municipalities/14535-new.yaml", "phase:", "host_slug: komlo-heves\nphase:")
    assert copy.load().municipality("14535").host == "komlo-heves.asp.test"


def test_a_role_is_of_a_system_that_a_municipality_of_the_office_has(copy):
    installed = "id: training, kind: support, public: false, installed: true"
    copy.edit("catalogue/systems.yaml", installed, installed.replace("true", "false"))
    copy.edit(f"{DEV}/municipalities/29188-nagybarca.yaml", "training: true", "training: false")
    copy.load()
    copy.edit(JOINT, "irat: [iktato]", "training: [tanulo]")
    (fault,) = copy.faults()
    assert "clerks.0.roles.training = ['tanulo']: no municipality of the office" in fault


def test_a_sandbox_is_told_to_the_app_servers_of_its_cell_and_stays_one(copy):
    copy.edit(MALYINKA, "phase:", "training: true\nphase:")
    register = copy.load()
    assert [m.ksh for m in register.municipalities.values() if m.training] == ["14915", "29188"]
    answer = json.loads(operations(register, register.cell("baz1"), "irat"))
    assert (answer["training"], answer["outage_minutes"]) == (["14915", "29188"], 60)
    assert json.loads(operations(register, replace(register.cell("baz1"), prefix="other"), "irat"))["training"] == []
    applied_as = applied.snapshot_entry(register.municipality("14915"))
    assert applied_as["training"] is True and "training" not in applied.snapshot_entry(register.municipality("16054"))
    for snapshot, file, words in (
        ({"14915": applied_as | {"training": False}}, "14915-malyinka", "training = 'true': training cannot change"),
        ({"14784": applied.snapshot_entry(register.municipality("14784")) | {"training": True}}, "14784-tardona",
         "training = 'false': training cannot change"),
    ):  # fmt: skip
        place = applied.snapshot_file("dev", copy.root)
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(json.dumps(snapshot))
        assert any(file in fault and words in fault for fault in copy.faults()), copy.faults()


def test_caps_come_from_the_nearest_circle_and_fit_the_server_together(copy):
    copy.edit(TARDONA, "phase:", "caps: {connections: 6, lock_seconds: 5}\nphase:")
    register = copy.load()
    assert register.municipality("16054").limits.connections == 8  # size class L
    tardona = register.municipality("14784").limits
    assert (tardona.connections, tardona.lock_seconds) == (6, 5)
    copy.edit(ENVIRONMENT, "capacity: 256", "capacity: 5")
    fault = next(fault for fault in copy.faults() if "connections" in fault)
    assert "cells.0.caps.connections = 26: tenants of baz1 may take 26 connections together, its server has 25" in fault
    copy.edit(ENVIRONMENT, "nodes: 1 ", "caps: {connections: 5}\n    nodes: 1 ")
    copy.edit(TARDONA, "connections: 6, ", "")
    assert {m.limits.connections for m in copy.load().municipalities.values()} == {5}


def test_capital_is_no_tenant(copy):
    copy.add_municipality("13578", "Budapest")
    assert any("the capital is no tenant of the ASP" in fault for fault in copy.faults())


def test_a_system_that_is_not_installed_is_refused_past_preparation(copy):
    installed = "id: helpdesk, kind: support, public: false, installed: true"
    copy.edit("catalogue/systems.yaml", installed, installed.replace("true", "false"))
    everything = copy.load().municipality("16054")
    assert "helpdesk" not in everything.systems, "systems: all means the installed ones"
    copy.edit(TARDONA, "systems: [keret, irat]", "systems: [keret, irat, helpdesk]")
    (fault,) = copy.faults()
    assert "14784-tardona.yaml: systems.2 = 'helpdesk': is not installed in this release" in fault
    assert "phase connection. Write phase: preparation, or remove it until a release has it" in fault
    copy.edit(TARDONA, "phase: connection", "phase: preparation")
    register = copy.load()
    tardona = register.municipality("14784")
    assert (tardona.systems, register.systems_of(tardona)) == (["keret", "irat", "helpdesk"], ["keret", "irat"])


def test_interface_needs_ado_installed_before_it_connects(copy):
    installed = "id: ado, kind: specialised, public: false, installed: true"
    copy.edit("catalogue/systems.yaml", installed, installed.replace("true", "false"))
    copy.edit(TARDONA, "join_mode: system\nsystems: [keret, irat]", "join_mode: interface\nsystems: [keret, irat, ado]")
    (fault,) = copy.faults()
    assert "systems.2 = 'ado': is not installed in this release" in fault
    copy.edit(TARDONA, "phase: connection", "phase: preparation")
    assert not copy.load().municipality("14784").joined


def test_office_without_clerks_is_for_preparation_only(copy):
    text = 'seat: "14915"\nname: Mályinkai Közös Önkormányzati Hivatal\nkind: joint\nclerks: []\nworkstations: []\n'
    copy.write(JOINT, text)
    (fault,) = copy.faults()
    assert "clerks = []: no clerk, though a member is past preparation. Add at least one clerk" in fault
    for file in sorted((copy.root / DEV / "municipalities").glob("*.yaml")):
        if "phase: connection" in (text := file.read_text()):
            file.write_text(text.replace("phase: connection", "phase: preparation"))
    assert copy.load().members(copy.load().offices["14915"])[0].name == "Mályinka"


def test_office_differs_from_the_list_only_with_a_source(copy):
    copy.edit(TARDONA, 'office: "14915"', 'office: "16054"')
    copy.edit(TARDONA, "phase:", "office_source: a later decision, made up for this test\nphase:")
    (fault,) = copy.faults()  # the municipality's own fault is gone
    assert "16054-sajoszentpeter.yaml: kind = 'own': an own office, but it serves also 14784" in fault


def test_office_must_serve_its_seat(copy):
    (copy.root / SAJO).unlink()
    assert any("the office does not serve its own seat; members: none" in fault for fault in copy.faults())


@pytest.mark.parametrize("name", ["municipalities/x.yml", "offices/notes.txt"])
def test_files_that_would_be_passed_over_are_faults(copy, name):
    copy.write(f"{DEV}/{name}", "ksh: 1\n")
    assert any(f"{name}: (file name)" in fault and "end in .yaml" in fault for fault in copy.faults())


def test_empty_file_is_a_fault(copy):
    copy.write(TARDONA, "")
    assert any("14784-tardona.yaml: (file)" in fault and "is empty" in fault for fault in copy.faults())


def test_all_faults_are_told_at_once(copy):
    copy.edit(TARDONA, "cell: baz1", "cell: baz7")
    copy.edit(JOINT, "irat: [iktato]", "irat: [x]")
    copy.edit(ENVIRONMENT, "id: dev", "id: other")
    assert len(copy.faults()) == 3


NEIGHBOURS = {
    "subnet": (1, "10.61.0.0/16", "subnet = '10.61.0.0/16': overlaps 10.61.0.0/16 of"),
    "https": (443, "10.99.0.0/16", "ports.https = 443: the port is ports.https of"),
    "ssh": (2211, "10.99.0.0/16", "ssh_base + 1 = 2211: the port is ports.https of"),
}


@pytest.mark.parametrize("case", NEIGHBOURS)
def test_environments_side_by_side_share_nothing(copy, case):
    https, subnet, words = NEIGHBOURS[case]
    ports = f"ports: {{https: {https}, http: 2, ssh_base: 100}}"
    text = (copy.root / ENVIRONMENT).read_text()
    text = re.sub(r"(?m)^ports:.*\n(?:  .*\n)+", f"{ports}\n", text).replace("10.61.0.0/16", subnet)
    (copy.root / "environments" / "near").mkdir()
    copy.write("environments/near/environment.yaml", text.replace("id: dev", "id: near"))
    (fault,) = copy.faults()
    assert words in fault and "inventory/environments/near/environment.yaml" in fault


def test_unknown_environment_names_the_known_ones(copy):
    (fault,) = copy.faults("prod")
    assert "environment = 'prod': no such environment. Known: dev" in fault


def validate(*arguments: str) -> subprocess.CompletedProcess:
    command = [sys.executable, "-m", "inventory", "validate", *arguments]
    return subprocess.run(command, cwd=paths.ROOT, capture_output=True, text=True, timeout=30, check=False)


def test_validate_prints_a_summary():
    result = validate("--env", "dev")
    assert (
        result.returncode == 0 and "environment dev is sound: 5 municipalities (5 joined), 2 offices" in result.stdout
    )


def test_validate_exits_2_without_a_traceback():
    result = validate("--env", "nowhere")
    assert result.returncode == 2 and "no such environment" in result.stderr and "Traceback" not in result.stderr


def test_how_long_messages_are_kept_is_told_to_app_servers_and_is_a_month_at_least(copy):
    register = copy.load()
    assert json.loads(operations(register, register.cell("baz1"), "irat"))["message_days"] == 90
    copy.edit("catalogue/retention.yaml", "message_days: 90", "message_days: 29")
    (fault,) = copy.faults()
    assert "retention.yaml" in fault and "message_days" in fault
