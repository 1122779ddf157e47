"""Promises of the centre: what every tenant stands on. One function, one promise."""

from datetime import datetime

from checks.expectations import engine_holders, hosting_services, network_members, published_ports
from checks.plugin import check

MODERN_TLS = {"TLSv1.2", "TLSv1.3"}


@check("centre.services.running")
def test_services_running(probe, register, municipality):
    faults = []
    for name in hosting_services(register, municipality):
        wanted, running = probe.read("services", name, "wanted"), probe.read("services", name, "running")
        health = probe.read("services", name, "health")
        if wanted < 1:
            faults.append(f"{name} le van állítva")
        elif running < wanted:
            faults.append(f"{name} nem fut")
        elif health != "healthy":
            faults.append(f"{name} nem egészséges ({health})")
    assert not faults, "; ".join(faults)


@check("centre.services.confined")
def test_services_confined(probe, register, municipality):
    faults = []
    for name in hosting_services(register, municipality):
        spec = probe.read("services", name, "confinement")
        if spec["user"].split(":")[0] in ("", "0", "root") and name not in engine_holders(register):
            faults.append(f"{name} rendszergazdaként fut")
        if not spec["read_only"]:
            faults.append(f"{name} írható gyökérrel fut")
        if "ALL" not in spec["dropped"]:
            faults.append(f"{name} jogosultságai nincsenek elvéve")
        if not spec["memory_mib"]:
            faults.append(f"{name} memóriája korlátlan")
    assert not faults, "; ".join(faults)


@check("centre.networks.separate")
def test_networks_separate(probe, register):
    strangers = []
    for network, allowed in sorted(network_members(register).items()):
        found = set(probe.read("networks", network))
        strangers += [f"{name} a(z) {network} hálózaton" for name in sorted(found - allowed)]
    assert not strangers, f"idegen résztvevő: {'; '.join(strangers)}"


@check("centre.networks.ports")
def test_networks_ports(probe, register):
    allowed = published_ports(register)
    found = probe.read("published")
    extra = [
        f"{name}: {port}"
        for name, ports in sorted(found.items())
        for port in ports
        if port not in allowed.get(name, [])
    ]
    assert not extra, f"kívülről elérhető, pedig nem lehetne: {', '.join(extra)}"


@check("centre.database.writable")
def test_database_writable(probe):
    assert probe.read("database", "in_recovery") is False, (
        "az adatbázis-kiszolgáló csak olvasható (helyreállítás alatt)"
    )
    assert probe.read("database", "writable") is True, "az adatbázis-kiszolgáló nem fogad írást"


@check("centre.database.encrypted")
def test_database_encrypted(probe):
    assert probe.read("database", "settings", "ssl") == "on", "a titkosítás ki van kapcsolva"
    plain = probe.read("database", "plain_rules")
    assert not plain, f"titkosítatlan kapcsolatot enged: {'; '.join(plain)}"


@check("centre.database.checksums")
def test_database_checksums(probe):
    assert probe.read("database", "settings", "data_checksums") == "on", "az adatlapokat nem védi ellenőrző összeg"
    failures = probe.read("database", "checksum_failures")
    assert failures == 0, f"sérült adatlapok száma: {failures}"


@check("centre.database.durable")
def test_database_durable(probe):
    wanted = {"fsync": "on", "full_page_writes": "on", "synchronous_commit": "on"}
    off = [f"{name}={seen}" for name in wanted if (seen := probe.read("database", "settings", name)) != wanted[name]]
    assert not off, f"a visszaigazolt írás elveszhet: {', '.join(off)}"


@check("centre.database.replicated")
def test_database_replicated(probe, register, municipality):
    wanted = set(register.cell(municipality.cell).postgres) - {probe.read("database", "node")}
    found = {standby["name"]: standby for standby in probe.read("database", "standbys")}
    strangers, missing = sorted(set(found) - wanted), sorted(wanted - set(found))
    assert not strangers, f"ismeretlen másolat készül az adatokról: {', '.join(strangers)}"
    assert not missing, f"hiányzó másolat: {', '.join(missing)}"
    late = sorted(name for name, standby in found.items() if standby["state"] != "streaming")
    assert not late, f"elmaradó másolat: {', '.join(late)}"
    waits = any(standby["sync"] in ("sync", "quorum") for standby in found.values())
    assert waits or not wanted, "a visszaigazolás egyetlen másolatra sem vár"


