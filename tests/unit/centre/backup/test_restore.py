"""What restores and drills refuse, each by the repository that is asked, and what they must not believe."""

import contextlib
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import pytest

from centre.backup import drill, restore, restore_cell
from centre.backup.backups import Creation
from centre.backup.restore import RestoreFault
from centre.reach.runtime import RuntimeFault
from inventory.register import load

TENANT = "t16054"
HOUR = timedelta(hours=1)
NOON = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
# Repository → hour of a backup → what is in it.
HELD = {
    1: {8: ["postgres"], 9: ["postgres", TENANT], 10: ["postgres", TENANT]},
    2: {8: ["postgres"], 11: ["postgres", TENANT]},
}


@pytest.fixture
def asked(monkeypatch):
    """Backups that were looked into."""
    looks = []

    class Repository:
        def __init__(self, cell, number):
            self.stanza, self.number = "baz1", number

        def catalogue(self):
            stops = [(NOON.replace(hour=hour).timestamp(), str(hour)) for hour in sorted(HELD[self.number])]
            return SimpleNamespace(backups=[{"timestamp": {"stop": stop}, "label": label} for stop, label in stops])

        def databases(self, label):
            looks.append(label)
            return dict.fromkeys(HELD[self.number][int(label)], 1)

    monkeypatch.setattr(restore, "Repository", Repository)
    monkeypatch.setattr(restore, "server", lambda *_: ({}, {}))
    return looks


@pytest.mark.parametrize(
    ("number", "moment", "looks"), [(1, NOON, ["10"]), (1, NOON.replace(hour=9), ["9"]), (2, NOON, ["11"])]
)
def test_the_last_backup_before_the_moment_answers(asked, number, moment, looks):
    restore.may_restore(None, TENANT, moment, number)
    assert asked == looks


@pytest.mark.parametrize(("number", "hour"), [(1, "09"), (2, "11")])
def test_a_moment_before_the_tenants_first_backup_is_refused_by_repository(asked, monkeypatch, number, hour):
    monkeypatch.setattr(restore.moments, "describe", lambda moment: f"{moment:%H:%M}")
    message = f"08:30: the first backup that contains {TENANT} ended at {hour}:00 in repository {number} of baz1"
    with pytest.raises(RestoreFault, match=message):
        restore.may_restore(None, TENANT, NOON.replace(hour=8, minute=30), number)


@pytest.mark.parametrize(("number", "hour"), [(1, 8), (2, 10)])
def test_a_tenant_younger_than_the_last_backup_comes_out_of_the_wal_that_follows(asked, monkeypatch, number, hour):
    made = NOON.replace(hour=hour, minute=20)
    monkeypatch.setattr(restore, "server", lambda *_: ({TENANT: Creation(1, made.timestamp())}, {}))
    restore.may_restore(None, TENANT, made + timedelta(minutes=10), number)
    with pytest.raises(RestoreFault, match="the first backup that contains"):
        restore.may_restore(None, TENANT, made - timedelta(minutes=10), number)
    monkeypatch.setattr(restore, "server", lambda *_: ({TENANT: Creation(1, 0)}, {}))
    with pytest.raises(RestoreFault, match="the first backup that contains"):  # and no backup to begin with
        restore.may_restore(None, TENANT, NOON.replace(hour=7), number)


def test_a_tenant_in_no_backup_is_refused_by_repository(asked):
    with pytest.raises(RestoreFault, match="repository 2 of baz1: no backup contains t99999; wanted one"):
        restore.may_restore(None, "t99999", NOON, 2)


@pytest.fixture
def put_aside(monkeypatch):
    """`put_aside(moment, number)`: what waits then, and the (moment, repository) of restores, beside one of NOON, 1."""

    def go(moment, number):
        restores = []

        @contextlib.contextmanager
        def restored(cell, tenant, moment, repository):
            restores.append((moment, repository))
            yield SimpleNamespace(script=lambda sql: "")

        waits = restore.Aside(TENANT, NOON.isoformat(), [], 1)
        monkeypatch.setattr(restore, "waiting", lambda *_: waits)
        monkeypatch.setattr(restore, "archive_up_to_now", lambda *_: None)
        monkeypatch.setattr(restore, "restored", restored)
        monkeypatch.setattr(restore, "_load", lambda *_: None)
        monkeypatch.setattr(restore.reading, "databases", lambda *_: {})
        monkeypatch.setattr(restore.reading, "connectable", lambda *_: [])
        return restore.put_aside(SimpleNamespace(script=lambda *_, **__: ""), TENANT, moment, number), restores

    return go


