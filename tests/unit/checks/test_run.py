"""The suite as it really runs: pytest with the plugin inside `python -m checks`, on a recording."""

from __future__ import annotations

import itertools
import json
import subprocess
import sys
from dataclasses import dataclass
from datetime import UTC, datetime
from types import SimpleNamespace

import pytest

from checks.__main__ import main
from checks.command import exit_code
from checks.hosts import subjects_of
from checks.plugin import SUITES, Suite, run
from checks.recording import Recording
from inventory import paths
from inventory.errors import RegisterError
from inventory.register import load
from tests.unit.checks import support


@pytest.fixture(autouse=True)
def as_recorded(monkeypatch):
    """The register as it was when the recording was taken."""
    monkeypatch.setattr("checks.command.load", lambda env: support.register() if env == "dev" else load(env))


@pytest.fixture
def recording(tmp_path):
    """Writes a recording that is fresh now; gives its path."""

    def write(data):
        data = json.loads(json.dumps(data))
        for name in ("centre", "tenant", "workstation"):
            support.document(data, name)["taken"] = datetime.now(UTC).isoformat()
        path = tmp_path / "probes.json"
        path.write_text(json.dumps(data), encoding="utf-8")
        return path

    return write


def fresh(data):
    """The good recording with its dates moved so that it is good today."""
    now = datetime.now(UTC).isoformat()
    for repository in ("backup", "vault"):
        data["centre"]["data"][repository]["backups"][0]["stopped"] = now
    for entry in data["centre"]["data"]["verification"].values():
        entry["at"] = datetime.fromisoformat(now).timestamp()
    data["tenant"]["data"]["drill"]["proven"] = now
    for place in (
        data["centre"]["data"]["pki"]["crl"], data["centre"]["data"]["pki"],
        data["tenant"]["data"]["edge"]["certificate"], support.document(data, "workstation")["data"]["certificate"],
    ):  # fmt: skip
        for key in {"next_update", "authority_until", "until"} & set(place):
            place[key] = "2099-01-01T00:00:00+00:00"
    return data


@dataclass(frozen=True)
class Done:
    returncode: int
    stdout: str
    stderr: str


@pytest.fixture
def checks(capsys):
    """Runs the command in this process; gives its exit code and what it printed."""

    def run_it(*arguments):
        try:
            code = main([str(argument) for argument in arguments])
        except SystemExit as end:
            code = end.code
        return Done(code, *capsys.readouterr())

    return run_it


def test_a_sound_recording_is_ready(recording, tmp_path, checks):
    path = recording(fresh(support.good()))
    result = checks("--tenant", "16054", "--probes", path, "--output", tmp_path / "out")
    assert result.returncode == 0, result.stdout + result.stderr
    assert "77 checks in" in result.stdout and "READY: every mandatory check" in result.stdout
    assert (tmp_path / "out/report.html").is_file()


def test_a_broken_one_is_not_and_its_evidence_is_what_was_read(recording, tmp_path, checks):
    data = support.broken(fresh(support.good()), ["tenant", "database", "connect"], ["t16054", "t14915"])
    result = checks("--tenant", "16054", "--probes", recording(data), "--output", tmp_path / "out", "--json")
    assert result.returncode == 1, result.stderr
    report = json.loads(result.stdout)
    assert report["blocking"] == ["tenant.database.connect-only-own (16054)"]
    item = next(item for item in report["checks"] if item["id"] == "tenant.database.connect-only-own")
    assert item["message"] == "idegen szerep is csatlakozhat: t14915"
    assert item["evidence"] == [{"what": "database › connect", "value": '["t16054", "t14915"]'}]


def test_what_does_not_hold_is_told_at_the_end_a_line_a_cause(recording, tmp_path, checks):
    data = support.broken(fresh(support.good()), ["tenant", "database", "connect"], ["t16054", "t14915"])
    result = checks("--tenant", "16054", "--probes", recording(data), "--output", tmp_path / "out")
    _, end = result.stdout.split("NOT READY: 1 mandatory checks do not hold (1 broken, 0 not measured)\n")
    assert end.splitlines()[0] == " FAIL tenant.database.connect-only-own: idegen szerep is csatlakozhat: t14915"


