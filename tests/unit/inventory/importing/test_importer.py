"""The importer: every row of the list becomes an entry, is kept, or is reported with line, value and reason."""

import os
import re
import shutil
import subprocess
import sys

import pytest

from inventory import paths, register
from inventory.errors import RegisterError
from inventory.gazetteer import LIST, county_name, settlements
from inventory.importing import staging
from inventory.importing.importer import ImportOutcome, import_settlements
from inventory.importing.places import Places

TEMPLATE = paths.ENVIRONMENTS / "dev" / "environment.yaml"
BAZ = "Borsod-Abaúj-Zemplén"
HEADING = LIST.read_text(encoding="utf-8").splitlines()[0]


@pytest.fixture
def folder(tmp_path):
    """A register without environments; the environment `land` will be made in it."""
    root = tmp_path / "inventory"
    (root / "environments").mkdir(parents=True)
    shutil.copytree(paths.REGISTER / paths.CATALOGUE, root / paths.CATALOGUE)
    return root / "environments" / "land"


def loaded(folder):
    return register.load(folder.name, folder.parents[1])


def test_the_whole_country(folder):
    outcome = import_settlements(folder, TEMPLATE, None)
    assert outcome.balance() == "3178 rows = 3169 entries + 0 kept + 9 reported"
    land = loaded(folder)
    assert len(land.municipalities) == 3169 and not land.joined()
    assert {m.phase for m in land.municipalities.values()} == {"preparation"}
    reports = {(report.field, report.value): report for report in outcome.reported}
    for name, other in (("Komló", "Kömlő"), ("Kömlő", "Komló"), ("Komoró", "Kömörő"), ("Kömörő", "Komoró")):
        assert re.match(f"slug collision: folds to 'kom(lo|oro)' like {other}", reports["name", name].reason)
    assert reports["name", "Budapest"].reason.startswith("the capital is no tenant")
    assert reports["name", "Budapest"].line == 395
    seats = [report for report in outcome.reported if report.value == "Tolémedi"]
    assert len(seats) == 3 and all("names no settlement of the list" in report.reason for report in seats)
    assert "could not be imported (line 1442)" in next(r for r in outcome.reported if r.line == 1647).reason
    assert [report.line for report in outcome.reported] == sorted(report.line for report in outcome.reported)


def test_a_county_goes_to_as_many_cells_as_it_needs(folder):
    outcome = import_settlements(folder, TEMPLATE, BAZ)
    assert outcome.balance() == "358 rows = 358 entries + 0 kept + 0 reported"
    assert [cell.id for cell in outcome.cells] == ["baz1", "baz2"]
    land = loaded(folder)
    sizes = [sum(m.cell == cell.id for m in land.municipalities.values()) for cell in land.environment.cells]
    assert sum(sizes) == 358 and max(sizes) <= 256 and sizes[0] >= 250
    assert len(land.offices) == 123
    for office in land.offices.values():
        assert len({m.cell for m in land.members(office)}) == 1, f"{office.name} is split over cells"


def test_what_exists_is_kept(folder, tmp_path):
    shutil.copytree(TEMPLATE.parent, folder)
    text = TEMPLATE.read_text().replace("id: dev", "id: land")
    (folder / "environment.yaml").write_text(text)
    before = {file: file.read_bytes() for file in folder.rglob("*/*.yaml")}
    outcome = import_settlements(folder, TEMPLATE, BAZ)
    assert outcome.balance() == "358 rows = 353 entries + 5 kept + 0 reported"
    assert {report.value for report in outcome.unchanged} == {"14784", "14915", "16054", "25159", "29188"}
    assert all(file.read_bytes() == content for file, content in before.items())
    after = (folder / "environment.yaml").read_text()
    assert [cell.id for cell in outcome.cells] == ["baz2"] and "# tenants" in after and "id: baz1\n" in after
    land = loaded(folder)
    assert len(land.municipalities) == 358 and len(land.joined()) == 5


def test_again_changes_nothing(folder):
    import_settlements(folder, TEMPLATE, "Vas")
    before = {file: file.read_bytes() for file in folder.rglob("*.yaml")}
    outcome = import_settlements(folder, TEMPLATE, "Vas")
    assert outcome.balance() == "216 rows = 0 entries + 216 kept + 0 reported"
    assert {file: file.read_bytes() for file in folder.rglob("*.yaml")} == before


def test_an_interrupted_import_is_completed(folder):
    import_settlements(folder, TEMPLATE, "Vas")
    whole = {file: file.read_bytes() for file in folder.rglob("*.yaml")}
    for file in sorted(folder.glob("municipalities/*"))[100:]:
        file.unlink()
    import_settlements(folder, TEMPLATE, "Vas")
    assert {file: file.read_bytes() for file in folder.rglob("*.yaml")} == whole


