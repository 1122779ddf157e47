"""Citizens: public pages for anybody, and forms of those who signed in at their own realm."""

from __future__ import annotations

import datetime as dt
from urllib.parse import urljoin

from inventory.models import Citizen
from systems.core import people
from tests.soak.page import Page
from tests.soak.visitor import Interrupted, Visitor
from tests.support.edge_client import form_action

HOME = {"address": "3770 Sajószentpéter, Minta utca 1."}
PUBLIC = ("/portal/", "/portal/hirek/", "/portal/rendeletek/", "/portal/kozerdeku-adatok", "/portal/uzletek")


def stroll(visitor: Visitor) -> None:
    """Somebody looks around the public site."""
    for path in (*visitor.chance.sample(PUBLIC, 3), "/portal/elerhetoseg", "/elugy/"):
        page = visitor.open(path)
        if path == "/portal/hirek/" and (articles := page.addresses("/portal/hirek/")):
            visitor.open(visitor.chance.choice(articles))


def sign_in(visitor: Visitor, person: Citizen, password: str) -> None:
    """Sign in at the citizens' realm; Interrupted when it does not lead back."""
    client, origin = visitor.client, visitor.municipality.origin
    visitor.think()
    what, url = "sign in", f"{origin}/elugy/ugyfel/belepes"
    page = visitor.ask(what, url, lambda: client.follow(url))
    if person.full_name in page.body and page.url.startswith(origin):
        return
    if page.status != 200 or "kc-form-login" not in page.body:
        raise Interrupted(f"no page to sign in: {page.status}")
    form = {"username": person.username, "password": password, "credentialId": ""}
    back = visitor.ask(what, url, lambda: client.post(form_action(page.body), form))
    if back.status != 302:
        raise Interrupted(f"not signed in: {back.status}")
    landing = visitor.ask(what, url, lambda: client.follow(back.headers["location"]))
    if person.full_name not in landing.body:
        raise Interrupted(f"not signed in: {landing.status} at {landing.url}")


def request(visitor: Visitor) -> None:
    """A request of any kind, often with a scan."""
    file = visitor.paper() if visitor.chance.random() < 0.5 else None
    wish = {"subject": visitor.word("Próba kérelem"), "text": "Kérem a fa gallyazását."}
    _submit(visitor, "altalanos", [HOME, wish], file)


def tax_return(visitor: Visitor) -> None:
    """A firm's local business tax return."""
    firm = people.firm(visitor.chance, visitor.municipality.name)
    owner = {"taxpayer_name": firm.name, "taxpayer_identifier": firm.identifier, "taxpayer_address": firm.address}
    base = visitor.chance.randrange(1_000_000, 20_000_000)
    amounts = {"net_revenue": str(base + 500_000), "cost_of_goods": "0", "material_cost": "500000"}
    amounts |= {"subcontracting": "0", "research_cost": "0", "tax_base": str(base)}
    year = dt.date.today().year - 1
    period = {"year": str(year), "period_from": f"{year}-01-01", "period_until": f"{year}-12-31"}
    steps = [HOME, {"taxpayer_kind": "firm", **owner}, {"represents_as": "ügyvezető"}, period, amounts, {"truth": "on"}]
    _submit(visitor, "hipa", steps)


def trade(visitor: Visitor) -> None:
    """The notification of a trade on the market."""
    firm = people.firm(visitor.chance, visitor.municipality.name)
    trader = {"trader_name": firm.name, "trader_identifier": firm.identifier, "trader_address": firm.address}
    activity = {"activity": "Zöldség-kiskereskedelem", "form": "market", "since": dt.date.today().isoformat()}
    _submit(visitor, "kereskedelem", [HOME, trader, activity, {"place": "Piac tér"}, {"truth": "on"}])


def estate(visitor: Visitor) -> None:
    """A statement about an estate without anything in it."""
    dead, today = people.person(visitor.chance, visitor.municipality.name, dt.date.today()), dt.date.today()
    deceased = {"deceased_name": dead.name, "deceased_birth_name": dead.name, "deceased_born": "1940-02-03"}
    deceased |= {"deceased_died": (today - dt.timedelta(days=20)).isoformat(), "deceased_address": dead.address}
    heir = {"heir_1_name": "Próba Örökös", "heir_1_relation": "child", "heir_1_address": HOME["address"]}
    assets = ("has_real_estate", "has_vehicles", "has_bank", "has_movables", "has_debts", "has_will")
    steps = [HOME, deceased | {"applicant_relation": "child"}, heir | {"heir_1_more": "no"}]
    _submit(visitor, "hagyatek", [*steps, dict.fromkeys(assets, "no"), {"truth": "on"}])


def follow_up(visitor: Visitor) -> None:
    """What became of a form, its receipt, and the balance of taxes."""
    addresses = visitor.open("/elugy/ugyeim/").addresses("/elugy/ugyeim/")
    if cases := [address for address in addresses if address != "/elugy/ugyeim/"]:
        case = visitor.open(visitor.chance.choice(cases))
        visitor.open(f"{case.path}/nyugta")
    visitor.open("/elugy/adoegyenleg")


def _submit(visitor: Visitor, code: str, steps: list[dict[str, str]], file: tuple[str, bytes, str] | None = None):
    page = _new_draft(visitor, code)
    for answers in steps:
        page = visitor.press(page, "Mentés és tovább", answers)
    if file:
        name, content, _ = file
        page = visitor.press(page, "Csatolás", file=("file", name, content))
    page = visitor.follow(page, "Tovább az ellenőrzéshez")
    submission = page.path.split("/")[3]
    visitor.press(page, "Beküldés", kind="submission", key=submission)


def _new_draft(visitor: Visitor, code: str) -> Page:
    """The first step of a new draft. What faults left half done is thrown away first."""
    for draft in visitor.open("/elugy/ugyeim/").addresses("/elugy/kitoltes/"):
        visitor.press(visitor.open(draft), "Piszkozat törlése")
    return visitor.press(visitor.open(urljoin("/elugy/urlap/", code)), "Kitöltés")
