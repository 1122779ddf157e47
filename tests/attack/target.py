"""The environment under attack: whom and what its register names, with clients for each part that an attacker plays."""

from __future__ import annotations

import json
import secrets as random
from collections.abc import Callable, Iterable, Mapping
from functools import cached_property
from pathlib import Path
from typing import Any

from centre.reach.psql import CellSql
from centre.reach.runtime import Runtime
from inventory.models import Municipality
from inventory.names import CellNames
from inventory.register import Register
from inventory.vault import vault
from inventory.vault.certificates import Pair
from tests.attack import people
from tests.attack.browser import Browser
from tests.attack.foothold import Foothold, Reply
from tests.attack.people import Wish
from tests.attack.registry import Untried

CLERK = "proba.tamado"  # of no office: what attacks write is theirs and can be removed

SESSIONS = """
import json, time
import systems.wsgi
from django.contrib.sessions.backends.db import SessionStore
from systems import tenancy
from systems.core.clerk import KEY, LONGEST
now, keys = time.time(), {}
with tenancy.serving(tenancy.Tenant(%(ksh)r, None)):
    for name, roles in %(roles)r.items():
        store = SessionStore()
        store[KEY] = {"username": %(username)r, "name": "Próba Támadó", "roles": roles, "id_token": "",
                      "since": now, "until": int(now) + LONGEST}
        store.create()
        store.save()
        keys[name] = store.session_key
print(json.dumps(keys))
"""
CITIZEN = """
import json, time
import systems.wsgi
from django.contrib.sessions.backends.db import SessionStore
from systems import tenancy
from systems.elugy.citizen import KEY, LONGEST
with tenancy.serving(tenancy.Tenant(%(ksh)r, None)):
    store = SessionStore()
    store[KEY] = {"identifier": %(identifier)r, "name": "Próba Polgár", "email": "", "id_token": "",
                  "until": int(time.time()) + LONGEST}
    store.create()
    store.save()
    print(json.dumps(store.session_key))
"""