def test_dry_run_writes_nothing(folder):
    outcome = import_settlements(folder, TEMPLATE, "Heves", dry_run=True)
    assert len(outcome.entries) == 121 and not folder.exists()


def rows(tmp_path, *lines: str):
    file = tmp_path / "list.csv"
    file.write_text("\n".join([HEADING, *lines]) + "\n", encoding="utf-8")
    return file


GOOD = "Aba,17376,város,Fejér,0850,X,X,1,,8805,4416,1548"
BAD_ROWS = {
    "ksh": ("Beba,1737,község,Fejér,0850,X,X,1,,1,1,1", "ksh", "1737"),
    "population": ("Beba,17377,község,Fejér,0850,X,X,1,,1,sok,1", "population", "sok"),
    "kind": ("Beba,17377,község,Fejér,0850,X,X,9,,1,1,1", "office_kind", "9"),
    "name": (",17377,község,Fejér,0850,X,X,1,,1,1,1", "name", ""),
    "columns": ("Beba,17377,község,Fejér", "(row)", "Beba,17377"),
    "duplicate": (GOOD, "ksh", "17376"),
    "elsewhere": ("Beba,17377,község,Fejér,0850,X,X,6,Orfű,1,1,1", "office_seat", "Orfű"),
}


@pytest.mark.parametrize("case", BAD_ROWS)
def test_bad_rows_are_reported_with_their_line(tmp_path, folder, case):
    line, field, value = BAD_ROWS[case]
    outcome = import_settlements(folder, TEMPLATE, None, source=rows(tmp_path, GOOD, line))
    (report,) = outcome.reported
    assert (report.line, report.field) == (3, field) and report.value.startswith(value)
    assert outcome.balance() == "2 rows = 1 entries + 0 kept + 1 reported"


def test_list_without_its_columns_is_refused(tmp_path, folder):
    file = tmp_path / "list.csv"
    file.write_text("name,code\nAba,17376\n")
    with pytest.raises(RegisterError, match="columns are missing. Use the list as published"):
        import_settlements(folder, TEMPLATE, None, source=file)


def tree(folder):
    """Every file and folder below, with contents: what an import must not change when it fails."""
    return {path: path.read_bytes() if path.is_file() else None for path in sorted(folder.rglob("*"))}


@pytest.fixture
def beside_dev(folder):
    """A register with environment `dev`, beside which another is imported."""
    shutil.copytree(TEMPLATE.parent, folder.parent / "dev")
    return folder


def test_a_new_environment_has_a_subnet_and_ports_of_its_own(beside_dev):
    outcome = import_settlements(beside_dev, TEMPLATE, "Vas")
    assert str(outcome.places) == "subnet 10.62.0.0/16, ports 10443 (https), 10080 (http), 12210 and up (SSH)"
    other = beside_dev.with_name("other")
    assert import_settlements(other, TEMPLATE, "Zala").places == Places("10.63.0.0/16", 11443, 11080, 13210)
    for env in ("dev", "land", "other"):
        assert register.load(env, beside_dev.parents[1]), "no environment stands in another's way"
    text = (beside_dev / "environment.yaml").read_text()
    assert "subnet: 10.62.0.0/16\n" in text and "ssh_base: 12210 # a workstation's" in text


def test_what_is_asked_for_is_taken(beside_dev):
    required = Places(subnet="10.200.0.0/16", https=8443)
    assert import_settlements(beside_dev, TEMPLATE, "Vas", required=required).places == Places(
        "10.200.0.0/16", 8443, 10080, 12210
    )
    environment = register.load("land", beside_dev.parents[1]).environment
    assert (environment.subnet, environment.ports.https) == ("10.200.0.0/16", 8443)


FAILING = {
    "a neighbour's subnet": (Places(subnet="10.61.0.0/16"), "subnet = '10.61.0.0/16': overlaps 10.61.0.0/16 of"),
    "a neighbour's port": (Places(https=80), "ports.https = 80: the port is ports.http of"),
    "Docker's own subnet": (Places(subnet="172.17.0.0/16"), "which Docker takes by itself"),
    "no subnet": (Places(subnet="10.61.0.0/24"), "a private IPv4 /16"),
}


@pytest.mark.parametrize("case", FAILING)
def test_an_import_that_fails_leaves_no_trace(beside_dev, tmp_path, case):
    required, words = FAILING[case]
    before = tree(tmp_path)
    with pytest.raises(RegisterError, match=re.escape(words)):
        import_settlements(beside_dev, TEMPLATE, "Vas", required=required)
    assert tree(tmp_path) == before and not beside_dev.exists()


