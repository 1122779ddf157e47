"""The tax office: taxpayers, returns on paper, payments, corrections, bank statements, and what citizens sent."""

from __future__ import annotations

import datetime as dt

from systems.core import people
from tests.soak.page import Page
from tests.soak.visitor import Visitor

BUSINESS_TAX = "hipa"


def declaration(visitor: Visitor) -> None:
    """A new taxpayer's return on paper is accepted, and a part of the tax is paid; now and then it is corrected."""
    account = _taxpayer(visitor)
    form = visitor.follow(account, "Bevallás rögzítése")
    number = visitor.word("SZ")
    base = str(visitor.chance.randrange(1_000_000, 50_000_000))
    values = {"tax": BUSINESS_TAX, "number": number, "year": str(dt.date.today().year - 2), "base": base}
    entry = visitor.press(form, "Mentés", values, "return", number)
    account = visitor.press(entry, "Elfogadás", kind="assessment", key=number)
    account = _pay(visitor, account)
    if visitor.chance.random() < 0.4:
        form = visitor.follow(account, "Helyesbítés")
        visitor.press(form, "Mentés", {"base": str(int(base) // 2), "reason": visitor.word("Elírás")})


def payments(visitor: Visitor) -> None:
    """Two payments of somebody who owes, and the second one is taken back."""
    arrears = visitor.open("/ado/hatralekok/").addresses("/ado/adozok/")
    debtors = [address for address in arrears if address.rstrip("/").rsplit("/", 1)[1].isdigit()]
    account = visitor.open(visitor.chance.choice(debtors)) if debtors else _taxpayer(visitor)
    account = _pay(visitor, _pay(visitor, account))
    form = visitor.follow(account, "Stornózás")
    visitor.press(form, "Storn", {"reason": visitor.word("Téves rögzítés")})


def statement(visitor: Visitor) -> None:
    """A bank statement is read and booked."""
    account, today = _taxpayer(visitor), dt.date.today()
    identifier, reference = account.term("Adóazonosító"), visitor.word("BANK").replace(" ", "-")
    lines = ["értéknap;összeg;hivatkozás;befizető;közlemény", f"{today};12 500;{reference};Próba;adó {identifier}"]
    form = visitor.open("/ado/kivonatok/uj")
    file = ("file", "kivonat.csv", "\n".join(lines).encode())
    preview = visitor.press(form, "Beolvasás", file=file)
    visitor.press(preview, "Könyvelés", kind="payment", key=reference)


def decide(visitor: Visitor) -> None:
    """What citizens sent is accepted, oldest first."""
    waiting = visitor.open("/ado/").addresses("/ado/bevallasok/")
    if waiting:
        visitor.press(visitor.open(waiting[0]), "Elfogadás")


def look(visitor: Visitor) -> None:
    taxpayers = visitor.open("/ado/adozok/?q=" + visitor.chance.choice("aekmst")).addresses("/ado/adozok/")
    accounts = [address for address in taxpayers if address.rstrip("/").rsplit("/", 1)[1].isdigit()]
    if accounts:
        visitor.follow(visitor.open(visitor.chance.choice(accounts)), "Számlakivonat")
    visitor.open(visitor.chance.choice(("/ado/mertekek/", "/ado/tisztazatlan/", "/ado/kivonatok/")))


def _taxpayer(visitor: Visitor) -> Page:
    person = people.person(visitor.chance, visitor.municipality.name, dt.date.today())
    values = {"identifier": person.identifier, "name": person.name, "address": person.address}
    return visitor.press(visitor.open("/ado/adozok/uj"), "Mentés", values, "taxpayer", person.identifier)


def _pay(visitor: Visitor, account: Page) -> Page:
    reference = visitor.word("B")
    values = {"amount": str(visitor.chance.randrange(1_000, 90_000)), "reference": reference}
    values["day"] = dt.date.today().isoformat()
    form = visitor.follow(account, "Befizetés rögzítése")
    return visitor.press(form, "Mentés", values, "payment", reference)