def test_a_restore_that_waits_is_used_again(put_aside):
    aside, restores = put_aside(NOON, 1)
    assert (aside.moment, aside.repository, restores) == (NOON.isoformat(), 1, [])


@pytest.mark.parametrize(("moment", "number"), [(NOON, 2), (NOON - HOUR, 1), (NOON + timedelta(seconds=1), 1)])
def test_one_of_another_moment_or_repository_is_made_anew(put_aside, moment, number):
    aside, restores = put_aside(moment, number)
    assert (aside.moment, aside.repository) == (moment.isoformat(), number)
    assert restores == [(moment, number)]


def test_a_drill_that_compared_nothing_proves_nothing(monkeypatch):
    @contextlib.contextmanager
    def restored(*_, **__):
        yield SimpleNamespace(script=lambda sql: "")

    register = load("dev")
    cell = SimpleNamespace(
        runtime=SimpleNamespace(register=register),
        rows=lambda sql: [NOON.isoformat()],
        script=lambda *_: '["ado.payer_id_seq", 5, ""]\n',
    )
    monkeypatch.setattr(drill, "restored", restored)
    monkeypatch.setattr(drill, "archive_up_to_now", lambda *_: None)
    monkeypatch.setattr(drill.ledger, "read", lambda *_: [])
    monkeypatch.setattr(drill.ledger, "append", lambda *_: pytest.fail("a proof was signed"))
    with pytest.raises(
        RuntimeFault, match="t16054: nothing was proven: of 1 tables and sequences none could be compared"
    ):
        drill.prove(cell, None, register.municipality("16054"))


@pytest.mark.parametrize("check", [True, False])
def test_a_former_cluster_that_is_not_there_is_refused_also_in_check_mode(check):
    ran = []

    def run(node, argv, **_):
        ran.append(argv[0])
        return "lock\npgdata\npgdata.before_20261123t130000z\n"

    cell = SimpleNamespace(cell=SimpleNamespace(postgres=["node"]), runtime=SimpleNamespace(check=run))
    with pytest.raises(RestoreFault, match="'pgdata': wanted a former cluster"):
        restore_cell.forget(cell, "pgdata", check)
    assert ran == ["ls"]
    restore_cell.forget(cell, "pgdata.before_20261123t130000z", check)
    assert ran == ["ls", "ls", *([] if check else ["rm"])]


@pytest.fixture
def exchange(monkeypatch):
    """Exchanges a tenant while the pooler behaves as told: before it holds, and after the work is done."""

    def run(before=None, after=None, renamed="t16054_before_x"):
        steps = []

        @contextlib.contextmanager
        def hold_clients(runtime, proxy, seconds, database):
            if before:
                raise before
            steps.append(f"hold {proxy} {database}")
            yield
            steps.append("let go")
            if after:
                raise after

        def rename(*_):
            steps.append("rename")
            if isinstance(renamed, Exception):
                raise renamed
            return renamed

        monkeypatch.setattr(restore, "hold_clients", hold_clients)
        monkeypatch.setattr(restore, "rename", rename)
        cell = SimpleNamespace(lock=contextlib.nullcontext, runtime=None, cell=SimpleNamespace(proxy="proxy"))
        return restore.exchange(cell, SimpleNamespace(name=TENANT), "t16054_restoring", []), steps

    return run


def test_the_name_changes_while_the_clients_are_held(exchange):
    assert exchange() == ("t16054_before_x", ["hold proxy t16054", "rename", "let go"])
    assert exchange(renamed="")[0] == "", "there was none before"


@pytest.mark.parametrize("options", [{"before": RuntimeFault("no proxy")}, {"renamed": RuntimeFault("no proxy")}])
def test_an_exchange_that_did_not_happen_says_so(exchange, options):
    with pytest.raises(RuntimeFault, match="^no proxy$"):
        exchange(**options)


def test_clients_that_were_let_go_before_the_end_are_told_of_though_it_is_done(exchange):
    with pytest.raises(
        RuntimeFault, match="t16054 is exchanged, but its clients were let go before that was done.*60 s"
    ):
        exchange(after=RuntimeFault("t16054 was held for 60 s"))