@check("centre.database.samerole")
def test_database_samerole(probe):
    rules = probe.read("database", "network_rules")
    loose = [rule["line"] for rule in rules if rule["method"] != "reject" and rule["opens_tenants"]]
    assert any(rule["database"] == "samerole" for rule in rules), "hiányzik a samerole szabály"
    assert not loose, f"idegen szerepet is beenged: {'; '.join(loose)}"


@check("centre.database.public")
def test_database_public(probe):
    granted = probe.read("database", "public_connect")
    assert not granted, f"bárki csatlakozhat: {', '.join(granted)}"


@check("centre.database.matrix")
def test_database_matrix(probe):
    matrix = probe.read("database", "connect")
    assert matrix, "egyetlen önkormányzati adatbázis sem látszik"
    foreign = [
        f"{role} → {database}"
        for database, roles in sorted(matrix.items())
        for role in roles
        if role != database and not role.startswith(f"{database}_")
    ]
    assert not foreign, f"idegen szerep csatlakozhat: {', '.join(foreign)}"


@check("centre.database.connections")
def test_database_connections(probe):
    used, most = probe.read("database", "connections_used"), probe.read("database", "connections_most")
    assert used < most, f"elfogytak a kapcsolatok: {used} / {most}"


@check("centre.archive.lag")
def test_archive_lag(probe, limit):
    assert probe.read("archive", "mode") in ("on", "always"), "a naplóarchiválás ki van kapcsolva"
    rhythm = probe.read("archive", "timeout_seconds")
    wanted = limit.span.total_seconds()
    assert 0 < rhythm <= wanted, f"a napló {rhythm} másodpercenként vált, megengedett legfeljebb {limit.text}"
    waiting = probe.read("archive", "oldest_waiting_seconds")
    assert waiting <= wanted, f"{waiting / 60:.1f} perce vár napló archiválásra, megengedett {limit.text}"


@check("centre.archive.failures")
def test_archive_failures(probe):
    done = probe.read("archive", "last_archived")
    failed = probe.read_optional("archive", "last_failed")
    broken = failed is not None and datetime.fromisoformat(failed) > datetime.fromisoformat(done)
    assert not broken, f"az utolsó naplóarchiválás nem sikerült ({failed})"


@check("centre.backup.healthy")
def test_backup_healthy(probe):
    code, message = probe.read("backup", "status_code"), probe.read("backup", "status_message")
    assert code == 0, f"a mentések tára hibát jelez: {message}"
    failed = [item["label"] for item in probe.read("backup", "backups") if item["error"]]
    assert not failed, f"hibás mentés: {', '.join(failed)}"


@check("centre.backup.full")
def test_backup_full(probe):
    backups = probe.read("backup", "backups")
    assert any(item["type"] == "full" and not item["error"] for item in backups), "nincs hibátlan teljes mentés"


@check("centre.backup.vault")
def test_vault_full(probe):
    code, message = probe.read("vault", "status_code"), probe.read("vault", "status_message")
    assert code == 0, f"a titkosított mentések tára hibát jelez: {message}"
    backups = probe.read("vault", "backups")
    assert any(item["type"] == "full" and not item["error"] for item in backups), (
        "nincs hibátlan titkosított teljes mentés"
    )


@check("centre.backup.age")
def test_backup_age(probe, limit):
    _fresh(probe, probe.read("backup", "backups"), limit, "mentés")


@check("centre.backup.vault-age")
def test_vault_age(probe, limit):
    _fresh(probe, probe.read("vault", "backups"), limit, "titkosított mentés")


@check("centre.backup.verified")
def test_backup_verified(probe, limit):
    for number, what in (("1", "mindennapi"), ("2", "titkosított")):
        damage, at = probe.read("verification", number, "damage"), probe.read("verification", number, "at")
        assert not damage, f"a {what} mentéstár sérült: {damage}"
        assert at, f"a {what} mentéstár épségét még nem ellenőriztük"
        days = (probe.taken.timestamp() - at) / 86400
        assert days <= limit.value, (
            f"a {what} mentéstár épségét {days:.1f} napja ellenőriztük, megengedett {limit.text}"
        )


def _fresh(probe, backups, limit, what):
    assert backups, f"még nem készült {what}"
    hours = (probe.taken - max(datetime.fromisoformat(item["stopped"]) for item in backups)).total_seconds() / 3600
    most = limit.span.total_seconds() / 3600
    assert hours <= most, f"a legutóbbi {what} {hours:.1f} órája készült, megengedett {limit.text}"


