"""The chain in the database: a message exists exactly when its change does, and is handled exactly once."""

import json
import secrets
import threading
import time
from collections import Counter
from contextlib import contextmanager
from types import SimpleNamespace

import pytest
from django.db import DatabaseError, connection, transaction

from systems.ado.models import Taxpayer
from systems.chain import messages, registry, relay
from systems.core import logs
from systems.shared import messages as allowed
from tests.systems.support import OURS, THEIRS

PROBES = {
    ("keret", "irat", "probe"),
    ("keret", "irat", "nobody-takes-this"),
    ("keret", "keret", "own"),
    ("keret", "ado", "probe"),
    ("keret", "ado", "wrong"),
}


@pytest.fixture(autouse=True)
def probes(monkeypatch, node):
    """What these tests send is allowed, at the sender and in the databases."""
    monkeypatch.setattr(allowed, "ALLOWED", allowed.ALLOWED | PROBES)
    monkeypatch.setattr(allowed, "FIELDS", allowed.FIELDS | {topic: frozenset() for _, _, topic in PROBES})
    for ksh in (OURS, THEIRS):
        with node.superuser(f"t{ksh}") as session, session.cursor() as cursor:
            cursor.executemany("INSERT INTO chain.allowed VALUES (%s, %s, %s)", sorted(PROBES))


@pytest.fixture
def handler_log(monkeypatch):
    """A handler of topic `probe` in irat that logs its messages, and fails while `faults` has their key."""
    log, faults = [], set()

    def handler(message):
        log.append((message.key, message.body["n"]))
        if message.key in faults:
            raise ValueError(f"fault of {message.key}")

    monkeypatch.setitem(registry._handlers, ("irat", "probe"), handler)
    handler.messages, handler.faults = log, faults
    return handler


def send(serve, *pairs, ksh=OURS):
    with serve("keret", ksh), transaction.atomic():
        for key, n in pairs:
            messages.send("irat", "probe", {"n": n}, key)


def rows(node, sql, database="t16054"):
    with node.superuser(database) as session:
        return session.execute(sql).fetchall()


def test_a_message_exists_exactly_when_its_change_does(serve, node):
    with serve("keret"):
        with pytest.raises(RuntimeError, match="use transaction.atomic"):
            messages.send("irat", "probe", {}, "a")
        with pytest.raises(ZeroDivisionError), transaction.atomic():
            messages.send("irat", "probe", {}, "a")
            1 / 0  # noqa: B018
    assert rows(node, "SELECT * FROM chain.message") == []


def test_what_is_sent_is_handled_once_in_order(serve, handler_log):
    send(serve, ("a", 1), ("b", 2), ("a", 3))
    with serve("irat"):
        assert (relay.deliver(), relay.deliver()) == (3, 0)
    assert handler_log.messages == [("a", 1), ("b", 2), ("a", 3)]


def test_a_failing_message_is_kept_and_tried_later_and_holds_back_only_its_own_key(serve, handler_log, node):
    handler_log.faults.add("a")
    send(serve, ("a", 1), ("b", 2), ("a", 3))
    with serve("irat"):
        assert (relay.deliver(), relay.deliver()) == (1, 0)
        assert handler_log.messages == [("a", 1), ("b", 2)]
        assert rows(node, "SELECT error FROM chain.failure") == [("ValueError: fault of a",)]
    send(serve, ("a", 4), ("b", 5))
    with serve("irat"):
        assert relay.deliver() == 1, "another key's later message does not wait either"
        handler_log.faults.clear()
        rows(node, "UPDATE chain.failure SET at = at - interval '2 minutes' RETURNING 1")
        assert relay.deliver() == 3
    assert handler_log.messages[2:] == [("b", 5), ("a", 1), ("a", 3), ("a", 4)]


