"""Invented real estate in proportion to the population: streets, institutions, flats, fields; some split."""

from __future__ import annotations

import datetime as dt
from random import Random

from django.utils import timezone

from systems.core import facts, people
from systems.ivk import registering
from systems.ivk.models import Parcel

PEOPLE_TO_A_PARCEL = 30
CLERK = "Szintetikus adat"
KINDS = (
    ("kivett közút", Parcel.Area.INNER, Parcel.Transferability.EXCLUSIVE, (400, 9000), 900),
    ("kivett iskola", Parcel.Area.INNER, Parcel.Transferability.LIMITED, (1500, 9000), 60_000),
    ("kivett lakóház, udvar", Parcel.Area.INNER, Parcel.Transferability.BUSINESS, (300, 1500), 20_000),
    ("kivett beépítetlen terület", Parcel.Area.INNER, Parcel.Transferability.BUSINESS, (300, 4000), 2_000),
    ("szántó", Parcel.Area.OUTER, Parcel.Transferability.BUSINESS, (3000, 90_000), 150),
    ("gyümölcsös", Parcel.Area.GARDEN, Parcel.Transferability.BUSINESS, (500, 3000), 400),
)


def fill(random: Random, population: int) -> None:
    """About one parcel for each thirty inhabitants."""
    town, today = facts.of_tenant().name, timezone.localdate()
    for number in range(5 + population // PEOPLE_TO_A_PARCEL):
        use, area, transferability, sizes, price = random.choice(KINDS)
        size = random.randint(*sizes)
        gross = size * price
        lot = f"{'0' if area == Parcel.Area.OUTER else ''}{number + 1}"
        parcel = Parcel(
            lot=lot,
            area=area,
            address=people.address(random, town) if area == Parcel.Area.INNER else "",
            use=use,
            square_metres=size,
            gross=gross,
            depreciation=gross * random.randint(0, 60) // 100 if "közút" in use or "iskola" in use else 0,
            transferability=transferability,
            since=today - dt.timedelta(days=random.randint(200, 4000)),
        )
        registering.add(parcel, "Szintetikus felvétel", CLERK)
        if random.random() < 0.06:
            _split(parcel, today - dt.timedelta(days=random.randint(1, 120)))


def _split(parcel: Parcel, day: dt.date) -> None:
    """Split a parcel in two, as evenly as whole numbers allow."""
    whole = {name: getattr(parcel, name) for name in registering.DATA}
    half = {name: whole[name] // 2 for name in registering.SUMMED}
    rest = {name: whole[name] - half[name] for name in registering.SUMMED}
    parts = [Parcel(**whole | part | {"lot": f"{parcel.lot}/{n}"}) for n, part in enumerate((half, rest), 1)]
    registering.replace([parcel.pk], parts, day, "Szintetikus megosztás", CLERK)
