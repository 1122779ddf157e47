"""Invented reports of clerks."""

from __future__ import annotations

import datetime as dt
import uuid
from random import Random

from django.utils import timezone

from systems.core import facts, people
from systems.helpdesk.models import Step, Ticket

FAULTS = (
    ("irat", "Lassan nyílik meg a keresés eredménye.", ""),
    ("keret", "Kártyával nem lehet belépni.", "K0505"),
    ("ado", "A befizetés nem jelenik meg az egyenlegen.", ""),
    ("elugy", "Az űrlap beküldése után nem jön nyugta.", ""),
    ("gazd", "A főkönyvi kivonat nyomtatása üres lapot ad.", ""),
)
PEOPLE_TO_A_TICKET = 400  # inhabitants


def fill(random: Random, population: int) -> None:
    """About one report for each four hundred inhabitants, over the last half year."""
    town, now = facts.of_tenant().name, timezone.now()
    for _ in range(3 + population // PEOPLE_TO_A_TICKET):
        person = people.person(random, town, now.date())
        service, description, error = random.choice(FAULTS)
        at = now - dt.timedelta(minutes=random.randrange(180 * 24 * 60))
        ticket = Ticket(
            service=service,
            reach=random.choice(["hindered", "hindered", "minor", "outage"]),
            happened_at=at,
            error=error,
            description=description,
            contact=person.email,
            token=uuid.UUID(int=random.getrandbits(128)),
            reported_at=at,
            username=f"minta.{random.randrange(100)}",
            name=f"{person.name} (szintetikus)",
        )
        ticket.report()
        if random.random() < 0.8:
            solved_at = at + dt.timedelta(hours=random.randrange(1, 72))
            Ticket.objects.filter(pk=ticket.pk).update(state=Ticket.State.SOLVED, solved_at=solved_at)
            Step.objects.create(
                ticket=ticket, at=solved_at, state=Ticket.State.SOLVED, name="Ügyfélszolgálat", text="Megoldottuk."
            )