def test_only_as_many_are_read_at_once_as_fit_into_memory(serve, handler_log, monkeypatch):
    monkeypatch.setattr(messages, "AT_ONCE", 30_000)
    with serve("keret"), transaction.atomic():
        for n in range(4):
            messages.send("irat", "probe", {"n": n, "file": secrets.token_hex(10_000)}, f"k{n}")
    with serve("irat"):
        assert [len(messages.pending()), relay.deliver(), relay.deliver(), relay.deliver()] == [2, 2, 2, 0]
    assert [n for _, n in handler_log.messages] == [0, 1, 2, 3]


def dead(node):
    return rows(node, "SELECT message_id, reason FROM chain.dead WHERE discarded_at IS NULL ORDER BY message_id")


def test_a_message_that_nobody_handles_is_dead_not_lost_and_never_tried_again(serve, node):
    with serve("keret"), transaction.atomic():
        messages.send("irat", "nobody-takes-this", {}, "a")
    with serve("irat"):
        assert (relay.deliver(), messages.pending()) == (0, [])
    ((_, reason),) = dead(node)
    assert reason == "no handler of 'nobody-takes-this' in irat"
    assert rows(node, "SELECT * FROM chain.failure") == []


def test_a_message_whose_body_lacks_something_is_dead_at_once(serve, handler_log, node, monkeypatch):
    send(serve, ("a", 1), ("a", 2))
    rows(node, "UPDATE chain.message SET body = '[]' WHERE body->>'n' = '1' RETURNING 1")
    monkeypatch.setitem(allowed.FIELDS, "probe", frozenset({"n"}))
    with serve("irat"):
        assert relay.deliver() == 1, "the later one of its key does not wait for it"
    ((_, reason),) = dead(node)
    assert "its body is a list, must be an object" in reason
    assert handler_log.messages == [("a", 2)]


def test_a_message_that_fails_too_often_is_dead_until_an_operator_tries_it_again(serve, handler_log, node, monkeypatch):
    monkeypatch.setattr(messages, "MOST_TRIES", 3)
    handler_log.faults.add("a")
    send(serve, ("a", 1))
    with serve("irat"):
        for _ in range(5):
            relay.deliver()
            rows(node, "UPDATE chain.failure SET at = at - interval '2 hours' RETURNING 1")
        assert len(handler_log.messages) == 3
        ((number, reason),) = dead(node)
        assert reason == "tried 3 times: ValueError: fault of a"
        handler_log.faults.clear()
        assert rows(node, f"SELECT chain.retry({number})") == [(True,)]
        assert rows(node, "SELECT * FROM chain.failure") == [], "it has all its tries again"
        assert relay.deliver() == 1
    assert dead(node) == []


def test_a_dead_message_that_an_operator_discards_stays_on_record(serve, node):
    with serve("keret"), transaction.atomic():
        messages.send("irat", "nobody-takes-this", {}, "a")
    with serve("irat"):
        relay.deliver()
        ((number, _),) = dead(node)
        with pytest.raises(DatabaseError, match="permission denied"), transaction.atomic(), connection.cursor() as own:
            own.execute("SELECT chain.discard(%s)", [number])
        assert rows(node, f"SELECT chain.discard({number})") == [(True,)]
        assert messages.pending() == []
    assert dead(node) == [] and rows(node, "SELECT count(*) FROM chain.dead") == [(1,)]


def test_what_nobody_may_send_is_refused_at_sending_and_by_the_database(serve):
    with serve("portal"):
        with pytest.raises(ValueError, match="'import-apply' of portal to keret: migration may send it there"):
            messages.send("keret", "import-apply", {"package": 1, "files": {}}, "a")
        sql = "INSERT INTO chain.message (source, target, topic, key, body) VALUES ('portal', %s, %s, 'k', '{}')"
        for target, topic in (("keret", "import-apply"), ("ado", "case"), ("iparker", "import-check"), ("irat", "x")):
            with (
                pytest.raises(DatabaseError, match="row-level security policy"),
                transaction.atomic(),
                connection.cursor() as cursor,
            ):
                cursor.execute(sql, [target, topic])


