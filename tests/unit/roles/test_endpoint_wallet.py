"""Which of a clerk's certificates must be enrolled anew, and whose word about revocations is believed."""

import contextlib
import datetime as dt
import json
import os
import subprocess
from dataclasses import dataclass

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from inventory.vault import certificates
from inventory.vault.certificates import Pair
from tests.support.modules import endpoint_module

module = endpoint_module("certificate")
TENANT = {"ksh": "16054", "tenant": "t16054", "organization": "Sajószentpéter"}
SUBJECT = {"CN": "minta.erika", "OU": "t16054", "O": "Sajószentpéter"}
OIDS = {"CN": NameOID.COMMON_NAME, "OU": NameOID.ORGANIZATIONAL_UNIT_NAME, "O": NameOID.ORGANIZATION_NAME}
RENEW = 30  # days


class Account(module.Account):
    """The clerk's account with the rights of whoever runs the tests."""

    def __init__(self, name):
        self.name, self.home = name, os.getcwd()

    @contextlib.contextmanager
    def acting(self):
        yield

    def run(self, argv, stdin=None, limit=30, accept=(0,)):
        result = subprocess.run(argv, input=stdin, capture_output=True, text=True, timeout=limit)
        assert accept is None or result.returncode in accept, result.stderr
        return result.returncode, result.stdout, result.stderr


class Store:
    """A browser's store: nickname → (trust flags, fingerprints)."""

    folder, exists = "nssdb", True

    def __init__(self, certificates_by_name):
        self.held = certificates_by_name

    def entries(self):
        return {name: flags for name, (flags, _) in self.held.items()}

    def holds(self, nickname):
        return self.held[nickname][1]

    def forget(self, nickname):
        self.held.pop(nickname, None)

    def take_in(self, nickname, certificate, key):
        with open(certificate, encoding="utf-8") as stream:
            self.held[nickname] = ("u,u,u", module.fingerprints(stream.read())[:1])


@dataclass(frozen=True)
class Centre:
    root: Pair
    issuing: Pair

    def client(self, subject=None, days=365, key=None, serial=None, use=ExtendedKeyUsageOID.CLIENT_AUTH):
        """Chain and key (PEM) of a clerk's certificate."""
        key = key or ec.generate_private_key(ec.SECP256R1())
        name = x509.Name([x509.NameAttribute(OIDS[part], text) for part, text in (subject or SUBJECT).items()])
        now = dt.datetime.now(dt.UTC)
        certificate = (
            x509.CertificateBuilder()
            .subject_name(name)
            .issuer_name(x509.load_pem_x509_certificate(self.issuing.certificate.encode()).subject)
            .public_key(key.public_key())
            .serial_number(serial or x509.random_serial_number())
            .not_valid_before(now - dt.timedelta(minutes=1))
            .not_valid_after(now + dt.timedelta(days=days))
            .add_extension(x509.ExtendedKeyUsage([use]), critical=False)
            .sign(self.key, hashes.SHA256())
        )
        pem = serialization.Encoding.PEM
        private = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()).decode()
        return certificate.public_bytes(pem).decode() + self.issuing.certificate, private

    @property
    def key(self):
        return serialization.load_pem_private_key(self.issuing.key.encode(), None)

    def revocations(self, *serials):
        """The authority's list (DER)."""
        now = dt.datetime.now(dt.UTC)
        builder = (
            x509.CertificateRevocationListBuilder()
            .issuer_name(x509.load_pem_x509_certificate(self.issuing.certificate.encode()).subject)
            .last_update(now)
            .next_update(now + dt.timedelta(days=1))
        )
        for serial in serials:
            entry = x509.RevokedCertificateBuilder().serial_number(serial).revocation_date(now).build()
            builder = builder.add_revoked_certificate(entry)
        return builder.sign(self.key, hashes.SHA256()).public_bytes(serialization.Encoding.DER)


def centre():
    root = certificates.root("unit")
    return Centre(root, certificates.intermediate("unit", "issuing", root))


