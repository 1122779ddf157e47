"""Promises to one municipality: its data apart and its own, its systems reachable. One function, one promise."""

from __future__ import annotations

from datetime import datetime

from centre.database.apply import shares
from checks.catalogue import Limit
from checks.plugin import check
from checks.recording import View
from checks.verdicts import NoData, Unreachable
from checks.wording import number
from inventory.models import Municipality
from inventory.register import Register
from stacks.configs.postgres import OWNER
from systems.shared.realms import client_id


@check("tenant.database.exists")
def test_database_exists(probe: View, municipality: Municipality) -> None:
    exists, is_open = probe.read("database", "exists"), probe.read("database", "open")
    probe.measure("van, nyitva" if exists and is_open else "van, zárva" if exists else "nincs")
    assert exists is True, f"nincs {municipality.tenant} adatbázis"
    assert is_open is True, f"a(z) {municipality.tenant} adatbázis nem fogad kapcsolatot"


@check("tenant.database.owner")
def test_database_owner(probe: View) -> None:
    owner, strangers = probe.read("database", "owner"), probe.read("contents", "foreign_owned")
    probe.measure(f"{len(strangers)} idegen tulajdonú tárgy")
    assert owner == OWNER, f"az adatbázis tulajdonosa {owner}, {OWNER} helyett"
    assert not strangers, f"nem a(z) {OWNER} tulajdona: {', '.join(strangers)}"


@check("tenant.database.connect-only-own")
def test_database_connect_only_own(probe: View, register: Register, municipality: Municipality) -> None:
    granted = set(probe.read("database", "connect"))
    own = {municipality.tenant, *(municipality.role(system) for system in register.systems_of(municipality))}
    foreign = sorted(granted - own)
    probe.measure(f"{len(foreign)} idegen szerep")
    assert granted & own, "a saját szerepei sem csatlakozhatnak"
    assert not foreign, f"idegen szerep is csatlakozhat: {', '.join(foreign)}"


@check("tenant.database.roles")
def test_database_roles(probe: View, register: Register, municipality: Municipality) -> None:
    roles = probe.read("database", "roles")
    expected = [municipality.role(system) for system in register.systems_of(municipality)]
    missing = [role for role in expected if role not in roles]
    mighty = sorted(name for name, role in roles.items() if role["mighty"])
    probe.measure(f"{len(expected) - len(missing)} / {len(expected)} szerep, {len(mighty)} túl nagy jogú")
    assert not missing, f"hiányzó szerep: {', '.join(missing)}"
    assert not mighty, f"túl nagy jogú szerep: {', '.join(mighty)}"
    assert not roles[municipality.tenant]["login"], f"a(z) {municipality.tenant} gyűjtőszereppel be lehet lépni"


@check("tenant.database.least-privilege")
def test_database_least_privilege(probe: View, register: Register, municipality: Municipality) -> None:
    usage, rights = probe.read("contents", "schema_usage"), probe.read("contents", "foreign_rights")
    shared = shares(register, municipality)
    allowed = {(share.login, share.schema) for share in shared}
    allowed_rights = {(s.login, f"{s.schema}.{s.object} {right}") for s in shared for right in s.rights}
    too_much = [
        f"{role} → {schema}"
        for role, schemas in sorted(usage.items())
        for schema in schemas
        if role != municipality.role(schema) and (role, schema) not in allowed
    ]
    too_much += [
        f"{role} → {right}"
        for role, beyond in sorted(rights.items())
        for right in beyond
        if (role, right) not in allowed_rights
    ]
    probe.measure(f"{len(too_much)} fölösleges jog")
    assert not too_much, f"más rendszer adatait is látja: {', '.join(too_much)}"
    systems = register.systems_of(municipality)
    missing = [role for system in systems if system not in usage.get(role := municipality.role(system), [])]
    assert not missing, f"a saját adatait sem látja: {', '.join(missing)}"


@check("tenant.database.signs-in")
def test_database_signs_in(probe: View, register: Register, municipality: Municipality) -> None:
    failed = []
    systems = register.systems_of(municipality)
    for system in systems:
        role = municipality.role(system)
        attempt = probe.read("signin", role)
        if attempt["user"] != role or attempt["database"] != municipality.tenant:
            failed.append(f"{role}: {attempt['message'] or attempt['user']}")
    probe.measure(f"{len(systems) - len(failed)} / {len(systems)} rendszer")
    assert not failed, f"nem tud belépni: {'; '.join(failed)}"