def test_a_message_that_lacks_something_is_refused_where_it_is_written(serve, node):
    with serve("irat"), transaction.atomic(), pytest.raises(ValueError, match="its body lacks name, roles"):
        messages.send("keret", "signed-in", {"username": "a", "at": "b"}, "a")
    assert rows(node, "SELECT * FROM chain.message") == []


def test_only_an_operator_settles_what_is_dead(serve):
    send(serve, ("a", 1))
    sql = "INSERT INTO chain.dead (message_id, reason, discarded_at) SELECT id, 'x', {} FROM chain.message"
    with serve("irat"), connection.cursor() as cursor:
        with pytest.raises(DatabaseError, match="policy"), transaction.atomic():
            cursor.execute(sql.format("now()"))
        cursor.execute(sql.format("NULL"))


def test_a_receiver_refuses_a_sender_whom_the_database_let_through(serve, handler_log, node, monkeypatch):
    send(serve, ("a", 1))
    monkeypatch.setattr(allowed, "ALLOWED", allowed.ALLOWED - {("keret", "irat", "probe")})
    with serve("irat"):
        assert relay.deliver() == 0
    assert "nobody may send it there" in dead(node)[0][1] and handler_log.messages == []


def test_the_database_allows_exactly_what_the_data_say(node):
    entries = set(rows(node, "SELECT source, target, topic FROM chain.allowed"))
    assert entries == allowed.ALLOWED