@pytest.fixture(scope="module")
def ours():
    return centre()


@pytest.fixture(scope="module")
def impostor():
    """Another authority that gives itself the same names."""
    return centre()


@pytest.fixture
def wallet(ours, tmp_path, monkeypatch):
    """`wallet(chain, key)`: the clerk's wallet with that certificate, its store empty and nothing revoked."""
    monkeypatch.setattr(module, "Account", Account)
    monkeypatch.setattr(module, "stores", lambda *_: [Store({})])

    def make(chain=None, key=None, foretelling=False, check=False, **changes):
        params = {
            "account": "clerk", "clerk": "minta.erika", "tenants": [TENANT], "folder": str(tmp_path),
            "authority": "ca.unit.test", "issuer": certificates.authority_name("unit", "issuing"),
            "root": ours.root.certificate, "renew_before_days": RENEW, "chromium": "nssdb", "firefox": "firefox",
            "tokens": {}, "act": True, **changes,
        }  # fmt: skip
        for kind, text in (("crt", chain), ("key", key)):
            if text is not None:
                (tmp_path / f"t16054.{kind}").write_text(text, encoding="utf-8")
        monkeypatch.setattr(module.Authority, "ask", lambda *_: (200, ours.revocations()))
        return module.Wallet(params, check, foretelling)

    return make


def status(wallet):
    return wallet.look()["t16054"]["status"]


def serial_of(chain):
    return x509.load_pem_x509_certificate(chain.encode()).serial_number


def test_a_sound_certificate_is_told_with_serial_and_end(ours, wallet):
    chain, key = ours.client()
    state = wallet(chain, key).look()["t16054"]
    assert (state["status"], state["serial"]) == ("ok", f"{serial_of(chain):X}")
    assert state["until"].endswith("GMT")


@pytest.mark.parametrize("there", [(False, False), (True, False), (False, True)])
def test_half_a_pair_is_none(ours, wallet, there):
    pair = ours.client()
    assert (
        status(wallet(*(text if is_there else None for text, is_there in zip(pair, there, strict=True)))) == "missing"
    )


@pytest.mark.parametrize(
    "other", [{"CN": "minta.ilona"}, {"OU": "t14784"}, {"O": "Tardona"}, {"CN": "minta.ilona", "OU": "t14784"}]
)
def test_a_certificate_of_somebody_else_is_not_kept(ours, wallet, other):
    assert status(wallet(*ours.client(SUBJECT | other))).startswith("another's: ")


def test_a_certificate_of_another_authority_is_not_kept(ours, wallet):
    stranger = Centre(ours.root, certificates.intermediate("unit", "internal", ours.root))
    assert "by CN=ASP unit internal CA" in status(wallet(*stranger.client()))


def test_a_certificate_of_an_authority_with_the_same_names_is_not_kept(impostor, wallet):
    assert status(wallet(*impostor.client())).startswith("not of this centre: ")


def test_a_key_of_another_certificate_is_not_kept(ours, wallet):
    assert status(wallet(ours.client()[0], ours.client()[1])) == "spoilt: the key is not its own"


