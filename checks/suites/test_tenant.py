"""Promises to one municipality: its data apart and its own, its systems reachable. One function, one promise."""

from datetime import datetime

from centre.database.apply import shares
from checks.plugin import check
from checks.verdicts import NoData

OWNER = "asp_owner"


@check("tenant.database.exists")
def test_database_exists(probe, municipality):
    assert probe.read("database", "exists") is True, f"nincs {municipality.tenant} adatbázis"
    assert probe.read("database", "open") is True, f"a(z) {municipality.tenant} adatbázis nem fogad kapcsolatot"


@check("tenant.database.owner")
def test_database_owner(probe):
    owner = probe.read("database", "owner")
    assert owner == OWNER, f"az adatbázis tulajdonosa {owner}, {OWNER} helyett"
    strangers = probe.read("contents", "foreign_owned")
    assert not strangers, f"nem a(z) {OWNER} tulajdona: {', '.join(strangers)}"


@check("tenant.database.connect-only-own")
def test_database_connect_only_own(probe, municipality):
    granted = set(probe.read("database", "connect"))
    own = {municipality.tenant, *(municipality.role(system) for system in municipality.systems)}
    assert granted & own, "a saját szerepei sem csatlakozhatnak"
    foreign = sorted(granted - own)
    assert not foreign, f"idegen szerep is csatlakozhat: {', '.join(foreign)}"


@check("tenant.database.roles")
def test_database_roles(probe, municipality):
    roles = probe.read("database", "roles")
    missing = [role for system in municipality.systems if (role := municipality.role(system)) not in roles]
    assert not missing, f"hiányzó szerep: {', '.join(missing)}"
    mighty = sorted(name for name, role in roles.items() if role["mighty"])
    assert not mighty, f"túl nagy jogú szerep: {', '.join(mighty)}"
    assert not roles[municipality.tenant]["login"], f"a(z) {municipality.tenant} gyűjtőszereppel be lehet lépni"


@check("tenant.database.least-privilege")
def test_database_least_privilege(probe, register, municipality):
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
        for role, found in sorted(rights.items())
        for right in found
        if (role, right) not in allowed_rights
    ]
    assert not too_much, f"más rendszer adatait is látja: {', '.join(too_much)}"
    missing = [
        role for system in municipality.systems if system not in usage.get(role := municipality.role(system), [])
    ]
    assert not missing, f"a saját adatait sem látja: {', '.join(missing)}"


@check("tenant.database.signs-in")
def test_database_signs_in(probe, municipality):
    failed = []
    for system in municipality.systems:
        role = municipality.role(system)
        attempt = probe.read("signin", role)
        if attempt["user"] != role or attempt["database"] != municipality.tenant:
            failed.append(f"{role}: {attempt['message'] or attempt['user']}")
    assert not failed, f"nem tud belépni: {'; '.join(failed)}"


@check("tenant.database.foreign-refused")
def test_database_foreign_refused(probe):
    home = probe.read("foreign", "home")
    if home["user"] != home["role"]:
        raise NoData(f"a próba nem bizonyít: {home['role']} otthon sem tud belépni: {home['message']}")
    for way in ("pooled", "direct"):
        attempt = probe.read("foreign", way)
        role, said = attempt["role"], attempt["message"]
        assert not attempt["user"], f"idegen szerep belépett: {role} ({way})"
        refused = any(text in said for text in ('permission denied for database "', "no pg_hba.conf entry"))
        assert refused, f"{role} elutasítása nem az adatbázistól jött ({way}): {said}"


@check("tenant.database.schema-current")
def test_database_schema_current(probe):
    own, template = probe.read("contents", "versions"), probe.read("template", "versions")
    assert template, "a mintaadatbázisban nincs egyetlen séma sem"
    late = [f"{name}: {own.get(name, 'nincs')}, a mintáé {seen}" for name, seen in sorted(template.items())
            if own.get(name) != seen]  # fmt: skip
    assert not late, f"elmaradt szerkezet: {'; '.join(late)}"


@check("tenant.backup.covers")
def test_backup_covers(probe, municipality):
    label, covered = probe.read("backup", "label"), probe.read("backup", "covered")
    assert covered, f"sem a(z) {label} mentés, sem az utána archivált napló nem tartalmazza: {municipality.tenant}"


@check("tenant.identity.organization")
def test_identity_organization(probe, municipality):
    found = probe.read_optional("identity", "organization")
    assert found, f"a belépési szolgáltatás nem ismeri: {municipality.tenant}"
    assert found["enabled"], f"a(z) {municipality.tenant} szervezet ki van kapcsolva"


