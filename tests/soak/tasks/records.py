"""The registry: letters from arrival to the settled case, and looking things up."""

from __future__ import annotations

import datetime as dt

from systems.core import people
from tests.soak.page import Page
from tests.soak.visitor import Visitor


def letter(visitor: Visitor) -> None:
    """A letter arrives, is registered, gets its scan, and its case is assigned, answered and settled."""
    subject = visitor.word("Próba beadvány")
    sender = people.firm(visitor.chance, visitor.municipality.name).name
    arrivals = visitor.open("/irat/erkeztetes/")
    form = visitor.follow(arrivals, "Küldemény érkeztetése")
    listing = visitor.press(form, "Érkeztetés", {"sender": sender, "subject": subject}, "incoming")
    document = visitor.press(visitor.follow(listing.row(subject), "Iktatás"), "Iktatás", kind="document")
    document = _attach(visitor, document)
    _settle(visitor, visitor.open(document.addresses("/irat/ugyirat/")[0]))


def at_the_counter(visitor: Visitor) -> None:
    """Somebody brings a paper: it is registered at once, and another one to the same case."""
    person = people.person(visitor.chance, visitor.municipality.name, dt.date.today())
    form = visitor.open("/irat/uj")
    values = {"sender": person.name, "subject": visitor.word("Személyes beadvány"), "arrival": "person"}
    document = visitor.press(form, "Iktatás", values, "document")
    form = visitor.open(f"{document.path}/alszam")
    visitor.press(form, "Iktatás", {"sender": person.name, "subject": visitor.word("Pótlás")}, "document")


def search(visitor: Visitor) -> None:
    page = visitor.open("/irat/?q=" + visitor.chance.choice(("kerelem", "beadvany", "kft", "2026")))
    if documents := page.addresses("/irat/irat/"):
        visitor.open(visitor.chance.choice(documents))
    visitor.open(visitor.chance.choice(("/irat/ugyiratok/", "/irat/iktatokonyvek/", "/irat/statisztika/")))


def _attach(visitor: Visitor, document: Page) -> Page:
    name, content, digest = visitor.paper()
    form = visitor.follow(document, "Csatolmány hozzáadása")
    return visitor.press(form, "Csatolás", kind="attachment", key=digest, file=("file", name, content))


def _settle(visitor: Visitor, case: Page) -> None:
    form = visitor.follow(case, "Szignálás")
    deadline = (dt.date.today() + dt.timedelta(days=8)).isoformat()
    clerk = form.form("Szignálás").offers("assignee")[0]
    case = visitor.press(form, "Szignálás", {"assignee": clerk, "deadline": deadline})
    if visitor.chance.random() < 0.5:
        form = visitor.follow(case, "Kiadmánytervezet készítése")
        case = visitor.press(form, "Kiadmánytervezet készítése", {"text": "Tisztelt Ügyfelünk!\nPróba válasz."})
        signed = visitor.press(visitor.open(case.addresses("/irat/kiadmanyok/")[-1]), "Kiadmányozás")
        case = visitor.open(signed.addresses("/irat/ugyirat/")[0])
    form = visitor.follow(case, "Elintézés")
    visitor.press(form, "Elintézés", kind="settled", key=case.path.rsplit("/", 1)[1])
