"""One municipality's tenant: its database, its place in identity and at the edge, its systems."""

from __future__ import annotations

import base64
import json
import re
import shlex
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from checks.probes import keycloak
from checks.probes.centre import SECONDS, edge_status
from checks.probes.https import Edge
from checks.probes.parts import gather, guard
from checks.probes.postgres import ask
from inventory.names import Port
from inventory.register import Municipality, Phase, Register
from inventory.secrets import Secrets
from stacks.components.edge_config import LEAF_FILE
from stacks.components.postgres import CERTIFICATE, KEY, OWNER, ROOT, TEMPLATE
from stacks.components.service import ROOT_FILE
from stacks.components.sql import literal
from stacks.runtime import Runtime, Unreachable

HSTS = "strict-transport-security"
# A forged header carries somebody's public certificate; this is none, which the edge must not even look at.
FORGED = ":Zm9yZ2Vk:"


def probe(register: Register, secrets: Secrets, municipality: Municipality) -> dict:
    """Facts of one tenant."""
    runtime = Runtime(register, timeout=SECONDS)
    cell = register.cell(municipality.cell)
    node, name = cell.postgres[0], municipality.tenant
    edge = Edge(register, secrets.root_ca.certificate)
    found = gather(
        {
            "database": lambda: database(runtime, node, name),
            "contents": lambda: contents(runtime, node, name),
            "template": lambda: {"versions": versions(ask(runtime, node, VERSIONS, TEMPLATE))},
            "attempts": lambda: attempts(runtime, register, secrets, municipality),
            "backup": lambda: backup(runtime, cell.backup),
            "identity": lambda: keycloak.tenant(runtime, register, secrets, municipality),
            "edge": lambda: edge_facts(runtime, register, edge, municipality),
            "systems": lambda: {
                system: guard(lambda system=system: answer(runtime, register, municipality, system))
                for system in municipality.systems
            },
        }
    )
    tried = found.pop("attempts")
    known = "signin" in tried
    return {
        **found,
        "signin": tried["signin"] if known else tried,
        "foreign": tried["foreign"] if known else tried,
        "contract": contract(municipality),
    }


def database(runtime: Runtime, node: str, name: str) -> dict:
    """The database and its roles, as the cluster's shared catalogues have them."""
    sql = f"""\
SELECT json_build_object(
  'exists', EXISTS (SELECT FROM pg_database WHERE datname = {literal(name)}),
  'open', coalesce((SELECT datallowconn FROM pg_database WHERE datname = {literal(name)}), false),
  'owner', (SELECT pg_get_userbyid(datdba) FROM pg_database WHERE datname = {literal(name)}),
  'connect', (SELECT coalesce(json_agg(DISTINCT CASE grantee WHEN 0 THEN 'PUBLIC' ELSE pg_get_userbyid(grantee) END
                 ORDER BY CASE grantee WHEN 0 THEN 'PUBLIC' ELSE pg_get_userbyid(grantee) END), '[]')
      FROM pg_database d, aclexplode(coalesce(d.datacl, acldefault('d', d.datdba)))
      WHERE d.datname = {literal(name)} AND privilege_type = 'CONNECT' AND grantee <> d.datdba),
  'roles', (SELECT coalesce(json_object_agg(rolname, json_build_object('login', rolcanlogin, 'mighty',
      rolsuper OR rolcreatedb OR rolcreaterole OR rolreplication OR rolbypassrls OR EXISTS (
        SELECT FROM pg_auth_members WHERE member = pg_roles.oid AND admin_option))), '{{}}')
      FROM pg_roles WHERE rolname ~ {literal(f"^{name}(_|$)")}));
"""
    return ask(runtime, node, sql)


VERSIONS = """\
SELECT coalesce(json_object_agg(system, version), '{}') FROM (
  SELECT system, string_agg(version, ', ' ORDER BY version) AS version FROM asp_meta.migrations GROUP BY system) v;
"""


