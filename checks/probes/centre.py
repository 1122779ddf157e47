"""The centre: what every tenant of an environment stands on."""

from __future__ import annotations

import base64
import json
import ssl
from datetime import UTC, datetime
from typing import Any

from cryptography import x509

from centre.backup.backups import State, states
from centre.reach.psql import CellSql
from centre.reach.runtime import Runtime, Unreachable
from checks.expectations import hosting_services
from checks.probes import isolation, keycloak, postgres
from checks.probes.certificates import hexadecimal, revoked
from checks.probes.confinement import confinement
from checks.probes.hosting import hosting
from checks.probes.https import Edge
from checks.probes.parts import gather, guard, per_section
from inventory.models import Municipality
from inventory.names import Port
from inventory.register import Register
from inventory.vault.vault import Secrets
from stacks.configs.edge_config import CONFIG_FILE
from stacks.configs.pgbackrest import DAILY, VAULT
from stacks.configs.pki_config import INTERMEDIATE_FILE
from stacks.configs.places import CERTIFICATE_FILE, KEY_FILE, ROOT_FILE

SECONDS = 20
TLS_VERSIONS = {
    "TLSv1": ssl.TLSVersion.TLSv1,
    "TLSv1.1": ssl.TLSVersion.TLSv1_1,
    "TLSv1.2": ssl.TLSVersion.TLSv1_2,
    "TLSv1.3": ssl.TLSVersion.TLSv1_3,
}


def probe(register: Register, secrets: Secrets, municipality: Municipality) -> dict[str, Any]:
    """Facts of the shared services and of the tenant's cell."""
    runtime = Runtime(register, timeout=SECONDS)
    cell, names = register.cell(municipality.cell), register.names
    sql = CellSql(runtime, municipality.cell)
    edge = Edge(register, secrets.root_ca.certificate)
    sections = gather(
        {
            "hosting": lambda: hosting(register, municipality),
            "containers": lambda: confinement(runtime, hosting_services(register, municipality)),
            "cluster": lambda: postgres.cluster(sql),
            "isolation": lambda: isolation.proof(sql, register),
            "backups": lambda: backups(sql),
            "pooler": lambda: pooler(runtime, cell.proxy),
            "identity": lambda: keycloak.server(runtime, register, secrets),
            "identity_db": lambda: postgres.writable(runtime, names.identity_db),
            "pki": lambda: pki(runtime, names.pki),
            "edge": lambda: edge_facts(runtime, register, edge),
        }
    )
    return {
        **per_section(sections.pop("hosting"), "services", "networks", "published"),
        **per_section(sections.pop("cluster"), "database", "archive"),
        **per_section(sections.pop("backups"), "backup", "vault", "verification"),
        **sections,
    }


def backups(cell: CellSql) -> dict[str, Any]:
    """Sections `backup`, `vault` and `verification`: both repositories as the cell's backup service knows them."""
    repositories = states(cell)
    return {
        "backup": repository(repositories[DAILY]),
        "vault": repository(repositories[VAULT]),
        "verification": {str(number): dict(state.finding) for number, state in repositories.items()},
    }


def repository(state: State) -> dict[str, Any]:
    """pgBackRest's own catalogue of one repository: whether it is sound, faultless backups, labels of failed ones."""
    return {
        "status_code": state.catalogue.code,
        "status_message": state.catalogue.message,
        "backups": [
            {
                "label": item["label"],
                "type": item["type"],
                "stopped": datetime.fromtimestamp(item["timestamp"]["stop"], UTC).isoformat(),
            }
            for item in state.catalogue.backups
        ],
        "failed": list(state.catalogue.failed),
    }