@pytest.mark.parametrize("text", ["nonsense", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"])
def test_what_is_no_certificate_is_spoilt(ours, wallet, text):
    assert status(wallet(text, ours.client()[1])) == "spoilt: no certificate"


@pytest.mark.parametrize(("days", "is_kept"), [(RENEW - 1, False), (RENEW + 1, True)])
def test_a_certificate_is_renewed_in_its_last_days(ours, wallet, days, is_kept):
    result = status(wallet(*ours.client(days=days)))
    assert result == "ok" if is_kept else result.startswith("near its end: ")


def test_a_revoked_certificate_is_enrolled_anew(ours, wallet, monkeypatch):
    chain, key = ours.client()
    clerk = wallet(chain, key)
    monkeypatch.setattr(clerk.authority, "ask", lambda *_: (200, ours.revocations(1, serial_of(chain))))
    assert status(clerk) == "revoked"


def test_a_list_that_somebody_else_signed_is_not_believed(ours, impostor, wallet, monkeypatch):
    clerk = wallet(*ours.client())
    monkeypatch.setattr(clerk.authority, "ask", lambda *_: (200, impostor.revocations()))
    with pytest.raises(module.EndpointFault, match="list of revocations: is not signed by the centre"):
        clerk.look()


def test_a_list_that_does_not_come_is_a_fault(ours, wallet, monkeypatch):
    clerk = wallet(*ours.client())
    monkeypatch.setattr(clerk.authority, "ask", lambda *_: (503, b""))
    with pytest.raises(module.EndpointFault, match="answered 503; wanted 200 and the list of revocations"):
        clerk.look()


@pytest.mark.parametrize("foretelling", [True, False])
def test_an_authority_that_does_not_answer_is_passed_over_in_a_forecast_only(ours, wallet, monkeypatch, foretelling):
    def silent(*_):
        raise module.EndpointFault("no answer")

    clerk = wallet(*ours.client(), foretelling=foretelling)
    monkeypatch.setattr(clerk.authority, "ask", silent)
    if foretelling:
        assert status(clerk) == "ok"
    else:
        with pytest.raises(module.EndpointFault, match="no answer"):
            clerk.look()


OURS = "ASP t16054 minta.erika"
FILLS = {
    "empty": ({}, [f"{OURS} into nssdb"]),
    "sound": ({OURS: ("u,u,u", "own")}, []),
    "an older one": ({OURS: ("u,u,u", ["00"])}, [f"{OURS} into nssdb"]),
    "without its key": ({OURS: (",,", "own")}, [f"{OURS} into nssdb"]),
    "a municipality left": (
        {OURS: ("u,u,u", "own"), "ASP t14784 minta.erika": ("u,u,u", ["00"])},
        ["ASP t14784 minta.erika out of nssdb"],
    ),
    "a colleague's": (
        {OURS: ("u,u,u", "own"), "ASP t16054 minta.ilona": ("u,u,u", ["00"])},
        ["ASP t16054 minta.ilona out of nssdb"],
    ),
    "the authority's own": ({OURS: ("u,u,u", "own"), "ASP t14784 root": ("CT,C,", ["00"])}, []),
    "a private one": ({OURS: ("u,u,u", "own"), "Bank": ("u,u,u", ["00"])}, []),
}


@pytest.mark.parametrize("case", FILLS)
def test_a_store_holds_exactly_the_clerks_certificates(ours, wallet, case):
    state, steps = FILLS[case]
    chain, key = ours.client()
    clerk = wallet(chain, key)
    own = module.fingerprints(chain)[:1]
    clerk.stores = [
        Store({name: (flags, own if result == "own" else result) for name, (flags, result) in state.items()})
    ]
    clerk.fill(clerk.look())
    assert clerk.steps == steps
    assert clerk.stores[0].held[OURS] == ("u,u,u", own)


def test_a_servers_certificate_opens_nothing(ours, wallet):
    assert status(wallet(*ours.client(use=ExtendedKeyUsageOID.SERVER_AUTH))).startswith("not of this centre: ")


def test_a_serial_number_that_begins_with_a_nought_is_revoked_too(ours, wallet, monkeypatch):
    chain, key = ours.client(serial=0x0A01)
    clerk = wallet(chain, key)
    monkeypatch.setattr(clerk.authority, "ask", lambda *_: (200, ours.revocations(0x0A01)))
    assert status(clerk) == "revoked"


def answers(ours, monkeypatch, status=201):
    """The authority signs whatever comes, for the key of the request."""

    def ask(self, method, path, body=None):
        if path == "/1.0/crl":
            return 200, ours.revocations()
        key = x509.load_pem_x509_csr(body["csr"].encode()).public_key()

        class Requested:
            def public_key(self):
                return key

            def private_bytes(self, *_):
                return b""

        chain, _ = ours.client(key=Requested())
        return status, json.dumps({"certChain": [chain], "message": "token already used"}).encode()

    monkeypatch.setattr(module.Authority, "ask", ask)


def files(folder):
    return {path.name: path.read_text(encoding="utf-8") for path in folder.iterdir()}


def test_a_new_pair_takes_the_old_ones_place_in_folder_and_store(ours, wallet, monkeypatch, tmp_path):
    old = ours.client(days=RENEW - 1)
    clerk = wallet(*old, tokens={"16054": "one-time"})
    stores = [Store({})]
    monkeypatch.setattr(module, "stores", lambda *_: stores)
    answers(ours, monkeypatch)
    result = module.settle(clerk.params, foretelling=False)
    assert result["changed"] and result["needed"] == ["16054"]
    assert result["certificates"]["t16054"]["status"] == "ok"
    assert sorted(files(tmp_path)) == ["t16054.crt", "t16054.key"] and files(tmp_path)["t16054.crt"] != old[0]
    assert stores[0].held[OURS][1] == module.fingerprints(files(tmp_path)["t16054.crt"])[:1]
    again = module.settle(clerk.params, foretelling=False)
    assert not again["changed"] and again["needed"] == [] and again["steps"] == []


def test_a_refused_enrolment_leaves_the_old_pair_whole(ours, wallet, monkeypatch, tmp_path):
    clerk = wallet(*ours.client(days=RENEW - 1), tokens={"16054": "one-time"})
    before = files(tmp_path)
    answers(ours, monkeypatch, status=401)
    with pytest.raises(module.EndpointFault, match="refused by ca.unit.test .401: token already used"):
        clerk.enrol(clerk.look())
    assert files(tmp_path) == before


@pytest.mark.parametrize("how", [{"check": True}, {"act": False}])
def test_a_look_changes_nothing_and_tells_what_would_be(ours, wallet, tmp_path, how):
    act = how.get("act", True)
    clerk = wallet(*ours.client(days=RENEW - 1), act=act)
    (tmp_path / "t14784.crt").touch()
    before = files(tmp_path)
    result = module.settle(clerk.params, foretelling="check" in how)
    assert files(tmp_path) == before
    assert [step.split()[0] for step in result["steps"]] == ["t16054", "ASP", str(tmp_path / "t14784.crt")]
    assert result["changed"] is act and result["needed"] == ["16054"]


def test_in_a_forecast_a_store_gets_the_certificate_that_is_to_come(ours, wallet):
    chain, key = ours.client(days=RENEW - 1)
    clerk = wallet(chain, key, check=True)
    clerk.stores = [Store({OURS: ("u,u,u", module.fingerprints(chain)[:1])})]
    clerk.fill(clerk.look())
    assert clerk.steps == [f"{OURS} into nssdb"]


def test_without_a_token_nothing_is_enrolled(ours, wallet):
    clerk = wallet()
    with pytest.raises(module.EndpointFault, match="t16054: no one-time token came for it"):
        clerk.enrol(clerk.look())


def test_a_store_that_keeps_nothing_is_a_fault(ours, wallet, monkeypatch):
    class Forgetful(Store):
        def take_in(self, *_):
            pass

    monkeypatch.setattr(module, "stores", lambda *_: [Forgetful({})])
    clerk = wallet(*ours.client())
    with pytest.raises(module.EndpointFault, match=f"read back otherwise than written: {OURS} into nssdb"):
        module.settle(clerk.params, foretelling=False)


def test_what_is_tidied_away_are_pairs_of_municipalities_no_longer_served(ours, wallet, tmp_path):
    clerk = wallet(*ours.client())
    for name in ("t14784.crt", "t14784.key", "root.pem"):
        (tmp_path / name).touch()
    clerk.tidy()
    assert sorted(files(tmp_path)) == ["root.pem", "t16054.crt", "t16054.key"]
