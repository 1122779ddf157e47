"""A municipality at the edge: the server certificate of its host, and the map entry that opens it to its clerks.

The edge's own control program (`asp-edge`) does the work in one go or not at all; the host's key never leaves it.
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from centre.reach.runtime import Runtime, RuntimeFault
from centre.steps import Plan
from inventory.models import Municipality
from inventory.register import Register
from inventory.vault import tokens, vault

CONTROL = "asp-edge"
SECONDS = 120


class EdgePlanner:
    """Reads the edge and plans what differs from the register; a plan is carried out in one call."""

    def __init__(self, register: Register, runtime: Runtime):
        self._register, self._runtime = register, runtime

    def status(self, municipalities: Sequence[Municipality]) -> dict[str, dict[str, Any]]:
        """Host → {ksh, cell, certificate} as the edge has it; values are None where there is nothing."""
        answer = self._call("status", {"hosts": [municipality.host for municipality in municipalities]})
        return dict(answer["tenants"])

    def present(self, municipalities: Sequence[Municipality]) -> Plan:
        """Hosts with a certificate that lasts, open to their own clerks; certificates first, entries last."""
        at_edge = self.status(municipalities)
        before = dt.timedelta(days=self._register.environment.pki.renew_before_days)
        soon = dt.datetime.now(dt.UTC) + before
        plan, issue, subjects = Plan(), set(), []
        for municipality in municipalities:
            host, entry = municipality.host, at_edge[municipality.host]
            steps = len(plan.steps)
            if reason := renewal_reason(entry["certificate"], host, soon):
                plan.add(f"{host} certificate", reason, "issued by step-ca")
                issue.add(host)
            current, expected = _tenant(entry), f"{municipality.ksh} in {municipality.cell}"
            if current != expected:
                plan.add(f"{host} tenant", current, expected)
            if len(plan.steps) > steps:
                subjects.append(municipality)
        plan.at_once = lambda: self._open(subjects, issue)
        return plan

    def _open(self, municipalities: Sequence[Municipality], issue: Collection[str]) -> None:
        """Open hosts, those in `issue` with a new certificate."""
        secrets = vault.load(self._register)
        tenants = []
        for municipality in municipalities:
            tenant = {"host": municipality.host, "ksh": municipality.ksh, "cell": municipality.cell}
            if municipality.host in issue:
                tenant["token"] = tokens.server_token(self._register, secrets, municipality)
            tenants.append(tenant)
        self._call("apply", {"present": tenants})

    def absent(self, municipalities: Sequence[Municipality]) -> Plan:
        """Hosts closed, and without a certificate."""
        plan, hosts = Plan(), []
        for host, entry in self.status(municipalities).items():
            if entry["certificate"]:
                plan.add(f"{host} certificate", "present", "absent")
            if entry["ksh"]:
                plan.add(f"{host} tenant", _tenant(entry), "closed")
            if entry["certificate"] or entry["ksh"]:
                hosts.append(host)
        plan.at_once = lambda: self._close(hosts)
        return plan

    def _close(self, hosts: Sequence[str]) -> None:
        self._call("apply", {"absent": hosts})

    def _call(self, verb: str, question: Mapping[str, Any]) -> dict[str, Any]:
        edge = self._register.names.edge
        text = self._runtime.check(edge, [CONTROL, verb], json.dumps(question), timeout=SECONDS)
        try:
            return dict(json.loads(text))
        except (ValueError, TypeError) as error:
            raise RuntimeFault(f"{edge}: {CONTROL} {verb}: seen: {text[:200]!r}; wanted: JSON") from error


def _tenant(entry: Mapping[str, Any]) -> str:
    """A host's map entry at the edge, in words."""
    return f"{entry['ksh']} in {entry['cell']}" if entry["ksh"] else "closed"


def renewal_reason(certificate: Mapping[str, Any] | None, host: str, soon: dt.datetime) -> str | None:
    """Why a host needs a new certificate; None when the one it has is good until after `soon`."""
    if certificate is None:
        return "absent"
    if host not in certificate["hosts"]:
        return f"for {', '.join(certificate['hosts'])}"
    end = dt.datetime.fromisoformat(certificate["not_after"])
    return f"ends {end:%Y-%m-%d}" if end < soon else None
