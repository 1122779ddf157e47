"""What pgBackRest refuses for a while is tried again for as long as that may last, and nothing else is."""

from types import SimpleNamespace

import pytest

from centre.backup import backups
from centre.backup.backups import LEADERLESS_SECONDS, LOCKED, NO_PRIMARY, Repository
from centre.reach.runtime import Result, RuntimeFault

SECONDS = 100


@pytest.fixture
def ended(monkeypatch):
    """`ended(code, after)`: how often a command was run that ends with `code` until second `after`, then well."""
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
def test_a_lock_and_a_change_of_leader_are_waited_out(ended, code, most):
    assert ended(code, 0) == 1
    assert ended(code, most - 1) > 1


@pytest.mark.parametrize(("code", "after"), [(LOCKED, SECONDS + 1), (NO_PRIMARY, LEADERLESS_SECONDS + 1), (55, 1)])
def test_what_lasts_longer_or_is_something_else_is_told(ended, code, after):
    with pytest.raises(RuntimeFault, match=f"backup: pgbackrest backup exited with {code}: said {code}"):
        ended(code, after)
