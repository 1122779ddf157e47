"""What pgBackRest refuses for a while is tried again for as long as that may last, and nothing else is."""

from types import SimpleNamespace

import pytest

from centre.backup import backups
from centre.backup.backups import (
    LEADERLESS_SECONDS,
    LOCKED,
    NO_PRIMARY,
    NO_STANZA,
    BackupFault,
    Creation,
    Repository,
    RepositoryReport,
    State,
    ensure_backed_up,
)
from centre.reach.runtime import Result, RuntimeFault

SECONDS = 100


@pytest.fixture
def attempts(monkeypatch):
    """`attempts(code, after)`: how often a command was run that ends with `code` until second `after`, then well."""
    clock = SimpleNamespace(now=0.0)
    monkeypatch.setattr(backups.time, "monotonic", lambda: clock.now)
    monkeypatch.setattr(backups.time, "sleep", lambda seconds: setattr(clock, "now", clock.now + seconds))

    def go(code, after):
        calls = []

        def run(service, argv, timeout):
            calls.append(argv)
            return Result(code if clock.now < after else 0, "", f"said {code}")

        runtime = SimpleNamespace(run=run)
        cell = SimpleNamespace(runtime=runtime, cell=SimpleNamespace(backup="backup"), cell_id="baz1")
        Repository(cell).back_up("full", SECONDS)
        return len(calls)

    return go


@pytest.mark.parametrize(("code", "most"), [(LOCKED, SECONDS), (NO_PRIMARY, LEADERLESS_SECONDS)])
def test_a_lock_and_a_change_of_leader_are_waited_out(attempts, code, most):
    assert attempts(code, 0) == 1
    assert attempts(code, most - 1) > 1


@pytest.mark.parametrize(("code", "after"), [(LOCKED, SECONDS + 1), (NO_PRIMARY, LEADERLESS_SECONDS + 1), (55, 1)])
def test_what_lasts_longer_or_is_something_else_is_told(attempts, code, after):
    with pytest.raises(RuntimeFault, match=f"backup: pgbackrest backup exited with {code}: said {code}"):
        attempts(code, after)


WHOLE = {"label": "20261130-010000F", "error": False}
FAULTY = {"label": "20261130-020000F", "error": True}


def info(*entries, code=0):
    return [{"backup": list(entries), "status": {"code": code, "message": ""}, "archive": [{"max": "0A"}]}]


def test_a_backup_with_faults_is_none():
    report = RepositoryReport.from_info(info(WHOLE, FAULTY))
    assert report.newest == WHOLE and report.failed == [FAULTY["label"]]
    assert RepositoryReport.from_info(info(FAULTY)).newest is None
    assert RepositoryReport.from_info([]).code == NO_STANZA


def test_a_database_that_was_made_again_under_its_name_is_not_covered():
    state = State(RepositoryReport.from_info(info(WHOLE)), {"t16054": 7}, {"t14784": 9}, {})
    assert state.covers("t16054", 7) and state.covers("t14784", 9)
    assert not state.covers("t16054", 8) and not state.covers("t99999", 7)


@pytest.fixture
def join(monkeypatch):
    """`join(...)`: what `ensure_backed_up` plans and does for t16054; repositories that are sound unless told."""

    def go(check=False, present=7, failing=False, daily=(WHOLE,), vault=(WHOLE,), codes=(0, 0), times=(1, 1), inside=7):
        calls = []
        by_number = {
            number: State(RepositoryReport.from_info(info(*entries, code=code)), {"t16054": inside}, {}, {"at": at})
            for number, (entries, code, at) in enumerate(zip((daily, vault), codes, times, strict=True), 1)
        }
        here = {"t16054": Creation(present, 1.0)} if present else {}
        monkeypatch.setattr(backups, "states", lambda cell: by_number)
        monkeypatch.setattr(backups, "server", lambda *_: (here, {"failing": failing, "last_failed": "noon"}))
        monkeypatch.setattr(backups, "archive", lambda cell: calls.append("archive"))
        for name in ("create_stanza", "prove_archiving", "verify"):
            monkeypatch.setattr(Repository, name, lambda self, name=name: calls.append(f"{name} {self.number}"))
        monkeypatch.setattr(Repository, "back_up", lambda self, kind: calls.append(f"{kind} {self.number}"))
        runtime = SimpleNamespace(check=lambda service, argv, stdin: calls.append(f"{argv[1]} {stdin}"))
        cell = SimpleNamespace(cell_id="baz1", cell=SimpleNamespace(backup="b"), runtime=runtime)
        plan = ensure_backed_up(cell, ["t16054"], check)
        return [line.partition(":")[0] for line in plan.lines], calls

    return go


@pytest.mark.parametrize(
    ("state", "lines", "calls"),
    [
        ({}, [], []),
        ({"codes": (NO_STANZA, 0)}, ["stanza"], ["create_stanza 1", "prove_archiving 1"]),
        ({"codes": (0, NO_STANZA)}, ["stanza"], ["create_stanza 1", "prove_archiving 1"]),
        ({"failing": True}, ["WAL archive"], ["prove_archiving 1"]),
        ({"daily": ()}, ["daily repository"], ["full 1"]),
        ({"vault": ()}, ["encrypted repository"], ["full 2"]),
        ({"vault": (FAULTY,)}, ["encrypted repository"], ["full 2"]),
        ({"present": 8}, ["newest backup and WAL"], ["archive", 'archived {"t16054": 8}']),
        ({"times": (0, 1)}, ["repository 1"], ["verify 1"]),
        ({"times": (1, 0)}, ["repository 2"], ["verify 2"]),
    ],
)
def test_what_a_municipality_needs_to_come_back_is_done_and_nothing_else(join, state, lines, calls):
    assert join(**state) == (lines, calls)
    assert join(check=True, **state) == (lines, [])


def test_a_database_that_is_not_there_yet_is_a_fault_but_in_a_look(join):
    with pytest.raises(BackupFault, match="no database t16054; run role tenant_database first"):
        join(present=None)
    assert join(check=True, present=None) == (["newest backup and WAL"], [])