def test_a_workstation_without_a_probe_is_unreachable(recording, tmp_path, checks):
    data = fresh(support.good())
    path = recording(data)
    path.write_text(json.dumps(json.loads(path.read_text()) | {"workstations": {}}), encoding="utf-8")
    result = checks("--tenant", "16054", "--probes", path, "--output", tmp_path / "out", "--json")
    assert result.returncode == 3, result.stderr
    report = json.loads(result.stdout)
    assert report["counts"]["UNREACHABLE"] == 14
    assert {item["message"] for item in report["checks"] if item["tier"] == "workstation"} == {
        "sajoszentpeter-1 nem válaszol: nem készült mérés"
    }


def test_only_some_checks_say_nothing_of_readiness(recording, tmp_path, checks):
    path, out = recording(fresh(support.good())), tmp_path / "out"
    result = checks("--tenant", "16054", "--probes", path, "--output", out, "--only", "centre.backup.age")
    assert result.returncode == 0, result.stdout + result.stderr
    assert "PARTIAL" in result.stdout
    assert len(json.loads((out / "report.json").read_text())["checks"]) == 1


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ((), "no municipality was given. Known in dev: 14784"),
        (("--tenant",), "Give a KSH code: python -m checks --env dev --tenant 14784"),
        (("--tenant", ""), "no municipality was given"),
        (("--tenant", "16054", "--as-of", "recording"), "Give --probes FILE too"),
        (("collect", "--tenant", "16054", "--only", "centre.backup.age"), "Leave --only out"),
        (("--tenant", "99999"), "no such KSH code here. Known: 14784"),
        (("--tenant", "16054", "--env", "moon"), "no such environment"),
        (("--tenant", "16054", "--only", "centre.moon.full"), "'centre.moon.full': no such check"),
        (("--tenant", "16054", "--probes", "nothing.json"), "cannot be read"),
    ],
)
def test_faults_of_usage_are_told_without_a_traceback(arguments, says, checks):
    result = checks(*arguments)
    assert result.returncode == 2
    assert says in result.stderr
    assert "Traceback" not in result.stderr


def test_a_recording_of_another_tenant_is_refused(recording, checks):
    result = checks("--tenant", "14915", "--probes", recording(support.good()))
    assert result.returncode == 2
    assert "is not of dev/14915" in result.stderr


def test_help_and_list(checks):
    text = checks("--help").stdout
    assert all(f"\n  {code}  " in text for code in (0, 1, 2, 3))
    output = checks("--list").stdout
    assert all(name in output for name in ("centre.database.writable", "workstation.foreign.refused"))


CHECK = "centre.backup.age"


@pytest.fixture
def reports(tmp_path, monkeypatch):
    """The default folder of 16054's reports, in a place of its own."""
    monkeypatch.setattr(paths, "LOCAL", tmp_path / "local")
    return paths.reports_dir("dev") / "16054"


@pytest.fixture
def live(monkeypatch, recording):
    """Hosts that answer as recorded."""
    facts = Recording.read(recording(fresh(support.good())))
    monkeypatch.setattr("checks.probes.collect", lambda register, municipality: facts)


def verdict_of(folder):
    report = json.loads((folder / "report.json").read_text(encoding="utf-8"))
    return report["ready"], report["scope"], report["source"], len(report["checks"])


