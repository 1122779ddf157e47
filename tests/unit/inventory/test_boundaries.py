"""The last value that a rule accepts, and the first that it refuses."""

import json
import re
import shutil
from datetime import date

import pytest

from inventory import addresses, applied, cell_size
from inventory.errors import RegisterError
from inventory.models import Caps, SizeClass
from inventory.rules.environment import RESERVED
from systems.shared import workdays
from tests.unit.inventory.register_copy import Copy

DEV = "environments/dev"
ENVIRONMENT = f"{DEV}/environment.yaml"
SAJO = f"{DEV}/municipalities/16054-sajoszentpeter.yaml"
TARDONA = f"{DEV}/municipalities/14784-tardona.yaml"
MALYINKA = f"{DEV}/municipalities/14915-malyinka.yaml"
MAINTENANCE = """maintenance:
  - announced: 2027-03-01
    since: 2027-03-{since:02}T20:00:00+01:00
    until: 2027-03-{until}:00+01:00
    text: disks of baz1
citizens:"""


@pytest.fixture
def copy(tmp_path):
    return Copy(tmp_path)


def test_tenants_may_take_every_connection_of_their_server_and_no_more(copy):
    connections = sum(municipality.limits.connections for municipality in copy.load().municipalities.values())
    copy.edit(ENVIRONMENT, "capacity: 256", "capacity: 5")
    room = 25  # a full cell of five takes 20, and a quarter more
    copy.edit(TARDONA, "phase:", f"caps: {{connections: {4 + room - connections}}}\nphase:")
    assert copy.load().environment.cells[0].capacity == 5
    copy.edit(TARDONA, f"connections: {4 + room - connections}", f"connections: {5 + room - connections}")
    (fault,) = copy.faults()
    assert f"tenants of baz1 may take {room + 1} connections together, its server has {room}" in fault


@pytest.mark.parametrize("hours", ["08:00-08:00", "08:01-08:00"])
def test_an_office_that_closes_when_it_opens_is_never_open(copy, hours):
    copy.edit(ENVIRONMENT, '"08:00-13:30"', f'"{hours}"')
    (fault,) = copy.faults()
    assert f"opening_hours.fri = '{hours}': closes before it opens" in fault


def test_an_office_may_be_open_for_a_minute(copy):
    copy.edit(ENVIRONMENT, '"08:00-13:30"', '"08:00-08:01"')
    assert copy.load().environment.open_days[4] == ("08:00", "08:01")


def test_notice_of_exactly_so_many_working_days_is_enough(copy):
    due = int(copy.load().sla["maintenance-notice"].value)
    assert workdays.between(date(2027, 3, 1), date(2027, 3, 4)) == due == 3
    copy.edit(ENVIRONMENT, "citizens:", MAINTENANCE.format(since=4, until="04T22:00"))
    assert copy.load().environment.maintenance


def test_notice_of_a_day_less_is_refused(copy):
    copy.edit(ENVIRONMENT, "citizens:", MAINTENANCE.format(since=3, until="03T22:00"))
    (fault,) = copy.faults()
    assert "2 working days before it begins, wanted at least 3" in fault


@pytest.mark.parametrize(("until", "accepted"), [("04T20:00", False), ("04T20:01", True)])
def test_maintenance_takes_time(copy, until, accepted):
    copy.edit(ENVIRONMENT, "citizens:", MAINTENANCE.format(since=4, until=until))
    if accepted:
        assert copy.load()
    else:
        (fault,) = copy.faults()
        assert "maintenance.0.until" in fault and "ends before it begins" in fault


def test_a_cell_may_be_as_large_as_was_measured_and_no_larger(copy):
    most = cell_size.largest().tenants
    copy.edit(ENVIRONMENT, "capacity: 256", f"capacity: {most}")
    assert copy.load().environment.cells[0].capacity == most
    copy.edit(ENVIRONMENT, f"capacity: {most}", f"capacity: {most + 1}")
    (fault,) = copy.faults()
    assert f"cells.0.capacity = {most + 1}: a cell holds at most {most} tenants" in fault


def test_an_environment_has_as_many_cells_as_the_address_plan_and_no_more(copy):
    more = [f"  - {{id: c{n}, county: Heves, capacity: 1, nodes: 1}}\n" for n in range(addresses.CELLS)]
    copy.edit(ENVIRONMENT, "backup:\n", "".join(more[:-1]) + "backup:\n")
    try:
        copy.load()
    except RegisterError as error:  # their networks have no room for so many tasks, which is another rule's matter
        assert not [fault for fault in error.faults if "the address plan has" in str(fault)]
    copy.edit(ENVIRONMENT, "backup:\n", more[-1] + "backup:\n")
    (fault,) = [fault for fault in copy.faults() if "the address plan has" in fault]
    assert f"cells = {addresses.CELLS + 1}: the address plan has networks for" in fault


