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
def requests(monkeypatch):
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
def test_the_last_backup_before_the_moment_answers(requests, number, moment, looks):
    restore.may_restore(None, TENANT, moment, number)
    assert requests == looks


@pytest.mark.parametrize(("number", "hour"), [(1, "09"), (2, "11")])
def test_a_moment_before_the_tenants_first_backup_is_refused_by_repository(requests, monkeypatch, number, hour):
    monkeypatch.setattr(restore.moments, "describe", lambda moment: f"{moment:%H:%M}")
    message = f"08:30: the first backup that contains {TENANT} ended at {hour}:00 in repository {number} of baz1"
    with pytest.raises(RestoreFault, match=message):
        restore.may_restore(None, TENANT, NOON.replace(hour=8, minute=30), number)


@pytest.mark.parametrize(("number", "hour"), [(1, 8), (2, 10)])
def test_a_tenant_younger_than_the_last_backup_comes_out_of_the_wal_that_follows(requests, monkeypatch, number, hour):
    created = NOON.replace(hour=hour, minute=20)
    monkeypatch.setattr(restore, "server", lambda *_: ({TENANT: Creation(1, created.timestamp())}, {}))
    restore.may_restore(None, TENANT, created + timedelta(minutes=10), number)
    with pytest.raises(RestoreFault, match="the first backup that contains"):
        restore.may_restore(None, TENANT, created - timedelta(minutes=10), number)
    monkeypatch.setattr(restore, "server", lambda *_: ({TENANT: Creation(1, 0)}, {}))
    with pytest.raises(RestoreFault, match="the first backup that contains"):  # and no backup to begin with
        restore.may_restore(None, TENANT, NOON.replace(hour=7), number)


def test_a_tenant_in_no_backup_is_refused_by_repository(requests):
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


class Server:
    """A cell's server that keeps its scripts; `names`: databases with their comments."""

    def __init__(self, **names):
        self.names, self.scripts = names, []
        self.cell = SimpleNamespace(proxy="proxy")
        self.node = "node"
        self.runtime = SimpleNamespace(container=lambda node: "its container")

    def script(self, sql, *database, role=None):
        self.scripts.append(sql)
        return ""


@pytest.fixture
def server(monkeypatch):
    def holding(**names):
        server = Server(**names)
        rows = {name: {"open": True, "broken": False, "comment": comment} for name, comment in names.items()}
        monkeypatch.setattr(restore.reading, "databases", lambda cell: rows)
        return server

    return holding


def test_the_database_that_was_is_closed_and_stays_and_the_other_opens_last(server, monkeypatch):
    cell = server(t16054=None, t16054_restoring="{}")
    subject, calls = SimpleNamespace(name=TENANT), []

    def ensure_present(cell, tenants, migrations, check):
        calls.append((tenants, check, len(cell.scripts)))

    monkeypatch.setattr(restore.apply, "ensure_present", ensure_present)
    old = restore.rename(cell, subject, "t16054_restoring", [])
    (sql,) = cell.scripts
    order = [
        "pg_terminate_backend(pid)) FROM pg_stat_activity WHERE datname = 't16054'",
        "BEGIN;",
        f'ALTER DATABASE "t16054" RENAME TO "{old}"',
        f'ALTER DATABASE "{old}" ALLOW_CONNECTIONS false',
        'ALTER DATABASE "t16054_restoring" RENAME TO "t16054"',
        "COMMIT;",
        'ALTER DATABASE "t16054" ALLOW_CONNECTIONS true',
    ]
    assert [sql.index(part) for part in order] == sorted(sql.index(part) for part in order)
    assert restore.KEPT.fullmatch(old) and calls == [([subject], False, 1)], "with the roles and rights of today"


def test_a_tenant_that_is_gone_gets_its_name_back(server, monkeypatch):
    monkeypatch.setattr(restore.apply, "ensure_present", lambda *_, **__: None)
    cell = server(t16054_restoring="{}")
    assert restore.rename(cell, SimpleNamespace(name=TENANT), "t16054_restoring", []) == ""
    assert "_before_" not in cell.scripts[0]