@check("centre.pooler.answers")
def test_pooler_answers(probe):
    assert probe.read("pooler", "answers") is True, f"a kapcsolatgyűjtő nem válaszol: {probe.read('pooler', 'seen')}"
    version = probe.read("pooler", "tls")
    assert version in MODERN_TLS, f"a kapcsolatgyűjtő titkosítása elavult: {version}"


@check("centre.identity.ready")
def test_identity_ready(probe):
    status = probe.read("identity", "health")
    assert status == "UP", f"a belépési szolgáltatás állapota: {status}"


@check("centre.identity.realm")
def test_identity_realm(probe):
    realm = probe.read("identity", "realm")
    assert realm["enabled"], "a belépési tartomány ki van kapcsolva"
    assert realm["organizations"], "a belépési tartomány nem ismer szervezeteket"
    assert realm["brute_force_protected"], "a jelszópróbálgatás elleni védelem ki van kapcsolva"
    assert realm["registration"] is False, "bárki fiókot nyithatna magának"
    assert not realm["different"], f"eltér az előírttól: {', '.join(realm['different'])}"


@check("centre.identity.admin-closed")
def test_identity_admin_closed(probe):
    status = probe.read("edge", "admin", "status")
    assert status in (403, 404), f"a belépési szolgáltatás rendszergazdai felülete kívülről elérhető ({status})"


@check("centre.identity.database")
def test_identity_database(probe):
    assert probe.read("identity_db", "in_recovery") is False, "a belépési szolgáltatás adatbázisa csak olvasható"
    assert probe.read("identity_db", "writable") is True, "a belépési szolgáltatás adatbázisa nem fogad írást"


@check("centre.pki.healthy")
def test_pki_healthy(probe):
    status = probe.read("pki", "health")
    assert status == "ok", f"a tanúsítványkiadó állapota: {status}"


@check("centre.pki.crl")
def test_pki_crl(probe):
    until = datetime.fromisoformat(probe.read("pki", "crl", "next_update"))
    assert until > probe.taken, f"a visszavonási lista {until:%Y-%m-%d %H:%M} óta lejárt"


@check("centre.pki.crl-at-edge")
def test_pki_crl_at_edge(probe):
    issued = set(probe.read("pki", "crl", "serials"))
    known = set(probe.read("edge", "crl", "serials"))
    missing = sorted(issued - known)
    assert not missing, f"a kapu nem tud visszavont tanúsítványról: {', '.join(missing)}"


@check("centre.pki.authority")
def test_pki_authority(probe, limit):
    left = (datetime.fromisoformat(probe.read("pki", "authority_until")) - probe.taken).total_seconds() / 86400
    most = limit.span.total_seconds() / 86400
    assert left >= most, f"a kibocsátó tanúsítvány {left:.1f} nap múlva lejár, legalább {limit.text} kell"


@check("centre.edge.config")
def test_edge_config(probe):
    valid, said = probe.read("edge", "config", "valid"), probe.read("edge", "config", "message")
    assert valid, f"a kapu beállítása hibás: {said}"


@check("centre.edge.tls-floor")
def test_edge_tls_floor(probe):
    tls = probe.read("edge", "tls")
    accepted = {version for version, seen in tls.items() if seen == "accepted"}
    assert accepted, "a kapu egyetlen TLS-változatot sem fogad el"
    old = sorted(accepted - MODERN_TLS)
    assert not old, f"a kapu elavult titkosítást is elfogad: {', '.join(old)}"


@check("centre.edge.redirect")
def test_edge_redirect(probe):
    status, location = probe.read("edge", "plain", "status"), probe.read("edge", "plain", "location")
    assert status in (301, 307, 308), f"a titkosítatlan kérés nem kap átirányítást ({status})"
    assert location.startswith("https://"), f"az átirányítás nem titkosított címre mutat: {location}"


@check("centre.edge.unknown-host")
def test_edge_unknown_host(probe):
    status, code = probe.read("edge", "unknown_host", "status"), probe.read("edge", "unknown_host", "code")
    assert status in (403, 404, 421), f"ismeretlen név is választ kap ({status})"
    assert code == "ASP-EDGE-UNKNOWN-HOST", f"ismeretlen névre más hibakód jön: {code}"