def test_a_cell_may_be_full(copy):
    copy.edit(ENVIRONMENT, "capacity: 256", "capacity: 5")
    copy.edit(ENVIRONMENT, "    L: {connections: 8}", "    L: {connections: 4}")
    assert len(copy.load().municipalities) == 5


@pytest.mark.parametrize("phase", ["preparation", "connection"])
def test_a_contract_that_is_said_to_be_signed_has_a_number_in_every_phase(copy, phase):
    copy.edit(TARDONA, "status: assumed", "status: contract")
    copy.edit(TARDONA, "phase: connection", f"phase: {phase}")
    (fault,) = copy.faults()
    assert "contract.number = None: contract.status: contract without the service contract's number" in fault


@pytest.mark.parametrize("earlier", ["preparation", "connection"])
def test_live_follows_from_every_earlier_phase(copy, earlier):
    text = (copy.root / SAJO).read_text(encoding="utf-8")
    line = next(line for line in text.splitlines(keepends=True) if line.startswith(f"  {earlier}:"))
    copy.edit(SAJO, line, "")
    (fault,) = copy.faults()
    assert f"evidence.{earlier} = None: phase live without evidence of the phase {earlier}" in fault


@pytest.mark.parametrize("order", [("16054", "14784"), ("14784", "16054")])
def test_a_cell_has_as_many_nodes_as_any_of_its_tenants_was_applied_with(copy, order):
    """Whichever was joined last: one of them while the cell had one node, the other after it had three."""
    register = copy.load()
    entries = {ksh: applied.snapshot_entry(register.municipality(ksh)) for ksh in ("16054", "14784")}
    entries["16054"]["cell_nodes"] = 3
    file = applied.snapshot_file("dev", copy.root)
    file.parent.mkdir(parents=True)
    file.write_text(json.dumps({ksh: entries[ksh] for ksh in order}), encoding="utf-8")
    (fault,) = copy.faults()
    assert "cells.0.nodes = 1: a cell gets no fewer nodes: 'baz1' was applied with 3" in fault


def test_an_emergency_needs_no_notice(copy):
    entry = MAINTENANCE.format(since=1, until="01T22:00").replace("text:", "emergency: true\n    text:")
    copy.edit(ENVIRONMENT, "citizens:", entry)
    assert copy.load().environment.maintenance[0].emergency


def test_a_framework_that_is_not_installed_lets_nobody_in(copy):
    installed = "id: keret, kind: framework, public: false, installed: true"
    copy.edit("catalogue/systems.yaml", installed, installed.replace("true", "false"))
    assert any("no installed system 'keret': nobody could sign in" in fault for fault in copy.faults())


@pytest.mark.parametrize(
    ("population", "size"), [(0, "S"), (2999, "S"), (3000, "M"), (10000, "M"), (10001, "L"), (160000, "L")]
)
def test_size_classes_meet_at_3000_and_after_10000(population, size):
    assert SizeClass.for_population(population) == size


@pytest.mark.parametrize("field", ["smallest_count", "remainder_percent", "count_step", "forint_step"])
def test_a_threshold_of_statistics_protects_at_least_so_much(copy, field):
    least = {"smallest_count": 3, "remainder_percent": 0.1, "count_step": 5, "forint_step": 1000}[field]
    less = {"smallest_count": 2, "remainder_percent": 0, "count_step": 4, "forint_step": 999}[field]
    file = "catalogue/statistics.yaml"
    text = (copy.root / file).read_text(encoding="utf-8")
    (line,) = [line for line in text.splitlines() if line.startswith(f"{field}:")]
    copy.edit(file, line, f"{field}: {least}")
    assert getattr(copy.load().statistics, field) == least
    copy.edit(file, f"{field}: {least}", f"{field}: {less}")
    (fault,) = copy.faults()
    assert f"statistics.yaml: {field} = {less}" in fault


@pytest.mark.parametrize(("connections", "of_system"), [(2, 1), (3, 1), (4, 2), (8, 4), (32, 16)])
def test_no_system_holds_more_than_half_of_a_tenants_connections(connections, of_system):
    assert Caps(connections=connections).connections_of_system == of_system


@pytest.mark.parametrize("name", sorted(RESERVED))
def test_no_cell_has_a_shared_services_name(copy, name):
    copy.edit(ENVIRONMENT, "id: baz1", f"id: {name}")
    assert any(f"cells.0.id = '{name}': is the name of a shared service" in fault for fault in copy.faults())


@pytest.mark.parametrize("slug", ["id", "ca"])
def test_no_municipality_has_a_shared_services_host(copy, slug):
    copy.edit(TARDONA, "phase:", f"host_slug: {slug}\nphase:")
    (fault,) = copy.faults()
    assert f"host_slug = 'Tardona': its host {slug}.asp.test is the" in fault


