"""Somebody at a browser: opens pages, fills in forms and sends them, with time to think, and notes every answer."""

from __future__ import annotations

import hashlib
import http.client
import random
import re
import threading
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from urllib.parse import quote, urlencode, urljoin, urlsplit

from inventory.models import Municipality
from tests.soak.journal import Answer, Journal, Write
from tests.soak.page import Page, Values
from tests.support.edge_client import FORM, EdgeClient, Reply

THINK = 1.0, 3.0  # seconds before each page: people read; ten of them ask for some four pages a second
CHANGING = re.compile(r"[0-9a-f]{8}-[0-9a-f-]{27}|\d+")  # of an address, from one page to the next


class Interrupted(Exception):
    """The answer was none that anybody could go on with; it is in the journal."""


@dataclass
class Desk:
    """Papers that one clerk of a municipality leaves for a colleague."""

    papers: list[tuple[str, str, str]] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def put(self, what: str, by: str, path: str) -> None:
        with self._lock:
            self.papers.append((what, by, path))

    def take(self, what: str, who: str) -> str | None:
        """The oldest paper of a kind that somebody else left."""
        with self._lock:
            for paper in self.papers:
                if paper[0] == what and paper[1] != who:
                    self.papers.remove(paper)
                    return paper[2]
        return None


@dataclass
class Visitor:
    client: EdgeClient
    municipality: Municipality
    journal: Journal
    who: str
    chance: random.Random
    over: threading.Event
    desk: Desk = field(default_factory=Desk)

    def open(self, path: str) -> Page:
        """The page at an address of the municipality, whatever sign-in lies on the way; Interrupted without it."""
        return self._open(urljoin(self.municipality.origin, path), think=True)

    def follow(self, page: Page, text: str) -> Page:
        """The page behind a link whose text begins so."""
        return self._open(urljoin(page.url, page.link(text)), think=True)

    def press(
        self,
        page: Page,
        button: str,
        values: Values | None = None,
        kind: str = "",
        key: str = "",
        file: tuple[str, str, bytes] | None = None,
    ) -> Page:
        """Send the form with this button; the page to which it leads.

        `kind`: of what is written (`written.KINDS`), `key`: by which it is found again, else the form's own token.
        `file`: field, name, content.
        """
        form = page.form(button)
        rows = form.filled(values or {}, button)
        url = urljoin(page.url, form.action) if form.action else page.url
        key = key or (form.value("token") if kind else "")
        at, finished = time.time(), False
        try:
            landing = self._send(url, rows, file)
            finished = True
            return landing
        finally:
            if kind:
                self.journal.write(Write(at, self.municipality.ksh, kind, key, finished))

    def word(self, name: str) -> str:
        """A text that nothing else has, for subjects and references."""
        return f"{name} {self.chance.randrange(10**9):09d}"

    def paper(self) -> tuple[str, bytes, str]:
        """A scan that nothing else is like: name, content, SHA-256."""
        content = f"%PDF-1.4\n{self.chance.randrange(10**12)}\n{'beolvasott lap ' * 400}\n%%EOF\n".encode()
        return f"szken-{self.chance.randrange(10**6)}.pdf", content, hashlib.sha256(content).hexdigest()

    def _send(self, url: str, rows: list[tuple[str, str]], file: tuple[str, str, bytes] | None) -> Page:
        self.think()
        body, content_type = _body(rows, file)
        parts = urlsplit(url)
        headers = {"Origin": f"{parts.scheme}://{parts.netloc}", "Referer": url, "Content-Type": content_type}
        path = parts.path + (f"?{parts.query}" if parts.query else "")
        what = f"POST {CHANGING.sub('#', parts.path)}"
        reply = self.ask(what, url, lambda: self.client.request(parts.hostname or "", path, "POST", headers, body))
        if reply.status not in (302, 303):
            self._note(what, url, reply.status, f"{reply.status} {Page.read(url, reply.body).error[:200]}".strip())
            raise Interrupted(what)
        self._note(what, url, reply.status)
        landing = self._open(urljoin(url, reply.headers["location"]), think=False)
        if landing.error:
            self._note(what, url, 200, f"refused: {landing.error[:200]}")
            raise Interrupted(what)
        return landing

    def _open(self, url: str, think: bool) -> Page:
        if think:
            self.think()
        what = f"GET {CHANGING.sub('#', urlsplit(url).path)}"
        reply = self.ask(what, url, lambda: self.client.follow(url))
        host = urlsplit(reply.url).hostname
        if reply.status == 400 and host == self.client.register.environment.identity_host:
            # Keycloak lets a user sign in once at a time, so that nobody tries passwords side by side. Whoever opens
            # two systems at the same moment must load the second one again.
            self.journal.tried_again()
            self.think()
            reply = self.ask(what, url, lambda: self.client.follow(url))
            host = urlsplit(reply.url).hostname
        if reply.status != 200 or host != self.municipality.host:
            elsewhere = "" if host == self.municipality.host else f" at {host}"
            self._note(what, url, reply.status, f"{reply.status}{elsewhere}")
            raise Interrupted(what)
        self._note(what, url, reply.status)
        text = "text/html" in reply.headers.get("content-type", "")
        return Page.read(reply.url, reply.body) if text else Page(reply.url, reply.body)

    def ask(self, what: str, url: str, ask: Callable[[], Reply]) -> Reply:
        """An answer; one that does not come is noted, and Interrupted ends the task."""
        self._at = time.time()
        try:
            return ask()
        except (OSError, http.client.HTTPException, AssertionError) as error:
            self._note(what, url, 0, f"no answer: {type(error).__name__}: {str(error)[:120]}")
            raise Interrupted(what) from error

    def _note(self, what: str, url: str, status: int, fault: str = "") -> None:
        system = urlsplit(url).path.split("/")[1]
        seconds = time.time() - self._at
        self.journal.answer(Answer(self._at, seconds, self.who, system, what, status, fault))

    def think(self) -> None:
        """Some seconds pass; Interrupted when the day is over meanwhile."""
        if self.over.wait(self.chance.uniform(*THINK)):
            raise Interrupted("the day is over")


def _body(rows: list[tuple[str, str]], file: tuple[str, str, bytes] | None) -> tuple[str | bytes, str]:
    """A form's body and its type; with a file in parts."""
    if file is None:
        return urlencode(rows), FORM
    field_name, name, content = file
    boundary = uuid.uuid4().hex
    parts = [f'--{boundary}\r\nContent-Disposition: form-data; name="{key}"\r\n\r\n{value}\r\n' for key, value in rows]
    disposition = f'form-data; name="{field_name}"; filename="{quote(name)}"'
    head = f"--{boundary}\r\nContent-Disposition: {disposition}\r\nContent-Type: application/octet-stream\r\n\r\n"
    body = "".join([*parts, head]).encode() + content + f"\r\n--{boundary}--\r\n".encode()
    return body, f"multipart/form-data; boundary={boundary}"