def test_less_than_a_whole_run_leaves_the_whole_report_alone(live, recording, reports, checks):
    path = recording(support.broken(fresh(support.good()), ["tenant", "edge", "bare", "hsts"], ""))
    assert checks("--tenant", "16054").returncode == 0
    whole = {file.name: file.read_bytes() for file in reports.iterdir()}
    assert checks("--tenant", "16054", "--only", CHECK).returncode == 0
    assert verdict_of(reports / "partial") == (False, "partial", "live", 1)
    assert checks("--tenant", "16054", "--probes", path).returncode == 1
    assert verdict_of(reports / "partial") == (False, "whole", "recording", 77)
    assert {file.name: file.read_bytes() for file in reports.iterdir() if file.is_file()} == whole
    assert verdict_of(reports) == (True, "whole", "live", 77)
    assert len(whole["history.jsonl"].splitlines()) == 1
    assert not (reports / "partial" / "history.jsonl").exists()


def test_not_even_by_output(live, reports, checks):
    assert checks("--tenant", "16054").returncode == 0
    whole = (reports / "report.json").read_bytes()
    result = checks("--tenant", "16054", "--only", CHECK, "--output", reports)
    assert result.returncode == 2 and "holds the report of a whole run" in result.stderr
    assert (reports / "report.json").read_bytes() == whole


def test_a_whole_report_of_the_first_schema_is_kept_too(live, tmp_path, checks):
    out = tmp_path / "out"
    out.mkdir()
    (out / "report.json").write_text('{"schema": 1, "partial": false}', encoding="utf-8")
    assert checks("--tenant", "16054", "--only", CHECK, "--output", out).returncode == 2
    (out / "report.json").write_text('{"schema": 1, "partial": true}', encoding="utf-8")
    assert checks("--tenant", "16054", "--only", CHECK, "--output", out).returncode == 0


def test_collecting_writes_a_recording_that_somebody_else_judges(live, reports, tmp_path, checks):
    result = checks("collect", "--tenant", "16054", "--output", tmp_path / "out")
    assert result.returncode == 0 and "Recording: " in result.stdout
    assert [file.name for file in (tmp_path / "out").iterdir()] == ["probes.json"]
    process = checks("--tenant", "16054", "--probes", tmp_path / "out/probes.json", "--output", tmp_path / "judged")
    assert process.returncode == 0, process.stdout
    assert checks("collect", "--tenant", "16054").returncode == 0
    assert [file.name for file in (reports / "collected").iterdir()] == ["probes.json"]


def test_collecting_from_silent_hosts_says_so(monkeypatch, recording, tmp_path, checks):
    data = fresh(support.good())
    data["centre"]["unreachable"] = "Docker daemon: no answer"
    facts = Recording.read(recording(data))
    monkeypatch.setattr("checks.probes.collect", lambda register, municipality: facts)
    result = checks("collect", "--tenant", "16054", "--output", tmp_path / "out")
    assert result.returncode == 3 and "dev: UNREACHABLE: Docker daemon: no answer" in result.stdout


def archived(tmp_path):
    path = tmp_path / "archived.json"
    path.write_text(json.dumps(support.good()), encoding="utf-8")
    return path


def test_an_archived_recording_is_out_of_date_today(tmp_path, checks):
    result = checks("--tenant", "16054", "--probes", archived(tmp_path), "--output", tmp_path / "out", "--json")
    assert result.returncode in (1, 3)
    assert json.loads(result.stdout)["counts"]["NO-DATA"] > 10


@pytest.mark.parametrize(
    ("moment", "outdated"),
    [
        ("recording", 0),
        ("2026-11-23 11:10", 0),
        ("2026-11-23T10:10:00+00:00", 0),
        ("2026-11-23 11:20", 20),
        ("2026-11-25 11:00", 76),
    ],
)
def test_it_is_judged_as_of_another_moment(tmp_path, checks, moment, outdated):
    """A moment without a zone is Budapest time: the recording was taken at 11:00 there."""
    arguments = ("--tenant", "16054", "--probes", archived(tmp_path), "--output", tmp_path / "out", "--json")
    result = checks(*arguments, "--as-of", moment)
    report = json.loads(result.stdout)
    assert report["counts"]["NO-DATA"] == outdated
    assert result.returncode == (3 if outdated else 0)
    assert report["as_of"].startswith("2026-11-2") and report["source"] == "recording"


