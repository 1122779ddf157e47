"""Invented clerks of the municipality and their recent work. Nobody can sign in as one of them."""

from __future__ import annotations

import datetime as dt
from random import Random

from django.utils import timezone

from systems.core import facts, people
from systems.keret.models import Activity, Presence, User

PEOPLE_TO_A_CLERK = 600  # inhabitants
ACTIONS = (("irat", "iktatás"), ("irat", "szignálás"), ("ado", "befizetés rögzítése"), ("gazd", "számla rögzítése"))


def fill(random: Random, population: int) -> None:
    """Clerks in proportion to the inhabitants, with a month of work."""
    town, now = facts.of_tenant().name, timezone.now()
    for number in range(2 + population // PEOPLE_TO_A_CLERK):
        person = people.person(random, town, now.date())
        user = User.objects.create(
            username=f"szintetikus.{number:03d}",
            name=f"{person.name} (szintetikus)",
            position=random.choice(["ügyintéző", "iktató", "pénzügyi ügyintéző", "adóügyi ügyintéző"]),
            email=person.email,
        )
        for _ in range(random.randrange(10, 40)):
            at = now - dt.timedelta(minutes=random.randrange(30 * 24 * 60))
            system, action = random.choice(ACTIONS)
            Activity.objects.create(at=at, username=user.username, name=user.name, system=system, action=action)
            Presence.objects.create(
                username=user.username, system=system, began_at=at, ended_at=at + dt.timedelta(hours=1)
            )
