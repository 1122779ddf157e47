"""Sending and receiving messages, in plain SQL because schema `chain` is not the system's own."""

from __future__ import annotations

import datetime as dt
import json
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.core.serializers.json import DjangoJSONEncoder
from django.db import OperationalError, connection, transaction

from systems.core import logs
from systems.shared import messages as allowed

LONGEST_WAIT = 60  # minutes between two tries of a message that keeps failing
MOST_TRIES = 30  # after that it is dead; with the waits between them about a day, so that a night's fault is outlived
ERROR_LENGTH = 500  # characters of an error that are stored
LOCK_NOT_AVAILABLE = "55P03"  # SQLSTATE: lock_timeout has passed
AT_ONCE = 16 * 1024**2  # bytes of bodies read at once: forms bring attachments, and an app server has little memory


WAIT = "100ms"  # for another relay of this system that is writing the same row: it holds it for as long as it works


class AtWork(Exception):
    """Another relay of this system is at this message or job now: a service has several tasks on several machines."""


class Unacceptable(Exception):
    """A handler can never take this message: who sent it may not say this, or what it says makes no sense."""


@dataclass(frozen=True)
class Message:
    """A message as its receiver gets it."""

    id: int
    source: str
    topic: str
    key: str
    body: dict[str, Any]
    sent_at: dt.datetime


def send(target: str, topic: str, body: dict[str, Any], key: str) -> None:
    """Send in the caller's transaction, so that the message exists exactly when the change that it reports does.

    RuntimeError outside a transaction, where one could exist without the other; ValueError for a message that
    systems/shared/messages.py does not allow.
    """
    if refusal := allowed.refusal(settings.ASP.system, target, topic, body):
        raise ValueError(f"{refusal}; what is allowed is in systems/shared/messages.py")
    if not connection.in_atomic_block:
        raise RuntimeError(f"message {topic!r} to {target} is sent outside a transaction; use transaction.atomic()")
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO chain.message (source, target, topic, key, body) VALUES (%s, %s, %s, %s, %s)",
            [settings.ASP.system, target, topic, key, json.dumps(body, cls=DjangoJSONEncoder)],
        )


def sent_last(target: str, topic: str) -> str | None:
    """The greatest key among the messages of a topic that this system has sent to a target; None without any."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT max(key) FROM chain.message WHERE source = %s AND target = %s AND topic = %s",
            [settings.ASP.system, target, topic],
        )
        return cursor.fetchone()[0]


# Messages of a system without receipt, oldest first; not dead ones, not those that wait after a failure, nor later ones
# of their key.
_DUE = """
WITH open AS (
  SELECT m.*, f.tries, f.last FROM chain.message m
    LEFT JOIN LATERAL (SELECT count(*) AS tries, max(at) AS last FROM chain.failure WHERE message_id = m.id) f ON true
    WHERE m.target = %(system)s AND NOT EXISTS (SELECT FROM chain.receipt r WHERE r.message_id = m.id)
      AND NOT EXISTS (SELECT FROM chain.dead d WHERE d.message_id = m.id)),
waiting AS (
  SELECT id, key FROM open
    WHERE tries > 0 AND last + least(2 ^ (tries - 1), %(longest)s) * interval '1 minute' > clock_timestamp())
SELECT id, source, topic, key, body, sent_at FROM (
    SELECT o.*, sum(pg_column_size(body)) OVER (ORDER BY id) - pg_column_size(body) AS before FROM open o
      WHERE NOT EXISTS (SELECT FROM waiting w WHERE w.id = o.id OR (w.key = o.key AND w.id < o.id))) next
  WHERE before < %(bytes)s ORDER BY id LIMIT %(limit)s
"""


def pending(limit: int = 100) -> list[Message]:
    """Messages that this system should handle now, as many as fit into memory, but at least one if there is any."""
    parameters = {"system": settings.ASP.system, "longest": LONGEST_WAIT, "limit": limit, "bytes": AT_ONCE}
    with connection.cursor() as cursor:
        cursor.execute(_DUE, parameters)
        return [
            Message(row[0], row[1], row[2], row[3], json.loads(row[4]) if isinstance(row[4], str) else row[4], row[5])
            for row in cursor.fetchall()
        ]


def receipt(message: Message) -> bool:
    """Write the receipt in the handler's transaction; False when another relay did before, AtWork when one is at it."""
    return _first("INSERT INTO chain.receipt (message_id, system) SELECT %s::bigint, %s::text", message.id)


def _first(insert: str, *values: object) -> bool:
    """Insert a row of this system's in the caller's transaction; False when it is there already.

    AtWork when a transaction that is not over has inserted it. To wait for that one would keep a connection of the
    municipality from those who want to work, for as long as a nightly job takes.
    """
    statement = f"{insert} FROM set_config('lock_timeout', '{WAIT}', true) ON CONFLICT DO NOTHING"
    with connection.cursor() as cursor:
        try:
            cursor.execute(statement, [*values, settings.ASP.system])
        except OperationalError as error:
            if getattr(error.__cause__, "sqlstate", None) == LOCK_NOT_AVAILABLE:
                raise AtWork from error
            raise
        inserted: bool = cursor.rowcount == 1
        if inserted:
            cursor.execute("SET LOCAL lock_timeout TO DEFAULT")  # what follows waits as long as ever
        return inserted


def record_failure(message: Message, error: Exception) -> bool:
    """Record why a message failed; it is tried again later. True when it has failed too often: then it is dead."""
    text = logs.without_data(f"{type(error).__name__}: {error}", error)[:ERROR_LENGTH]
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("INSERT INTO chain.failure (message_id, error) VALUES (%s, %s)", [message.id, text])
        cursor.execute("SELECT count(*) FROM chain.failure WHERE message_id = %s", [message.id])
        (tries,) = cursor.fetchone()
    if tries >= MOST_TRIES:
        bury(message, f"tried {tries} times: {text}")
    return tries >= MOST_TRIES


def bury(message: Message, reason: str) -> None:
    """Put a message on the list of dead ones: it is no longer tried, and later ones of its key go on without it."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO chain.dead (message_id, reason) VALUES (%s, %s) ON CONFLICT DO NOTHING",
            [message.id, reason[:ERROR_LENGTH]],
        )


def begin_run(job: str, slot: str) -> bool:
    """Record a run of a job in the job's own transaction; False when it has been run already, AtWork while it runs."""
    return _first("INSERT INTO chain.run (job, slot, system) SELECT %s::text, %s::text, %s::text", job, slot)


def forget(today: dt.date) -> None:
    """Empty the messages that this system handled longer ago than the register keeps them; their effects remain."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT chain.forget(%s)", [settings.ASP.message_days])
