"""Invented documents: letters of people and firms, some answered."""

from __future__ import annotations

import datetime as dt
from random import Random

from django.utils import timezone

from systems.core import facts, people
from systems.irat import handling
from systems.irat.models import ArchiveItem, Arrival, Case, Direction, Document, Incoming, take_number

SUBJECTS = (
    "Kérelem közterület-használatra", "Panasz zajos szomszédra", "Fakivágási bejelentés", "Lakcímigazolás kérése",
    "Szociális tüzelőanyag igénylése", "Útfelbontási engedély kérése", "Bérleti szerződés módosítása",
    "Kutyatartással kapcsolatos bejelentés", "Méltányossági kérelem", "Adatszolgáltatás",
)  # fmt: skip
BY = "Szintetikus adat"
PEOPLE_TO_A_CASE = 60  # inhabitants


def fill(random: Random, population: int) -> None:
    """About one case for each sixty inhabitants, received over the year so far."""
    municipality, today = facts.of_tenant().name, timezone.localdate()
    year_began = dt.date(today.year, 1, 1)
    for _ in range(5 + population // PEOPLE_TO_A_CASE):
        sender = (
            people.person(random, municipality, today) if random.random() < 0.8 else people.firm(random, municipality)
        )
        incoming = Document(
            sender=f"{sender.name} (szintetikus)",
            subject=random.choice(SUBJECTS),
            arrival=random.choice(list(Arrival)),
            received_on=year_began + dt.timedelta(days=random.randrange((today - year_began).days + 1)),
            registered_by=BY,
        )
        incoming.register()
        if random.random() < 0.6:
            Document(
                direction=Direction.OUT,
                sender=municipality,
                addressee=incoming.sender,
                subject=f"Válasz: {incoming.subject}",
                arrival=Arrival.POST,
                received_on=today,
                registered_by=BY,
                signed_by=BY,
            ).register(incoming.case)
        _handle(random, incoming.case, today)
    for _ in range(3):
        Incoming.objects.create(
            number=take_number("ERK", today.year),
            sender=f"{people.person(random, municipality, today).name} (szintetikus)",
            subject=random.choice(SUBJECTS),
            received_on=today,
            booked_by=BY,
        )


def _handle(random: Random, case: Case, today: dt.date) -> None:
    """Some cases wait, some are being dealt with, some are late, some are settled or archived."""
    fate = random.random()
    if fate < 0.2:
        return
    deadline = today + dt.timedelta(days=random.randint(-10, 40))
    handling.assign(case, "szintetikus", BY, deadline, "", BY)
    if fate < 0.5:
        return
    handling.settle(case, random.choice(list(Case.Outcome)), "", BY)
    if fate > 0.75:
        handling.archive(case, random.choice(list(ArchiveItem.objects.all())), BY)