def test_relays_at_the_same_time_handle_each_message_once(serve, handler_log):
    send(serve, *((f"k{n % 7}", n) for n in range(60)))
    from systems import tenancy

    def work():
        with tenancy.serving(tenancy.Tenant(OURS, None)):
            while relay.deliver():
                pass
        connection.close()

    with serve("irat"):
        threads = [threading.Thread(target=work) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(60)
    assert Counter(n for _, n in handler_log.messages) == Counter(range(60))


class Pause:
    """Where work in another thread stops until it is told to go on."""

    def __init__(self):
        self.began, self.end = threading.Event(), threading.Event()

    def __call__(self):
        self.began.set()
        self.end.wait(60)


@contextmanager
def another_task(work, pause):
    """Work of another task's relay, which has come to its pause; it goes on and ends with the context."""
    from systems import tenancy

    def run():
        with tenancy.serving(tenancy.Tenant(OURS, None)):
            work()
        connection.close()

    thread = threading.Thread(target=run)
    thread.start()
    try:
        assert pause.began.wait(60)
        yield
    finally:
        pause.end.set()
        thread.join(60)


def test_a_relay_leaves_what_another_one_is_handling_and_does_the_rest(serve, node, monkeypatch):
    send(serve, ("slow", 1), ("slow", 2), ("quick", 3))
    log, here, pause = [], threading.current_thread(), Pause()

    def handler(message):
        ours = threading.current_thread() is here
        if not ours and message.body["n"] == 1:
            pause()
        log.append((ours, message.body["n"]))

    monkeypatch.setattr(registry, "handler", lambda system, topic: handler)
    with serve("irat"):
        with another_task(relay.deliver, pause):
            start = time.monotonic()
            assert relay.deliver() == 1
            assert time.monotonic() - start < 5, "it must not wait for as long as the other one works"
            assert log == [(True, 3)], "nothing of the key that another one is at"
        assert relay.deliver() == 0
    assert sorted(log) == [(False, 1), (False, 2), (True, 3)]
    assert rows(node, "SELECT count(*) FROM chain.failure") == [(0,)]


def test_a_job_that_runs_elsewhere_is_left_to_it(serve, later, monkeypatch):
    runs, here, pause = [], threading.current_thread(), Pause()

    def nightly(day):
        ours = threading.current_thread() is here
        runs.append(ours)
        if not ours:
            pause()

    monkeypatch.setattr(registry, "jobs", lambda system: [registry.Job("nightly", nightly, at=registry.dt.time(0, 0))])
    with serve("irat"):
        with another_task(relay.run_jobs, pause):
            assert later(0) == 0
            assert relay._retries == {}, "that is no failure"
        assert later(0) == 0
    assert runs == [False]


def test_what_a_handler_does_waits_for_locks_as_long_as_ever(serve, handler_log, monkeypatch):
    send(serve, ("a", 1))
    timeouts = []

    def handler(message):
        with connection.cursor() as cursor:
            cursor.execute("SHOW lock_timeout")
            timeouts.append(cursor.fetchone()[0])

    monkeypatch.setattr(registry, "handler", lambda system, topic: handler)
    with serve("irat"):
        with connection.cursor() as cursor:
            cursor.execute("SHOW lock_timeout")
            (usual,) = cursor.fetchone()
        assert relay.deliver() == 1
    assert timeouts == [usual] != [messages.WAIT]


@pytest.mark.parametrize(
    ("sql", "cause"),
    [
        (
            "INSERT INTO chain.message (source, target, topic, key, body) VALUES ('ado', 'irat', 't', 'k', '{}')",
            "policy",
        ),
        ("INSERT INTO chain.receipt (message_id, system) SELECT id, 'irat' FROM chain.message", "policy"),
        ("INSERT INTO chain.receipt (message_id, system) SELECT id, 'keret' FROM chain.message", "policy"),
        ("INSERT INTO chain.failure (message_id, error) SELECT id, 'x' FROM chain.message", "policy"),
        ("UPDATE chain.message SET body = '{}'", "permission denied"),
        ("DELETE FROM chain.message", "permission denied"),
        ("DELETE FROM chain.receipt", "permission denied"),
        ("DELETE FROM chain.dead", "permission denied"),
        ("INSERT INTO chain.allowed VALUES ('keret', 'irat', 'x')", "permission denied"),
        ("DELETE FROM chain.allowed", "permission denied"),
        ("INSERT INTO chain.dead (message_id, reason) SELECT id, 'x' FROM chain.message", "policy"),
    ],
)
def test_nobody_speaks_for_another_system_or_changes_what_was_said(serve, sql, cause):
    send(serve, ("a", 1))
    with serve("keret"), pytest.raises(DatabaseError, match=cause), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(sql)


def test_a_system_sees_only_what_it_sent_or_is_to_receive(serve):
    send(serve, ("a", 1))
    with serve("keret"), transaction.atomic():
        messages.send("keret", "own", {}, "b")
    with serve("irat"), connection.cursor() as cursor:
        cursor.execute("SELECT key FROM chain.message")
        assert cursor.fetchall() == [("a",)]


def test_municipalities_have_each_their_own(serve, handler_log):
    send(serve, ("a", 1), ksh=THEIRS)
    with serve("irat", OURS):
        assert relay.deliver() == 0
    with serve("irat", THEIRS):
        assert relay.deliver() == 1


def test_the_relay_finds_every_municipality_from_one(serve, handler_log, monkeypatch):
    monkeypatch.setattr(registry, "jobs", lambda system: [])  # the nightly feed would count too
    send(serve, ("a", 1))
    send(serve, ("b", 2), ksh=THEIRS)
    with serve("irat"):
        loop = relay.Relay(THEIRS)
        assert loop.round() == 2
        assert loop.round() == 0


def test_a_job_of_a_day_runs_once_and_again_when_it_failed(serve, later, monkeypatch):
    days, faults = [], [ValueError("fault")]

    def work(day):
        if faults:
            raise faults.pop()
        days.append(day)

    monkeypatch.setattr(registry, "jobs", lambda system: [registry.Job("nightly", work, at=registry.dt.time(0, 0))])
    with serve("irat"):
        assert [later(60), later(60), later(60)] == [0, 1, 0]
    assert len(days) == 1


@pytest.fixture
def later(monkeypatch):
    """`later(seconds)`: move the clock and run the relay's jobs."""
    clock = [1000.0]
    monkeypatch.setattr(relay, "_retries", {})
    monkeypatch.setattr(relay, "time", SimpleNamespace(monotonic=lambda: clock[0]))

    def run(seconds):
        clock[0] += seconds
        return relay.run_jobs()

    return run


def test_a_job_that_fails_again_and_again_is_tried_less_and_less(serve, later, monkeypatch):
    tries = []

    def work(day):
        tries.append(day)
        raise ValueError("fault")

    monkeypatch.setattr(registry, "jobs", lambda system: [registry.Job("nightly", work, at=registry.dt.time(0, 0))])
    with serve("irat"):
        runs = [later(seconds) or len(tries) for seconds in (2, 2, 57, 2, 118, 3, 240, 59)]
    assert runs == [1, 1, 1, 2, 2, 3, 4, 4], "after 1, 2, 4 … minutes"
    with serve("irat", THEIRS):
        assert later(0) or len(tries) == 5, "another municipality's does not wait for it"
    with serve("irat"):
        [later(3600) for _ in range(10)]
    assert len(tries) == 15, "an hour at most"


SIGN, NAME = "8472013951", "Titkos Tímea"  # not in the lines below: tracebacks quote code


def test_neither_log_nor_chain_tells_what_was_in_a_row(serve, node, caplog, monkeypatch):
    def wrong(message):
        Taxpayer.objects.extra(where=[f"id = '{SIGN}x'"]).exists()

    def twice(message):
        for _ in range(2):
            Taxpayer.objects.create(identifier=SIGN, name=NAME)

    monkeypatch.setitem(registry._handlers, ("ado", "probe"), twice)
    monkeypatch.setitem(registry._handlers, ("ado", "wrong"), wrong)
    caplog.handler.setFormatter(logs.JsonFormatter())
    with serve("keret"), transaction.atomic():
        for topic in ("probe", "wrong"):
            messages.send("ado", topic, {}, topic)
    with serve("ado"):
        assert relay.deliver() == 0
    lines = [json.loads(line) for line in caplog.text.splitlines()]
    texts = [line["traceback"] for line in lines] + [
        error for (error,) in rows(node, "SELECT error FROM chain.failure")
    ]
    assert len(texts) == 4
    assert all(SIGN not in text and NAME not in text and "DETAIL" not in text for text in texts), texts
    for text in (texts[0], texts[2]):
        assert 'duplicate key value violates unique constraint "taxpayer_identifier' in text
        assert text.count("(SQLSTATE 23505)") == (2 if "Traceback" in text else 1)
    for text in (texts[1], texts[3]):
        assert "DataError: (SQLSTATE 22P02)" in text


def test_what_was_handled_long_ago_is_emptied_and_still_counts_once(serve, handler_log, node):
    handler_log.faults.add("failing")
    send(serve, ("old", 1), ("new", 2), ("failing", 3))
    with serve("irat"):
        by_key = {message.key: message for message in messages.pending()}
        assert relay.deliver() == 2
        rows(node, "UPDATE chain.message SET sent_at = sent_at - interval '400 days' RETURNING 1")
        age = "UPDATE chain.receipt SET at = at - interval '91 days' WHERE message_id = {} RETURNING 1"
        rows(node, age.format(by_key["old"].id))
        (job,) = [job for job in registry.jobs("irat") if job.name == "forget"]
        job.work(None)
        bodies = dict(rows(node, "SELECT key, body FROM chain.message"))
        assert bodies == {"old": {}, "new": {"n": 2}, "failing": {"n": 3}}
        assert relay.deliver() == 0
        assert relay._handle(by_key["old"]) is False, "delivered again, it is done once"
    assert handler_log.messages == [("old", 1), ("new", 2), ("failing", 3)]


def test_a_system_empties_only_what_it_received_and_nothing_of_late(serve, handler_log, node):
    send(serve, ("a", 1))
    with serve("irat"):
        relay.deliver()
    rows(node, "UPDATE chain.receipt SET at = at - interval '400 days' RETURNING 1")
    with serve("keret"):
        messages.forget(None)  # it sent the message
    assert rows(node, "SELECT body FROM chain.message") == [({"n": 1},)]
    with (
        serve("irat"),
        pytest.raises(DatabaseError, match="seen 29 days, wanted 30 or more"),
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute("SELECT chain.forget(29)")
