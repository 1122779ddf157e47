"""Whatever comes in at any address of any system, signed in with every role: an answer, soon, and never a 500."""

import importlib
import json
import re
import time
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from random import Random
from typing import Any
from urllib.parse import quote, urlencode

import pytest
from django import forms
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import URLPattern, get_resolver

from inventory import paths
from tests.support.polling import PATIENCE
from tests.systems.elugy.support import begin, citizen
from tests.systems.support import CATALOGUE, SYSTEMS, browser, serving

SEED, LONGEST = 20261130, 10  # seconds of one request, on a machine with other things to do
POPULATION = 40  # enough rows that some numbers in addresses are somebody's
INVENTED = ("adattar", "migration", "training")  # systems without synthetic data

TEXTS = (
    "", " ", "0", "1", "-1", "007", "2", "3", "on", "yes", "2026-01-31", "0000-00-00", "9999-12-31", "10000-01-01",
    "2026-02-30", "2026-11-30T23:59", "1e400", "NaN", "-Infinity", "9" * 40, "-" + "9" * 400, "1,5", "1 250", "٣",
    "１２", "%", "_", "\\", "'", '"', "'; DROP TABLE x; --", "<script>alert(1)</script>", "{{ 7 }}", "${x}",
    "../../etc/passwd", "\0", "a\0b", "\r\nSet-Cookie: a=b", "\u202eabc", "\u200b", "\ufeff", "\ufffe", "e\u0301" * 50,
    "👩‍👩‍👧‍👦", "ő" * 3000,
    "x" * 20_000, "8345671233", "12345676-1-05", "t14915", "uj", "None", "null", "[]", "{}", "[" * 500, "true",
)  # fmt: skip
NUMBERS = (0, 1, 2, 3, 7, 40, 2**31 - 1, 2**31, 2**63 - 1, 2**63, 10**30)
SLUGS = ("uj", "altalanos", "hir", "rendelet", "hipa", "1", "-", "_", "a" * 300, "kesz")
UUIDS = ("00000000-0000-0000-0000-000000000000", "ffffffff-ffff-ffff-ffff-ffffffffffff")
TYPES = (
    "application/x-www-form-urlencoded", "application/x-www-form-urlencoded; charset=utf-16", "text/plain", "",
    "application/x-www-form-urlencoded; charset=nonsense", "application/json", "application/xml", "multipart/mixed",
    "multipart/form-data", "multipart/form-data; boundary=", "multipart/form-data; boundary=x; charset=x", "x" * 300,
)  # fmt: skip
BODIES = (
    b"", b"\xff\xfe\xfd", b"a=%ff%fe&b=%C0%80", b"=&=&&&;", b"a" * 5000, b"[" * 5000, b'{"a":' * 500, b"%",
    b"%u0000=%00", b"--x\r\nContent-Disposition: form-data; name=a\r\n\r\n1\r\n--x--\r\n", b"--x\r\n\r\n", b"--x",
    b"a=1&" * 1500, b'--x\r\nContent-Disposition: form-data; name="file"; filename="\xff\x00"\r\n\r\n\x00\r\n--x--\r\n',
)  # fmt: skip
FILES = (
    ("scan.pdf", b"%PDF-1.4"), ("", b"x"), ("a" * 300 + ".pdf", b"%PDF-"), ("\u202efdp.exe", b"MZ"),
    ("x.zip", b"PK\3\4"),
    ("../../x", b"\0" * 100), ("x.csv", b"\xff;\0;\n"),
    ("x.csv", "értéknap;összeg;hivatkozás;befizető;közlemény\n".encode()),
    ("e.zip", b"PK\5\6" + b"\0" * 18),
)  # fmt: skip


@dataclass(frozen=True)
class Address:
    """One URL pattern of a system, as Django writes it: `/ado/adozok/<int:pk>/`."""

    system: str
    route: str

    def path(self, random: Random) -> str:
        def value(match: re.Match[str]) -> str:
            match match[1]:
                case "int":
                    return str(random.choice(NUMBERS))
                case "uuid":
                    return random.choice(UUIDS)
                case "slug":
                    return random.choice(SLUGS)
            return quote(random.choice(TEXTS)[:200].replace("\0", "") or "x", safe="")

        return re.sub(r"<(?:(\w+):)?\w+>", value, self.route)


def addresses() -> list[Address]:
    """Every address of all systems; those that end a session are left out, so that the others are reached."""
    faults = []
    for resolver in get_resolver("tests.systems.urls").url_patterns:
        if isinstance(resolver, URLPattern):
            faults.append(Address("keret", f"/{resolver.pattern}"))
            continue
        system = str(resolver.pattern).strip("/")
        faults += [
            Address(system, f"/{system}/{entry.pattern}") for entry in resolver.url_patterns if entry.name != "sign-out"
        ]
    return faults


