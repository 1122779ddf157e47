"""Invented feeds of the last weeks."""

from __future__ import annotations

import datetime as dt
from random import Random

from django.utils import timezone

from systems.adattar.models import Feed, Figure
from systems.exchange import feeding

DAYS = 14
MEASURES = {"irat": "iktatott irat", "keret": "művelet", "helpdesk": "bejelentés"}


def fill(random: Random, population: int) -> None:
    """Two weeks of feeds with counts in proportion to the inhabitants; one came late, one is wrong."""
    today = timezone.localdate()
    for n in range(1, DAYS + 1):
        day = today - dt.timedelta(days=n)
        for system, measure in MEASURES.items():
            value = random.randrange(population // 400 + 2)
            rows = [{"measure": measure, "dimension": "", "kind": "count", "value": value}]
            if Feed.objects.filter(system=system, day=day, status=Feed.Status.WHOLE).exists():
                continue  # the real one came
            hour = 9 if (n, system) == (5, "irat") else 2
            wrong = (n, system) == (8, "keret")
            feed = Feed.objects.create(
                system=system,
                day=day,
                received_at=timezone.make_aware(dt.datetime.combine(day + dt.timedelta(days=1), dt.time(hour))),
                count=len(rows),
                sha256=feeding.checksum(rows),
                status=Feed.Status.WRONG if wrong else Feed.Status.WHOLE,
                fault="az ellenőrző összeg nem egyezik" if wrong else "",
            )
            if not wrong:
                Figure.objects.create(feed=feed, **rows[0])
