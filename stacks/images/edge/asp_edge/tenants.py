"""Opening and closing tenants: certificate first, map entry last, all or nothing."""

from __future__ import annotations

import re
from typing import Any

from asp_edge import certificates, running
from asp_edge.settings import EdgeFault, Settings
from asp_edge.store import Change, locked, read_tenants, render_tenants

HOST = re.compile(r"[a-z0-9-]+(\.[a-z0-9-]+)+")
KSH = re.compile(r"\d{5}")
CELL = re.compile(r"[a-z][a-z0-9]{1,15}")


def status(settings: Settings, hosts: list[str] | None = None) -> dict[str, Any]:
    """Open tenants with their certificates (of `hosts` only, if given) and the state of the list of revocations."""
    opened = read_tenants(settings)
    tenants = {}
    for host in opened if hosts is None else hosts:
        ksh, cell = opened.get(host, (None, None))
        tenants[host] = {"ksh": ksh, "cell": cell, "certificate": certificates.describe(settings.certificate(host))}
    until = int(settings.crl_until.read_text().split()[1])
    revoked = settings.revoked.read_text().split()
    return {"tenants": tenants, "open": len(opened), "crl": {"until": until, "revoked": revoked}}


def apply(settings: Settings, request: dict[str, Any]) -> dict[str, Any]:
    """Make `present` tenants ({host, ksh, cell, token?}) exist and `absent` hosts not; what changed, by host.

    A tenant with a `token` gets a new certificate; one without must have one. Nothing stays changed on failure.
    """
    present, absent = request.get("present", []), request.get("absent", [])
    for tenant in present:
        for field, pattern in (("host", HOST), ("ksh", KSH), ("cell", CELL)):
            if not pattern.fullmatch(str(tenant.get(field, ""))):
                raise EdgeFault(f"tenant {tenant.get('host')!r}: {field} = {tenant.get(field)!r} is not usable")
    for host in absent:
        if not HOST.fullmatch(host):
            raise EdgeFault(f"absent host {host!r} is not a host name")
    with locked(settings):
        change = Change(settings)
        try:
            changed = _write(settings, change, present, absent)
        except BaseException:
            change.withdraw()
            raise
        if change:
            running.load_or_undo(settings, change)
        else:
            running.complete(settings)
    return {"changed": {host: parts for host, parts in changed.items() if parts}}


def _write(
    settings: Settings, change: Change, present: list[dict[str, Any]], absent: list[str]
) -> dict[str, list[str]]:
    """Host → what changed of it. A host is in the map only while its certificate is there."""
    opened = read_tenants(settings)
    changed = {tenant["host"]: _open(settings, change, opened, tenant) for tenant in present}
    closed = [host for host in absent if opened.pop(host, None)]
    change.write(settings.tenants, render_tenants(opened))
    for host in absent:
        dropped = change.write(settings.certificate(host), None)
        changed[host] = [name for name, flag in (("map", host in closed), ("certificate", dropped)) if flag]
    return changed


def _open(settings: Settings, change: Change, opened: dict[str, tuple[str, str]], tenant: dict[str, Any]) -> list[str]:
    host, entry, parts = tenant["host"], (tenant["ksh"], tenant["cell"]), []
    if tenant.get("token"):
        change.write(settings.certificate(host), certificates.issue(settings, host, tenant["token"]))
        parts.append("certificate")
    elif not settings.certificate(host).exists():
        raise EdgeFault(f"{host} has no certificate and no token to get one came with it")
    if opened.get(host) != entry:
        opened[host] = entry
        parts.append("map")
    return parts