@check("tenant.database.foreign-refused")
def test_database_foreign_refused(probe: View) -> None:
    home = probe.read("foreign", "home")
    attempts = {way: probe.read("foreign", way) for way in ("pooled", "direct")}
    entered = [way for way, attempt in attempts.items() if attempt["user"]]
    probe.measure(f"{len(attempts) - len(entered)} / {len(attempts)} kísérlet elutasítva")
    if home["user"] != home["role"]:
        raise NoData(f"a próba nem bizonyít: {home['role']} otthon sem tud belépni: {home['message']}")
    for way, attempt in attempts.items():
        role, message = attempt["role"], attempt["message"]
        assert not attempt["user"], f"idegen szerep belépett: {role} ({way})"
        refused = any(text in message for text in ('permission denied for database "', "no pg_hba.conf entry"))
        assert refused, f"{role} elutasítása nem az adatbázistól jött ({way}): {message}"


@check("tenant.database.schema-current")
def test_database_schema_current(probe: View) -> None:
    own, template = probe.read("contents", "versions"), probe.read("template", "versions")
    late = [f"{name}: {own.get(name, 'nincs')}, a mintáé {version}" for name, version in sorted(template.items())
            if own.get(name) != version]  # fmt: skip
    probe.measure(f"{len(template) - len(late)} / {len(template)} rendszer")
    assert template, "a mintaadatbázisban nincs egyetlen séma sem"
    assert not late, f"elmaradt szerkezet: {'; '.join(late)}"


@check("tenant.chain.dead-letters")
def test_chain_dead_letters(probe: View) -> None:
    dead = probe.read("chain", "dead")
    probe.measure(f"{dead[0]['total'] if dead else 0} kézbesíthetetlen üzenet")
    words = [f"{m['message']}. ({m['source']} → {m['target']}, {m['topic']}): {m['reason']}" for m in dead]
    assert not dead, f"kézbesíthetetlen üzenet: {'; '.join(words)}"


@check("tenant.backup.covers")
def test_backup_covers(probe: View, municipality: Municipality) -> None:
    label, covered = probe.read("backup", "label"), probe.read("backup", "covered")
    probe.measure(f"{'benne van' if covered else 'nincs benne'} ({label})")
    assert covered, f"sem a(z) {label} mentés, sem az utána archivált napló nem tartalmazza: {municipality.tenant}"


@check("tenant.identity.organization")
def test_identity_organization(probe: View, municipality: Municipality) -> None:
    organization = probe.read_optional("identity", "organization")
    probe.measure("bejegyezve" if organization else "nincs bejegyezve")
    assert organization, f"a belépési szolgáltatás nem ismeri: {municipality.tenant}"
    assert organization["enabled"], f"a(z) {municipality.tenant} szervezet ki van kapcsolva"


@check("tenant.identity.client")
def test_identity_client(probe: View, municipality: Municipality, register: Register) -> None:
    systems = register.systems_of(municipality)
    clients = {client_id(municipality.tenant, system): municipality.url(system) for system in systems}
    present = probe.names("identity", "clients")
    missing, surplus = sorted(clients.keys() - set(present)), sorted(set(present) - clients.keys())
    redirects = {name: probe.read("identity", "clients", name, "redirects") for name in present}
    foreign = [uri for name, uris in redirects.items() for uri in uris if not uri.startswith(clients.get(name, uri))]
    probe.measure(f"{len(present)} alkalmazás, {len(foreign)} idegen visszatérési cím")
    assert not missing, f"nincs {', '.join(missing)} nevű alkalmazás a belépési szolgáltatásban"
    assert not surplus, f"olyan alkalmazás is beléphet, amelyet a nyilvántartás nem ismer: {', '.join(surplus)}"
    disabled = [name for name in present if not probe.read("identity", "clients", name, "enabled")]
    assert not disabled, f"ki van kapcsolva: {', '.join(disabled)}"
    without = [name for name, uris in redirects.items() if not uris]
    assert not without, f"nincs visszatérési cím: {', '.join(without)}"
    assert not foreign, f"idegen visszatérési cím: {', '.join(foreign)}"


@check("tenant.identity.clerks")
def test_identity_clerks(probe: View, municipality: Municipality, register: Register) -> None:
    members = probe.read("identity", "members")
    clerks = [clerk.username for clerk in register.office_of(municipality).clerks]
    missing = [name for name in clerks if not members.get(name, False)]
    strangers = sorted(set(members) - set(clerks))
    probe.measure(f"{len(clerks) - len(missing)} / {len(clerks)} ügyintéző, {len(strangers)} idegen")
    assert not missing, f"nem tagja vagy le van tiltva: {', '.join(missing)}"
    assert not strangers, f"nem a hivatal ügyintézője: {', '.join(strangers)}"