def contents(runtime: Runtime, node: str, name: str) -> dict:
    """What the database holds: objects of wrong owners, who may use which schema, applied migrations."""
    # Objects of the initial superuser in pg_catalog are the server's own.
    sql = f"""\
SELECT json_build_object(
  'foreign_owned', (SELECT coalesce(json_agg(what ORDER BY what), '[]') FROM (
      SELECT n.nspname || '.' || c.relname AS what, c.relowner AS owner FROM pg_class c
        JOIN pg_namespace n ON n.oid = c.relnamespace
       WHERE n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
      UNION ALL SELECT n.nspname || '.' || p.proname || '()', p.proowner FROM pg_proc p
        JOIN pg_namespace n ON n.oid = p.pronamespace
       WHERE n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
         AND NOT EXISTS (SELECT FROM pg_depend WHERE objid = p.oid AND deptype = 'e')
      UNION ALL SELECT n.nspname || ' (schema)', n.nspowner FROM pg_namespace n
       WHERE n.nspname !~ '^pg_' AND n.nspname NOT IN ('information_schema', 'public')) o
     WHERE pg_get_userbyid(owner) <> {literal(OWNER)}),
  'schema_usage', (SELECT coalesce(json_object_agg(role, schemas), '{{}}') FROM (
      SELECT r.rolname AS role, json_agg(n.nspname ORDER BY n.nspname) FILTER (WHERE
               has_schema_privilege(r.oid, n.oid, 'USAGE')) AS schemas
        FROM pg_roles r, pg_namespace n
       WHERE r.rolcanlogin AND r.rolname ~ {literal(f"^{name}_")} AND n.nspname !~ '^pg_'
         AND n.nspname <> 'information_schema' GROUP BY r.rolname) u));
"""
    seen = ask(runtime, node, sql, name)
    seen["schema_usage"] = {role: schemas or [] for role, schemas in seen["schema_usage"].items()}
    return {**seen, "versions": versions(ask(runtime, node, VERSIONS, name))}


def versions(found: dict) -> dict:
    """System → its applied migrations as one text."""
    return {system: str(version) for system, version in found.items()}


def attempts(runtime: Runtime, register: Register, secrets: Secrets, municipality: Municipality) -> dict:
    """Live sign-ins from the app servers' side: the tenant's own roles, and another tenant's, which must fail.

    The foreign role first signs in at home: only then does its refusal here prove anything.
    """
    cell = register.cell(municipality.cell)
    pooled, direct = Way(cell.proxy, Port.POOLER, "127.0.0.1"), Way(cell.postgres[0], Port.POSTGRES)
    tries = [
        Try(municipality.role(system), secrets.role_password(municipality, system), municipality.tenant, pooled)
        for system in municipality.systems
    ]
    foreign = _another(runtime, register, municipality)
    if foreign:
        role, password = foreign.role(foreign.systems[0]), secrets.role_password(foreign, foreign.systems[0])
        tries += [
            Try(role, password, foreign.tenant, pooled),
            Try(role, password, municipality.tenant, pooled),
            Try(role, password, municipality.tenant, direct),
        ]
    script = "".join(attempt.shell() for attempt in tries)
    said = runtime.check(cell.proxy, ["sh", "-s"], stdin=script, timeout=SECONDS)
    seen = [attempt.read(text) for attempt, text in zip(tries, said.split(MARK)[1:], strict=True)]
    own = len(municipality.systems)
    result: dict = {"signin": {item["role"]: item for item in seen[:own]}}
    if not foreign:
        return {**result, "foreign": {"fault": "no other tenant in the cell to try with"}}
    home, through_pooler, around_it = seen[own:]
    return {**result, "foreign": {"home": home, "pooled": through_pooler, "direct": around_it}}


def _another(runtime: Runtime, register: Register, municipality: Municipality) -> Municipality | None:
    """Another tenant of the same cell whose database exists."""
    node = register.cell(municipality.cell).postgres[0]
    present = ask(runtime, node, "SELECT json_build_object('names', json_agg(datname)) FROM pg_database;")["names"]
    others = (other for other in register.joined(municipality.cell) if other.ksh != municipality.ksh)
    return next((other for other in others if other.tenant in present), None)


MARK = "-- attempt\n"
WHO = "SELECT json_build_object('user', session_user, 'database', current_database())"


@dataclass(frozen=True)
class Way:
    """Where a sign-in knocks; `address` where the name cannot be asked for."""

    host: str
    port: int
    address: str = ""


