"""Whose certificate, who confirmed it, and what the operator is told to do with it."""

from __future__ import annotations

import argparse
import datetime as dt
import json
from copy import copy

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import load_pem_private_key, pkcs12

from centre.edge.enrolment import Certificate
from centre.faults import UsageFault
from centre.verbs import browse
from inventory import paths
from inventory.errors import RegisterError
from inventory.register import load
from inventory.vault import certificates, vault


@pytest.fixture
def register(tmp_path, monkeypatch):
    monkeypatch.setattr(paths, "LOCAL", tmp_path / ".asp")
    register = load("dev")
    vault.ensure(register)
    return register


@pytest.fixture
def enrolled(register, monkeypatch):
    """Enrolment answered by the environment's own authority instead of step-ca."""
    calls = []

    def enrol(_register, secrets, username, ksh, hours):
        calls.append((username, ksh, hours))
        pair = certificates.leaf(username, [], secrets.pki_ca)
        key = load_pem_private_key(pair.key.encode(), None)
        chain = x509.load_pem_x509_certificates(pair.chain.encode())
        return Certificate(key, chain[0], chain[1:])

    monkeypatch.setattr(browse, "enrol", enrol)
    return calls


@pytest.mark.parametrize(
    ("station", "clerk", "ksh", "expected"),
    [
        (None, None, None, ("minta.iktato", "16054")),
        ("malyinka-1", None, None, ("proba.kozos", "14915")),
        ("malyinka-1", None, "14784", ("proba.kozos", "14784")),
        (None, "minta.admin", "16054", ("minta.admin", "16054")),
    ],
)
def test_a_clerk_and_a_municipality_are_chosen(register, station, clerk, ksh, expected):
    username, municipality = browse.choose(register, station, clerk, ksh)
    assert (username, municipality.ksh) == expected


def test_a_clerk_needs_a_municipality(register):
    with pytest.raises(UsageFault, match="wanted --municipality with it"):
        browse.choose(register, None, "minta.admin", None)


def test_an_unknown_workstation_is_named(register):
    with pytest.raises(RegisterError, match="no such workstation here"):
        browse.choose(register, "nowhere-1", None, None)


@pytest.mark.parametrize("name", ["minta", "", None])
def test_nothing_is_enrolled_unless_the_clerks_name_is_given(register, name):
    with pytest.raises(UsageFault, match="wanted --confirm minta.iktato"):
        browse.confirm("minta.iktato", register.municipality("16054"), name, lambda _: "")


def test_the_folder_holds_what_a_browser_needs(register, enrolled):
    text = browse.write(register, "minta.iktato", register.municipality("16054"), "192.0.2.7")
    assert enrolled == [("minta.iktato", "16054", 24)]
    folder = paths.environment_dir("dev") / "browse"
    bundle = folder / "minta.iktato-16054.p12"
    password = text.rsplit(": ", 1)[1]
    key, own, between = pkcs12.load_key_and_certificates(bundle.read_bytes(), password.encode())
    assert key and own and between, "a server believes the certificate by its chain"
    assert (folder.stat().st_mode & 0o777, bundle.stat().st_mode & 0o777) == (0o700, 0o600)
    assert "BEGIN CERTIFICATE" in (folder / "root.crt").read_text()
    environment = register.environment
    assert (folder / "hosts.txt").read_text() == f"192.0.2.7 sajoszentpeter.asp.test {environment.identity_host}\n"
    for words in ("sajoszentpeter.asp.test/keret/", "/portal/", "proba.piroska", "asp citizens", "asp browse --end"):
        assert words in text
    assert password not in "".join(f.read_text() for f in folder.iterdir() if f.suffix != ".p12"), (
        "only the screen has it"
    )


def test_every_certificate_is_recorded(register, enrolled):
    browse.write(register, "minta.iktato", register.municipality("16054"), "192.0.2.7")
    (line,) = (paths.environment_dir("dev") / browse.RECORD).read_text().splitlines()
    entry = json.loads(line)
    assert (entry["clerk"], entry["municipality"]) == ("minta.iktato", "16054")
    assert dt.datetime.fromisoformat(entry["until"]) > dt.datetime.now(dt.UTC)


def test_the_end_revokes_what_is_still_good_and_removes_the_files(register, enrolled, monkeypatch):
    browse.write(register, "minta.iktato", register.municipality("16054"), "192.0.2.7")
    record = paths.environment_dir("dev") / browse.RECORD
    old = {**json.loads(record.read_text()), "serial": "1", "until": "2020-01-01T00:00:00+00:00"}
    record.write_text(record.read_text() + json.dumps(old) + "\n")
    revoked = []
    monkeypatch.setattr(browse, "revoke", lambda _register, serial: revoked.append(serial))
    assert browse.end(register).startswith("1 certificates revoked")
    assert revoked == [json.loads(record.read_text().splitlines()[0])["serial"]]
    assert not browse.folder_of("dev").exists()
    assert browse.end(register).startswith("0 certificates revoked")
    assert len(revoked) == 1


def test_a_clerks_certificate_is_for_demonstrations_only(register, enrolled, monkeypatch):
    real = copy(register)
    real.environment = register.environment.model_copy(update={"demonstration": False})
    monkeypatch.setattr(browse, "load", lambda _env: real)
    words = {"station": None, "clerk": None, "municipality": None, "confirm": "minta.iktato", "address": "192.0.2.7"}
    with pytest.raises(UsageFault, match="dev: seen demonstration: false, wanted true"):
        browse.run(argparse.Namespace(env="dev", end=False, screenshot=None, **words))
    assert enrolled == []