@check("tenant.identity.client")
def test_identity_client(probe, municipality):
    client = probe.read_optional("identity", "client")
    assert client, f"nincs {municipality.tenant} nevű alkalmazás a belépési szolgáltatásban"
    assert client["enabled"], f"a(z) {municipality.tenant} alkalmazás ki van kapcsolva"
    foreign = [uri for uri in client["redirects"] if not uri.startswith(f"{municipality.origin}/")]
    assert client["redirects"], "nincs visszatérési cím"
    assert not foreign, f"idegen visszatérési cím: {', '.join(foreign)}"


@check("tenant.identity.clerks")
def test_identity_clerks(probe, municipality, register):
    members = probe.read("identity", "members")
    wanted = [clerk.username for clerk in register.office_of(municipality).clerks]
    missing = [name for name in wanted if not members.get(name, False)]
    assert not missing, f"nem tagja vagy le van tiltva: {', '.join(missing)}"
    strangers = sorted(set(members) - set(wanted))
    assert not strangers, f"nem a hivatal ügyintézője: {', '.join(strangers)}"


@check("tenant.backup.drilled")
def test_backup_drilled(probe, limit):
    proven = probe.read_optional("drill", "proven")
    assert proven, "még egyszer sem próbáltuk ki a visszaállítását"
    days = (probe.taken - datetime.fromisoformat(proven)).total_seconds() / 86400
    most = limit.span.total_seconds() / 86400
    assert days <= most, f"{days:.1f} napja próbáltuk ki a visszaállítását, megengedett {limit.text}"


@check("tenant.edge.route")
def test_edge_route(probe, municipality):
    mapped = probe.read_optional("edge", "map", "tenant")
    assert mapped, f"a kapu nem ismeri: {municipality.host}"
    assert mapped == municipality.tenant, f"a kapu {mapped} felé vezeti, {municipality.tenant} helyett"


@check("tenant.edge.certificate")
def test_edge_certificate(probe, municipality, limit):
    names = probe.read("edge", "certificate", "names")
    assert municipality.host in names, f"a kapu más nevére szóló tanúsítványt ad: {', '.join(names)}"
    trusted = probe.read("edge", "certificate", "trusted")
    assert trusted, "a kapu tanúsítványa nem a központ kiadójától való"
    left = (datetime.fromisoformat(probe.read("edge", "certificate", "until")) - probe.taken).total_seconds() / 86400
    most = limit.span.total_seconds() / 86400
    assert left >= most, f"a kapu tanúsítványa {left:.1f} nap múlva lejár, legalább {limit.text} kell"


@check("tenant.edge.certificate-demanded")
def test_edge_certificate_demanded(probe):
    status, code = probe.read("edge", "bare", "status"), probe.read("edge", "bare", "code")
    assert status == 403, f"tanúsítvány nélkül is választ ad ({status})"
    assert code == "ASP-EDGE-NO-CERTIFICATE", f"tanúsítvány nélkül más hibakód jön: {code}"


@check("tenant.edge.forged-header")
def test_edge_forged_header(probe):
    for form in ("Client-Cert", "Client_Cert"):
        status, code = probe.read("edge", "forged", form, "status"), probe.read("edge", "forged", form, "code")
        assert status == 403, f"hamisított {form} fejléccel beenged ({status})"
        assert code == "ASP-EDGE-NO-CERTIFICATE", f"hamisított {form} fejlécre más hibakód jön: {code}"


@check("tenant.edge.hsts")
def test_edge_hsts(probe):
    header = probe.read("edge", "bare", "hsts")
    assert header.startswith("max-age="), f"a böngésző nem kap titkosítást előíró fejlécet: {header!r}"
    seconds = int(header.removeprefix("max-age=").split(";")[0])
    assert seconds > 0, f"a titkosítást előíró fejléc hatástalan: {header}"


@check("tenant.keret.answers")
def test_keret_answers(probe):
    _answers(probe, "keret")


@check("tenant.irat.answers")
def test_irat_answers(probe):
    _answers(probe, "irat")


@check("tenant.systems.answer")
def test_systems_answer(probe, register, municipality):
    for system in municipality.systems:
        if system in register.installed_systems:
            _answers(probe, system)


def _answers(probe, system):
    status = probe.read("systems", system, "status")
    assert status in (200, 302), f"a(z) {system} hibát ad ({status}): {probe.read('systems', system, 'seen')}"


@check("tenant.contract.recorded")
def test_contract_recorded(probe):
    phase = probe.read("contract", "phase")
    number = probe.read_optional("contract", "number")
    assert phase != "live" or number, "éles önkormányzat szerződésszám nélkül"
    missing = probe.read("contract", "missing_evidence")
    assert not missing, f"hiányzó bizonyíték: {', '.join(missing)}"
