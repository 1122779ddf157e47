"""Rights inside a municipality and between two: each role at each page, other people's rows by their numbers."""

from __future__ import annotations

import re
import uuid
from functools import cache

import pytest

from tests.attack.browser import Browser, hidden
from tests.attack.registry import Tries, Untried, attack, control
from tests.attack.target import Target
from tests.attack.test_chain import SYSTEMS

# Views that take something from any clerk with a role in the system. Written by hand, so that a new one which names no
# role is a finding until somebody has thought about it.
FOR_EVERY_ROLE = {"keret": {"home", "sign-out"}, "helpdesk": {"index", "new", "ticket", "add", "file"}}
TOKEN = "a" * 32  # of a form: as the cookie says, which is the attacker's own

VIEWS = """
import json, uuid
import systems.wsgi
from django.conf import settings
from django.urls import get_resolver
SAMPLES = {"int": "1", "slug": "hir", "uuid": str(uuid.UUID(int=1)), "path": "x", "str": "x"}

def needed(view):
    found = None
    while view is not None:
        code, cells = getattr(view, "__code__", None), getattr(view, "__closure__", None) or ()
        if code is not None:
            for name, cell in zip(code.co_freevars, cells):
                if name == "roles" and isinstance(cell.cell_contents, tuple):
                    found = list(cell.cell_contents)
        view = getattr(view, "__wrapped__", None)
    return found

def walk(patterns, prefix=""):
    for entry in patterns:
        path = prefix + entry.pattern._route
        if hasattr(entry, "url_patterns"):
            yield from walk(entry.url_patterns, path)
        else:
            for name, converter in entry.pattern.converters.items():
                kind = type(converter).__name__.removesuffix("Converter").lower().replace("string", "str")
                for text in (f"<{kind}:{name}>", f"<{name}>"):
                    path = path.replace(text, SAMPLES.get(kind, "x"))
            yield {"path": "/" + path, "name": entry.name, "open": bool(getattr(entry.callback, "open_to_all", False)),
                   "roles": needed(entry.callback)}

print(json.dumps(list(walk(get_resolver().url_patterns))))
"""


@cache
def views(target: Target, system: str) -> list[dict]:
    """Addresses of a system: path with sample values, name, open to all, roles that its view names (None: none)."""
    views = target.foothold(system).run(VIEWS)
    control(len(views) >= 3, f"{system}: {len(views)} views")
    return views


@pytest.fixture(scope="module", autouse=True)
def alive(target: Target) -> None:
    for system in target.staff_systems:
        page = target.clerk(target.own, system).ask(target.own.host, f"/{system}/")
        control(page.status == 200, f"{system}: {page}")


@attack(
    "I01",
    "rights",
    "each role of a system at each page that is another role's",
    {one: one for one in SYSTEMS},
    short=True,
    alike=True,
)
def test_roles_and_pages(target: Target, tries: Tries, way: str) -> None:
    if way not in target.systems:
        raise Untried(f"{target.own.name} has no {way}")
    pages = [view for view in views(target, way) if view["roles"] and not view["open"]]
    roles = target.register.systems[way].roles
    refusals = 0
    for role in (*roles, "nincs"):
        browser = target.clerk(target.own, way, (role,))
        token = {"csrfmiddlewaretoken": TOKEN}
        browser.cookies[target.own.host][f"asp_{way}_csrf"] = TOKEN
        for view in pages:
            if role in view["roles"]:
                continue
            answer = browser.ask(target.own.host, view["path"])
            refusals += answer.status == 403
            tries.holds(answer.status in (403, 404, 405), f"{role} GET {view['path']}: {answer}")
            answer = browser.post(f"{target.own.origin}{view['path']}", token)
            tries.holds(answer.status in (403, 404, 405), f"{role} POST {view['path']}: {answer}")
    if not tries.tried:  # every page of the system names every role: a role of another system is refused all the same
        answer = target.clerk(target.own, way, ("nincs",)).ask(target.own.host, f"/{way}/ugyintezo/")
        tries.holds(answer.status in (403, 404), answer)
        return
    control(refusals, f"{way}: no page was refused with 403")


