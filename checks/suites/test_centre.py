"""Promises of the centre: what every tenant stands on. One function, one promise."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from checks.catalogue import Limit
from checks.expectations import engine_holders, hosting_services, network_members, published_ports
from checks.plugin import check
from checks.recording import View
from checks.wording import amount, number
from inventory.models import Municipality
from inventory.register import Register

MODERN_TLS = {"TLSv1.2", "TLSv1.3"}


@check("centre.services.running")
def test_services_running(probe: View, register: Register, municipality: Municipality) -> None:
    faults = []
    names = hosting_services(register, municipality)
    for name in names:
        replicas, running = probe.read("services", name, "wanted"), probe.read("services", name, "running")
        health = probe.read("services", name, "health")
        if replicas < 1:
            faults.append(f"{name} le van állítva")
        elif running < replicas:
            faults.append(f"{name} nem fut")
        elif health != "healthy":
            faults.append(f"{name} nem egészséges ({health})")
    probe.measure(f"{len(names) - len(faults)} / {len(names)} szolgáltatás")
    assert not faults, "; ".join(faults)


@check("centre.services.confined")
def test_services_confined(probe: View, register: Register, municipality: Municipality) -> None:
    faults = []
    names = hosting_services(register, municipality)
    for name in names:
        spec = probe.read("services", name, "confinement")
        if spec["user"].split(":")[0] in ("", "0", "root") and name not in engine_holders(register):
            faults.append(f"{name} rendszergazdaként fut")
        if not spec["read_only"]:
            faults.append(f"{name} írható gyökérrel fut")
        if "ALL" not in spec["dropped"]:
            faults.append(f"{name} jogosultságai nincsenek elvéve")
        if not spec["memory_mib"]:
            faults.append(f"{name} memóriája korlátlan")
    probe.measure(f"{len(names)} szolgáltatás, {len(faults)} eltérés")
    assert not faults, "; ".join(faults)


@check("centre.containers.confined")
def test_containers_confined(probe: View, register: Register) -> None:
    faults = []
    containers = _containers(probe)
    for name, facts in containers:
        if facts["uid"] == 0 and name not in engine_holders(register):
            faults.append(f"{name} rendszergazdaként fut")
        if not facts["no_new_privileges"]:
            faults.append(f"{name} folyamatai új jogot szerezhetnek")
        if not facts["seccomp"]:
            faults.append(f"{name} rendszerhívásait semmi sem szűri")
        if facts["capabilities"]:
            faults.append(f"{name} jogosultságai: {facts['capabilities']}")
        if not facts["read_only"]:
            faults.append(f"{name} írható gyökérrel fut")
    probe.measure(f"{len(containers)} konténer, {len(faults)} eltérés")
    assert not faults, "; ".join(faults)


@check("centre.networks.inside")
def test_networks_inside(probe: View, register: Register) -> None:
    outward = {name for network in register.networks if not network.internal for name in network.members}
    containers = _containers(probe)
    ways = sorted({name for name, facts in containers if facts["default_route"] and name not in outward})
    probe.measure(f"{len(containers)} konténer, {len(ways)} kijárat")
    assert not ways, f"van útja kifelé, pedig nem lehetne: {', '.join(ways)}"


def _containers(probe: View) -> list[tuple[str, dict[str, Any]]]:
    """Every running container with its service's name. Which services must run is another check's question."""
    return [
        (name, probe.read("containers", name, container))
        for name in probe.names("containers")
        for container in probe.names("containers", name)
    ]


@check("centre.networks.separate")
def test_networks_separate(probe: View, register: Register) -> None:
    strangers = []
    networks = network_members(register)
    for network, allowed in sorted(networks.items()):
        present = set(probe.read("networks", network))
        strangers += [f"{name} a(z) {network} hálózaton" for name in sorted(present - allowed)]
    probe.measure(f"{len(networks)} hálózat, {len(strangers)} idegen")
    assert not strangers, f"idegen résztvevő: {'; '.join(strangers)}"


@check("centre.networks.ports")
def test_networks_ports(probe: View, register: Register) -> None:
    allowed = published_ports(register)
    published = probe.read("published")
    extra = [
        f"{name}: {port}"
        for name, ports in sorted(published.items())
        for port in ports
        if port not in allowed.get(name, [])
    ]
    probe.measure(f"{sum(map(len, published.values()))} nyitott kapu, {len(extra)} fölösleges")
    assert not extra, f"kívülről elérhető, pedig nem lehetne: {', '.join(extra)}"


@check("centre.database.writable")
def test_database_writable(probe: View) -> None:
    in_recovery, writable = probe.read("database", "in_recovery"), probe.read("database", "writable")
    probe.measure("írható" if writable else "nem írható")
    assert in_recovery is False, "az adatbázis-kiszolgáló csak olvasható (helyreállítás alatt)"
    assert writable is True, "az adatbázis-kiszolgáló nem fogad írást"


@check("centre.database.encrypted")
def test_database_encrypted(probe: View) -> None:
    ssl, plain = probe.read("database", "settings", "ssl"), probe.read("database", "plain_rules")
    probe.measure(f"{len(plain)} titkosítatlan szabály")
    assert ssl == "on", "a titkosítás ki van kapcsolva"
    assert not plain, f"titkosítatlan kapcsolatot enged: {'; '.join(plain)}"


@check("centre.database.checksums")
def test_database_checksums(probe: View) -> None:
    state, failures = probe.read("database", "settings", "data_checksums"), probe.read("database", "checksum_failures")
    probe.measure(f"{number(failures)} sérült adatlap")
    assert state == "on", "az adatlapokat nem védi ellenőrző összeg"
    assert failures == 0, f"sérült adatlapok száma: {failures}"


@check("centre.database.durable")
def test_database_durable(probe: View) -> None:
    expected = {"fsync": "on", "full_page_writes": "on", "synchronous_commit": "on"}
    settings = {name: probe.read("database", "settings", name) for name in expected}
    off = [f"{name}={value}" for name, value in settings.items() if value != expected[name]]
    probe.measure(f"{len(settings) - len(off)} / {len(settings)} beállítás")
    assert not off, f"a visszaigazolt írás elveszhet: {', '.join(off)}"


@check("centre.database.replicated")
def test_database_replicated(probe: View, register: Register, municipality: Municipality) -> None:
    expected = set(register.cell(municipality.cell).postgres) - {probe.read("database", "node")}
    standbys = {standby["name"]: standby for standby in probe.read("database", "standbys")}
    probe.measure(f"{len(standbys)} / {len(expected)} másolat")
    strangers, missing = sorted(set(standbys) - expected), sorted(expected - set(standbys))
    assert not strangers, f"ismeretlen másolat készül az adatokról: {', '.join(strangers)}"
    assert not missing, f"hiányzó másolat: {', '.join(missing)}"
    late = sorted(name for name, standby in standbys.items() if standby["state"] != "streaming")
    assert not late, f"elmaradó másolat: {', '.join(late)}"
    waits = any(standby["sync"] in ("sync", "quorum") for standby in standbys.values())
    assert waits or not expected, "a visszaigazolás egyetlen másolatra sem vár"


@check("centre.database.samerole")
def test_database_samerole(probe: View) -> None:
    rules = probe.read("database", "network_rules")
    loose = [rule["line"] for rule in rules if rule["method"] != "reject" and rule["opens_tenants"]]
    probe.measure(f"{len(rules)} szabály, {len(loose)} túl tág")
    assert any(rule["database"] == "samerole" for rule in rules), "hiányzik a samerole szabály"
    assert not loose, f"idegen szerepet is beenged: {'; '.join(loose)}"


@check("centre.database.public")
def test_database_public(probe: View) -> None:
    granted = probe.read("database", "public_connect")
    probe.measure(f"{len(granted)} bárki előtt nyitott adatbázis")
    assert not granted, f"bárki csatlakozhat: {', '.join(granted)}"


@check("centre.database.matrix")
def test_database_matrix(probe: View) -> None:
    connect = probe.read("database", "connect")
    foreign = [
        f"{role} → {database}"
        for database, roles in sorted(connect.items())
        for role in roles
        if role != database and not role.startswith(f"{database}_")
    ]
    probe.measure(f"{len(connect)} adatbázis, {len(foreign)} idegen szerep")
    assert connect, "egyetlen önkormányzati adatbázis sem látszik"
    assert not foreign, f"idegen szerep csatlakozhat: {', '.join(foreign)}"


@check("centre.isolation.matrix")
def test_isolation_matrix(probe: View, limit: Limit) -> None:
    tenants, planes = probe.read("isolation", "tenants"), probe.read("isolation", "planes")
    examined, forbidden = probe.read("isolation", "examined"), probe.read("isolation", "forbidden")
    reached = probe.read("isolation", "reached")
    probe.measure(forbidden, limit.unit)
    assert tenants, "egyetlen önkormányzati adatbázis sem látszik"
    pairs = tenants * (tenants - 1) * len(planes)
    assert examined == pairs, f"{examined} összevetés készült, {pairs} helyett"
    first = [f"{pair} ({plane})" for plane, leaks in sorted(reached.items()) for pair in leaks]
    assert forbidden <= limit.value, f"{forbidden} úton érhető el másik önkormányzat: {', '.join(first[:5])}"


@check("centre.isolation.catalogue")
def test_isolation_catalogue(probe: View) -> None:
    strange, findings = probe.read("isolation", "strange"), probe.read("isolation", "findings")
    probe.measure(f"{number(strange)} eltérés")
    assert strange == 0, f"{strange} eltérés a mintától: {'; '.join(findings[:5])}"


@check("centre.database.connections")
def test_database_connections(probe: View) -> None:
    used, most = probe.read("database", "connections_used"), probe.read("database", "connections_most")
    probe.measure(f"{number(used)} / {number(most)} kapcsolat")
    assert used < most, f"elfogytak a kapcsolatok: {used} / {most}"


@check("centre.archive.lag")
def test_archive_lag(probe: View, limit: Limit) -> None:
    mode, rhythm = probe.read("archive", "mode"), probe.read("archive", "timeout_seconds")
    waiting, most = probe.read("archive", "oldest_waiting_seconds"), limit.span.total_seconds()
    probe.measure(max(waiting, rhythm) / 60, "minutes")
    assert mode in ("on", "always"), "a naplóarchiválás ki van kapcsolva"
    assert 0 < rhythm <= most, f"a napló {rhythm} másodpercenként vált, megengedett legfeljebb {limit.text}"
    assert waiting <= most, f"{number(waiting / 60)} perce vár napló archiválásra, megengedett {limit.text}"


@check("centre.archive.failures")
def test_archive_failures(probe: View) -> None:
    success = probe.read("archive", "last_archived")
    failed = probe.read_optional("archive", "last_failed")
    broken = failed is not None and datetime.fromisoformat(failed) > datetime.fromisoformat(success)
    probe.measure("az utolsó hibás" if broken else "az utolsó sikeres")
    assert not broken, f"az utolsó naplóarchiválás nem sikerült ({failed})"


@check("centre.backup.healthy")
def test_backup_healthy(probe: View) -> None:
    code, message = probe.read("backup", "status_code"), probe.read("backup", "status_message")
    failed = probe.read("backup", "failed")
    probe.measure(f"{len(failed)} hibás mentés")
    assert code == 0, f"a mentések tára hibát jelez: {message}"
    assert not failed, f"hibás mentés: {', '.join(failed)}"


@check("centre.backup.full")
def test_backup_full(probe: View) -> None:
    full = _full(probe.read("backup", "backups"))
    probe.measure(f"{full} teljes mentés")
    assert full, "nincs hibátlan teljes mentés"


@check("centre.backup.vault")
def test_vault_full(probe: View) -> None:
    code, message = probe.read("vault", "status_code"), probe.read("vault", "status_message")
    full = _full(probe.read("vault", "backups"))
    probe.measure(f"{full} teljes mentés")
    assert code == 0, f"a titkosított mentések tára hibát jelez: {message}"
    assert full, "nincs hibátlan titkosított teljes mentés"


def _full(backups: list[dict[str, Any]]) -> int:
    return sum(item["type"] == "full" for item in backups)


@check("centre.backup.age")
def test_backup_age(probe: View, limit: Limit) -> None:
    _fresh(probe, probe.read("backup", "backups"), limit, "mentés")


@check("centre.backup.vault-age")
def test_vault_age(probe: View, limit: Limit) -> None:
    _fresh(probe, probe.read("vault", "backups"), limit, "titkosított mentés")


@check("centre.backup.verified")
def test_backup_verified(probe: View, limit: Limit) -> None:
    kinds = {"1": "mindennapi", "2": "titkosított"}
    verifications = {kind: (probe.read("verification", number, "damage"), probe.read("verification", number, "at"))
            for number, kind in kinds.items()}  # fmt: skip
    days = {kind: (probe.taken.timestamp() - at) / 86400 for kind, (_, at) in verifications.items() if at}
    if days:
        probe.measure(max(days.values()), "days")
    for kind, (damage, at) in verifications.items():
        assert not damage, f"a {kind} mentéstár sérült: {damage}"
        assert at, f"a {kind} mentéstár épségét még nem ellenőriztük"
        assert days[kind] <= limit.value, (
            f"a {kind} mentéstár épségét {number(days[kind])} napja ellenőriztük, megengedett {limit.text}"
        )


def _fresh(probe: View, backups: list[dict[str, Any]], limit: Limit, noun: str) -> None:
    assert backups, f"még nem készült {noun}"
    hours = (probe.taken - max(datetime.fromisoformat(item["stopped"]) for item in backups)).total_seconds() / 3600
    probe.measure(hours, "hours")
    most = limit.span.total_seconds() / 3600
    assert hours <= most, f"a legutóbbi {noun} {number(hours)} órája készült, megengedett {limit.text}"


@check("centre.pooler.answers")
def test_pooler_answers(probe: View) -> None:
    answers, version = probe.read("pooler", "answers"), probe.read("pooler", "tls")
    probe.measure(f"válaszol, {version}" if answers else "nem válaszol")
    assert answers is True, f"a kapcsolatgyűjtő nem válaszol: {probe.read('pooler', 'seen')}"
    assert version in MODERN_TLS, f"a kapcsolatgyűjtő titkosítása elavult: {version}"


@check("centre.identity.ready")
def test_identity_ready(probe: View) -> None:
    status = probe.read("identity", "health")
    probe.measure(status)
    assert status == "UP", f"a belépési szolgáltatás állapota: {status}"


@check("centre.identity.realm")
def test_identity_realm(probe: View) -> None:
    realm = probe.read("identity", "realm")
    probe.measure(f"{len(realm['different'])} eltérés")
    assert realm["enabled"], "a belépési tartomány ki van kapcsolva"
    assert realm["organizations"], "a belépési tartomány nem ismer szervezeteket"
    assert realm["brute_force_protected"], "a jelszópróbálgatás elleni védelem ki van kapcsolva"
    assert realm["registration"] is False, "bárki fiókot nyithatna magának"
    assert not realm["different"], f"eltér az előírttól: {', '.join(realm['different'])}"


@check("centre.identity.second-factor")
def test_identity_second_factor(probe: View) -> None:
    realms = probe.names("identity", "ways_in")
    flows = [f"{realm}: {flow}" for realm in realms for flow in probe.read("identity", "ways_in", realm, "flows")]
    clients = [f"{realm}: {name}" for realm in realms for name in probe.read("identity", "ways_in", realm, "clients")]
    probe.measure(f"{len(flows) + len(clients)} eltérés")
    assert realms, "egyetlen belépési tartomány sem látszik"
    assert not flows, f"a belépés lépései eltérnek az előírttól: {', '.join(flows)}"
    assert not clients, f"nyitva áll egy alkalmazás, amelyet senki sem használ: {', '.join(clients)}"


@check("centre.identity.two-factors")
def test_identity_two_factors(probe: View) -> None:
    factor = probe.read("identity", "second_factor")
    probe.measure({"password": "jelszó", "totp": "egyszer használatos kód", "none": "nincs"}[factor])
    assert factor != "none", "az ügyintézőt egyedül a tanúsítványa azonosítja: aki lemásolja, az ő nevében léphet be"


@check("centre.identity.admin-closed")
def test_identity_admin_closed(probe: View) -> None:
    status = probe.read("edge", "admin", "status")
    probe.measure(f"HTTP {status}")
    assert status in (403, 404), f"a belépési szolgáltatás rendszergazdai felülete kívülről elérhető ({status})"


@check("centre.identity.database")
def test_identity_database(probe: View) -> None:
    in_recovery, writable = probe.read("identity_db", "in_recovery"), probe.read("identity_db", "writable")
    probe.measure("írható" if writable else "nem írható")
    assert in_recovery is False, "a belépési szolgáltatás adatbázisa csak olvasható"
    assert writable is True, "a belépési szolgáltatás adatbázisa nem fogad írást"


@check("centre.pki.healthy")
def test_pki_healthy(probe: View) -> None:
    status = probe.read("pki", "health")
    probe.measure(status)
    assert status == "ok", f"a tanúsítványkiadó állapota: {status}"


@check("centre.pki.crl")
def test_pki_crl(probe: View) -> None:
    until = datetime.fromisoformat(probe.read("pki", "crl", "next_update"))
    hours = (until - probe.taken).total_seconds() / 3600
    probe.measure(f"még {amount(hours, 'hours')}" if hours > 0 else "lejárt")
    assert hours > 0, f"a visszavonási lista {until:%Y-%m-%d %H:%M} óta lejárt"


@check("centre.pki.crl-at-edge")
def test_pki_crl_at_edge(probe: View) -> None:
    issued = set(probe.read("pki", "crl", "serials"))
    missing = sorted(issued - set(probe.read("edge", "crl", "serials")))
    probe.measure(f"{len(issued) - len(missing)} / {len(issued)} visszavonás")
    assert not missing, f"a kapu nem tud visszavont tanúsítványról: {', '.join(missing)}"


@check("centre.pki.authority")
def test_pki_authority(probe: View, limit: Limit) -> None:
    days = (datetime.fromisoformat(probe.read("pki", "authority_until")) - probe.taken).total_seconds() / 86400
    probe.measure(days, "days")
    most = limit.span.total_seconds() / 86400
    assert days >= most, f"a kibocsátó tanúsítvány {number(days)} nap múlva lejár, legalább {limit.text} kell"


@check("centre.edge.config")
def test_edge_config(probe: View) -> None:
    valid, message = probe.read("edge", "config", "valid"), probe.read("edge", "config", "message")
    probe.measure("hibátlan" if valid else "hibás")
    assert valid, f"a kapu beállítása hibás: {message}"


@check("centre.edge.tls-floor")
def test_edge_tls_floor(probe: View) -> None:
    tls = probe.read("edge", "tls")
    accepted = {version for version, outcome in tls.items() if outcome == "accepted"}
    probe.measure(", ".join(sorted(accepted)) or "egyik sem")
    assert accepted, "a kapu egyetlen TLS-változatot sem fogad el"
    old = sorted(accepted - MODERN_TLS)
    assert not old, f"a kapu elavult titkosítást is elfogad: {', '.join(old)}"


@check("centre.edge.redirect")
def test_edge_redirect(probe: View) -> None:
    status, location = probe.read("edge", "plain", "status"), probe.read("edge", "plain", "location")
    probe.measure(f"HTTP {status}")
    assert status in (301, 307, 308), f"a titkosítatlan kérés nem kap átirányítást ({status})"
    assert location.startswith("https://"), f"az átirányítás nem titkosított címre mutat: {location}"


@check("centre.edge.unknown-host")
def test_edge_unknown_host(probe: View) -> None:
    status, code = probe.read("edge", "unknown_host", "status"), probe.read("edge", "unknown_host", "code")
    probe.measure(f"HTTP {status}")
    assert status in (403, 404, 421), f"ismeretlen név is választ kap ({status})"
    assert code == "ASP-EDGE-UNKNOWN-HOST", f"ismeretlen névre más hibakód jön: {code}"
