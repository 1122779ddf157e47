"""What an app server is given: its system, where its cell's pooler and the identity provider are, and its keys."""

from __future__ import annotations

import datetime as dt
import json

from inventory import memory, placement
from inventory.models import Municipality
from inventory.names import CellNames, Port
from inventory.register import Register
from inventory.vault.vault import Secrets
from stacks.components.service import File, Health, ServiceArgs
from stacks.configs.places import ROOT_FILE
from systems.shared.operations import Maintenance, Operations

UID = 10001
CATALOGUE = "/etc/asp/systems.json"
OPERATIONS = "/etc/asp/operations.json"
KEYS = "/run/secrets"
# Fewer arenas, else each thread keeps freed memory of its own; what is larger than 1 MiB goes back when it is freed.
VARIABLES = {"MALLOC_ARENA_MAX": "2", "MALLOC_MMAP_THRESHOLD_": str(2**20)}
# MiB. Counters have their own, so that nothing else fills it; uploads are kept in no file at all.
TMPFS = {"/tmp": 16, "/run/metrics": 1}
ANNOUNCING = ("keret", "portal", "helpdesk")  # the others are not restarted by an announcement


def app_server(register: Register, secrets: Secrets, cell: CellNames, system: str) -> ServiceArgs:
    """The service of one system in one cell."""
    environment, names = register.environment, register.names
    place = placement.apps(environment)
    issuer = f"{environment.origin(environment.identity_host)}/realms/asp"
    variables = {
        **VARIABLES,
        "ASP_SYSTEM": system,
        "ASP_DOMAIN": environment.domain,
        "ASP_EDGE": names.edge,
        "ASP_DB_HOST": cell.proxy,
        "ASP_DB_PORT": str(int(Port.POOLER)),
        "ASP_OIDC_ISSUER": issuer,
        "ASP_OIDC_BACKCHANNEL": f"https://{names.identity}:{Port.IDENTITY:d}",
        "ASP_ROOT_FILE": ROOT_FILE,
        "ASP_IDLE_MINUTES": str(environment.identity.session_idle_minutes),
        "ASP_SYSTEM_KEY_FILE": f"{KEYS}/system.key",
        "ASP_OIDC_KEY_FILE": f"{KEYS}/oidc.key",
        "ASP_DJANGO_KEY_FILE": f"{KEYS}/django.key",
        "ASP_SYSTEMS_FILE": CATALOGUE,
        "ASP_OPERATIONS_FILE": OPERATIONS,
        "ASP_FIRST_TENANT": first_tenant(register, cell),
        **({"ASP_REPLICAS": str(place.replicas)} if place.replicas > 1 else {}),
    }
    keys = {
        "system.key": secrets.system_key(system),
        "oidc.key": secrets.oidc_key(system),
        "django.key": secrets.django_key(system),
    }
    files = {f"{KEYS}/{name}": File(value, secret=True, uid=UID, mode=0o400) for name, value in keys.items()}
    files[CATALOGUE] = File(catalogue(register, cell))
    files[OPERATIONS] = File(operations(register, cell, system))
    return ServiceArgs(
        image="app",
        networks=[names.network("edge-apps").name, names.network("apps-identity").name, cell.apps_network.name],
        health=Health(["asp-app-healthy", f"{Port.APP:d}"], interval=15),
        user=f"{UID}:{UID}",
        uid=UID,
        memory=memory.app(system),
        place=place,
        environment=variables,
        files=files,
        tmpfs=TMPFS,
        stop_grace=20,
    )


def first_tenant(register: Register, cell: CellNames) -> str:
    """KSH code of a tenant whose database names the cell's others: a live one, which stays. Empty while none joined."""
    joined = [m for m in _tenants(register, cell) if m.joined]
    return min(joined, key=lambda m: (m.phase != "live", m.ksh)).ksh if joined else ""


def operations(register: Register, cell: CellNames, system: str) -> str:
    """When the service is promised and how long an outage may last, which municipalities of the cell are for training,
    how long messages are kept and, for those that tell people, announced maintenance.
    """
    environment = register.environment
    announced = environment.maintenance if system in ANNOUNCING else []
    content = Operations(
        opening_hours={
            day: (dt.time.fromisoformat(begin), dt.time.fromisoformat(end))
            for day, (begin, end) in environment.open_days.items()
        },
        outage_minutes=int(register.sla["rto"].value),
        maintenance=tuple(Maintenance(m.since, m.until, m.text, m.emergency) for m in announced),
        training=tuple(sorted(m.ksh for m in _tenants(register, cell) if m.training)),
        message_days=register.retention.message_days,
    )
    return content.to_json()


def _tenants(register: Register, cell: CellNames) -> list[Municipality]:
    # The cell's id first: making names anew for each of the country's municipalities took a program 20 s.
    cells = {item.id for item in register.environment.cells if register.cell(item.id) == cell}
    return [m for m in register.municipalities.values() if m.cell in cells]


def catalogue(register: Register, cell: CellNames) -> str:
    """The register's catalogue as the systems of a cell read it (`systems.configuration.CatalogueEntry`).

    Of the cell's municipalities only those stand in it that lack an installed system, so that a joining one, which
    has all of them as a rule, changes nothing and restarts nothing.
    """
    fields = ("id", "name", "summary", "public", "installed", "roles")
    tenants = sorted(_tenants(register, cell), key=lambda municipality: municipality.ksh)
    entries = []
    for system in register.systems.values():
        entry = {name: getattr(system, name) for name in fields}
        if system.installed:
            entry["absent_at"] = [m.ksh for m in tenants if system.id not in m.systems]
        entries.append(entry)
    return json.dumps(entries, ensure_ascii=False, indent=1)