@pytest.mark.parametrize(("moment", "says"), [("2026-11-22", "lies before the recording"), ("noon", "is no moment")])
def test_a_moment_that_cannot_be_is_refused(tmp_path, checks, moment, says):
    result = checks("--tenant", "16054", "--probes", archived(tmp_path), "--as-of", moment)
    assert result.returncode == 2 and says in result.stderr


def test_a_broken_promise_counts_for_more_than_an_unknown_one(recording, tmp_path, checks):
    unreachable = {"unreachable": "no running task"}
    data = support.broken(fresh(support.good()), ["centre", "pki"], unreachable)
    arguments = ("--tenant", "16054", "--output", tmp_path / "out", "--probes")
    assert checks(*arguments, recording(data)).returncode == 3
    data = support.broken(data, ["tenant", "edge", "bare", "hsts"], "")
    assert checks(*arguments, recording(data)).returncode == 1


def test_nothing_judged_is_nothing_held():
    assert exit_code(SimpleNamespace(judged=[])) == 1


@pytest.mark.parametrize(("value", "code"), [(301, 0), (200, 1), (None, 3)])
def test_some_checks_have_the_same_exit_codes(recording, tmp_path, checks, value, code):
    """An optional check decides when it is asked for by name."""
    data = support.broken(fresh(support.good()), ["centre", "edge", "plain", "status"], value)
    arguments = ("--tenant", "16054", "--output", tmp_path / "out", "--only", "centre.edge.redirect")
    assert checks(*arguments, "--probes", recording(data)).returncode == code


IRAT = '@check("tenant.irat.answers")\ndef test_irat'
CASES = {
    "no test": (IRAT, "", "tenant.irat.answers has no test"),
    "twice": ("", "@check('tenant.irat.answers')\ndef test_again(probe):\n    pass\n", "has more than one test"),
    "no entry": ("", "@check('tenant.moon.full')\ndef test_moon(probe):\n    pass\n", "has no 'tenant.moon.full'"),
    "no mark": ("", "def test_bare(probe):\n    pass\n", "has no @check"),
}
COPIES = itertools.count()  # a module of a name that was imported before would not be read again


def copy_with(folder, old, new):
    """The suites under names of their own, with one text replaced; it must be there."""
    folder.mkdir()
    replaced, copy = 0, next(COPIES)
    for path in SUITES.glob("test_*.py"):
        text = path.read_text(encoding="utf-8")
        replaced += text.count(old) if old else 1
        target = folder / path.name.replace("test_", f"test_copy_{copy}_")
        target.write_text(text.replace(old, new) if old else text, encoding="utf-8")
    assert replaced
    return folder


def suite():
    register = support.register()
    recording = Recording.model_validate(support.good())
    return Suite(register, register.municipality("16054"), support.catalogue(), recording, now=support.TAKEN)


@pytest.mark.parametrize("case", CASES)
def test_catalogue_and_assertions_must_agree(case, tmp_path):
    """Each disagreement is a fault of the run, never a shorter report."""
    old, extra, says = CASES[case]
    folder = copy_with(tmp_path / "suites", old, "def _irat")
    module = folder / f"test_extra_{next(COPIES)}.py"
    module.write_text(f"from checks.plugin import check\n\n{extra}", encoding="utf-8")
    with pytest.raises(RegisterError, match=says) as error:
        run(suite(), folder)
    assert len(error.value.faults) == 1, "nothing else is wrong with the copy"


def test_an_assertion_that_reads_nothing_proves_nothing(tmp_path):
    folder = copy_with(tmp_path / "suites", '    _answers(probe, ["irat"])', "    assert True")
    outcomes = {outcome.check: outcome for outcome in run(suite(), folder)}
    assert outcomes["tenant.irat.answers"].message == "az ellenőrzés semmit sem olvasott a mérésből"
    assert {name for name, outcome in outcomes.items() if outcome.verdict != "PASS"} == {"tenant.irat.answers"}