@dataclass(frozen=True)
class Try:
    """One sign-in: who, with what, into which database, which way."""

    role: str
    password: str = field(repr=False)
    database: str
    way: Way

    def shell(self) -> str:
        """Shell lines of it. The password is in the script on standard input and in psql's environment only."""
        conninfo = (
            f"host={self.way.host} port={self.way.port:d} dbname={self.database} user={self.role} connect_timeout=5 "
            f"sslmode=verify-full sslrootcert={ROOT} sslcert={CERTIFICATE} sslkey={KEY}"
        ) + (f" hostaddr={self.way.address}" if self.way.address else "")
        # psql's exit code is part of what is seen, not of what went wrong with the probe.
        command = f"psql -XAtqw {shlex.quote(conninfo)} -c {shlex.quote(WHO)} 2>&1 </dev/null || true"
        return f"printf %s {shlex.quote(MARK)}\nPGPASSWORD={shlex.quote(self.password)} {command}\n"

    def read(self, text: str) -> dict:
        """What the attempt came to. Unreachable when nobody was there to decide."""
        text = " ".join(text.split())
        if text.startswith("{"):
            return {"role": self.role, **json.loads(text), "message": ""}
        if not text:
            raise ValueError(f"sign-in of {self.role} said nothing")
        if re.search(
            r"could not (connect|translate)|timeout expired|Connection refused|server login has been fail", text
        ):
            raise Unreachable(f"sign-in of {self.role}: {text[-300:]}")
        return {"role": self.role, "user": "", "database": "", "message": text[-400:]}


def backup(runtime: Runtime, service: str) -> dict:
    """Databases in the newest backup of the cell."""
    command = ["pgbackrest", "info", "--output=json"]
    stanzas = json.loads(runtime.check(service, command, timeout=SECONDS))
    if not stanzas or not stanzas[0]["backup"]:
        return {"label": "nincs", "databases": []}
    stanza = stanzas[0]
    label = max(stanza["backup"], key=lambda item: item["timestamp"]["stop"])["label"]
    detailed = [*command, f"--stanza={stanza['name']}", f"--set={label}"]
    (item,) = json.loads(runtime.check(service, detailed, timeout=SECONDS))[0]["backup"]
    return {"label": label, "databases": sorted(entry["name"] for entry in item.get("database-ref") or [])}


def edge_facts(runtime: Runtime, register: Register, edge: Edge, municipality: Municipality) -> dict:
    """The tenant's host: its map entry, its certificate, and what it answers to those without one."""
    host = municipality.host

    def mapped() -> dict:
        entry = edge_status(runtime, register)["tenants"].get(host)
        return {"tenant": f"t{entry['ksh']}" if entry and entry["ksh"] else None}

    def bare() -> dict:
        found = edge.get(host, "/keret/", verify=False)
        return {**found.as_dict(), "hsts": found.headers.get(HSTS, "")}

    def forged(header: str) -> dict:
        return edge.get(host, "/keret/", {header: FORGED}, verify=False).as_dict()

    return {
        "map": guard(mapped),
        "certificate": guard(lambda: edge.certificate(host)),
        "bare": guard(bare),
        "forged": {header: guard(lambda header=header: forged(header)) for header in ("Client-Cert", "Client_Cert")},
    }


def answer(runtime: Runtime, register: Register, municipality: Municipality, system: str) -> dict:
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
    done = runtime.run(register.names.edge, ["curl", "-K", "-"], stdin="\n".join(options) + "\n", timeout=SECONDS)
    if done.code != 0:
        raise Unreachable(f"service {service}: {' '.join(done.err.split())}")
    status, _, location = done.out.partition(" ")
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


def contract(municipality: Municipality) -> dict:
    """The municipality's papers in the register: what each reached phase should have left behind."""
    order = [Phase.PREPARATION, Phase.CONNECTION, Phase.LIVE]
    passed = order[: order.index(municipality.phase)]
    return {
        "phase": municipality.phase.value,
        "number": municipality.contract.number,
        "status": municipality.contract.status,
        "missing_evidence": [phase.value for phase in passed if not municipality.evidence.get(phase.value)],
    }
