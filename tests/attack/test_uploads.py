"""Files that are not what they seem: too large, packed too well, with names or contents that do harm."""

from __future__ import annotations

import hashlib
import io
import json
import struct
import warnings
import zipfile
from collections.abc import Callable

import pytest

from tests.attack.browser import hidden
from tests.attack.registry import Tries, Untried, attack, control
from tests.attack.target import Target
from tests.attack.test_rights import TICKET, draft, remove_tickets
from tests.attack.wire import Answer

MEBI = 2**20


@pytest.fixture(scope="module", autouse=True)
def alive(target: Target) -> None:
    for system, path in (("irat", "/irat/erkeztetes/krx"), ("migration", "/migration/uj")):
        if system in target.systems:
            page = target.clerk(target.own, system).ask(target.own.host, path)
            control(page.status == 200, f"{system}: {page}")


def packed(entries: dict[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", method) as archive:
        for name, content in entries.items():
            archive.writestr(name, content)
    return buffer.getvalue()


def krx(target: Target, content: bytes, name: str = "a.krx", seconds: float = 20) -> Answer:
    """A package booked at the records system."""
    browser = target.clerk(target.own, "irat", ("iktato",))
    url = f"{target.own.origin}/irat/erkeztetes/krx"
    return browser.fill(url, {}, {"package": (name, content, "application/zip")}, seconds)


def migration(target: Target, content: bytes, name: str = "a.zip", seconds: float = 20) -> Answer:
    """A package of earlier data."""
    browser = target.clerk(target.own, "migration", ("ugyintezo",))
    url = f"{target.own.origin}/migration/uj"
    return browser.fill(url, {}, {"package": (name, content, "application/zip")}, seconds)


def manifest(target: Target, files: object, **changes: object) -> bytes:
    content = {"format": "asp-migracio/1", "municipality": target.own.ksh, "files": files, "balances": {}, **changes}
    return json.dumps(content).encode()


def package(target: Target, path: str, content: bytes, rows: int = 1, **changes: object) -> bytes:
    """A package with one file that its manifest describes rightly."""
    details = {"sha256": hashlib.sha256(content).hexdigest(), "rows": rows}
    return packed({"manifest.json": manifest(target, {path: details}, **changes), path: content})


def refuses(tries: Tries, answer: Answer) -> None:
    """Refused with a word: no fault of ours, no connection cut off, nothing taken."""
    tries.holds(answer.status in (400, 403, 413, 422), answer)


ENVELOPES = {
    "external-entity": b'<?xml version="1.0"?><!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><boritek>&x;</boritek>',
    "external-parameter": b'<!DOCTYPE a [<!ENTITY % x SYSTEM "http://127.0.0.1:1/x"> %x;]><boritek/>',
    "billion-laughs": b"<!DOCTYPE a ["
    + b"".join(b'<!ENTITY l%d "%s">' % (n, (b"&l%d;" % (n - 1)) * 10 if n else b"lol") for n in range(10))
    + b"]><boritek>&l9;</boritek>",
    "external-dtd": b'<!DOCTYPE boritek SYSTEM "http://127.0.0.1:1/x.dtd"><boritek/>',
    "include": b'<boritek xmlns:xi="http://www.w3.org/2001/XInclude">'
    b'<xi:include href="/etc/passwd" parse="text"/></boritek>',
    "deep": b"<a>" * 50000 + b"</a>" * 50000,
    "utf-7": b'<?xml version="1.0" encoding="utf-7"?>+ADw-boritek/+AD4-',
    "not-xml": b"\x00\xff" * 100,
}


@attack("U01", "uploads", "the envelope of a package", ENVELOPES, short=True)
def test_envelope(target: Target, tries: Tries, way: bytes) -> None:
    answer = krx(target, packed({"boritek.xml": way}))
    refuses(tries, answer)
    tries.holds("root:" not in answer.text, "shows /etc/passwd")


def _lying(content: bytes) -> bytes:
    """The same archive whose directory says that every entry is one byte long."""
    data = bytearray(content)
    place = data.find(b"PK\x01\x02")
    while place >= 0:
        data[place + 24 : place + 28] = struct.pack("<L", 1)
        place = data.find(b"PK\x01\x02", place + 4)
    return bytes(data)


def _same_name() -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for _ in range(2):
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # of the library: two files of one name
                archive.writestr("boritek.xml", b"<boritek/>")
    return buffer.getvalue()


def _link() -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        entry = zipfile.ZipInfo("boritek.xml")
        entry.create_system, entry.external_attr = 3, 0o120777 << 16
        archive.writestr(entry, "/etc/passwd")
    return buffer.getvalue()


def _encrypted(content: bytes) -> bytes:
    data = bytearray(content)
    for mark, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        place = data.find(mark)
        data[place + offset] |= 1
    return bytes(data)


BOMB = b"\x00" * (80 * MEBI)
ARCHIVES: dict[str, Callable[[], bytes]] = {
    "bomb": lambda: packed({"boritek.xml": BOMB}),
    "lying-sizes": lambda: _lying(packed({"boritek.xml": BOMB})),
    "lying-sizes-bzip2": lambda: _lying(packed({"boritek.xml": BOMB}, zipfile.ZIP_BZIP2)),
    "many-entries": lambda: packed({f"{n}": b"" for n in range(70000)}, zipfile.ZIP_STORED),
    "nested": lambda: packed({"boritek.xml": packed({"boritek.xml": packed({"x": BOMB[:MEBI]})})}),
    "traversal": lambda: packed({"../../../tmp/attack": b"x", "boritek.xml": b"<boritek/>"}),
    "absolute": lambda: packed({"/tmp/attack": b"x", "boritek.xml": b"<boritek/>"}),
    "link": _link,
    "same-name-twice": _same_name,
    "encrypted": lambda: _encrypted(packed({"boritek.xml": b"<boritek/>"})),
    "cut-off": lambda: packed({"boritek.xml": b"<boritek/>"})[:-10],
    "name-with-nul": lambda: packed({"boritek.xml": b"<boritek/>"}).replace(b"boritek.xml", b"boritek.\x00ml"),
    "strange-method": lambda: packed({"boritek.xml": b"<boritek/>"}, zipfile.ZIP_LZMA),
    "empty": lambda: b"",
    "not-zip": lambda: b"%PDF-1.4",
    "only-directory": lambda: b"PK\x05\x06" + b"\x00" * 18,
}


@attack("U02", "uploads", "an archive at the records system and at migration", ARCHIVES, short=True)
def test_archive(target: Target, tries: Tries, way) -> None:
    content = way()
    refuses(tries, krx(target, content))
    refuses(tries, migration(target, content.replace(b"boritek.xml", b"manifest.js")))
    for system in ("irat", "migration"):
        alive = target.clerk(target.own, system).ask(target.own.host, f"/{system}/")
        tries.holds(alive.status == 200, f"{system} afterwards: {alive}")


KERET = "keret/felhasznalok.csv"
CSV = b"felhasznalonev;nev\r\nproba.x;Pr\xc3\xb3ba\r\n"
PACKAGES: dict[str, Callable[[Target], bytes]] = {
    "details-are-text": lambda t: packed({"manifest.json": manifest(t, {KERET: "x"}), KERET: CSV}),
    "details-are-list": lambda t: packed({"manifest.json": manifest(t, {KERET: [1]}), KERET: CSV}),
    "balances-are-list": lambda t: package(t, KERET, CSV, balances={"keret": [1]}),
    "balances-are-text": lambda t: package(t, KERET, CSV, balances="x"),
    "nul-in-a-cell": lambda t: package(t, KERET, CSV.replace(b"proba.x", b"pro\x00ba")),
    "surrogate": lambda t: package(t, KERET, CSV.replace(b"proba.x", b"\xed\xa0\x80")),
    "other-municipality": lambda t: package(t, KERET, CSV, municipality=t.other.ksh),
    "unknown-system": lambda t: package(t, "../keret/felhasznalok.csv", CSV),
    "unknown-file": lambda t: package(t, "keret/../irat/x.csv", CSV),
    "wrong-sum": lambda t: packed({"manifest.json": manifest(t, {KERET: {"sha256": "x", "rows": 1}}), KERET: CSV}),
    "huge-number": lambda t: package(t, KERET, CSV, rows=10**30),
    "files-are-number": lambda t: packed({"manifest.json": manifest(t, 1), KERET: CSV}),
    "deep-manifest": lambda t: packed({"manifest.json": b"[" * 100000 + b"]" * 100000}),
    "nan": lambda t: package(t, KERET, CSV, balances={"keret": {"x": float("nan")}}),
    "manifest-is-list": lambda t: packed({"manifest.json": b"[]"}),
}


@attack("U03", "uploads", "a package of earlier data with", PACKAGES, short=True)
def test_package(target: Target, tries: Tries, way) -> None:
    answer = migration(target, way(target))
    tries.holds(answer.status in (302, 400, 422), answer)
    if answer.status == 302:
        number = answer.header("location").strip("/").split("/")[-1]
        target.later(
            lambda: target.script(
                f"BEGIN;SET LOCAL session_replication_role = replica;"
                f"DELETE FROM migration.part WHERE package_id = {number};"
                f"DELETE FROM migration.package WHERE id = {number};COMMIT;"
            )
        )


@attack(
    "U04",
    "uploads",
    "larger than allowed, with an answer in words in place of a cut connection",
    {
        "ticket": ("helpdesk", "/helpdesk/uj", "upload", ("bejelento",)),
        "krx": ("irat", "/irat/erkeztetes/krx", "package", ("iktato",)),
        "migration": ("migration", "/migration/uj", "package", ("ugyintezo",)),
    },
)
def test_too_large(target: Target, tries: Tries, way: tuple[str, str, str, tuple[str, ...]]) -> None:
    system, path, name, roles = way
    browser = target.clerk(target.own, system, roles)
    url = f"{target.own.origin}{path}"
    answer = browser.fill(
        url, TICKET if system == "helpdesk" else {}, {name: ("a.zip", b"\x00" * (90 * MEBI), "application/zip")}, 30
    )
    refuses(tries, answer)
    alive = target.clerk(target.own, system).ask(target.own.host, f"/{system}/")
    tries.holds(alive.status == 200, f"afterwards: {alive}")


@attack("U05", "uploads", "the largest package that the format allows is refused by the way there")
def test_large_package_goes_in(target: Target, tries: Tries) -> None:
    """Not an attack on data but the other side of the limit: 17 MB are within what is promised."""
    noise = hashlib.shake_128(b"attack").digest(17 * MEBI)
    content = packed({"manifest.json": manifest(target, {}), "keret/x.csv": noise}, zipfile.ZIP_STORED)
    answer = migration(target, content, seconds=40)
    tries.holds(answer.status == 422 and "jegyzék" in answer.text, answer)


NAMES = {
    "traversal": "../../../tmp/attack.txt",
    "absolute": "/etc/attack",
    "line-end": "a%0d%0aX-Attack: 1.txt",
    "quote": 'a".html',
    "script": "<script>alert(1)</script>.txt",
    "nul": "a\x00.txt",
    "right-to-left": "a\u202etxt.exe",
    "long": "a" * 5000,
    "windows": "C:\\Windows\\attack.txt",
    "empty": "",
    "html": "oldal.html",
    "svg": "kep.svg",
    "surrogate": "\udcff.txt",
}


@attack("U06", "uploads", "the name of an attached file", NAMES)
def test_file_name(target: Target, tries: Tries, way: str) -> None:
    browser = target.clerk(target.own, "helpdesk", ("bejelento",))
    url = f"{target.own.origin}/helpdesk/uj"
    content = b"<script>alert(1)</script>"
    answer = browser.post(url, {**hidden(browser.get(url).text), **TICKET}, {"upload": (way, content, "text/html")})
    target.later(lambda: remove_tickets(target))
    tries.holds(answer.status in (302, 400, 422), answer)
    if answer.status != 302:
        return
    path = answer.header("location")
    page = browser.ask(target.own.host, path)
    tries.holds(page.status == 200 and "<script>alert(1)</script>" not in page.text, page)
    file = browser.ask(target.own.host, f"{path}fajl")
    if file.status == 404:  # a name that cannot be kept: the file was not taken either
        return
    tries.holds(file.header("content-disposition").startswith("attachment"), file.headers)
    tries.holds(file.header("x-content-type-options") == "nosniff", file.headers)
    tries.holds("text/html" not in file.header("content-type") and not file.header("x-attack"), file.headers)


CONTENTS = {
    "html-as-pdf": b"%PDF-1.4\n<script>alert(1)</script>",
    "svg": b'<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"/>',
    "program": b"MZ" + b"\x00" * 64,
    "html": b"<html><script>alert(1)</script>",
    "gif-script": b"GIF89a/*<script>alert(1)//*/",
    "zip-as-pdf": b"PK\x03\x04%PDF-1.4",
    "empty": b"",
    "script-as-png": b"\x89PNG\r\n\x1a\n<script>alert(1)</script>",
}


@attack("U07", "uploads", "a citizen's attachment that is", CONTENTS)
def test_attachment(target: Target, tries: Tries, way: bytes) -> None:
    browser = target.citizen(target.own, 0)
    number = draft(target, browser)
    base = f"{target.own.origin}/elugy/kitoltes/{number}"
    page = browser.get(f"{base}/mellekletek")
    answer = browser.post(f"{base}/mellekletek/uj", hidden(page.text), {"file": ("a.pdf", way, "application/pdf")})
    genuine = way.startswith((b"%PDF-", b"\x89PNG\r\n\x1a\n"))
    tries.holds(answer.status == 302 if genuine else answer.status == 422, answer)
    tries.holds("<script>alert(1)" not in browser.get(f"{base}/mellekletek").text, "shows the content")
    browser.post(f"{base}/torles", hidden(browser.get(f"{base}/mellekletek").text))


@attack("U08", "uploads", "a citizen's attachment larger than promised, or with a length that lies")
def test_attachment_size(target: Target, tries: Tries) -> None:
    browser = target.citizen(target.own, 0)
    number = draft(target, browser)
    base = f"{target.own.origin}/elugy/kitoltes/{number}"
    fields = hidden(browser.get(f"{base}/mellekletek").text)
    for size in (4 * MEBI, 20 * MEBI):
        answer = browser.post(
            f"{base}/mellekletek/uj", fields, {"file": ("a.pdf", b"%PDF-" + b"x" * size, "application/pdf")}, 20
        )
        tries.holds(answer.status in (302, 413, 422), answer)
        tries.holds("a.pdf" not in browser.get(f"{base}/mellekletek").text, f"{size} bytes were taken")
    browser.post(f"{base}/torles", hidden(browser.get(f"{base}/mellekletek").text))
    if not target.register.environment.citizens:
        raise Untried("no citizens")