def pooler(runtime: Runtime, service: str) -> dict[str, Any]:
    """A TLS handshake with PgBouncer, as an app server makes it, up to where it asks for a password."""
    conninfo = (
        f"host={service} hostaddr=127.0.0.1 port={Port.POOLER:d} dbname=postgres user=asp_nobody password=none "
        f"sslmode=verify-full sslrootcert={ROOT_FILE} sslcert={CERTIFICATE_FILE} sslkey={KEY_FILE} "
        "connect_timeout=5"
    )
    # A stranger is refused by a password check that is in working order only if the database behind it answers.
    answer = runtime.run(service, ["psql", "-XAtqw", conninfo, "-c", "SELECT 1"], timeout=SECONDS)
    refused = "SASL authentication failed" in answer.err or "password authentication failed" in answer.err
    hello = runtime.run(
        service, ["openssl", "s_client", "-starttls", "postgres", "-brief", "-connect", f"127.0.0.1:{Port.POOLER:d}"],
        stdin="", timeout=SECONDS,
    )  # fmt: skip
    return {"answers": refused, "seen": " ".join(answer.err.split())[-300:], "tls": _protocol(hello.out + hello.err)}


def _protocol(text: str) -> str | None:
    lines = (line.partition(":") for line in text.splitlines())
    return next((value.strip() for name, _, value in lines if name.strip() == "Protocol version"), None)


def pki(runtime: Runtime, service: str) -> dict[str, Any]:
    """step-ca's health, its list of revocations and when its issuing certificate ends."""
    base = f"https://localhost:{Port.PKI:d}"
    curl = f"curl -fsS --cacert {ROOT_FILE} {base}"
    script = f"set -e; for path in /health /1.0/crl; do {curl}$path | base64 -w0; echo; done; cat {INTERMEDIATE_FILE}"
    health, revocations, issuer = runtime.check(service, ["sh", "-c", script], timeout=SECONDS).split("\n", 2)
    return {
        "health": json.loads(base64.b64decode(health))["status"],
        "crl": revoked(base64.b64decode(revocations)),
        "authority_until": x509.load_pem_x509_certificate(issuer.encode()).not_valid_after_utc.isoformat(),
    }


def edge_status(runtime: Runtime, register: Register) -> dict[str, Any]:
    """What the edge's control program says of open tenants and of its list of revocations."""
    return json.loads(runtime.check(register.names.edge, ["asp-edge", "status"], stdin="{}", timeout=SECONDS))


def edge_facts(runtime: Runtime, register: Register, edge: Edge) -> dict[str, Any]:
    """The edge from inside (configuration, lists) and from outside (live requests)."""
    environment = register.environment
    domain, identity = environment.domain, environment.identity_host

    def config() -> dict[str, Any]:
        result = runtime.run(register.names.edge, ["haproxy", "-c", "-f", CONFIG_FILE], timeout=SECONDS)
        message = " ".join((result.err or result.out).split())[-300:]
        return {"valid": result.code == 0, "message": "valid" if result.code == 0 else message}

    def crl() -> dict[str, Any]:
        answer = edge_status(runtime, register)["crl"]
        return {
            "serials": sorted(hexadecimal(int(serial, 16)) for serial in answer["revoked"]),
            "until": datetime.fromtimestamp(answer["until"], UTC).isoformat(),
        }

    def plain() -> dict[str, Any]:
        answer = edge.get_plain(identity, "/")
        return {"status": answer.status, "location": answer.headers.get("location", "")}

    def tls() -> dict[str, Any]:
        return {name: edge.accepts(identity, version) for name, version in TLS_VERSIONS.items()}

    parts = {
        "config": config,
        "crl": crl,
        "tls": tls,
        "plain": plain,
        "admin": lambda: edge.get(identity, "/admin/").as_dict(),
        "unknown_host": lambda: edge.get(f"nobody-has-this-name.{domain}", "/keret/", verify=False).as_dict(),
    }
    answers = {name: guard(part) for name, part in parts.items()}
    reasons = [answer.get("unreachable") for answer in answers.values() if isinstance(answer, dict)]
    if len(reasons) == len(parts) and all(reasons):
        raise Unreachable(f"service {register.names.edge}: {reasons[0]}")
    return answers