def test_the_command_is_there_for_an_operator():
    """Once as a process of its own, as make calls it."""
    command = [sys.executable, "-m", "checks", "--list"]
    process = subprocess.run(command, cwd=paths.ROOT, capture_output=True, text=True, timeout=60)
    assert process.returncode == 0, process.stderr
    assert "centre.database.writable" in process.stdout


PYTEST = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider"]


def bare(*arguments):
    """Plain pytest in a process of its own, as somebody types it."""
    command = [*PYTEST, *(str(argument) for argument in arguments)]
    process = subprocess.run(command, cwd=paths.ROOT, capture_output=True, text=True, timeout=120)
    return Done(process.returncode, process.stdout, process.stderr)


def test_plain_pytest_needs_no_plugin_option(recording, tmp_path):
    """The register has more systems than the recording, so some checks fail; what counts is that all 77 ran."""
    out = tmp_path / "junit.xml"
    probes = recording(fresh(support.good()))
    result = bare("checks", "--asp-env", "dev", "--tenant", "16054", "--probes", probes, "--junitxml", out)
    assert result.returncode == 1, result.stdout
    assert "Sajószentpéter (16054): 77 of 77 checks, 77 collected" in result.stdout
    assert 'tests="77"' in out.read_text(encoding="utf-8")


def test_plain_pytest_takes_a_part_of_some_hosts(recording):
    probes = recording(support.good())
    arguments = ("--hosts", "ansible://workstations", "-k", "policy or hsts")
    result = bare("checks", "--tenant", "16054", "--probes", probes, "--collect-only", *arguments)
    assert (result.returncode, result.stderr) == (0, "")
    assert "2/77 tests collected (75 deselected)" in result.stdout


def test_plain_pytest_refuses_what_it_cannot_do():
    result = bare("checks", "--collect-only", "--tenant", "16054", "--hosts", "moon")
    assert result.returncode == 4 and "Known: all, dev, 16054, sajoszentpeter-1, centre, tenant" in result.stderr
    result = bare("checks", "--collect-only")
    assert result.returncode == 4 and "--tenant is missing: pytest checks --asp-env dev --tenant 16054" in result.stderr


HOSTS = [
    (None, []), ("", []), ("all", []), ("ansible://all", []),
    ("sajoszentpeter-1", ["sajoszentpeter-1"]),
    ("paramiko://asp-admin@sajoszentpeter-1:2210", ["sajoszentpeter-1"]),
    ("ssh://sajoszentpeter-1?timeout=5", ["sajoszentpeter-1"]),
    ("ansible://workstations,dev", ["sajoszentpeter-1", "dev"]), ("tenant", ["16054"]),
]  # fmt: skip


@pytest.mark.parametrize(("name", "subjects"), HOSTS)
def test_hosts_are_named_as_testinfra_names_them(name, subjects):
    register = support.register()
    assert subjects_of(name, register, register.municipality("16054")) == subjects


def test_a_file_of_the_suite_may_run_alone(recording):
    probes = recording(support.good())
    result = bare("checks/suites/test_tenant.py", "--tenant", "16054", "--probes", probes, "--collect-only")
    assert result.returncode == 0 and "23 of 77 checks, 23 collected" in result.stdout


def test_an_empty_folder_is_a_fault_and_no_short_report(tmp_path):
    (tmp_path / "suites").mkdir()
    with pytest.raises(RegisterError, match="centre.services.running has no test"):
        run(suite(), tmp_path / "suites")


def test_who_may_not_read_is_told_so(monkeypatch, capsys):
    def refuse(_options):
        raise PermissionError(13, "Permission denied", ".asp/dev/vault-password")

    monkeypatch.setattr("checks.command.run", refuse)
    assert main(["--tenant", "16054"]) == 2
    assert capsys.readouterr().err.startswith(
        "checks: .asp/dev/vault-password: may not be read by this user. Run it as"
    )