def test_an_import_into_an_unsound_environment_leaves_it_as_it_is(folder, tmp_path):
    import_settlements(folder, TEMPLATE, "Vas")
    file = next(folder.glob("municipalities/*.yaml"))
    file.write_text(file.read_text().replace("phase: preparation", "phase: live"))
    before = tree(tmp_path)
    with pytest.raises(RegisterError, match="phase live without evidence"):
        import_settlements(folder, TEMPLATE, "Zala")
    assert tree(tmp_path) == before


def test_what_moved_in_before_a_fault_of_the_disk_moves_out_again(folder, tmp_path, monkeypatch):
    import_settlements(folder, TEMPLATE, "Vas")
    before, moves, move = tree(tmp_path), [], os.replace

    def fail_later(source, target):
        moves.append(target)
        if len(moves) == 50:
            raise OSError(28, "No space left on device")
        move(source, target)

    monkeypatch.setattr(staging.os, "replace", fail_later)
    with pytest.raises(OSError, match="No space left"):
        import_settlements(folder, TEMPLATE, "Zala")
    assert len(moves) > 50 and tree(tmp_path) == before


def test_settings_are_asked_for_a_new_environment_only(folder):
    import_settlements(folder, TEMPLATE, "Vas")
    with pytest.raises(RegisterError, match="land: subnet = '': the environment is there and has its own"):
        import_settlements(folder, TEMPLATE, "Zala", required=Places(subnet="10.99.0.0/16"))


def test_a_dry_run_judges_the_result_too(beside_dev):
    with pytest.raises(RegisterError, match="overlaps"):
        import_settlements(beside_dev, TEMPLATE, "Vas", dry_run=True, required=Places(subnet="10.61.0.0/16"))


@pytest.mark.parametrize(
    ("official", "county"),
    [
        ("Zala vármegye", "Zala"),
        ("Zala megye", "Zala"),
        (" Zala  Vármegye ", "Zala"),
        ("Csongrád-Csanád", "Csongrád"),
        ("Csongrád-Csanád vármegye", "Csongrád"),
        ("Csongrád megye", "Csongrád"),
        ("Borsod-Abaúj-Zemplén vármegye", BAZ),
        ("Vas", "Vas"),
    ],
)
def test_counties_are_known_by_their_official_names(official, county):
    assert county_name(official) == county
    assert county in {settlement.county for settlement in settlements().values()}


def test_an_import_by_the_official_name_is_the_countys(folder):
    outcome = import_settlements(folder, TEMPLATE, "Csongrád-Csanád vármegye", dry_run=True)
    assert outcome.rows == 60


def test_lost_rows_are_an_error():
    with pytest.raises(RuntimeError, match="rows were lost: 1 rows = 0 entries"):
        ImportOutcome(rows=1).balance()


def run(*arguments: str) -> subprocess.CompletedProcess:
    command = [sys.executable, "-m", "inventory", "import", *arguments]
    environ = {**os.environ, "ASP_ENV": "dev"}  # whose subnet and ports a new environment starts from
    return subprocess.run(command, cwd=paths.ROOT, env=environ, capture_output=True, text=True, timeout=60, check=False)


def test_the_command_tells_all_and_checks_the_result(folder):
    result = run("--county", "Tolna", "--into", str(folder))
    assert result.returncode == 0, result.stderr
    assert "not imported: line 259: office_seat = 'Tolémedi': names no settlement" in result.stdout
    assert "109 rows = 106 entries + 0 kept + 3 reported" in result.stdout
    assert "new environment: land (subnet 10.61.0.0/16, ports 443 (https)" in result.stdout
    assert "environment land is sound" in result.stdout


def test_the_command_never_says_that_it_wrote_what_it_did_not(beside_dev):
    result = run("--county", "Tolna", "--into", str(beside_dev), "--subnet", "10.61.0.0/16")
    assert result.returncode == 2 and "written" not in result.stdout
    assert "overlaps 10.61.0.0/16 of inventory/environments/dev" in result.stderr
    assert result.stderr.endswith("1 fault; nothing was touched.\n") and not beside_dev.exists()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--county", "Borsod"), "county = 'Borsod': no such county in the list. Known: Baranya"),
        (("--all", "--env", "nowhere"), "environment = 'nowhere': no such environment. Known: dev"),
        (("--all", "--into", "/tmp/Not-a-name"), "'Not-a-name': cannot name an environment"),
    ],
)
def test_the_command_refuses_in_one_message(arguments, words):
    result = run(*arguments)
    assert result.returncode == 2 and words in result.stderr and "Traceback" not in result.stderr