def test_a_certificate_alone_is_enough_in_a_demonstration_only(copy):
    copy.edit(ENVIRONMENT, "second_factor: password", "second_factor: none")
    assert copy.load()
    citizens = (copy.root / ENVIRONMENT).read_text(encoding="utf-8").split("citizens:")[1].split("caps:")[0]
    copy.edit(ENVIRONMENT, f"citizens:{citizens}", "")
    copy.edit(ENVIRONMENT, "demonstration: true", "demonstration: false")
    (fault,) = copy.faults()
    assert "identity.second_factor = 'none': a copied file would be enough to sign in" in fault
    copy.edit(ENVIRONMENT, "second_factor: none", "second_factor: totp")
    assert copy.load()


@pytest.mark.parametrize("sign", ["8472765075 ", "8472-765-075", "8472765076"])
def test_a_citizens_sign_stands_in_its_one_form(copy, sign):
    copy.edit(ENVIRONMENT, '"8472765075"', f'"{sign}"')
    (fault,) = copy.faults()
    assert f"citizens.0.identifier = '{sign}'" in fault and "a tax identification sign: ten digits" in fault


def test_an_office_is_open_on_the_first_and_the_last_of_its_days(copy):
    hours = {day: ("08:00", "16:00") for day in range(4)} | {4: ("08:00", "13:30")}
    assert copy.load().environment.open_days == hours


@pytest.mark.parametrize(("shorter", "longer"), [("lock", "statement"), ("statement", "transaction"),
                                                 ("idle_in_transaction", "transaction")])  # fmt: skip
def test_a_time_out_may_equal_the_longer_one_and_not_be_above_it(copy, shorter, longer):
    caps = dict.fromkeys(("lock", "statement", "transaction", "idle_in_transaction"), 50) | {"transaction": 60}
    for seconds, accepted in ((caps[longer], True), (caps[longer] + 1, False)):
        values = ", ".join(f"{name}_seconds: {value}" for name, value in (caps | {shorter: seconds}).items())
        file = f"{DEV}/municipalities/14784-tardona.yaml"
        text = (copy.root / file).read_text(encoding="utf-8")
        copy.write(file, re.sub(r"(?m)^(caps: .*\n)?phase:", f"caps: {{{values}}}\nphase:", text))
        if accepted:
            assert copy.load()
        else:
            (fault,) = copy.faults()
            assert f"caps.{shorter}_seconds = {seconds}: is above {longer}_seconds = {caps[longer]}" in fault


def test_each_municipality_whose_time_outs_are_out_of_order_is_named(copy):
    for file in (MALYINKA, TARDONA):  # of one size, so their caps are the same
        copy.edit(file, "phase:", "caps: {lock_seconds: 31}\nphase:")
    faults = copy.faults()
    assert len(faults) == 2 and all("caps.lock_seconds = 31" in fault for fault in faults), faults


def test_a_limit_stands_once(copy):
    text = (copy.root / "catalogue/limits.yaml").read_text(encoding="utf-8")
    copy.edit("catalogue/limits.yaml", "id: source-connections,", "id: anonymous-connections,")
    assert text.count("id: anonymous-connections,") == 1
    assert any("limits.yaml: [1].id = 'anonymous-connections': a duplicate" in fault for fault in copy.faults())


def test_a_cell_with_tenants_stays_in_the_list(copy):
    register = copy.load()
    entry = applied.snapshot_entry(register.municipality("16054")) | {"cell": "baz9", "cell_place": 1}
    file = applied.snapshot_file("dev", copy.root)
    file.parent.mkdir(parents=True)
    file.write_text(json.dumps({"99999": entry | {"name": "x"}}), encoding="utf-8")
    assert any("cells = 'baz1': cell 'baz9' was applied and holds tenants. Put baz9 back" in f for f in copy.faults())


def test_a_neighbours_workstations_keep_their_ports(copy):
    """A port of ours that its base and the number of one of its workstations add up to."""
    text = (copy.root / ENVIRONMENT).read_text(encoding="utf-8").replace("id: dev", "id: near")
    text = text.replace("10.61.0.0/16", "10.99.0.0/16").replace("https: 443", "https: 9443")
    text = text.replace("http: 80", "http: 9080").replace("ssh_base: 2210", "ssh_base: 441")
    near = copy.root / "environments" / "near"
    shutil.copytree(copy.root / DEV / "offices", near / "offices")
    (near / "environment.yaml").write_text(text, encoding="utf-8")
    faults = copy.faults()
    assert any("ports.https = 443: the port is workstation" in fault for fault in faults), faults


@pytest.mark.parametrize(("phase", "exists"), [("preparation", False), ("connection", True)])
def test_a_tenant_exists_from_connection_on(copy, phase, exists):
    copy.edit(TARDONA, "phase: connection", f"phase: {phase}")
    register = copy.load()
    assert register.municipality("14784").joined is exists
    assert register.municipality("16054").phase == "live" and register.municipality("16054").joined
