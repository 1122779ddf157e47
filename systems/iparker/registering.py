"""From a notification to a register entry with its number and certificate, and every later change of it."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.db import connection, transaction
from django.utils import timezone

from systems.core.errors import NotPossible
from systems.exchange import cases
from systems.iparker import papers
from systems.iparker.completeness import findings, kind_of
from systems.iparker.models import TRADE, Change, Entry, Kind, Notification

What = Change.What


def register(pk: int, clerk: str) -> Entry:
    """Register an open notification; send the decision to the records system if it came as a citizen's form."""
    with transaction.atomic():
        notification = _open(pk)
        if missing := [finding.text for finding in findings(notification) if finding.blocking]:
            raise NotPossible(f"Nem vehető nyilvántartásba. {' '.join(missing)}")
        entry = enter({name: getattr(notification, name) for name in TRADE}, notification, notification.number, clerk)
        paper = papers.certificate(entry).content()
        licence = entry.kind == Kind.LICENCE
        text = f"A tevékenységet {entry.number} számon nyilvántartásba vettük."
        if licence:
            text = f"A működési engedélyt {entry.number} számon kiadtuk, az üzletet nyilvántartásba vettük."
        _decide(notification, Notification.State.REGISTERED, clerk, text, paper)
    return entry


def enter(trade: dict[str, Any], notification: Notification | None, reason: str, clerk: str) -> Entry:
    """Create an entry with the next number of its kind this year, in the caller's transaction."""
    today, kind = timezone.localdate(), kind_of(trade["products"])
    entry = Entry(**trade, kind=kind, year=today.year, notification=notification, registered_on=today)
    entry.serial = _next_number(kind, entry.year)
    entry.number = f"{kind}/{entry.year}/{entry.serial}"
    entry.save(force_insert=True)
    _note(entry, What.REGISTERED, today, {}, entry.trade(), reason, clerk)
    return entry


def take_over(entry: Entry, reason: str, clerk: str) -> None:
    """Save an entry of an earlier register with its own number, in the caller's transaction."""
    entry.save(force_insert=True)
    _note(entry, What.REGISTERED, entry.registered_on, {}, entry.trade(), reason, clerk)


def _next_number(kind: str, year: int) -> int:
    """The next number. Its row stays locked until the entry is saved, so that no number is skipped or issued twice."""
    sql = """INSERT INTO counter AS c (kind, year, last) VALUES (%s, %s, 1)
             ON CONFLICT (kind, year) DO UPDATE SET last = c.last + 1 RETURNING last"""
    with connection.cursor() as cursor:
        cursor.execute(sql, [kind, year])
        return cursor.fetchone()[0]


def reject(pk: int, clerk: str, reason: str) -> None:
    """Reject an open notification with a reason."""
    with transaction.atomic():
        notification = _open(pk)
        notification.reason = reason
        _decide(notification, Notification.State.REJECTED, clerk, f"A bejelentést elutasítottuk. Indok: {reason}", None)


def complete(pk: int, data: dict[str, Any]) -> None:
    """Correct or complete an open notification."""
    with transaction.atomic():
        notification = _open(pk)
        for name, value in data.items():
            setattr(notification, name, value)
        notification.save()


def ask_for(pk: int, missing: str) -> None:
    """Note what is missing from an open notification, and ask a citizen for it."""
    with transaction.atomic():
        cases.ask_for(_open(pk), missing)


def _open(pk: int) -> Notification:
    notification = Notification.objects.select_for_update().get(pk=pk)
    if notification.state != Notification.State.OPEN:
        raise NotPossible(f"Ez a bejelentés már el van bírálva: {notification.get_state_display()}.")
    return notification


def _decide(notification: Notification, state: str, clerk: str, text: str, document: bytes | None) -> None:
    notification.state, notification.decided_by, notification.decided_at = state, clerk, timezone.now()
    notification.save()
    outcome = "accepted" if state == Notification.State.REGISTERED else "rejected"
    cases.send_decision(notification.submission, notification.number, outcome, text, clerk, document)


def change(pk: int, data: dict[str, Any], day: dt.date, reason: str, clerk: str) -> Entry:
    """Change an entry's data from a day on; a change that would change its kind needs a new notification."""
    with transaction.atomic():
        entry = _active_entry(pk, day)
        before = entry.trade()
        for name, value in data.items():
            setattr(entry, name, value)
        after = entry.trade()
        names = [name for name in TRADE if before[name] != after[name]]
        if not names:
            raise NotPossible("Semmi nem változott.")
        if kind_of(entry.products) != entry.kind:
            raise NotPossible(
                "Ezzel a tevékenység fajtája is változna (bejelentés- vagy működésiengedély-köteles): "
                "szüntesse meg ezt a bejegyzést, és vegyen fel új bejelentést."
            )
        if missing := [finding.text for finding in findings(entry) if finding.blocking]:
            raise NotPossible(" ".join(missing))
        entry.save()
        _note(entry, What.CHANGED, day, *({n: d[n] for n in names} for d in (before, after)), reason, clerk)
    return entry


def suspend(pk: int, day: dt.date, reason: str, clerk: str) -> None:
    with transaction.atomic():
        entry = _active_entry(pk, day)
        if entry.suspended_since:
            raise NotPossible("Ez a tevékenység már szünetel.")
        _state(entry, What.SUSPENDED, day, reason, clerk, suspended_since=day)


def resume(pk: int, day: dt.date, reason: str, clerk: str) -> None:
    with transaction.atomic():
        entry = _active_entry(pk, day)
        if not entry.suspended_since:
            raise NotPossible("Ez a tevékenység nem szünetel.")
        _state(entry, What.RESUMED, day, reason, clerk, suspended_since=None)


def end(pk: int, day: dt.date, reason: str, clerk: str) -> None:
    """End a trade; `day` is its last one."""
    with transaction.atomic():
        _state(_active_entry(pk, day), What.ENDED, day, reason, clerk, until=day)


def _active_entry(pk: int, day: dt.date) -> Entry:
    entry = Entry.objects.select_for_update().get(pk=pk)
    if entry.until:
        raise NotPossible(f"A(z) {entry.number} bejegyzés már megszűnt.")
    newest = max([entry.since, *entry.changes.exclude(what=What.REGISTERED).values_list("day", flat=True)])
    if day < newest:
        raise NotPossible(
            f"A változás napja nem lehet korábbi, mint {newest:%Y. %m. %d.} (kezdet vagy előző változás)."
        )
    return entry


def _state(entry: Entry, what: str, day: dt.date, reason: str, clerk: str, **values: dt.date | None) -> None:
    plain = {name: value.isoformat() if value else None for name, value in values.items()}
    before = {name: str(getattr(entry, name) or "") or None for name in values}
    for name, value in values.items():
        setattr(entry, name, value)
    entry.save()
    _note(entry, what, day, before, plain, reason, clerk)


def _note(entry: Entry, what: str, day: dt.date, before: dict, after: dict, reason: str, clerk: str) -> None:
    Change.objects.create(
        entry=entry, what=what, day=day, before=before, after=after, reason=reason[:300], recorded_by=clerk
    )
