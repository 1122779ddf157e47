"""Feeds as they arrive: accepted only when manifest and rows agree."""

from __future__ import annotations

from django.utils import timezone
from django.utils.dateparse import parse_date

from systems.adattar.models import Feed, Figure
from systems.chain import Message, handles
from systems.exchange import feeding


@handles("feed")
def feed(message: Message) -> None:
    """Store a feed. A second whole one of a day replaces the figures but keeps the first one's time; a wrong one
    changes no figures."""
    body, rows = message.body, message.body["rows"]
    wrong = _fault(message.source, body, rows)
    received = Feed(
        system=message.source,
        day=parse_date(body["day"]),
        received_at=timezone.now(),
        count=body["count"],
        sha256=body["sha256"],
        status=Feed.Status.WRONG if wrong else Feed.Status.WHOLE,
        fault=(wrong or "")[:300],
        late=body.get("late", False),  # missing in feeds of older servers
    )
    if not wrong:
        earlier = Feed.objects.filter(system=received.system, day=received.day, status=Feed.Status.WHOLE)
        received.received_at = next(iter(earlier.values_list("received_at", flat=True)), received.received_at)
        earlier.delete()
    received.save()
    if not wrong:
        Figure.objects.bulk_create(Figure(feed=received, **row) for row in rows)


def _fault(source: str, body: dict, rows: list[dict]) -> str | None:
    if body["dataset"] != source:
        return f"a(z) {source} más rendszer adatát küldte: {body['dataset']}"
    if len(rows) != body["count"]:
        return f"a kísérőjegyzék szerint {body['count']} sor, a küldeményben {len(rows)}"
    if feeding.checksum(rows) != body["sha256"]:
        return "az ellenőrző összeg nem egyezik"
    return feeding.fault(rows)
