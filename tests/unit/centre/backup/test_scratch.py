"""What a restore in a container tells is believed when it is whole, and its words are told when it ends."""

import json
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import pytest

from centre.backup import scratch
from centre.backup.scratch import DAILY, VAULT, NoRoom, configure, wait_for
from centre.reach.runtime import Result, RuntimeFault


class Container:
    """One that prints `out` piece by piece, a piece each look, and then ends with `err` unless it waits."""

    name = "asp-x-restore-t16054"
    attrs = {"State": {"ExitCode": 1}}

    def __init__(self, *out, err=None):
        self._pieces, self._out, self._err, self.status = list(out), "", err, "running"

    def logs(self, stdout=True, stderr=True):
        if not stdout:
            return self._err.encode()
        if self._pieces:
            self._out += self._pieces.pop(0)
        elif self._err is not None:
            self.status = "exited"
        return self._out.encode()

    def reload(self):
        pass


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    monkeypatch.setattr(scratch.time, "sleep", lambda _: None)


def test_half_a_line_is_not_yet_a_state():
    wait_for(Container('{"sta', 'te": "rest', 'ored"}\n'), 60, "restored")


def test_a_restore_that_ends_before_is_a_fault_in_its_own_words():
    with pytest.raises(RuntimeFault, match="t16054: exited with 1: asp-restore tenant: no database"):
        wait_for(Container(err="asp-restore tenant: no database t16054 at that moment\n"), 60, "restored")


@pytest.mark.parametrize(("out", "fault"), [("", RuntimeFault), ('{"state": "full"}\n', NoRoom)])
def test_a_full_memory_is_told_apart_from_every_other_fault(out, fault):
    with pytest.raises(RuntimeFault, match="unable to write") as error:
        wait_for(Container(out, err="unable to write '/data/pgdata/global/2964_fsm'\n"), 60, "restored")
    assert type(error.value) is fault


@pytest.mark.parametrize(("memory", "places"), [(8, [8, None]), (None, [None])])
def test_what_has_no_room_in_memory_is_restored_on_a_disk_and_there_once(monkeypatch, memory, places):
    attempts = []

    def ready(cell, tenant, request, repository, memory, timeout):
        attempts.append(memory)
        raise NoRoom("it is full")

    monkeypatch.setattr(scratch, "_memory", lambda *_: memory)
    monkeypatch.setattr(scratch, "_ready", ready)
    with pytest.raises(NoRoom, match="it is full"), scratch.restored(SimpleNamespace(cell_id="baz1"), "t16054"):
        pytest.fail("nothing is restored")
    assert attempts == places


def test_a_restore_that_takes_too_long_is_a_fault():
    with pytest.raises(RuntimeFault, match="not restored within 0 s"):
        wait_for(Container(), 0, "restored")


@pytest.mark.parametrize(
    ("mebibytes", "available", "memory"),
    [(10, 8192, 1024 + 30), (10, 4 * 1054, 1054), (10, 4 * 1054 - 1, None), (2000, 8192, None)],
)
def test_a_restore_takes_three_times_its_database_and_a_quarter_of_what_is_free(
    monkeypatch, tmp_path, mebibytes, available, memory
):
    monkeypatch.setattr(scratch, "MEMINFO", tmp_path / "meminfo")
    scratch.MEMINFO.write_text(f"MemTotal: 99999999 kB\nMemAvailable: {available * 1024} kB\n")
    environment = SimpleNamespace(several_machines=False)
    runtime = SimpleNamespace(register=SimpleNamespace(environment=environment))
    cell = SimpleNamespace(rows=lambda sql, role: [mebibytes * 2**20], runtime=runtime)
    assert scratch._memory(cell, "t16054") == memory


def test_memory_is_that_of_the_machine_which_has_the_repository(monkeypatch, tmp_path):
    monkeypatch.setattr(scratch, "MEMINFO", tmp_path / "none")
    environment = SimpleNamespace(several_machines=True)
    answers = {("backup", "cat", str(tmp_path / "none")): "MemAvailable: 8388608 kB\n"}
    runtime = SimpleNamespace(
        register=SimpleNamespace(environment=environment), check=lambda service, argv: answers[(service, *argv)]
    )
    names = SimpleNamespace(backup="backup")
    cell = SimpleNamespace(rows=lambda sql, role: [10 * 2**20], runtime=runtime, cell=names)
    assert scratch._memory(cell, "t16054") == 1054


