"""The books: orders, invoices and payments over several desks, and receipts that one clerk books alone."""

from __future__ import annotations

import datetime as dt

from systems.core import people
from tests.soak.page import Page
from tests.soak.visitor import Visitor

GROSS, NET = 12_700, 10_000


def order(visitor: Visitor) -> None:
    """A partner, and an order to them, which waits for a colleague's countersignature."""
    firm = people.firm(visitor.chance, visitor.municipality.name)
    values = {"name": firm.name, "tax_number": firm.identifier, "address": firm.address}
    visitor.press(visitor.open("/gazd/partnerek/uj"), "Mentés", values)
    budget = visitor.open("/gazd/")
    form = visitor.follow(visitor.follow(budget, "K3"), "Kötelezettségvállalás")
    subject = visitor.word("Próba papír")
    partner = visitor.chance.choice(form.form("Mentés").offers("partner"))
    values = {"partner": partner, "subject": subject, "amount": str(GROSS)}
    appropriation = visitor.press(form, "Mentés", values, "commitment")
    address = appropriation.row(subject).addresses("/gazd/kotelezettsegek/")[0]
    visitor.desk.put("order", visitor.who, address)


def invoice(visitor: Visitor) -> None:
    """A colleague's order is countersigned, its invoice recorded and validated; approval is the colleague's again."""
    if not (address := visitor.desk.take("order", visitor.who)):
        return order(visitor)
    commitment = visitor.press(visitor.open(address), "Ellenjegyzés")
    form = visitor.follow(commitment, "Számla rögzítése")
    number, today = visitor.word("SZLA"), dt.date.today()
    values = {"number": number, "issued": today.isoformat(), "performed": today.isoformat()}
    values["due"] = (today + dt.timedelta(days=8)).isoformat()
    values |= {"form-0-text": "papír", "form-0-net": str(NET), "form-0-rate": "27"}
    commitment = visitor.press(form, "Mentés", values, "invoice", number)
    page = visitor.follow(commitment, number)
    visitor.press(page, "Érvényesítés")
    visitor.desk.put("invoice", visitor.who, page.path)
    return None


def approve(visitor: Visitor) -> None:
    """A colleague's invoice is approved and paid in two parts."""
    if not (address := visitor.desk.take("invoice", visitor.who)):
        return order(visitor)
    page = visitor.press(visitor.open(address), "Jóváhagyás")
    number = page.heading.removeprefix("Számla:").split(" jóvá")[0].split(" fizet")[0].strip()
    page = _pay(visitor, page, GROSS // 2)
    _pay(visitor, page, GROSS - GROSS // 2, "paid", number)
    return None


def _pay(visitor: Visitor, page: Page, amount: int, kind: str = "", key: str = "") -> Page:
    account = page.form("Részkifizetés").offers("resz-account")[-1]
    return visitor.press(page, "Részkifizetés", {"resz-amount": str(amount), "resz-account": account}, kind, key)


def receipt(visitor: Visitor) -> None:
    """Money came in: it is booked, and now and then reversed."""
    form = visitor.open("/gazd/bizonylatok/bevetel")
    fields, text = form.form("Könyvelés"), visitor.word("Próba bevétel")
    values = {"item": visitor.chance.choice(fields.offers("item")), "account": fields.offers("account")[-1]}
    values |= {"amount": str(visitor.chance.randrange(1_000, 90_000)), "text": text}
    vouchers = visitor.press(form, "Könyvelés", values, "voucher")
    if visitor.chance.random() < 0.3:
        voucher = visitor.open(vouchers.row(text).addresses("/gazd/bizonylatok/")[0])
        visitor.press(visitor.follow(voucher, "Storn"), "Stornózás")


def look(visitor: Visitor) -> None:
    for path in ("/gazd/kimutatasok/", visitor.chance.choice(("/gazd/szamlak/", "/gazd/kimutatasok/afa"))):
        visitor.open(path)
