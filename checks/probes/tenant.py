"""One municipality's tenant: its database, its place in identity and at the edge, its systems."""

from __future__ import annotations

import base64
import re
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from centre.backup import backups, ledger
from centre.database import reading
from centre.isolation import audit
from centre.isolation.reading import Cluster
from centre.isolation.reading import cluster as read_cluster
from centre.isolation.reading import contents as read_contents
from centre.isolation.signin import Attempt, sign_in
from centre.ledger import LedgerFault
from centre.reach.psql import CellSql
from centre.reach.runtime import Runtime, RuntimeFault, Unreachable
from checks.probes import keycloak
from checks.probes.centre import SECONDS, edge_status
from checks.probes.https import Edge
from checks.probes.parts import gather, guard, per_section
from inventory.models import Municipality, Phase
from inventory.names import Port
from inventory.register import Register
from inventory.vault.vault import Secrets
from stacks.configs.edge_backends import LEAF_FILE
from stacks.configs.pgbackrest import DAILY
from stacks.configs.places import ROOT_FILE
from stacks.configs.postgres import TEMPLATE

HSTS = "strict-transport-security"
# A forged header carries somebody's public certificate; this is none, which the edge must not even look at.
FORGED = ":Zm9yZ2Vk:"


def probe(register: Register, secrets: Secrets, municipality: Municipality) -> dict[str, Any]:
    """Facts of one tenant."""
    runtime = Runtime(register, timeout=SECONDS)
    cell, name = CellSql(runtime, municipality.cell), municipality.tenant
    edge = Edge(register, secrets.root_ca.certificate)
    systems = register.systems_of(municipality)
    sections = gather(
        {
            "rights": lambda: rights(cell, name),
            "template": lambda: {"versions": versions(cell, TEMPLATE)},
            "chain": lambda: {"dead": dead_letters(cell, name)},
            "attempts": lambda: attempts(cell, register, secrets, municipality),
            "backup": lambda: backup(cell, name),
            "drill": lambda: drill(register, secrets, municipality),
            "identity": lambda: keycloak.tenant(runtime, secrets, municipality),
            "edge": lambda: edge_facts(runtime, register, edge, municipality),
            "systems": lambda: {
                system: guard(partial(answer, runtime, register, municipality, system)) for system in systems
            },
        }
    )
    return {
        **per_section(sections.pop("rights"), "database", "contents"),
        **per_section(sections.pop("attempts"), "signin", "foreign"),
        **sections,
        "contract": contract(municipality),
    }


def rights(cell: CellSql, name: str) -> dict[str, Any]:
    """Sections `database` and `contents`: who may come in, the tenant's roles, and what they may do inside."""
    cluster = read_cluster(cell, timeout=SECONDS)
    database = cluster.databases.get(name)
    return {
        "database": {
            "exists": database is not None,
            "open": database is not None and database.open,
            "owner": database.owner if database else None,
            "connect": list(audit.grantees(database)) if database else [],
            "roles": {
                role.name: {"login": role.login, "mighty": audit.mighty(cluster, role)}
                for role in audit.roles_of(cluster, name).values()
            },
        },
        "contents": guard(lambda: contents(cell, cluster, name)),
    }


def contents(cell: CellSql, cluster: Cluster, name: str) -> dict[str, Any]:
    """What the database holds: objects of wrong owners, who may use which schema, versions of the schemas."""
    inside = audit.rights(cluster, name, read_contents(cell, [name], timeout=SECONDS)[name])
    return {
        "foreign_owned": list(inside.foreign_owned),
        "schema_usage": {role: list(schemas) for role, schemas in inside.usage.items()},
        "foreign_rights": {role: list(beyond) for role, beyond in inside.beyond.items()},
        "versions": versions(cell, name),
    }


# Messages between systems that are no longer tried, the oldest first; never what is in them.
_DEAD = """\
SELECT json_build_object('total', count(*) OVER (), 'message', m.id, 'source', m.source, 'target', m.target,
  'topic', m.topic, 'reason', left(d.reason, 200))
  FROM chain.dead d JOIN chain.message m ON m.id = d.message_id WHERE d.discarded_at IS NULL ORDER BY m.id LIMIT 5;
"""


def dead_letters(cell: CellSql, name: str) -> list[dict[str, Any]]:
    """The first dead messages, each with how many there are in all."""
    return cell.rows(_DEAD, database=name, role="postgres", timeout=SECONDS)


def versions(cell: CellSql, name: str) -> dict[str, str]:
    """System → all its applied migrations: one that was skipped shows, which the newest alone would hide."""
    applied: dict[str, list[str]] = {}
    for system, version in sorted(reading.inside(cell, {name: {}})[name].migrations):
        applied.setdefault(system, []).append(version)
    return {system: ", ".join(names) for system, names in applied.items()}


def attempts(cell: CellSql, register: Register, secrets: Secrets, municipality: Municipality) -> dict[str, Any]:
    """Live sign-ins from the app servers' side: the tenant's own roles, and another tenant's, which must fail.

    The foreign role first signs in at home: only then does its refusal here prove anything.
    """
    foreign = _another(cell, register, municipality)  # first: it shows at once when the database is down
    own = {}
    for system in register.systems_of(municipality):
        role, password = municipality.role(system), secrets.role_password(municipality, system)
        own[role] = _attempt(sign_in(cell, municipality.tenant, role, password, timeout=SECONDS))
    if not foreign:
        return {"signin": own, "foreign": {"fault": "no other tenant in the cell to try with"}}
    system = register.systems_of(foreign)[0]
    role, password = foreign.role(system), secrets.role_password(foreign, system)
    return {
        "signin": own,
        "foreign": {
            "home": _attempt(sign_in(cell, foreign.tenant, role, password, timeout=SECONDS)),
            "pooled": _attempt(sign_in(cell, municipality.tenant, role, password, timeout=SECONDS)),
            "direct": _attempt(sign_in(cell, municipality.tenant, role, password, "direct", timeout=SECONDS)),
        },
    }


