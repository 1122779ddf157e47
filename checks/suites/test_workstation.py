"""Promises of a municipal workstation: its clerk can work, and only at home. One function, one promise."""

from __future__ import annotations

from datetime import datetime

from checks.catalogue import Limit
from checks.plugin import check
from checks.recording import View
from checks.wording import number
from inventory.models import Municipality
from inventory.register import Register


@check("workstation.hosts.resolved")
def test_hosts_resolved(probe: View, municipality: Municipality, register: Register) -> None:
    names = [municipality.host, register.environment.identity_host]
    addresses = {host: probe.read_optional("hosts", host) for host in names}
    gateway = probe.read("gateway")
    missing = sorted(host for host, answers in addresses.items() if not answers)
    astray = sorted(
        f"{host} → {', '.join(answers)}" for host, answers in addresses.items() if answers and answers != [gateway]
    )
    probe.measure(f"{len(names) - len(missing) - len(astray)} / {len(names)} név")
    assert not missing, f"ismeretlen név: {', '.join(missing)}"
    assert not astray, f"nem a központhoz ({gateway}) vezet: {'; '.join(astray)}"


@check("workstation.tls.trusted")
def test_tls_trusted(probe: View, municipality: Municipality, register: Register) -> None:
    names = (municipality.host, register.environment.identity_host)
    results = {host: (probe.read_optional("tls", host, "error"), probe.read_optional("tls", host, "version"))
            for host in names}  # fmt: skip
    probe.measure(", ".join(sorted({version for _, version in results.values() if version})) or "nem fogadja el")
    for host, (error, _) in results.items():
        assert not error, f"{host} tanúsítványát nem fogadja el: {error}"
        version = probe.read("tls", host, "version")
        assert version in ("TLSv1.2", "TLSv1.3"), f"{host} titkosítása elavult: {version}"


@check("workstation.keret.reachable")
def test_keret_reachable(probe: View, municipality: Municipality, register: Register) -> None:
    status = probe.read("keret", "status")
    code = probe.read_optional("keret", "code")
    probe.measure(f"HTTP {status}")
    assert status in (200, 302), f"a keretrendszer nem nyílik meg: {status} {code or ''}".strip()
    identity = register.environment.origin(register.environment.identity_host)
    location = probe.read_optional("keret", "location") or ""
    home = location.startswith((f"{identity}/", f"{municipality.origin}/", "/"))
    assert status == 200 or home, f"a keretrendszer máshová irányít: {location}"


@check("workstation.clock.skew")
def test_clock_skew(probe: View, limit: Limit) -> None:
    skew = abs(probe.read("clock", "offset_seconds"))
    probe.measure(skew, "seconds")
    most = limit.span.total_seconds()
    assert skew <= most, f"a gép órája {number(skew)} másodperccel tér el, megengedett {limit.text}"


@check("workstation.network.latency")
def test_network_latency(probe: View, limit: Limit) -> None:
    milliseconds = probe.read("keret", "milliseconds")
    probe.measure(round(milliseconds), "ms")
    most = limit.span.total_seconds() * 1000
    assert milliseconds <= most, (
        f"a keretrendszer {number(round(milliseconds))} ms alatt válaszolt, megengedett {limit.text}"
    )


@check("workstation.certificate.valid")
def test_certificate_valid(probe: View, limit: Limit) -> None:
    _certificate(probe)
    days = (datetime.fromisoformat(probe.read("certificate", "until")) - probe.taken).total_seconds() / 86400
    probe.measure(days, "days")
    most = limit.span.total_seconds() / 86400
    assert days >= most, f"az ügyintéző tanúsítványa {number(days)} nap múlva lejár, legalább {limit.text} kell"


@check("workstation.certificate.subject")
def test_certificate_subject(probe: View, municipality: Municipality, register: Register, subject: str) -> None:
    _certificate(probe)
    name = probe.read("certificate", "subject")
    probe.measure(f"CN={', '.join(name.get('CN', []))}; OU={', '.join(name.get('OU', []))}")
    station = next(item for item in register.office_of(municipality).workstations if item.name == subject)
    assert name.get("OU") == [municipality.tenant], f"a tanúsítvány másik önkormányzaté: OU={name.get('OU')}"
    assert name.get("CN") == [station.clerk], f"a tanúsítvány másik ügyintézőé: CN={name.get('CN')}"


@check("workstation.certificate.stores")
def test_certificate_stores(probe: View) -> None:
    _certificate(probe)
    own = probe.read("certificate", "sha256")
    stores = probe.names("stores")
    without = [name for name in stores if own not in probe.read("stores", name, "personal")]
    probe.measure(f"{len(stores) - len(without)} / {len(stores)} tár")
    assert stores, "egyetlen tanúsítványtár sem látszik"
    assert not without, f"nincs benne az ügyintéző tanúsítványa: {', '.join(without)}"


@check("workstation.certificate.authority")
def test_certificate_authority(probe: View) -> None:
    stores = probe.names("authorities")
    without = [name for name in stores if not probe.read("authorities", name, "central_root")]
    probe.measure(f"{len(stores) - len(without)} / {len(stores)} tár")
    assert stores, "egyetlen tanúsítványtár sem látszik"
    assert not without, f"nem ismeri a központ gyökértanúsítványát: {', '.join(without)}"


def _certificate(probe: View) -> None:
    assert probe.read_optional("certificate") is not None, "az ügyintézőnek nincs tanúsítványa a gépen"


@check("workstation.certificate.not-revoked")
def test_certificate_not_revoked(probe: View) -> None:
    serial = probe.read("certificate", "serial")
    revoked = probe.read("revoked")
    probe.measure("visszavont" if serial in revoked else "nincs visszavonva")
    assert serial not in revoked, f"az ügyintéző tanúsítványát ({serial}) visszavonták"


@check("workstation.policy.chromium")
def test_policy_chromium(probe: View) -> None:
    _policy(probe, "chromium")


@check("workstation.policy.firefox")
def test_policy_firefox(probe: View) -> None:
    _policy(probe, "firefox")


def _policy(probe: View, browser: str) -> None:
    present, different = probe.read("policies", browser, "present"), probe.read("policies", browser, "different")
    probe.measure(f"{len(different)} eltérés" if present else "nincs")
    assert present, f"a {browser} házirendje hiányzik"
    assert not different, f"a {browser} házirendje eltér az előírttól: {', '.join(different)}"


@check("workstation.browser.present")
def test_browser_present(probe: View) -> None:
    version = probe.read_optional("browsers", "chromium")
    probe.measure(f"Chromium {version}" if version else "nincs")
    assert version, "nincs Chromium a gépen"


@check("workstation.foreign.refused")
def test_foreign_refused(probe: View) -> None:
    host, status = probe.read("foreign", "host"), probe.read("foreign", "status")
    code = probe.read_optional("foreign", "code")
    probe.measure(f"{host}: HTTP {status}")
    assert status == 403, f"az ügyintéző bejutott ide: {host} ({status})"
    assert code == "ASP-EDGE-TENANT-MISMATCH", f"{host} más okból utasította el: {code}"
