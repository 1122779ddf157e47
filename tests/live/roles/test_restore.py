"""Playbook restore on a deployed environment: to a moment and back, nobody else disturbed, completed after kills.

The subject is Bánhorváti; Sajószentpéter is watched through the edge meanwhile.
"""

from __future__ import annotations

import secrets as random
import threading
from datetime import UTC, datetime, timedelta

import pytest

from centre.backup import contents, restore
from centre.database import reading
from centre.reach.psql import CellSql
from inventory.vault import vault
from tests.live.roles.playbooks import run_until_killed
from tests.support.edge_client import EdgeClient
from tests.support.long import of_family
from tests.support.polling import PATIENCE

SUBJECT, NEIGHBOUR = "25159", "16054"
RESTORED = "Restore the database beside"


@pytest.fixture(scope="module")
def cell(register, runtime):
    return CellSql(runtime, register.municipality(SUBJECT).cell)


@pytest.fixture(scope="module")
def tenant(register):
    return register.municipality(SUBJECT).tenant


@pytest.fixture(scope="module", autouse=True)
def joined(play):
    result = play("join", municipality=SUBJECT)
    assert result.code == 0, result.text


@pytest.fixture(autouse=True)
def nothing_left(cell, tenant):
    """Kept databases are dropped, scratch containers must be gone."""
    yield
    for name in restore.former_databases(cell, tenant):
        restore.forget(cell, name)
    assert restore.waiting(cell, tenant) is None
    client = cell.runtime.client
    assert client.containers.list(all=True, filters={"label": f"asp.restore={tenant}"}) == []


def write(cell, tenant):
    """One more row, as a system would have written it; its key."""
    version = random.token_hex(6)
    cell.script(f"INSERT INTO asp_meta.migrations VALUES ('restore-proof', '{version}');", tenant, "postgres")
    return version


def markers(cell, tenant):
    sql = "SELECT to_json(version) FROM asp_meta.migrations WHERE system = 'restore-proof';"
    return set(cell.rows(sql, database=tenant, role="postgres"))


def now(cell):
    """The database's own clock, as an operator writes a moment."""
    (moment,) = cell.rows("SELECT to_json(clock_timestamp());")
    return moment


class Watch(threading.Thread):
    """Asks public pages again and again until told to stop; what was not 200 is kept."""

    def __init__(self, register, codes):
        super().__init__(daemon=True)
        self.client = EdgeClient(register, vault.load(register))
        self.urls = [register.municipality(code).url("portal") for code in codes]
        self.asked, self.wrong = 0, []
        self._over = threading.Event()

    def run(self):
        while not self._over.wait(0.05):
            for url in self.urls:
                try:
                    status = self.client.get(url).status
                except OSError as error:
                    status = str(error)
                self.asked += 1
                if status != 200:
                    self.wrong.append((url, status))

    def stop(self):
        self._over.set()
        self.join()


def test_a_moment_comes_back_and_goes_again_while_everybody_is_served(register, cell, tenant, play):
    neighbour = register.municipality(NEIGHBOUR).tenant
    kept_row = write(cell, tenant)
    moment = now(cell)
    lost_row = write(cell, tenant)
    rights = reading.shared(cell).databases[tenant]
    watch = Watch(register, [NEIGHBOUR, SUBJECT])
    watch.start()
    try:
        result = play("restore", municipality=SUBJECT, target_time=moment)
    finally:
        watch.stop()
    assert (result.code, result.changed) == (0, 3), result.text
    assert "asp_meta.migrations: " in result.text, "what changed is told by table"
    assert watch.asked > 20 and watch.wrong == []
    assert kept_row in markers(cell, tenant) and lost_row not in markers(cell, tenant)
    databases = reading.shared(cell).databases
    assert {**databases[tenant], "oid": 0} == {**rights, "oid": 0}, "owner, rights, caps and facts are as before"
    (old,) = restore.former_databases(cell, tenant)
    assert not databases[old]["open"]
    assert neighbour in databases

    back = play("restore", municipality=SUBJECT, undo=old)
    assert back.code == 0, back.text
    assert {kept_row, lost_row} <= markers(cell, tenant)
    (other,) = restore.former_databases(cell, tenant)
    removal = play("restore", municipality=SUBJECT, forget=other)
    assert (removal.code, removal.changed) == (0, 1), removal.text
    assert restore.former_databases(cell, tenant) == []


def test_check_mode_and_a_look_exchange_nothing(cell, tenant, play):
    moment = now(cell)
    row = write(cell, tenant)
    before = reading.shared(cell).databases
    preview = play("restore", "--check", municipality=SUBJECT, target_time=moment)
    assert preview.code == 0 and preview.changed > 0, preview.text
    assert reading.shared(cell).databases == before
    look = play("restore", municipality=SUBJECT, target_time=moment, look=True)
    assert "Budapest = " in look.text, "the moment is shown in both zones"
    assert look.code == 0 and "asp_meta.migrations: " in look.text, look.text
    assert row in markers(cell, tenant)
    aside = restore.waiting(cell, tenant)
    loaded = contents.read(lambda sql: cell.script(sql, tenant, "postgres"))
    assert aside and loaded["asp_meta.migrations"][0] > 0
    cell.script(f"DROP DATABASE {aside.name};", role="postgres")


HOUR = timedelta(hours=1)


@pytest.mark.parametrize(
    ("variables", "message"),
    [
        (
            {"target_time": (datetime.now(UTC) + HOUR).isoformat(timespec="seconds")},
            "is in the future: wanted one before",
        ),
        ({"target_time": "2001-01-01 00:00:00"}, f"the first backup that contains t{SUBJECT} ended at"),
        ({"target_time": "tegnap délben"}, "wanted a moment, as 2026-11-23 14:00:00"),
        ({}, 'wanted one of -e "target_time='),
        ({"undo": "t25159_before_20260101t000000z", "forget": "x"}, "seen: undo, forget"),
        ({"undo": "t25159_before_20260101t000000z"}, "wanted a kept database of it; there are: none"),
        ({"forget": "t16054"}, "nothing was touched; 't16054': wanted a kept database of it"),
        ({"municipality": "16O54", "undo": "x"}, "municipality: wanted one 5-digit KSH code"),
        ({"municipality": "99999", "undo": "x"}, "99999"),
        ({"municipality": "29188", "undo": "x"}, "has no tenant in this phase"),
    ],
)
def test_what_cannot_be_is_refused_before_anything_is_touched(cell, play, variables, message):
    before = reading.shared(cell).databases
    result = play("restore", **{"municipality": SUBJECT, **variables})
    assert result.code != 0 and result.changed == 0, result.text
    assert message in " ".join(result.text.split()), result.text
    assert reading.shared(cell).databases == before


@pytest.mark.parametrize("step", of_family([RESTORED, "Exchange", "tenant_backup : "], ["Exchange"]))
def test_a_killed_restore_is_completed_by_the_next(register, cell, tenant, start, play, step):
    kept_row = write(cell, tenant)
    moment = now(cell)
    lost_row = write(cell, tenant)
    wait = run_until_killed(start("restore", municipality=SUBJECT, target_time=moment), step)
    result = play("restore", municipality=SUBJECT, target_time=moment)
    assert result.code == 0, f"killed {wait:.2f} s after {step!r}:\n{result.text}"
    assert kept_row in markers(cell, tenant) and lost_row not in markers(cell, tenant)
    watch = Watch(register, [SUBJECT])
    watch.start()
    threading.Event().wait(2 * PATIENCE)
    watch.stop()
    assert watch.wrong == []