class Leftover:
    def __init__(self, labels, status="running", days=0):
        self.labels, self.gone, self.status = labels, False, status
        self.attrs = {"Created": f"{datetime.now(UTC) - timedelta(days=days):%Y-%m-%dT%H:%M:%S.123456789Z}"}

    def remove(self, **_):
        self.gone = True


@pytest.mark.parametrize(("maker", "alive", "stale"), [("7 1", True, False), ("7 1", False, True), (None, True, True)])
def test_what_a_killed_run_left_goes_and_what_another_works_with_stays(monkeypatch, maker, alive, stale):
    leftover = Leftover({scratch.MAKER: maker} if maker else {})
    client = SimpleNamespace(containers=SimpleNamespace(list=lambda **_: [leftover]))
    monkeypatch.setattr(scratch.processes, "Process", lambda *_: SimpleNamespace(alive=alive))
    scratch.clear_stale(client, "x")
    assert leftover.gone is stale


@pytest.mark.parametrize(
    ("status", "days", "stale"), [("running", 0, False), ("running", 2, True), ("exited", 0, True)]
)
def test_of_another_computers_restore_only_what_ended_or_is_old_goes(monkeypatch, status, days, stale):
    leftover = Leftover({scratch.MAKER: "7 1", scratch.COMPUTER: "another"}, status, days)
    client = SimpleNamespace(containers=SimpleNamespace(list=lambda **_: [leftover]))
    monkeypatch.setattr(scratch.processes, "Process", lambda *_: SimpleNamespace(alive=False))
    scratch.clear_stale(client, "x")
    assert leftover.gone is stale


def test_a_container_of_a_restore_reaches_nothing_and_changes_no_repository(monkeypatch):
    created = {}

    def create(image, argv, **options):
        created.update(options)
        return SimpleNamespace(start=lambda: None)

    containers = SimpleNamespace(create=create, list=lambda **_: [])
    runtime = SimpleNamespace(
        machines=SimpleNamespace(holding=lambda volume: SimpleNamespace(containers=containers)),
        register=SimpleNamespace(environment=SimpleNamespace(id="x")),
        container=lambda node: SimpleNamespace(image=SimpleNamespace(id="i")),
    )
    monkeypatch.setattr(scratch, "Runtime", lambda *_: runtime)
    monkeypatch.setattr(scratch, "configure", lambda *_: None)
    monkeypatch.setattr(scratch, "wait_for", lambda *_: None)
    names = SimpleNamespace(prefix="asp-x-baz1", backup="daily", vault="vault")
    cell = SimpleNamespace(runtime=runtime, cell=names, node="n1")
    scratch._ready(cell, "t16054", "{}", DAILY, 8, 60)
    assert created["network_mode"] == "none" and created["read_only"] and created["cap_drop"] == ["ALL"]
    assert created["volumes"] == {"daily": {"bind": "/source", "mode": "ro"}}
    assert created["mem_limit"] == f"{scratch.MEMORY_MIB + 8}m"


@pytest.mark.parametrize(
    ("repository", "options"),
    [
        (
            DAILY,
            {
                "repo1-path": "/source/encrypted/repo",
                "repo1-cipher-type": "aes-256-cbc",
                "repo1-cipher-pass": "backup_daily",
            },
        ),
        (
            VAULT,
            {"repo1-path": "/source/repo", "repo1-cipher-type": "aes-256-cbc", "repo1-cipher-pass": "backup_vault"},
        ),
    ],
)
def test_only_the_repository_that_is_read_is_named_and_its_key_goes_by_standard_input(monkeypatch, repository, options):
    calls = []

    def inside(container, argv, stdin):
        calls.append((argv, json.loads(stdin)))
        return Result(0, "", "")

    cell = SimpleNamespace(runtime=SimpleNamespace(register=None, inside=inside))
    monkeypatch.setattr(scratch.vault, "load", lambda _: SimpleNamespace(password=lambda name: name))
    configure(cell, None, repository)
    assert calls == [(["asp-restore", "configure"], options)]
