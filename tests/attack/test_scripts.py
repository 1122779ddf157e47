"""Text that pages, queries, sheets or logs could take for their own: scripts, SQL, formulas, line ends, NUL."""

from __future__ import annotations

import html
import json

import pytest

from tests.attack.browser import hidden
from tests.attack.registry import Tries, attack, control
from tests.attack.target import Target
from tests.attack.test_rights import new_ticket, views

SCRIPTS = {
    "tag": "<script>alert('tamadas')</script>",
    "image": "<img src=x onerror=alert('tamadas')>",
    "attribute": '" onfocus=alert(1) x="',
    "single-quote": "' onfocus=alert(1) x='",
    "svg": "<svg/onload=alert('tamadas')>",
    "closing": "</textarea><script>alert(1)</script>",
    "template": "{{ 7|add:'70' }}{% load static %}",
    "link": "javascript:alert('tamadas')",
    "comment": "--><script>alert(1)</script><!--",
    "entity": "&lt;script&gt;&#60;script&#62;",
    "upper": "<ScRiPt >alert('tamadas')</ScRiPt >",
    "null-tag": "<scr\u0000ipt>alert(1)</script>",
}


@pytest.fixture(scope="module", autouse=True)
def alive(target: Target) -> None:
    page = target.clerk(target.own, "helpdesk").ask(target.own.host, "/helpdesk/uj")
    control(page.status == 200, page)


def raw(text: str, page: str) -> bool:
    """Whether what would run stands in a page as it was sent."""
    dangerous = any(sign in text for sign in "<\"'{")
    return dangerous and text in page.replace(html.escape(text), "").replace(html.escape(text, quote=False), "")


@attack("X01", "scripts", "stored in a ticket, shown to support", SCRIPTS, short=True, alike=True)
def test_stored(target: Target, tries: Tries, way: str) -> None:
    clean = way.replace("\x00", "")
    path = new_ticket(
        target, target.clerk(target.own, "helpdesk", ("bejelento",)), description=clean, error=clean[:300]
    )
    support = target.clerk(target.own, "helpdesk", ("kezelo",))
    for page in (support.ask(target.own.host, path), support.ask(target.own.host, "/helpdesk/")):
        control(page.status == 200, page)
        tries.holds(not raw(clean, page.text) and "770" not in page.text.replace("77", ""), f"{path} shows {clean!r}")


@attack("X02", "scripts", "echoed from an address, a search or a form", SCRIPTS, alike=True)
def test_reflected(target: Target, tries: Tries, way: str) -> None:
    from urllib.parse import quote

    word = quote(way.replace("\x00", ""), safe="")
    for system in target.systems:
        browser = target.clerk(target.own, system)
        for path in (f"/{system}/?q={word}&oldal={word}&allapot={word}", f"/{system}/nincs-{word}"):
            answer = browser.ask(target.own.host, path)
            tries.holds(answer.status < 500 and not raw(way, answer.text), f"{path}: {answer}")
    for path in (f"/portal/rendeletek/?q={word}", f"/keret/naplo/?ki={word}&mit={word}"):
        system = path.split("/")[1]
        answer = target.clerk(target.own, system).ask(target.own.host, path)
        tries.holds(answer.status < 500 and not raw(way, answer.text), f"{path}: {answer}")


@attack("X03", "scripts", "stored on the public site by an editor, shown to everybody")
def test_public_site(target: Target, tries: Tries) -> None:
    editor = target.clerk(target.own, "portal", ("szerkeszto",))
    url = f"{target.own.origin}/portal/szerkesztes/hir/uj"
    page = editor.get(url)
    control(page.status == 200, page)
    text = "<script>alert('tamadas')</script> [x](javascript:alert(1)) <img src=x onerror=alert(1)>"
    fields = {
        **hidden(page.text),
        "title": text,
        "summary": text,
        "text": text,
        "lead": text,
        "body": text,
        "visible_from": "2026-01-01",
        "published": "on",
        "elonezet": "1",
    }
    answer = editor.post(url, fields)
    tries.holds(answer.status in (200, 422), answer)
    tries.holds("<script>alert('tamadas')" not in answer.text and 'href="javascript:' not in answer.text, answer)
    tries.holds("<img src=x" not in answer.text, answer)


SQL = {
    "quote": "'",
    "or-true": "' OR '1'='1",
    "union": "' UNION SELECT NULL,version()--",
    "sleep": "'; SELECT pg_sleep(5)--",
    "stacked": "1; DROP TABLE django_session",
    "comment": "/**/",
    "cast": "1::int",
    "json-path": "$.*",
    "like": "%%%_%%",
    "backslash": "\\'; --",
    "dollar": "$$;SELECT pg_sleep(5);$$",
    "unicode": "\u02bc OR 1=1",
    "order": "id; --",
    "lookup": "x__contains",
    "format": "%(x)s %s {0}",
}


@attack("X10", "scripts", "SQL in a search, a filter, a page number", SQL, short=True, alike=True)
def test_sql(target: Target, tries: Tries, way: str) -> None:
    from urllib.parse import quote

    word = quote(way, safe="")
    for system in target.systems:
        browser = target.clerk(target.own, system)
        lists = [
            view["path"] for view in views(target, system) if view["path"].endswith("/") and "1" not in view["path"]
        ][:4]
        for path in lists:
            for name in ("q", "oldal"):
                answer = browser.ask(target.own.host, f"{path}?{name}={word}")
                tries.holds(
                    answer.status < 500 and answer.seconds < 4, f"{path}?{name}=: {answer.seconds:.1f} s {answer}"
                )
                tries.holds("PostgreSQL " not in answer.text, f"{path}: shows the version")