@attack("I02", "rights", "a clerk with no role in a system at all", short=True)
def test_no_role(target: Target, tries: Tries) -> None:
    for system in target.staff_systems:
        browser = target.holder(target.own, "proba.szerep")
        key = target.sessions(target.own, system, {"": ()}, "proba.szerep")[""]
        browser.cookies[target.own.host] = {f"asp_{system}": key}
        for view in views(target, system):
            if view["open"] or view["name"] in ("sign-in", "sign-in-complete"):
                continue
            answer = browser.ask(target.own.host, view["path"])
            tries.holds(answer.status in (403, 404, 405), f"{view['path']}: {answer}")


@attack("I03", "rights", "every page of every system without sign-in", short=True)
def test_without_sign_in(target: Target, tries: Tries) -> None:
    for system in target.systems:
        public = target.register.systems[system].public
        for view in views(target, system):
            if view["open"] or view["name"] in ("sign-in", "sign-in-complete"):
                continue
            for browser in (target.anyone(), target.holder(target.own), target.holder(target.other)):
                answer = browser.ask(target.own.host, view["path"])
                fine = answer.status in (302, 403, 404, 405)
                tries.holds(
                    fine and (public or browser.certificate or answer.status == 403), f"{view['path']}: {answer}"
                )
            answer = target.holder(target.own).post(f"{target.own.origin}{view['path']}", {})
            tries.holds(answer.status in (403, 405, 404), f"POST {view['path']}: {answer}")


@attack("I04", "rights", "pages that change something and name no role", {one: one for one in SYSTEMS}, alike=True)
def test_unguarded_pages(target: Target, tries: Tries, way: str) -> None:
    """A view without a named role is open to every role of its system; that must be a decision."""
    if way not in target.systems:
        raise Untried(f"{target.own.name} has no {way}")
    roles = list(target.register.systems[way].roles)
    browser = target.clerk(target.own, way, (roles[-1],))
    browser.cookies[target.own.host][f"asp_{way}_csrf"] = TOKEN
    for view in views(target, way):
        expected = view["name"] in FOR_EVERY_ROLE.get(way, set()) | {"sign-in", "sign-in-complete"}
        if view["open"] or view["roles"] or expected:
            tries.holds(True, "")
            continue
        # Reading is for every role; what takes POST must say for whom.
        answer = browser.post(f"{target.own.origin}{view['path']}", {"csrfmiddlewaretoken": TOKEN})
        tries.holds(answer.status in (404, 405), f"POST {view['path']}: {answer}")


# Other people's rows

TICKET = {
    "kind": "fault",
    "reach": "minor",
    "service": "irat",
    "happened_at": "2026-01-31T10:00",
    "error": "attack",
    "description": "attack",
    "contact": "attack",
    "case_ids": "",
    "form_code": "",
}


def new_ticket(target: Target, browser: Browser, **changes: str) -> str:
    """Path of a new ticket of the browser's clerk; removed at the end."""
    url = f"{target.own.origin}/helpdesk/uj"
    fields = {**hidden(browser.get(url).text), **TICKET, **changes}
    files = {"upload": ("kep.txt", b"attack", "text/plain")}
    answer = browser.post(url, fields, files)
    control(answer.status == 302, answer)
    path = answer.header("location")
    target.later(lambda: remove_tickets(target))
    return path


def remove_tickets(target: Target) -> None:
    target.script(
        "BEGIN;SET LOCAL session_replication_role = replica;"
        "DELETE FROM helpdesk.step WHERE ticket_id IN (SELECT id FROM helpdesk.ticket WHERE username LIKE 'proba.%' "
        "AND contact = 'attack');"
        "DELETE FROM helpdesk.ticket WHERE username LIKE 'proba.%' AND contact = 'attack';COMMIT;"
    )


