"""An invented site: news, decrees, public-interest data and contacts, all marked as synthetic."""

from __future__ import annotations

import datetime as dt
import uuid
from random import Random

from django.utils import timezone

from systems.core import facts
from systems.portal.models import Contact, Decree, News, Publication, Unit

NEWS = (
    ("Lomtalanítás {town} utcáiban", "A szállítás reggel hatkor kezdődik."),
    ("Testületi ülés", "Az ülés nyilvános, mindenkit szívesen látunk."),
    ("Falunap és vásár", "Kézművesek, zene és közös ebéd."),
    ("Útfelújítás kezdődik", "A munka idejére terelőút vezet."),
    ("Oltási nap háziállatoknak", "Az oltási könyvet hozza magával."),
    ("Könyvtári délután", "Mese és játék a gyerekeknek."),
)
DECREES = (
    "a helyi iparűzési adóról",
    "a közterületek használatáról",
    "a szociális ellátásokról",
    "a hulladékgazdálkodási közszolgáltatásról",
    "a költségvetésről",
    "a piac rendjéről",
    "a talajterhelési díjról",
)
PUBLIC = (
    (Unit.ORGANISATION, "Szervezeti felépítés", "A hivatal szervezeti egységei és vezetőik."),
    (Unit.ORGANISATION, "A szerv vezetői", "A polgármester és a jegyző elérhetősége."),
    (Unit.ACTIVITY, "Alaptevékenység, feladat- és hatáskör", "A feladatokat meghatározó jogszabályok."),
    (Unit.ACTIVITY, "Ügymenetleírások", "Űrlapok: https://pelda.test/urlapok"),
    (Unit.FINANCES, "Éves költségvetés", "A költségvetési rendelet mellékletei."),
    (Unit.FINANCES, "Szerződések", "Az ötmillió forintot elérő szerződések."),
)
PEOPLE_TO_A_PIECE = 500  # inhabitants to a piece of news


def fill(random: Random, population: int) -> None:
    """A site with more news and decrees where more people live."""
    town, today = facts.of_tenant().name, timezone.localdate()
    common = {"published": True}
    for number in range(4 + population // PEOPLE_TO_A_PIECE):
        title, lead = random.choice(NEWS)
        News.objects.create(
            token=_token(random),
            title=title.format(town=town),
            lead=lead,
            text=f"{lead}\n\n# Tudnivalók\n- időpont: délelőtt tíz óra\n- helyszín: {town}, Fő tér\n\nSzintetikus hír.",
            since=today - dt.timedelta(days=random.randrange(200)),
            pinned=number == 0,
            **common,
        )
    for number in range(1, 4 + min(len(DECREES), population // 1000)):
        passed_on = today.replace(month=1, day=15) + dt.timedelta(days=number * 11 - 365)
        title = DECREES[(number - 1) % len(DECREES)]
        Decree.objects.create(
            token=_token(random),
            number=number,
            year=passed_on.year,
            passed_on=passed_on,
            title=title,
            text=f"# 1. Általános rendelkezések\n1. § E rendelet {town} területén alkalmazandó.\n\n2. § Szintetikus.",
            since=passed_on + dt.timedelta(days=8),
            until=today - dt.timedelta(days=30) if number == 2 else None,
            **common,
        )
    for unit, title, text in PUBLIC:
        Publication.objects.create(token=_token(random), unit=unit, title=title, text=text, updated_on=today, **common)
    Contact.objects.update_or_create(
        pk=1,
        defaults={
            "address": f"{town}, Fő tér 1. (szintetikus)",
            "phone": "+36 00 000 0000",
            "email": "hivatal@pelda.test",
            "hours": "hétfő: 8.00–12.00\nszerda: 8.00–16.00\npéntek: 8.00–12.00",
            **common,
        },
    )


def _token(random: Random) -> uuid.UUID:
    return uuid.UUID(int=random.getrandbits(128), version=4)
