"""Caps of tenants hold in the running cell: what a role may not set away is refused, what waits is bounded."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from centre.isolation.signin import sign_in
from centre.reach.psql import CellSql
from inventory.vault import vault
from stacks.configs.postgres import BUSY, TEMPORARY
from tests.support.polling import poll

SUBJECT, SYSTEM = "25159", "irat"


@pytest.fixture(scope="module")
def subject(register):
    return register.municipality(SUBJECT)


@pytest.fixture(scope="module")
def cell(runtime, subject):
    return CellSql(runtime, subject.cell)


@pytest.fixture(scope="module")
def attempt(register, cell, subject):
    """A sign-in as the subject's role, with something to do."""
    password = vault.load(register).role_password(subject, SYSTEM)

    def go(sql, way="pooled"):
        return sign_in(cell, subject.tenant, subject.role(SYSTEM), password, way, sql, timeout=120)

    return go


def sessions(cell, subject):
    """Connections of the subject as the database counts them."""
    (count,) = cell.rows(
        f"SELECT to_json(count(*)) FROM pg_stat_activity WHERE datname = '{subject.tenant}' AND usename ~ '^t';"
    )
    return count


def pooled(cell, subject):
    """Connections of the subject as the pooler counts them: the database still sees one that it has just closed."""
    ask = ["psql", "-XAtqh", "/run/asp", "-p", "6432", "-U", "pgbouncer", "-c", "SHOW SERVERS", "pgbouncer"]
    rows = [line.split("|") for line in cell.runtime.check(cell.cell.proxy, ask).splitlines()]
    return sum(1 for row in rows if row[2] == subject.tenant)


def most_during(count, work):
    """The most that `count` gave while `work` ran, and what `work` gave."""
    counts, stop = [0], threading.Event()

    def look():
        while not stop.is_set():
            counts.append(count())

    watcher = threading.Thread(target=look)
    watcher.start()
    try:
        result = work()
    finally:
        stop.set()
        watcher.join()
    return max(counts), result


def test_a_session_begins_with_the_registers_time_outs(attempt, subject):
    caps = subject.limits
    ask = "DO $$ BEGIN RAISE EXCEPTION '%', concat_ws(' ', {}); END $$".format(
        ", ".join(f"extract(epoch FROM current_setting('{name}')::interval)::int" for name in (
            "statement_timeout", "transaction_timeout", "idle_in_transaction_session_timeout", "lock_timeout"))
    )  # fmt: skip
    seconds = (caps.statement_seconds, caps.transaction_seconds, caps.idle_in_transaction_seconds, caps.lock_seconds)
    limits = " ".join(map(str, seconds))
    for way in ("pooled", "direct"):
        assert limits in attempt(ask, way).message


def test_the_pooler_opens_no_more_connections_than_the_cap(attempt, cell, subject):
    clients = 3 * subject.limits.connections

    def work():
        with ThreadPoolExecutor(clients) as pool:
            return list(pool.map(lambda _: attempt("SELECT pg_sleep(0.5)"), range(clients)))

    most, answers = most_during(lambda: pooled(cell, subject), work)
    assert [each.message for each in answers] == [""] * clients, "who waits is served"
    assert 1 <= most <= subject.limits.connections


def test_past_the_pooler_the_database_refuses_more(attempt, cell, subject):
    clients = 3 * subject.limits.connections

    def work():
        with ThreadPoolExecutor(clients) as pool:
            return list(pool.map(lambda _: attempt("SELECT pg_sleep(5)", "direct"), range(clients)))

    most, answers = most_during(lambda: sessions(cell, subject), work)
    refusals = [each.message for each in answers if each.message]
    assert refusals and all("too many connections for" in message for message in refusals), refusals
    assert most <= 2 * subject.limits.connections
    # What has ended here still ends there, and until then the next test is refused as well.
    poll(lambda: sessions(cell, subject), lambda n: n <= subject.limits.connections, 20, "the connections end")


CHANGING_ROLES = "permission denied to change a role or a database's settings"


@pytest.mark.parametrize(
    ("statement", "refusal"),
    [
        ("ALTER ROLE {role} CONNECTION LIMIT -1", CHANGING_ROLES),
        ("ALTER DATABASE {tenant} CONNECTION LIMIT -1", "must be owner of database {tenant}"),
        (f"SET {BUSY} = 0", f'permission denied to set parameter "{BUSY}"'),
        (f"SET {TEMPORARY} = -1", f'permission denied to set parameter "{TEMPORARY}"'),
        ("ALTER ROLE {role} PASSWORD 'x'", CHANGING_ROLES),
        ("ALTER ROLE {role} SET search_path = pg_catalog", CHANGING_ROLES),
        ("ALTER ROLE {role} SET statement_timeout = 0", CHANGING_ROLES),
        ("ALTER ROLE {role} RESET ALL", CHANGING_ROLES),
        (f"ALTER ROLE {{role}} SET {BUSY} = 0", CHANGING_ROLES),
        (f"ALTER ROLE {{role}} IN DATABASE {{tenant}} SET {BUSY} = 0", CHANGING_ROLES),
    ],
)
def test_a_role_cannot_lift_its_own_caps(attempt, subject, statement, refusal):
    names = {"role": subject.role(SYSTEM), "tenant": subject.tenant}
    assert refusal.format(**names) in attempt(statement.format(**names)).message


def niceness(cell, subject):
    """How far each of the subject's sessions stands back, by the kernel's own word (0: not at all)."""
    sessions = f"FROM pg_stat_activity WHERE datname = '{subject.tenant}' AND usename ~ '^t'"
    pids = cell.rows(f"SELECT to_json(pid) {sessions};")
    # The 19th field; the second, the command's name, may hold blanks.
    ask = "for pid; do sed 's/.*) //' /proc/$pid/stat 2>/dev/null; done | cut -d' ' -f17"
    return [int(line) for line in cell.runtime.check(cell.node, ["sh", "-c", ask, "sh", *map(str, pids)]).split()]


def test_a_session_that_keeps_a_processor_busy_stands_back_and_an_idle_one_does_not(attempt, cell, subject):
    busy = "SELECT count(*) FROM generate_series(1, 4000) a, generate_series(1, 5000) b;"  # nothing is spilled to disk
    with ThreadPoolExecutor(2) as pool:
        idle = pool.submit(attempt, "SELECT pg_sleep(8)", "direct")
        poll(lambda: niceness(cell, subject), lambda nice: {*nice} == {0}, 20, "sessions that wait")
        one = pool.submit(attempt, busy, "direct")
        nice = poll(lambda: niceness(cell, subject), lambda nice: {*nice} == {0, 10}, 20, "the busy one stands back")
        assert nice.count(10) == 1
        assert (one.result().message, idle.result().message) == ("", "")


def test_a_time_out_that_somebody_set_away_is_put_back(attempt, cell, subject, register):
    from centre.database import apply, migrations

    role = subject.role(SYSTEM)
    cell.script(
        f"ALTER ROLE {role} SET statement_timeout = 0;\n"
        f"ALTER ROLE {role} IN DATABASE {subject.tenant} SET lock_timeout = 0;",
        role="postgres",
    )
    tenants = [apply.specification(register, vault.load(register), subject)]
    preview = apply.ensure_present(cell, tenants, migrations.installed(), check=True)
    assert preview.before == [f"role {role}: statement_timeout 0, settings of its own in {subject.tenant}"]
    apply.ensure_present(cell, tenants, migrations.installed(), check=False)
    assert not apply.ensure_present(cell, tenants, migrations.installed(), check=True).changed
