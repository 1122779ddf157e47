"""Registers of things: parcels, trades, estates."""

from __future__ import annotations

import datetime as dt

from systems.core import people
from tests.soak.visitor import Visitor


def parcel(visitor: Visitor) -> None:
    """A new parcel, and a change of its data."""
    lot = f"{visitor.chance.randrange(10**5, 10**6)}/{visitor.chance.randrange(1, 10**4)}"
    form = visitor.open("/ivk/uj")
    values = {"lot": lot, "area": "inner", "use": "kivett park", "square_metres": "1000", "gross": "10000000"}
    values |= {"depreciation": "1000000", "transferability": "business", "reason": visitor.word("SZ")}
    page = visitor.press(form, "Mentés", values, "parcel")
    form = visitor.open(f"{page.path.rstrip('/')}/modositas")
    visitor.press(form, "Mentés", {"address": "Próba utca 1.", "reason": visitor.word("SZ")})
    visitor.open(visitor.chance.choice(("/ivk/osszesites/", "/ivk/valtozasok/", "/ivk/?q=1")))


def trade(visitor: Visitor) -> None:
    """A notification on paper goes into the register, and its certificate is printed."""
    form, today = visitor.open("/iparker/bejelentesek/uj"), dt.date.today()
    firm, shop = people.firm(visitor.chance, visitor.municipality.name), visitor.word("Próba bolt")
    products = form.form("Mentés").offers("products")
    values = {"number": visitor.word("SZ"), "applicant": "Próba Péter", "trader_name": shop, "form": "shop"}
    values |= {"trader_identifier": firm.identifier, "trader_address": firm.address, "activity": "kiskereskedelem"}
    values |= {"shop_name": shop, "site": firm.address, "floor_area": "40", "opening_hours": "H–P 8.00–16.30"}
    values |= {"since": today.isoformat(), "products": products[0]}
    page = visitor.press(form, "Mentés", values, "notification")
    token = form.form("Mentés").value("token")
    entry = visitor.press(page, "Nyilvántartásba vétel", kind="trade", key=token)
    visitor.follow(entry, "Igazolás")


def estate(visitor: Visitor) -> None:
    """An inventory with an heir."""
    today, chance = dt.date.today(), visitor.chance
    dead, heir = (people.person(chance, visitor.municipality.name, today) for _ in range(2))
    form = visitor.open("/hagyatek/uj")
    values = {"number": visitor.word("SZ"), "reporter": heir.name, "name": dead.name, "birth_name": dead.name}
    values |= {"mother_name": "Próba Anna", "birth_place": "Miskolc", "born": "1940-02-03", "address": dead.address}
    values |= {"died": (today - dt.timedelta(days=20)).isoformat(), "death_place": "Miskolc"}
    values["received_on"] = (today - dt.timedelta(days=5)).isoformat()
    page = visitor.press(form, "Mentés", values, "estate")
    form = visitor.follow(page, "Új örökös")
    values = {"name": heir.name, "address": heir.address, "born": "1970-05-06", "relation": "child"}
    visitor.press(form, "Mentés", values | {"share_part": "1", "share_whole": "1"}, "heir")
    visitor.open(chance.choice(("/hagyatek/", "/hagyatek/hataridok/", "/hagyatek/kozjegyzok/")))