@check("tenant.backup.drilled")
def test_backup_drilled(probe: View, municipality: Municipality, limit: Limit) -> None:
    proven = probe.read_optional("drill", "proven")
    drill = f"próba: ansible-playbook playbooks/drill.yml -e municipality={municipality.ksh}"
    assert proven, f"még egyszer sem próbáltuk ki a visszaállítását; {drill}"
    days = (probe.taken - datetime.fromisoformat(proven)).total_seconds() / 86400
    probe.measure(days, "days")
    most = limit.span.total_seconds() / 86400
    assert days <= most, f"{number(days)} napja próbáltuk ki a visszaállítását, megengedett {limit.text}; {drill}"


@check("tenant.edge.route")
def test_edge_route(probe: View, municipality: Municipality) -> None:
    mapped = probe.read_optional("edge", "map", "tenant")
    probe.measure(f"{municipality.host} → {mapped or 'nincs'}")
    assert mapped, f"a kapu nem ismeri: {municipality.host}"
    assert mapped == municipality.tenant, f"a kapu {mapped} felé vezeti, {municipality.tenant} helyett"


@check("tenant.edge.certificate")
def test_edge_certificate(probe: View, municipality: Municipality, limit: Limit) -> None:
    names, trusted = probe.read("edge", "certificate", "names"), probe.read("edge", "certificate", "trusted")
    days = (datetime.fromisoformat(probe.read("edge", "certificate", "until")) - probe.taken).total_seconds() / 86400
    probe.measure(days, "days")
    assert municipality.host in names, f"a kapu más nevére szóló tanúsítványt ad: {', '.join(names)}"
    assert trusted, "a kapu tanúsítványa nem a központ kiadójától való"
    most = limit.span.total_seconds() / 86400
    assert days >= most, f"a kapu tanúsítványa {number(days)} nap múlva lejár, legalább {limit.text} kell"


@check("tenant.edge.certificate-demanded")
def test_edge_certificate_demanded(probe: View) -> None:
    status, code = probe.read("edge", "bare", "status"), probe.read("edge", "bare", "code")
    probe.measure(f"HTTP {status}")
    assert status == 403, f"tanúsítvány nélkül is választ ad ({status})"
    assert code == "ASP-EDGE-NO-CERTIFICATE", f"tanúsítvány nélkül más hibakód jön: {code}"


@check("tenant.edge.forged-header")
def test_edge_forged_header(probe: View) -> None:
    answers = {
        form: (probe.read("edge", "forged", form, "status"), probe.read("edge", "forged", form, "code"))
        for form in ("Client-Cert", "Client_Cert")
    }
    refused = sum(status == 403 for status, _ in answers.values())
    probe.measure(f"{refused} / {len(answers)} kísérlet elutasítva")
    for form, (status, code) in answers.items():
        assert status == 403, f"hamisított {form} fejléccel beenged ({status})"
        assert code == "ASP-EDGE-NO-CERTIFICATE", f"hamisított {form} fejlécre más hibakód jön: {code}"


@check("tenant.edge.hsts")
def test_edge_hsts(probe: View) -> None:
    header = probe.read("edge", "bare", "hsts")
    probe.measure(header.partition(";")[0] or "nincs")
    assert header.startswith("max-age="), f"a böngésző nem kap titkosítást előíró fejlécet: {header!r}"
    seconds = int(header.removeprefix("max-age=").split(";")[0])
    assert seconds > 0, f"a titkosítást előíró fejléc hatástalan: {header}"


@check("tenant.keret.answers")
def test_keret_answers(probe: View) -> None:
    _answers(probe, ["keret"])


@check("tenant.irat.answers")
def test_irat_answers(probe: View) -> None:
    _answers(probe, ["irat"])


@check("tenant.systems.answer")
def test_systems_answer(probe: View, register: Register, municipality: Municipality) -> None:
    _answers(probe, register.systems_of(municipality))


def _answers(probe: View, systems: list[str]) -> None:
    """One that answers with an error is a broken promise, whoever else does not answer at all."""
    failed, silent = [], None
    for system in systems:
        try:
            status = probe.read("systems", system, "status")
        except Unreachable as error:
            silent = silent or error
            continue
        if status not in (200, 302):
            failed.append(f"a(z) {system} hibát ad ({status}): {probe.read('systems', system, 'seen')}")
    assert not failed, "; ".join(failed)
    if silent:
        raise silent
    probe.measure(f"{len(systems)} / {len(systems)} rendszer")


@check("tenant.contract.recorded")
def test_contract_recorded(probe: View) -> None:
    phase, missing = probe.read("contract", "phase"), probe.read("contract", "missing_evidence")
    contract = probe.read_optional("contract", "number")
    probe.measure(f"{contract or 'szerződésszám nélkül'}, {len(missing)} hiányzó bizonyíték")
    assert phase != "live" or contract, "éles önkormányzat szerződésszám nélkül"
    assert not missing, f"hiányzó bizonyíték: {', '.join(missing)}"