@attack(
    "I10",
    "rights",
    "another clerk's ticket by its number",
    {
        "page": ("", "GET"),
        "file": ("fajl", "GET"),
        "message": ("uzenet", "POST"),
        "answer": ("valasz", "POST"),
    },
    short=True,
)
def test_tickets(target: Target, tries: Tries, way: tuple[str, str]) -> None:
    end, method = way
    owner = target.clerk(target.own, "helpdesk", ("bejelento",))
    path = new_ticket(target, owner)
    control(owner.ask(target.own.host, path).status == 200, path)
    other = target.clerk(target.own, "helpdesk", ("bejelento",), "proba.masik")
    token = {"csrfmiddlewaretoken": TOKEN, "text": "x", "state": "solved"}
    other.cookies[target.own.host]["asp_helpdesk_csrf"] = TOKEN
    url = f"{target.own.origin}{path}{end}"
    answer = other.get(url) if method == "GET" else other.post(url, token)
    tries.holds(answer.status in (403, 404, 405), answer)


def draft(target: Target, browser: Browser) -> str:
    """Number of a citizen's new draft."""
    index = browser.get(f"{target.own.origin}/elugy/")
    codes = re.findall(r'href="/elugy/urlap/([\w-]+)"', index.text)
    control(codes, index)
    page = browser.get(f"{target.own.origin}/elugy/urlap/{codes[0]}")
    answer = browser.post(f"{target.own.origin}/elugy/urlap/{codes[0]}/kitoltes", hidden(page.text))
    control(answer.status == 302, answer)
    return answer.header("location").split("/")[3]


@attack(
    "I11",
    "rights",
    "another citizen's draft or case by its number",
    {
        "step": ("kitoltes/{pk}/mellekletek", "GET"),
        "review": ("kitoltes/{pk}/ellenorzes", "GET"),
        "submit": ("kitoltes/{pk}/ellenorzes", "POST"),
        "discard": ("kitoltes/{pk}/torles", "POST"),
        "attach": ("kitoltes/{pk}/mellekletek/uj", "POST"),
        "detach": ("kitoltes/{pk}/mellekletek/1/torles", "POST"),
        "case": ("ugyeim/{pk}", "GET"),
        "receipt": ("ugyeim/{pk}/nyugta", "GET"),
        "attachment": ("ugyeim/{pk}/melleklet/1", "GET"),
        "paper": ("ugyeim/{pk}/irat/1/fajl", "GET"),
        "as-clerk": ("ugyintezo/{pk}", "GET"),
    },
    short=True,
)
def test_citizens(target: Target, tries: Tries, way: tuple[str, str]) -> None:
    path, method = way
    owner, other = target.citizen(target.own, 0), target.citizen(target.own, 1)
    number = draft(target, owner)
    url = f"{target.own.origin}/elugy/{path.format(pk=number)}"
    page = owner.get(f"{target.own.origin}/elugy/kitoltes/{number}/mellekletek")
    control(page.status == 200, page)
    fields = hidden(other.get(f"{target.own.origin}/elugy/ugyeim/").text)
    for browser in (other, target.anyone()):
        if method == "GET":
            answer = browser.get(url)
        elif "mellekletek/uj" in path:
            answer = browser.post(url, fields, {"file": ("a.pdf", b"%PDF-1.4 attack", "application/pdf")})
        else:
            answer = browser.post(url, fields)
        tries.holds(answer.status in (302, 403, 404), answer)
        place = answer.header("location")
        tries.holds(answer.status != 302 or "belepes" in place or "mellekletek" in place, answer)
    still = owner.get(f"{target.own.origin}/elugy/kitoltes/{number}/mellekletek")
    tries.holds(still.status == 200 and "a.pdf" not in still.text, f"the owner's draft: {still}")
    owner.post(f"{target.own.origin}/elugy/kitoltes/{number}/torles", hidden(still.text))


