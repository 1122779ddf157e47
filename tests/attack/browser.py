"""An attacker's browser: cookies per host, any certificate, forms with or without their token."""

from __future__ import annotations

import html
import re
import time
import uuid
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urljoin, urlsplit

from tests.attack import wire
from tests.attack.wire import Answer

BUSY = 429
# Seconds to wait when the edge says that one source asked too much. What it counts is the last minute, with what it
# refused: after the last wait that minute is empty.
PATIENCE = (1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 61.0)
Files = Mapping[str, tuple[str, bytes, str]]  # field → file name, content, type


class Browser:
    """Requests to one environment's edge. `cookies`: host → name → value, open to whoever wants to change them.

    `patient`: asks again later when it is told that it asks too often; what is examined then is another wall than that.
    """

    def __init__(self, port: int, certificate: Path | None = None, agent: str = "attack", patient: bool = True):
        self.port, self.certificate, self._agent, self._patient = port, certificate, agent, patient
        self.cookies: dict[str, dict[str, str]] = {}

    def ask(
        self,
        host: str,
        path: str,
        method: str = "GET",
        headers: Mapping[str, str] | None = None,
        body: bytes = b"",
        seconds: float = wire.SECONDS,
    ) -> Answer:
        """One request on a connection of its own; `headers` replace those that a browser would send."""
        own = {"Host": host if self.port == 443 else f"{host}:{self.port}", "User-Agent": self._agent}
        if jar := self.cookies.get(host):
            own["Cookie"] = "; ".join(f"{name}={value}" for name, value in jar.items())
        if body or method not in ("GET", "HEAD", "OPTIONS"):
            own["Content-Length"] = str(len(body))
        merged = {**own, **(headers or {}), "Connection": (headers or {}).get("Connection", "close")}
        head = f"{method} {path} HTTP/1.1\r\n" + "".join(f"{name}: {value}\r\n" for name, value in merged.items())
        data = head.encode("utf-8", "surrogateescape") + b"\r\n" + body
        answer = wire.send(self.port, host, data, self.certificate, seconds, method)
        for pause in PATIENCE if self._patient else ():
            if answer.status != BUSY:
                break
            time.sleep(pause)
            answer = wire.send(self.port, host, data, self.certificate, seconds, method)
        self._keep(host, answer)
        return answer

    def get(self, url: str, **options: Any) -> Answer:
        """GET by address."""
        parts = urlsplit(url)
        return self.ask(parts.hostname or "", _target(url), **options)

    def follow(self, url: str, hops: int = 12) -> tuple[Answer, str]:
        """The page at which a browser ends up, and its address."""
        answer = self.get(url)
        while answer.status in (301, 302, 303, 307, 308) and hops:
            url, hops = urljoin(url, answer.header("location")), hops - 1
            answer = self.get(url)
        return answer, url

    def post(
        self,
        url: str,
        form: Mapping[str, str] | list[tuple[str, str]],
        files: Files | None = None,
        seconds: float = wire.SECONDS,
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        """A form as a page of the same host would send it, without its hidden fields."""
        parts = urlsplit(url)
        origin = {"Origin": f"{parts.scheme}://{parts.netloc}", "Referer": url}
        if files is None:
            body, kind = urlencode(form).encode(), "application/x-www-form-urlencoded"
        else:
            body, kind = multipart(dict(form), files)
        origin |= {"Content-Type": kind, **(headers or {})}
        return self.ask(parts.hostname or "", _target(url), "POST", origin, body, seconds)

    def fill(
        self, url: str, form: Mapping[str, str], files: Files | None = None, seconds: float = wire.SECONDS
    ) -> Answer:
        """Open the page of a form and send it with its hidden fields."""
        page = self.get(url)
        return self.post(url, {**hidden(page.text), **form}, files, seconds)

    def _keep(self, host: str, answer: Answer) -> None:
        for name, value in answer.headers:
            if name == "set-cookie":
                key, _, rest = value.partition("=")
                self.cookies.setdefault(host, {})[key.strip()] = rest.partition(";")[0].strip('"')


def _target(url: str) -> str:
    parts = urlsplit(url)
    return (parts.path or "/") + (f"?{parts.query}" if parts.query else "")


def hidden(page: str) -> dict[str, str]:
    """Hidden fields of a page's main form: of all forms, the last one wins."""
    fields = {}
    for tag in re.findall(r"<input[^>]*>", page):
        values = dict(re.findall(r'([\w-]+)="([^"]*)"', tag))
        if values.get("type") == "hidden" and "name" in values:
            fields[values["name"]] = html.unescape(values.get("value", ""))
    return fields


def action(page: str) -> str:
    """Where the first form of a page is sent; empty without one."""
    match = re.search(r'<form[^>]*? action="([^"]+)"', page)
    return html.unescape(match[1]) if match else ""


def multipart(form: Mapping[str, str], files: Files) -> tuple[bytes, str]:
    """Body and content type."""
    boundary = uuid.uuid4().hex
    parts = []
    for name, value in form.items():
        parts.append(f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'.encode())
    for name, (file_name, content, kind) in files.items():
        head = f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"; filename="{file_name}"\r\n'
        parts.append(f"{head}Content-Type: {kind}\r\n\r\n".encode("utf-8", "surrogateescape") + content + b"\r\n")
    return b"".join(parts) + f"--{boundary}--\r\n".encode(), f"multipart/form-data; boundary={boundary}"
