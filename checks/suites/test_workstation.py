"""Promises of a municipal workstation: its clerk can work, and only at home. One function, one promise."""

from datetime import datetime

from checks.plugin import check


@check("workstation.hosts.resolved")
def test_hosts_resolved(probe, municipality, register):
    wanted = [municipality.host, register.environment.identity_host]
    addresses = {host: probe.read_optional("hosts", host) for host in wanted}
    missing = sorted(host for host, found in addresses.items() if not found)
    assert not missing, f"ismeretlen név: {', '.join(missing)}"
    gateway = probe.read("gateway")
    astray = sorted(f"{host} → {', '.join(found)}" for host, found in addresses.items() if found != [gateway])
    assert not astray, f"nem a központhoz ({gateway}) vezet: {'; '.join(astray)}"


@check("workstation.tls.trusted")
def test_tls_trusted(probe, municipality, register):
    for host in (municipality.host, register.environment.identity_host):
        error = probe.read_optional("tls", host, "error")
        assert not error, f"{host} tanúsítványát nem fogadja el: {error}"
        version = probe.read("tls", host, "version")
        assert version in ("TLSv1.2", "TLSv1.3"), f"{host} titkosítása elavult: {version}"


@check("workstation.keret.reachable")
def test_keret_reachable(probe, municipality, register):
    status = probe.read("keret", "status")
    code = probe.read_optional("keret", "code")
    assert status in (200, 302), f"a keretrendszer nem nyílik meg: {status} {code or ''}".strip()
    identity = register.environment.origin(register.environment.identity_host)
    location = probe.read_optional("keret", "location") or ""
    home = location.startswith((f"{identity}/", f"{municipality.origin}/", "/"))
    assert status == 200 or home, f"a keretrendszer máshová irányít: {location}"


@check("workstation.clock.skew")
def test_clock_skew(probe, limit):
    skew = abs(probe.read("clock", "offset_seconds"))
    most = limit.span.total_seconds()
    assert skew <= most, f"a gép órája {skew:.1f} másodperccel tér el, megengedett {limit.text}"


@check("workstation.network.latency")
def test_network_latency(probe, limit):
    seen = probe.read("keret", "milliseconds")
    most = limit.span.total_seconds() * 1000
    assert seen <= most, f"a keretrendszer {seen:.0f} ms alatt válaszolt, megengedett {limit.text}"


@check("workstation.certificate.valid")
def test_certificate_valid(probe, limit):
    _certificate(probe)
    left = (datetime.fromisoformat(probe.read("certificate", "until")) - probe.taken).total_seconds() / 86400
    most = limit.span.total_seconds() / 86400
    assert left >= most, f"az ügyintéző tanúsítványa {left:.1f} nap múlva lejár, legalább {limit.text} kell"


@check("workstation.certificate.subject")
def test_certificate_subject(probe, municipality, register, subject):
    _certificate(probe)
    seen = probe.read("certificate", "subject")
    station = next(item for item in register.office_of(municipality).workstations if item.name == subject)
    assert seen.get("OU") == [municipality.tenant], f"a tanúsítvány másik önkormányzaté: OU={seen.get('OU')}"
    assert seen.get("CN") == [station.clerk], f"a tanúsítvány másik ügyintézőé: CN={seen.get('CN')}"


@check("workstation.certificate.stores")
def test_certificate_stores(probe):
    _certificate(probe)
    own = probe.read("certificate", "sha256")
    stores = probe.names("stores")
    without = [name for name in stores if own not in probe.read("stores", name, "personal")]
    assert stores, "egyetlen tanúsítványtár sem látszik"
    assert not without, f"nincs benne az ügyintéző tanúsítványa: {', '.join(without)}"


@check("workstation.certificate.authority")
def test_certificate_authority(probe):
    stores = probe.names("authorities")
    without = [name for name in stores if not probe.read("authorities", name, "central_root")]
    assert stores, "egyetlen tanúsítványtár sem látszik"
    assert not without, f"nem ismeri a központ gyökértanúsítványát: {', '.join(without)}"


def _certificate(probe):
    assert probe.read_optional("certificate") is not None, "az ügyintézőnek nincs tanúsítványa a gépen"


@check("workstation.certificate.not-revoked")
def test_certificate_not_revoked(probe):
    serial = probe.read("certificate", "serial")
    revoked = probe.read("revoked")
    assert serial not in revoked, f"az ügyintéző tanúsítványát ({serial}) visszavonták"


@check("workstation.policy.chromium")
def test_policy_chromium(probe):
    _policy(probe, "chromium")


@check("workstation.policy.firefox")
def test_policy_firefox(probe):
    _policy(probe, "firefox")


def _policy(probe, browser):
    assert probe.read("policies", browser, "present"), f"a {browser} házirendje hiányzik"
    different = probe.read("policies", browser, "different")
    assert not different, f"a {browser} házirendje eltér az előírttól: {', '.join(different)}"


@check("workstation.browser.present")
def test_browser_present(probe):
    version = probe.read_optional("browsers", "chromium")
    assert version, "nincs Chromium a gépen"


@check("workstation.foreign.refused")
def test_foreign_refused(probe):
    host, status = probe.read("foreign", "host"), probe.read("foreign", "status")
    code = probe.read_optional("foreign", "code")
    assert status == 403, f"az ügyintéző bejutott ide: {host} ({status})"
    assert code == "ASP-EDGE-TENANT-MISMATCH", f"{host} más okból utasította el: {code}"