def _another(cell: CellSql, register: Register, municipality: Municipality) -> Municipality | None:
    """Another tenant of the same cell whose database exists."""
    present = reading.databases(cell)
    others = (other for other in register.joined(municipality.cell) if other.ksh != municipality.ksh)
    return next((other for other in others if other.tenant in present), None)


# What psql says when nobody was there to decide; everything else is the server's own word.
NOBODY = re.compile(r"could not (connect|translate)|timeout expired|Connection refused|server login has been failing")


def _attempt(attempt: Attempt) -> dict[str, Any]:
    message = " ".join(attempt.message.split())[-400:]
    if not attempt.user and (not message or NOBODY.search(message)):
        raise Unreachable(f"sign-in of {attempt.role}: {message or 'no answer'}")
    return {"role": attempt.role, "user": attempt.user, "database": attempt.database, "message": message}


def backup(cell: CellSql, name: str) -> dict[str, Any]:
    """Whether the newest backup of the cell, or the WAL that follows it, holds the database as it is now."""
    daily = backups.states(cell)[DAILY]
    newest = daily.catalogue.newest
    try:
        present, _ = backups.server(cell, [name])
        covered = name in present and daily.covers(name, present[name].oid)
    except RuntimeFault:  # other checks say so; what is in the backups can be read all the same, by name
        covered = name in daily.inside or name in daily.archived
    return {"label": newest["label"] if newest else "nincs", "covered": covered}


def drill(register: Register, secrets: Secrets, municipality: Municipality) -> dict[str, Any]:
    """The last proof that the tenant comes back, out of the ledger; a ledger that was tampered with proves nothing."""
    try:
        entries = ledger.read(register, secrets)
    except LedgerFault as error:
        return {"fault": str(error)}
    last = ledger.newest(entries).get(municipality.ksh)
    return {"proven": last["at"] if last else None}


def edge_facts(runtime: Runtime, register: Register, edge: Edge, municipality: Municipality) -> dict[str, Any]:
    """The tenant's host: its map entry, its certificate, and what it answers to those without one."""
    host = municipality.host

    def mapped() -> dict[str, Any]:
        entry = edge_status(runtime, register)["tenants"].get(host)
        return {"tenant": f"t{entry['ksh']}" if entry and entry["ksh"] else None}

    def bare() -> dict[str, Any]:
        answer = edge.get(host, "/keret/", verify=False)
        return {**answer.as_dict(), "hsts": answer.headers.get(HSTS, "")}

    def forged(header: str) -> dict[str, Any]:
        return edge.get(host, "/keret/", {header: FORGED}, verify=False).as_dict()

    return {
        "map": guard(mapped),
        "certificate": guard(lambda: edge.certificate(host)),
        "bare": guard(bare),
        "forged": {header: guard(partial(forged, header)) for header in ("Client-Cert", "Client_Cert")},
    }


def answer(runtime: Runtime, register: Register, municipality: Municipality, system: str) -> dict[str, Any]:
    """A system's first page for this tenant, asked of its app server from the edge, in the edge's own words."""
    service = register.cell(municipality.cell).app(system)
    headers = {
        "Host": municipality.host,
        "Asp-Tenant": municipality.ksh,
        "Client-Cert": f":{_visitor(municipality)}:",
        "X-Forwarded-Host": municipality.host,
        "X-Forwarded-Proto": "https",
    }
    options = [
        f"url = https://{service}:{Port.APP:d}/{system}/", f"cacert = {ROOT_FILE}", f"cert = {LEAF_FILE}",
        "silent", "show-error", "max-time = 10", "output = /dev/null", 'write-out = "%{http_code} %{redirect_url}"',
        *(f'header = "{name}: {value}"' for name, value in headers.items()),
    ]  # fmt: skip
    result = runtime.run(register.names.edge, ["curl", "-K", "-"], stdin="\n".join(options) + "\n", timeout=SECONDS)
    if result.code != 0:
        raise Unreachable(f"service {service}: {' '.join(result.err.split())}")
    status, _, location = result.out.partition(" ")
    return {"status": int(status), "seen": location.partition("?")[0]}


def _visitor(municipality: Municipality) -> str:
    """A certificate (DER, base64) with the subject of one of the tenant's, made here and trusted by nobody.

    App servers take the edge's word for who was let in; only somebody with the edge's own key can say this.
    """
    key = ec.generate_private_key(ec.SECP256R1())
    parts = {
        NameOID.COMMON_NAME: "asp.checks",
        NameOID.ORGANIZATIONAL_UNIT_NAME: municipality.tenant,
        NameOID.ORGANIZATION_NAME: municipality.name,
    }
    name = x509.Name([x509.NameAttribute(oid, value) for oid, value in parts.items()])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(minutes=1))
        .not_valid_after(now + timedelta(minutes=1))
        .sign(key, hashes.SHA256())
    )
    return base64.b64encode(certificate.public_bytes(serialization.Encoding.DER)).decode()


def contract(municipality: Municipality) -> dict[str, Any]:
    """The municipality's papers in the register: what each reached phase should have left behind."""
    order = [Phase.PREPARATION, Phase.CONNECTION, Phase.LIVE]
    passed = order[: order.index(municipality.phase)]
    return {
        "phase": municipality.phase.value,
        "number": municipality.contract.number,
        "status": municipality.contract.status,
        "missing_evidence": [phase.value for phase in passed if not municipality.evidence.get(phase.value)],
    }