@attack("X11", "scripts", "SQL in cookies and headers")
def test_sql_in_headers(target: Target, tries: Tries) -> None:
    for system in target.systems:
        for headers in (
            {"Cookie": f"asp_{system}='; SELECT pg_sleep(5)--"},
            {"User-Agent": "' OR 1=1"},
            {"Accept-Language": "'; SELECT pg_sleep(5)--"},
            {"Referer": "'"},
        ):
            answer = target.holder(target.own).ask(target.own.host, f"/{system}/", headers=headers)
            tries.holds(answer.status < 500 and answer.seconds < 4, f"{system} {headers}: {answer}")


@attack(
    "X12",
    "scripts",
    "NUL in a query",
    {one: one for one in ("portal", "ado", "gazd", "hagyatek", "iparker", "ivk", "keret", "irat", "helpdesk", "elugy")},
    short=True,
    alike=True,
)
def test_nul(target: Target, tries: Tries, way: str) -> None:
    control(way in target.systems, f"no {way}")
    browser = target.clerk(target.own, way)
    for view in views(target, way):
        if "<" in view["path"] or view["name"] in ("sign-in-complete",):
            continue
        answer = browser.ask(
            target.own.host, f"{view['path']}?q=%00&ki=%00&mit=%00&rendszer=%00&kit=x%00&oldal=%00&allapot=%00"
        )
        tries.holds(answer.status < 500 and answer.status, f"{view['path']}: {answer}")


@attack("X13", "scripts", "NUL, lone surrogates and broken UTF-8 in a form")
def test_broken_text(target: Target, tries: Tries) -> None:
    browser = target.clerk(target.own, "helpdesk", ("bejelento",))
    url = f"{target.own.origin}/helpdesk/uj"
    fields = hidden(browser.get(url).text)
    token = fields.get("csrfmiddlewaretoken", "")
    for value in (b"%00", b"%ED%A0%80", b"%FF%FE", b"%C0%AF", b"%F0%9F%98%80", b"%E2%80%AE", b"1" * 100000):
        body = (
            b"csrfmiddlewaretoken="
            + token.encode()
            + b"&description="
            + value
            + b"&contact="
            + value
            + b"&happened_at="
            + value
        )
        headers = {"Content-Type": "application/x-www-form-urlencoded", "Origin": target.own.origin, "Referer": url}
        answer = browser.ask(target.own.host, "/helpdesk/uj", "POST", headers, body)
        tries.holds(answer.status in (400, 413, 422), f"{value[:12]!r}: {answer}")


@attack("X14", "scripts", "a page number or date far out of range")
def test_ranges(target: Target, tries: Tries) -> None:
    for system in target.systems:
        browser = target.clerk(target.own, system)
        for word in ("0", "-1", "9" * 400, "1e9", "NaN", "٣", "0x10", "9999-99-99", "0000-00-00", "10000-01-01"):
            answer = browser.ask(target.own.host, f"/{system}/?oldal={word}&ev={word}&nap={word}&tol={word}&ig={word}")
            tries.holds(answer.status < 500, f"{system} {word[:12]}: {answer}")


@attack("X15", "scripts", "formulas in a sheet", short=True)
def test_formulas(target: Target, tries: Tries) -> None:
    program = (
        "import io, json, re, zipfile\nimport systems.wsgi\nfrom systems.core import sheets\n"
        "texts = ['=1+1', '+1', '-1+1', '@SUM(1)', '=cmd|x!A1', '\\t=1', '{=1}', "
        "'http://evil.test', \"=HYPERLINK('x')\"]\n"
        "answer = sheets.sheet('x', ['a'], [[text] for text in texts])\n"
        "with zipfile.ZipFile(io.BytesIO(answer.content)) as book:\n"
        "    page = book.read('xl/worksheets/sheet1.xml').decode()\n"
        "print(json.dumps([len(texts), page.count('<f>') + page.count('<f '), "
        "page.count('hyperlink'), page.count('t=\"s\"')]))"
    )
    for system in ("gazd", "irat", "iparker"):
        count, formulas, links, strings = target.foothold(system).run(program)
        tries.holds(not formulas and not links and strings >= count, f"{system}: {formulas} formulas, {links} links")


@attack("X16", "scripts", "lines of an attacker's own in a log", short=True)
def test_logs(target: Target, tries: Tries) -> None:
    token = target.token()
    system = target.public_systems[0]
    for path, headers in (
        (f"/{system}/%0a{{%22level%22:%22{token}%22}}", {}),
        (f"/{system}/", {"Origin": f"https://x/\t{token}"}),
        (f"/{system}/", {"User-Agent": f"x{token}"}),
        (f"/{system}/?q={token}", {}),
    ):
        target.anyone().ask(target.own.host, path, "POST", headers)
        target.anyone().ask(target.own.host, path, headers=headers)
    lines = target.runtime.container(target.service(system)).logs(tail=200).decode(errors="replace").splitlines()
    for line in lines:
        try:
            json.loads(line)
        except ValueError:
            tries.holds(False, f"no line of JSON: {line[:200]}")
    own = [line for line in lines if line.strip().startswith('{"level":"' + token)]
    tries.holds(lines and not own, own)
    tries.holds(not [line for line in lines if f"q={token}" in line], "a search word in the log")