class Target:
    """One environment. `own`: the municipality that the attacker belongs to, `other`: the one that they are after."""

    def __init__(self, register: Register, runtime: Runtime, folder: Path):
        self.register, self.runtime, self.folder = register, runtime, folder
        self.secrets = vault.load(register)
        self.port = register.environment.ports.https
        joined = register.joined()
        # What attacks write goes where invented data may be: into a sandbox, if there is one.
        self.own = max(joined, key=lambda m: (m.training, len(register.systems_of(m))))
        strangers = [m for m in joined if m.office != self.own.office and m.cell == self.own.cell]
        if not strangers:
            raise Untried(f"environment {register.environment.id}: needs municipalities of two offices in one cell")
        self.other = max(strangers, key=lambda m: len(register.systems_of(m)))
        self.cell: CellNames = register.cell(self.own.cell)
        self._sessions: dict[tuple[str, str, str, tuple[str, ...]], str] = {}
        self._cleanup: list[Callable[[], object]] = []

    # People

    @cached_property
    def issuer(self) -> Pair:
        """The authority of clerks' certificates: no attacker has its key, so it signs what step-ca would."""
        return self.secrets.pki_ca

    def subject(self, municipality: Municipality, username: str = CLERK) -> list[tuple[str, str]]:
        return [("CN", username), ("OU", municipality.tenant), ("O", municipality.name)]

    def certificate(self, municipality: Municipality, username: str = CLERK) -> Path:
        """A genuine certificate of a clerk of a municipality."""
        path = self.folder / f"{username}-{municipality.ksh}.pem"
        if not path.exists():
            people.file(people.issue(Wish(self.subject(municipality, username)), self.issuer), self.folder, path.stem)
        return path

    def real_clerk(self, municipality: Municipality) -> str:
        """Username of a clerk whom the identity provider knows."""
        return self.register.office_of(municipality).clerks[0].username

    def anyone(self, patient: bool = True) -> Browser:
        """Somebody on the internet."""
        return Browser(self.port, patient=patient)

    def holder(self, municipality: Municipality, username: str = CLERK) -> Browser:
        """Somebody with a municipality's certificate who has not signed in."""
        return Browser(self.port, self.certificate(municipality, username))

    def clerk(
        self, municipality: Municipality, system: str, roles: Iterable[str] = (), username: str = CLERK
    ) -> Browser:
        """A clerk at work in one system with these roles of it (all of them by default)."""
        names = tuple(sorted(roles)) or tuple(self.register.systems[system].roles)
        browser = self.holder(municipality, username)
        browser.cookies[municipality.host] = {
            f"asp_{system}": self.sessions(municipality, system, {"": names}, username)[""]
        }
        return browser

    def sessions(
        self, municipality: Municipality, system: str, roles: Mapping[str, Iterable[str]], username: str = CLERK
    ) -> dict[str, str]:
        """Session keys of a clerk in one system, by name, each with these roles: sign-in has attacks of its own."""
        keys, missing = {}, {}
        for name, some in roles.items():
            session = self._sessions.get((municipality.ksh, system, username, tuple(some)))
            if session:
                keys[name] = session
            else:
                missing[name] = [f"{system}.{role}" for role in some]
        if missing:
            program = SESSIONS % {"ksh": municipality.ksh, "roles": missing, "username": username}
            fresh = self.foothold(system).run(program)
            for name, key in fresh.items():
                self._sessions[(municipality.ksh, system, username, tuple(roles[name]))] = key
            keys |= fresh
        return keys

    def citizen(self, municipality: Municipality, number: int = 0) -> Browser:
        """A citizen of the register who is signed in to the e-administration."""
        citizens = self.register.environment.citizens
        if len(citizens) <= number:
            raise Untried(f"environment {self.register.environment.id}: has {len(citizens)} citizens")
        identifier = citizens[number].identifier
        session = (municipality.ksh, "elugy", identifier, ())
        if session not in self._sessions:
            program = CITIZEN % {"ksh": municipality.ksh, "identifier": identifier}
            self._sessions[session] = self.foothold("elugy").run(program)
        browser = self.anyone()
        browser.cookies[municipality.host] = {"asp_elugy": self._sessions[session]}
        return browser

    # Places

    def service(self, system: str) -> str:
        """App server of a system in the attacked cell."""
        return self.cell.app(system)

    def foothold(self, system: str) -> Foothold:
        """The app server of a system, taken over."""
        return Foothold(self.runtime, self.service(system))

    @property
    def systems(self) -> list[str]:
        """Systems that the attacked municipality has."""
        return [system for system in self.register.systems_of(self.own)]

    @property
    def staff_systems(self) -> list[str]:
        return [system for system in self.systems if not self.register.systems[system].public]

    @property
    def public_systems(self) -> list[str]:
        return [system for system in self.systems if self.register.systems[system].public]

    @property
    def identity(self) -> str:
        """Base of the identity provider's addresses as browsers see them."""
        return self.register.environment.origin(self.register.environment.identity_host)

    def sql(self, system: str, statement: str, **options: object) -> Reply:
        """What one statement comes to that a system's login gives in its own municipality's database."""
        return self.foothold(system).sql(self.own.role(system), [statement], **options)[0]

    def superuser(self, sql: str, municipality: Municipality | None = None) -> list[Any]:
        """Rows (JSON values) as the operator reads them: what an attack has really changed."""
        database = (municipality or self.own).tenant
        return CellSql(self.runtime, self.own.cell).rows(sql, database=database, role="postgres")

    def script(self, sql: str, municipality: Municipality | None = None) -> None:
        CellSql(self.runtime, self.own.cell).script(sql, database=(municipality or self.own).tenant, role="postgres")

    def log_has(self, service: str, text: str) -> bool:
        """Whether a text stands in the latest lines of a service's log."""
        return text in self.runtime.container(service).logs(tail=400).decode(errors="replace")

    def token(self) -> str:
        """A text that occurs nowhere else."""
        return f"tamadas{random.token_hex(6)}"

    # Leaving nothing behind

    def later(self, work: Callable[[], object]) -> None:
        """Do this at the end of the run."""
        self._cleanup.append(work)

    def clean(self) -> None:
        for work in reversed(self._cleanup):
            work()
        for (ksh, system, _, _), key in self._sessions.items():
            municipality = self.register.municipality(ksh)
            self.script(
                f"DELETE FROM {system}.django_session WHERE session_key = {json.dumps(key)!r};".replace('"', ""),
                municipality,
            )
