"""Feeds as they come: believed only when manifest and rows agree."""

from __future__ import annotations

from django.utils import timezone
from django.utils.dateparse import parse_date

from systems.adattar.models import Feed, Figure
from systems.chain import Message, handles
from systems.exchange import feeding


@handles("feed")
def feed(message: Message) -> None:
    """Keep a feed. A second whole one of the same day replaces the figures but not when the first came; a wrong one
    leaves what is there."""
    body, rows = message.body, message.body["rows"]
    wrong = _fault(message.source, body, rows)
    kept = Feed(
        system=message.source,
        day=parse_date(body["day"]),
        received_at=timezone.now(),
        count=body["count"],
        sha256=body["sha256"],
        status=Feed.Status.WRONG if wrong else Feed.Status.WHOLE,
        fault=(wrong or "")[:300],
        late=body.get("late", False),  # sent by servers from before the mark
    )
    if not wrong:
        earlier = Feed.objects.filter(system=kept.system, day=kept.day, status=Feed.Status.WHOLE)
        kept.received_at = next(iter(earlier.values_list("received_at", flat=True)), kept.received_at)
        earlier.delete()
    kept.save()
    if not wrong:
        Figure.objects.bulk_create(Figure(feed=kept, **row) for row in rows)


def _fault(source: str, body: dict, rows: list[dict]) -> str | None:
    if body["dataset"] != source:
        return f"a(z) {source} más rendszer adatát küldte: {body['dataset']}"
    if len(rows) != body["count"]:
        return f"a kísérőjegyzék szerint {body['count']} sor, a küldeményben {len(rows)}"
    if feeding.checksum(rows) != body["sha256"]:
        return "az ellenőrző összeg nem egyezik"
    return feeding.fault(rows)
