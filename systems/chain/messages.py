"""Sending and receiving messages, in plain SQL because schema `chain` is not the system's own."""

from __future__ import annotations

import datetime as dt
import json
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.core.serializers.json import DjangoJSONEncoder
from django.db import connection, transaction

from systems.core import logs
from systems.shared import messages as allowed

LONGEST_WAIT = 60  # minutes between two tries of a message that keeps failing
MOST_TRIES = 30  # after that it is dead; with the waits between them about a day, so that a night's fault is outlived
ERROR_LENGTH = 500  # characters of an error that are stored
AT_ONCE = 16 * 1024**2  # bytes of bodies read at once: forms bring attachments, and an app server has little memory


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
    """Write the receipt in the handler's transaction; False when another process was faster."""
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO chain.receipt (message_id, system) VALUES (%s, %s) ON CONFLICT DO NOTHING",
            [message.id, settings.ASP.system],
        )
        return cursor.rowcount == 1


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
    """Record a run of a job in the job's own transaction; False when it has been run already."""
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO chain.run (system, job, slot) VALUES (%s, %s, %s) ON CONFLICT DO NOTHING",
            [settings.ASP.system, job, slot],
        )
        return cursor.rowcount == 1


def forget(today: dt.date) -> None:
    """Empty the messages that this system handled longer ago than the register keeps them; their effects remain."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT chain.forget(%s)", [settings.ASP.message_days])