@pytest.mark.parametrize(
    ("names", "moment"),
    [
        ({}, None),
        ({"t16054_restoring": None}, None),  # half a restore
        ({"t14784_restoring": '{"tenant": "t14784", "moment": "x", "changes": []}'}, None),
        ({"t16054_restoring": '{"tenant": "t16054", "moment": "x", "changes": []}'}, "x"),
    ],
)
def test_what_waits_is_whole_and_the_tenants_own(server, names, moment):
    aside = restore.waiting(server(**names), TENANT)
    assert (aside and aside.moment) == moment


def test_what_was_put_aside_is_the_tenants_own(server):
    own = ["t16054_before_20261123t130000z", "t16054_before_20261124t130000z"]
    cell = server(**dict.fromkeys([*reversed(own), "t14784_before_20261123t130000z", "t16054", "t16054_before_x"]))
    assert restore.former_databases(cell, TENANT) == own


@pytest.fixture
def loading(server, monkeypatch):
    """`loading(at_moment, loaded)`: puts a tenant aside whose copy and whose load hold these; the steps in order."""
    cell, steps = server(t16054=None), []

    def go(at_moment, loaded):
        @contextlib.contextmanager
        def restored(*_, **__):
            steps.append("restore")
            yield SimpleNamespace(script="copy", database=TENANT, container="scratch")

        contents = {"copy": at_moment, "t16054_restoring": loaded, TENANT: {}}
        monkeypatch.setattr(restore, "waiting", lambda *_: None)
        monkeypatch.setattr(restore, "restored", restored)
        monkeypatch.setattr(restore, "archive", lambda cell: steps.append("archive"))
        monkeypatch.setattr(restore, "carry", lambda source, dump, target, load: steps.append((dump, load)))
        monkeypatch.setattr(restore.contents, "read", lambda reader: contents[reader])
        monkeypatch.setattr(restore, "_contents", lambda cell, database: contents[database])
        aside = restore.put_aside(cell, TENANT, NOON)
        return aside, steps, cell.scripts

    go.cell = cell
    return go


ROWS = {"ado.payer": (2, "aa")}


def test_a_restore_archives_loads_whole_and_closes_what_waits(loading):
    aside, steps, scripts = loading(ROWS, ROWS)
    archive, restored, (dump, load) = steps
    assert (archive, restored) == ("archive", "restore") and "pg_current_xact_id" in scripts[0]
    assert dump[-1] == TENANT and {"--exit-on-error", "--single-transaction", "--dbname=t16054_restoring"} <= set(load)
    assert 'REVOKE ALL ON DATABASE "t16054_restoring" FROM PUBLIC' in scripts[1]
    assert scripts[-1].index("ALLOW_CONNECTIONS false") < scripts[-1].index("COMMENT ON DATABASE")
    assert aside.moment in scripts[-1] and len(aside.changes) == 1, "a table that the tenant has no more"


@pytest.mark.parametrize("loaded", [{}, {"ado.payer": (1, "ab")}, {"ado.payer": (2, "ab")}])
def test_what_was_loaded_otherwise_than_it_was_held_does_not_wait(loading, loaded):
    with pytest.raises(RuntimeFault, match="t16054_restoring is not what the backup held: "):
        loading(ROWS, loaded)
    assert not [sql for sql in loading.cell.scripts if "COMMENT" in sql], "only what is whole bears one"


def test_another_writer_is_waited_for_before_the_clients_are_held(exchange, monkeypatch):
    steps = []

    @contextlib.contextmanager
    def noting(name, *_):
        steps.append(name)
        yield

    monkeypatch.setattr(restore, "rename", lambda *_: "")
    exchange()
    monkeypatch.setattr(restore, "hold_clients", lambda *_, **__: noting("hold"))
    cell = SimpleNamespace(lock=lambda: noting("lock"), runtime=None, cell=SimpleNamespace(proxy="proxy"))
    restore.exchange(cell, SimpleNamespace(name=TENANT), "t16054_restoring", [])
    assert steps == ["lock", "hold"]
