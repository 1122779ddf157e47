"""What an attacker does who has taken over a container: Python run in it, with nothing but what lies there.

App servers have Python, the database driver and their own keys; programs find them as the app server itself does.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from centre.reach.runtime import Runtime, RuntimeFault
from tests.attack.registry import Untried

SECONDS = 60

DATABASE = """
import json, os, sys
import psycopg
from systems import configuration
from systems.shared.credentials import derive

ASP = configuration.read()


def connect(database, user, password=None, host=None, port=None, **options):
    tenant, _, system = user.partition("_")
    return psycopg.connect(
        dbname=database, user=user, password=password or derive(ASP.system_key.encode(), tenant, system or ASP.system),
        host=host or ASP.database_host, port=port or ASP.database_port, sslmode="verify-full",
        sslrootcert=ASP.root_certificate, sslcert="/run/secrets/tls.crt", sslkey="/run/secrets/tls.key",
        connect_timeout=8, autocommit=True, prepare_threshold=None, **options)


def fault(error):
    return {"ok": False, "code": getattr(error, "sqlstate", None) or "", "text": str(error).strip()[:400]}


def try_all(database, user, statements, commit=False, **options):
    results = []
    try:
        connection = connect(database, user, **options)
    except psycopg.Error as error:
        return [fault(error)] * len(statements)
    with connection:
        for sql in statements:
            try:
                if sql.startswith("!"):  # cannot run in a transaction
                    cursor = connection.execute(sql[1:])
                    results.append({"ok": True, "rows": cursor.fetchmany(20) if cursor.description else []})
                    continue
                with connection.transaction(force_rollback=not commit):
                    rows = []
                    for part in sql.split(";;"):
                        cursor = connection.execute(part)
                        rows = cursor.fetchmany(20) if cursor.description else []
                    results.append({"ok": True, "rows": rows})
            except psycopg.Error as error:
                results.append(fault(error))
    return results
"""

NETWORK = """
import json, socket, ssl, urllib.request, urllib.error, sys


def reaches(host, port, seconds=1.5):
    try:
        socket.create_connection((host, port), seconds).close()
        return "open"
    except OSError as error:
        return type(error).__name__ + " " + str(error)


def https(url, method="GET", data=None, headers=None, certificate=True, seconds=6):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    if certificate:
        context.load_cert_chain("/run/secrets/tls.crt", "/run/secrets/tls.key")
    request = urllib.request.Request(url, data.encode() if data else None, headers or {}, method=method)
    try:
        with urllib.request.urlopen(request, timeout=seconds, context=context) as answer:
            return [answer.status, answer.read(4000).decode(errors="replace")]
    except urllib.error.HTTPError as error:
        return [error.code, error.read(4000).decode(errors="replace")]
    except Exception as error:
        return [0, type(error).__name__ + " " + str(error)]
"""


@dataclass(frozen=True)
class Reply:
    """What PostgreSQL said to one statement: rows, or the code and text of the refusal."""

    ok: bool
    rows: list[list[Any]]
    code: str
    text: str

    def __str__(self) -> str:
        return f"allowed, rows {self.rows}" if self.ok else f"{self.code} {self.text}"


class Foothold:
    """An app server that somebody has taken over."""

    def __init__(self, runtime: Runtime, service: str):
        self._runtime, self.service = runtime, service

    def run(self, program: str, seconds: float = SECONDS) -> Any:
        """What a program printed last, as JSON; Untried when it failed."""
        try:
            result = self._runtime.run(self.service, ["python", "-"], stdin=program, timeout=seconds)
        except RuntimeFault as fault:
            raise Untried(f"{self.service}: {fault}") from fault
        if result.code != 0:
            raise Untried(f"{self.service}: program exited with {result.code}: {result.err[-600:]}")
        return json.loads(result.out.strip().splitlines()[-1])

    def sql(
        self, user: str, statements: Sequence[str], database: str | None = None, commit: bool = False, **options: object
    ) -> list[Reply]:
        """Each statement in a transaction of its own, which is rolled back unless `commit`.

        `;;` separates statements of one transaction; a leading `!` runs without a transaction.
        """
        database = database or user.partition("_")[0]
        call = f"try_all({database!r}, {user!r}, {list(statements)!r}, {commit!r}, **{options!r})"
        answers = self.run(f"{DATABASE}\nprint(json.dumps({call}, default=str))")
        return [Reply(a["ok"], a.get("rows", []), a.get("code", ""), a.get("text", "")) for a in answers]