@cache
def names(system: str) -> tuple[str, ...]:
    """Names of all fields of a system's forms, and of what its views read by name."""
    pattern = re.compile(r"(?:GET|POST)(?:\.get|\.getlist)?[(\[]\"(\w+)\"")
    fields = {"oldal", "q", "next", "token", "revision", "state", "code", "csrfmiddlewaretoken"}
    for file in (paths.ROOT / "systems" / system).rglob("*.py"):
        if "migrations" not in file.parts:
            fields |= set(pattern.findall(file.read_text(encoding="utf-8")))
    for file in (paths.ROOT / "systems" / system).glob("*forms.py"):
        module = importlib.import_module(f"systems.{system}.{Path(file).stem}")
        for value in vars(module).values():
            if isinstance(value, type) and issubclass(value, forms.BaseForm):
                fields |= set(getattr(value, "base_fields", ()))
    return tuple(sorted(fields))


def fields(random: Random, system: str) -> dict[str, Any]:
    every = names(system)
    return {name: random.choice(TEXTS) for name in random.sample(every, min(len(every), random.randint(0, 12)))}


def send(client: Client, random: Random, address: Address) -> tuple[str, int]:
    """One request and its status."""
    path = address.path(random)
    query = f"?{urlencode(fields(random, address.system), errors='surrogatepass')}" if random.random() < 0.5 else ""
    kind = random.choice(("get", "get", "form", "form", "form", "file", "raw", "json", "method"))
    if kind == "get":
        return f"GET {path}{query}", client.get(f"{path}{query}"[:8000]).status_code
    if kind == "method":
        method = random.choice(("PUT", "DELETE", "HEAD", "OPTIONS", "TRACE", "ABCD"))
        return f"{method} {path}", client.generic(method, path).status_code
    if kind == "form":
        form = fields(random, address.system)
        body = urlencode(form)
        page = client.post(path, body, content_type="application/x-www-form-urlencoded")
        return f"POST {path} {form!r}", page.status_code
    if kind == "file":
        form, (name, content) = fields(random, address.system), random.choice(FILES)
        file = random.choice(("file", "upload", "package"))
        page = client.post(path, {**form, file: SimpleUploadedFile(name or "x", content)})
        return f"POST {path} {form!r} {file}={name!r} {content[:20]!r}", page.status_code
    if kind == "json":
        body, kind = json.dumps({"a": [random.choice(TEXTS)] * 3}).encode(), "application/json"
    else:
        body, kind = random.choice(BODIES), random.choice(TYPES)
    return f"POST {path} {kind} {body[:60]!r}", client.generic("POST", path + query[:2000], body, kind).status_code


def visitors(system: str) -> Iterator[Client]:
    """Who comes to a system: a clerk with all roles; at public ones also anybody, and a citizen with a draft."""
    entry = next(entry for entry in CATALOGUE if entry["id"] == system)
    yield browser(system, *entry["roles"])
    if entry["public"]:
        yield browser(system)
    if system == "elugy":
        client = citizen()
        client.draft = begin(client)
        yield client


@pytest.mark.parametrize("count", [300, pytest.param(2500, marks=pytest.mark.long)])
def test_nothing_that_comes_in_is_a_fault_of_ours(count):
    every, random, faults, statuses = addresses(), Random(SEED), [], {}
    assert len(every) > 200 and {address.system for address in every} == set(SYSTEMS)
    for system in SYSTEMS:
        if system not in INVENTED:
            with serving(system):
                importlib.import_module(f"systems.{system}.synthetic").fill(Random(1), POPULATION)
    clients = {system: list(visitors(system)) for system in SYSTEMS}
    # Every address once, as long as there are requests, then any of them.
    order = random.sample(every, len(every)) + random.choices(every, k=max(0, count - len(every)))
    for number, address in enumerate(order[:count]):
        client, start = random.choice(clients[address.system]), time.monotonic()
        client.raise_request_exception = False
        if hasattr(client, "draft") and address.route.startswith("/elugy/kitoltes/"):
            address = Address("elugy", re.sub("^/elugy/kitoltes/<uuid:pk>", client.draft, address.route))
        request, status = send(client, random, address)
        seconds = time.monotonic() - start
        statuses[status] = statuses.get(status, 0) + 1
        if status >= 500 or seconds > LONGEST * PATIENCE:
            faults.append(f"{number}: {status} after {seconds:.1f} s: {request[:300]}")
    print(dict(sorted(statuses.items())))
    assert faults == []
    assert statuses.get(200, 0) > count / 20, f"most requests must get past the door: {statuses}"
