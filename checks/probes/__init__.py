"""Probes: gather the facts of one host each, all hosts at once, as one recording. No judging here."""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import Any

from centre.reach.runtime import Unreachable
from checks.probes import centre, tenant, workstation
from checks.recording import Document, Recording
from inventory.models import Municipality
from inventory.register import Register
from inventory.vault import vault
from systems.shared.version import version

HOSTS_AT_ONCE = 6


def collect(register: Register, municipality: Municipality) -> Recording:
    """Probe the centre, the tenant and its office's workstations, at the same time.

    RegisterError when the environment has no vault yet; a host that does not answer is a document that says so.
    """
    secrets = vault.load(register)
    stations = register.office_of(municipality).workstations
    with ThreadPoolExecutor(HOSTS_AT_ONCE) as pool:
        centre_document = pool.submit(_document, register.environment.id, centre.probe, register, secrets, municipality)
        tenant_document = pool.submit(_document, municipality.ksh, tenant.probe, register, secrets, municipality)
        station_documents = {
            station.name: pool.submit(
                _document, station.name, workstation.probe, register, secrets, municipality, station
            )
            for station in stations
        }
        return Recording(
            environment=register.environment.id,
            ksh=municipality.ksh,
            suite=version(),
            centre=centre_document.result(),
            tenant=tenant_document.result(),
            workstations={name: document.result() for name, document in station_documents.items()},
        )


def _document(host: str, probe: Callable[..., dict[str, Any]], *arguments: object) -> Document:
    moment, started = datetime.now(UTC), time.monotonic()
    data: dict[str, Any] = {}
    unreachable = None
    try:
        data = probe(*arguments)
    except Unreachable as error:
        unreachable = str(error)
    return Document(
        host=host, taken=moment, seconds=round(time.monotonic() - started, 2), unreachable=unreachable, data=data
    )
