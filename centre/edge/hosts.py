"""A municipality at the edge: the server certificate of its host, and the map entry that opens it to its clerks.

The edge's own control program (`asp-edge`) does the work in one go or not at all; the host's key never leaves it.
"""

from __future__ import annotations

import datetime as dt
import json
from dataclasses import dataclass

from centre.reach.runtime import Runtime, RuntimeFault
from inventory.models import Municipality
from inventory.register import Register
from inventory.vault import tokens
from inventory.vault.vault import Secrets

CONTROL = "asp-edge"
SECONDS = 120


@dataclass(frozen=True)
class Change:
    """What one host lacks: `certificate` and `entry` say what is seen and what is wanted, None where all is well."""

    host: str
    certificate: tuple[str, str] | None
    entry: tuple[str, str] | None

    def __bool__(self) -> bool:
        return bool(self.certificate or self.entry)


class EdgePlanner:
    """Reads the edge, compares with the register, changes it."""

    def __init__(self, register: Register, runtime: Runtime):
        self._register, self._runtime = register, runtime

    def status(self, municipalities: list[Municipality]) -> dict:
        """Host → {ksh, cell, certificate} as the edge has it; values are None where there is nothing."""
        return self._call("status", {"hosts": [municipality.host for municipality in municipalities]})["tenants"]

    def present(self, municipalities: list[Municipality]) -> list[Change]:
        seen = self.status(municipalities)
        before = dt.timedelta(days=self._register.environment.pki.renew_before_days)
        soon = dt.datetime.now(dt.UTC) + before
        changes = []
        for municipality in municipalities:
            found = seen[municipality.host]
            entry = f"{found['ksh']} in {found['cell']}" if found["ksh"] else "closed"
            wanted = f"{municipality.ksh} in {municipality.cell}"
            certificate = lacking(found["certificate"], municipality.host, soon)
            changes.append(
                Change(
                    municipality.host,
                    (certificate, "issued by step-ca") if certificate else None,
                    (entry, wanted) if entry != wanted else None,
                )
            )
        return changes

    def absent(self, municipalities: list[Municipality]) -> list[Change]:
        return [
            Change(
                host,
                ("present", "absent") if found["certificate"] else None,
                (f"{found['ksh']} in {found['cell']}", "closed") if found["ksh"] else None,
            )
            for host, found in self.status(municipalities).items()
        ]

    def open(self, municipalities: list[Municipality], changes: list[Change], secrets: Secrets) -> None:
        """Carry out what `present` found; certificates first, entries last, in one call."""
        wanted = []
        for municipality, change in zip(municipalities, changes, strict=True):
            if change:
                tenant = {"host": municipality.host, "ksh": municipality.ksh, "cell": municipality.cell}
                if change.certificate:
                    tenant["token"] = tokens.server_token(self._register, secrets, municipality)
                wanted.append(tenant)
        self._call("apply", {"present": wanted})

    def close(self, changes: list[Change]) -> None:
        """Carry out what `absent` found."""
        self._call("apply", {"absent": [change.host for change in changes if change]})

    def _call(self, verb: str, question: dict) -> dict:
        edge = self._register.names.edge
        text = self._runtime.check(edge, [CONTROL, verb], json.dumps(question), timeout=SECONDS)
        try:
            return json.loads(text)
        except ValueError as error:
            raise RuntimeFault(f"{edge}: {CONTROL} {verb}: seen: {text[:200]!r}; wanted: JSON") from error


def lacking(certificate: dict | None, host: str, soon: dt.datetime) -> str | None:
    """Why a host needs a new certificate; None when the one it has is good until after `soon`."""
    if certificate is None:
        return "absent"
    if host not in certificate["hosts"]:
        return f"for {', '.join(certificate['hosts'])}"
    end = dt.datetime.fromisoformat(certificate["not_after"])
    return f"ends {end:%Y-%m-%d}" if end < soon else None


def diff(changes: list[Change]) -> dict[str, str]:
    """In the form that Ansible shows."""
    sides: tuple[list[str], list[str]] = ([], [])
    for change in changes:
        for thing, pair in (("certificate", change.certificate), ("tenant", change.entry)):
            for side, text in zip(sides, pair or (), strict=False):
                side.append(f"{change.host} {thing}: {text}\n")
    return {"before": "".join(sides[0]), "after": "".join(sides[1])}
