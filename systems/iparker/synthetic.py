"""Invented trades in proportion to the population: shops, markets, mobile ones; some suspended or ended."""

from __future__ import annotations

import datetime as dt
from random import Random

from django.utils import timezone

from systems.core import facts, people
from systems.iparker import registering
from systems.iparker.models import Inspection, Notification, Trade

PEOPLE_TO_A_TRADE = 60
CLERK = "Szintetikus adat"
WAITING = 3  # undecided notifications
SHOPS = (
    ("élelmiszer-kiskereskedelem", "vegyesbolt", ["1.3", "1.6", "1.7", "1.8", "1.9"]),
    ("pékáru-kiskereskedelem", "pékség", ["1.4", "1.7"]),
    ("ruházati kiskereskedelem", "divatáru", ["2"]),
    ("vendéglátás", "étterem", ["1.1", "1.2"]),
    ("műszaki kiskereskedelem", "műszaki bolt", ["4", "10"]),
    ("ékszer-kiskereskedelem", "ékszerbolt", ["20"]),
    ("virág-kiskereskedelem", "virágüzlet", ["8"]),
)
OTHERS = (
    ("zöldség-gyümölcs árusítás", Trade.Form.MARKET, "Városi piac, {n}. asztal", ["1.6"]),
    ("pékáru árusítása", Trade.Form.MOBILE, "{town} külterületi útvonal", ["1.7"]),
    ("webáruház", Trade.Form.PARCEL, "Magyarország", ["5", "10"]),
)


def fill(random: Random, population: int) -> None:
    """About one trade for each sixty inhabitants."""
    town, today = facts.of_tenant().name, timezone.localdate()
    for n in range(3 + population // PEOPLE_TO_A_TRADE):
        notification = Notification.objects.create(**_notification(random, town, today, n))
        if n >= WAITING:
            _later(random, registering.register(notification.pk, CLERK).pk, today)


def _notification(random: Random, town: str, today: dt.date, n: int) -> dict:
    firm = people.firm(random, town)
    since = today - dt.timedelta(days=random.randint(0, 300))
    data = {
        "number": f"SZINT/{today.year}/{n + 1}",
        "applicant": people.person(random, town, today).name,
        "received_on": since - dt.timedelta(days=random.randint(0, 10)),
        "trader_name": f"{firm.name} (szintetikus)",
        "trader_identifier": firm.identifier,
        "trader_address": firm.address,
        "since": since,
    }
    if random.random() < 0.8:
        activity, name, products = random.choice(SHOPS)
        return data | {
            "activity": activity,
            "form": Trade.Form.SHOP,
            "shop_name": f"{firm.name.split('-')[0]} {name}",
            "site": people.address(random, town),
            "floor_area": random.randint(15, 400),
            "opening_hours": random.choice(("H–P 8.00–17.00, Szo 8.00–12.00", "H–Szo 6.00–20.00", "K–V 10.00–22.00")),
            "alcohol": "1.2" in products or "1.3" in products,
            "products": products,
        }
    activity, form, site, products = random.choice(OTHERS)
    return data | {"activity": activity, "form": form, "site": site.format(town=town, n=n), "products": products}


def _later(random: Random, pk: int, today: dt.date) -> None:
    """What happens to an entry later."""
    fate = random.random()
    if fate < 0.08:
        registering.end(pk, today, "a kereskedő bejelentése", CLERK)
    elif fate < 0.14:
        registering.suspend(pk, today, "felújítás", CLERK)
    elif fate < 0.3:
        deadline = today + dt.timedelta(days=random.randint(-10, 30))
        day = today - dt.timedelta(days=20)
        Inspection.objects.create(
            entry_id=pk, day=day, finding="A nyitvatartás nincs kifüggesztve.", deadline=deadline, recorded_by=CLERK
        )