@attack("I12", "rights", "the same number of a row at another municipality: none of its rows comes back", short=True)
def test_numbers_at_another(target: Target, tries: Tries) -> None:
    subjects = target.superuser(
        "SELECT json_build_object('id', id, 'subject', subject) FROM irat.document ORDER BY id LIMIT 20;", target.other
    )
    browser = target.clerk(target.own, "irat")
    for row in subjects or [{"id": 1, "subject": ""}]:
        answer = browser.ask(target.own.host, f"/irat/irat/{row['id']}")
        here = target.superuser(f"SELECT to_json(count(*)) FROM irat.document WHERE id = {row['id']};")
        tries.holds(answer.status in (404, 403) or here == [1], f"{row['id']}: {answer}")


@attack("I13", "rights", "an administrator of the framework in other systems' pages")
def test_administrator_elsewhere(target: Target, tries: Tries) -> None:
    for system in target.staff_systems:
        if system == "keret":
            continue
        browser = target.holder(target.own, "proba.admin")
        browser.cookies[target.own.host] = {
            f"asp_{system}": target.sessions(target.own, system, {"": ()}, "proba.admin")[""]
        }
        tries.holds(browser.ask(target.own.host, f"/{system}/").status == 403, f"{system} opens without a role")


@attack("I14", "rights", "rows that are not published, or of clerks, on the public site")
def test_unpublished(target: Target, tries: Tries) -> None:
    if "portal" not in target.systems:
        raise Untried("no portal")
    for path in (
        "/portal/szerkesztes/",
        "/portal/szerkesztes/hir/",
        "/portal/szerkesztes/hir/uj",
        "/portal/szerkesztes/hir/1",
        "/portal/szerkesztes/hir/1/elozmenyek",
        "/elugy/ugyintezo/",
        "/elugy/ugyintezo/statisztika",
    ):
        for browser in (target.anyone(), target.holder(target.own), target.citizen(target.own, 0)):
            answer = browser.ask(target.own.host, path)
            tries.holds(answer.status in (302, 403, 404), f"{path}: {answer}")


@attack("I15", "rights", "a citizen's session as a clerk's, and a clerk's as a citizen's")
def test_citizen_as_clerk(target: Target, tries: Tries) -> None:
    citizen = target.citizen(target.own, 0)
    citizen.certificate = target.certificate(target.own)
    for path in ("/elugy/ugyintezo/", f"/elugy/ugyintezo/{uuid.UUID(int=1)}"):
        tries.holds(citizen.ask(target.own.host, path).status in (302, 403, 404), path)
    clerk = target.clerk(target.own, "elugy")
    for path in ("/elugy/ugyeim/", "/elugy/adoegyenleg"):
        tries.holds(clerk.ask(target.own.host, path).status in (302, 403), path)


@attack("I16", "rights", "a role's name in another spelling in the session or the certificate")
def test_spelling_of_roles(target: Target, tries: Tries) -> None:
    for role in (
        "ADMINISZTRATOR",
        "adminisztrator ",
        " adminisztrator",
        "adminisztrato",
        "*",
        "",
        "keret.adminisztrator",
    ):
        browser = target.holder(target.own, "proba.szerep2")
        browser.cookies[target.own.host] = {
            "asp_keret": target.sessions(target.own, "keret", {"": (role,)}, "proba.szerep2")[""]
        }
        answer = browser.ask(target.own.host, "/keret/felhasznalok/")
        tries.holds(answer.status == 403, f"{role!r}: {answer}")


@attack("I17", "rights", "fields that the form does not offer are taken from what is sent")
def test_more_fields(target: Target, tries: Tries) -> None:
    browser = target.clerk(target.own, "helpdesk", ("bejelento",))
    path = new_ticket(
        target,
        browser,
        number="HB/1/1",
        state="closed",
        username="proba.masik",
        name="Más",
        reported_at="2000-01-01",
        solved_at="2000-01-01",
    )
    number = path.strip("/").split("/")[-1]
    row = target.superuser(
        f"SELECT json_build_object('state', state, 'username', username, 'number', number) "
        f"FROM helpdesk.ticket WHERE id = {number};"
    )[0]
    data = row
    tries.holds(data["state"] == "open" and data["username"] != "proba.masik" and data["number"] != "HB/1/1", data)
