"""Invented estates in proportion to the population: heirs, assets, debts; some handed over, some late."""

from __future__ import annotations

import datetime as dt
from random import Random

from django.utils import timezone

from systems.core import facts, people
from systems.hagyatek import handing
from systems.hagyatek.models import Area, Asset, Debt, Estate, Handover, Heir, Notary, Relation

PEOPLE_TO_AN_ESTATE = 200
CLERK = "Szintetikus adat"
BANKS = ("Minta Bank", "Próba Takarék", "Példa Hitelintézet")


def fill(random: Random, population: int) -> None:
    """About one estate for each two hundred inhabitants, and two notaries who share the year."""
    town, today = facts.of_tenant().name, timezone.localdate()
    notaries = []
    for first, last in ((1, 6), (7, 12)):
        person = people.person(random, town, today)
        notary = Notary.objects.create(name=f"dr. {person.name} (szintetikus)", seat=town, address=person.address)
        Area.objects.create(notary=notary, settlement=town, first_month=first, last_month=last)
        notaries.append(notary)
    for n in range(3 + population // PEOPLE_TO_AN_ESTATE):
        estate = _estate(random, town, today, n)
        if random.random() < 0.6:
            notary = handing.competent(estate).first()
            day = min(today, estate.received_on + dt.timedelta(days=random.randint(5, 40)))
            handing.hand_over(estate.pk, handing.HandoverTerms(notary, day, Handover.Way.ELECTRONIC), CLERK)


def _estate(random: Random, town: str, today: dt.date, n: int) -> Estate:
    deceased, reporter = people.person(random, town, today), people.person(random, town, today)
    received = today - dt.timedelta(days=random.randint(1, 60))
    estate = handing.begin(
        number=f"SZINT/{today.year}/{n + 1}",
        reporter=reporter.name,
        reporter_relation=Relation.CHILD,
        received_on=received,
        name=f"{deceased.name} (szintetikus)",
        birth_name=deceased.name,
        mother_name=f"{random.choice(people.NAMES['family'])} {random.choice(people.NAMES['women'])}",
        birth_place=town,
        born=deceased.born,
        died=received - dt.timedelta(days=random.randint(1, 10)),
        death_place=town,
        address=deceased.address,
        identifier=deceased.identifier,
        marital=random.choice(Estate.Marital.values),
    )
    heirs = random.randint(1, 4)
    for _ in range(heirs):
        person = people.person(random, town, today)
        Heir.objects.create(
            **{"estate": estate, "name": person.name, "born": person.born, "address": person.address},
            **{"relation": Relation.CHILD, "share_part": 1, "share_whole": heirs},
        )
    _assets(random, estate, town)
    return estate


def _assets(random: Random, estate: Estate, town: str) -> None:
    home = {"kind": Asset.Kind.REAL_ESTATE, "description": f"lakóház, udvar ({people.address(random, town)})"}
    home |= {"place": town, "reference": str(random.randint(1, 3000)), "share_whole": random.choice((1, 2))}
    Asset.objects.create(estate=estate, value=random.randint(30, 400) * 100_000, **home)
    if random.random() < 0.7:
        account = {"kind": Asset.Kind.BANK, "description": "lakossági folyószámla", "place": random.choice(BANKS)}
        Asset.objects.create(estate=estate, value=random.randint(0, 3_000_000), **account)
    if random.random() < 0.3:
        plate = f"{''.join(random.choice('ABCDEFGHJKLMNPRSTUVZ') for _ in range(3))}-{random.randint(100, 999)}"
        car = {"kind": Asset.Kind.VEHICLE, "description": "személygépkocsi", "reference": plate}
        Asset.objects.create(estate=estate, value=random.randint(3, 40) * 100_000, **car)
    if random.random() < 0.4:
        amount = random.randint(100, 900) * 1_000
        Debt.objects.create(estate=estate, creditor=random.choice(BANKS), basis="kölcsön", amount=amount)
