"""One-time tokens: signed by the vault's key, for one subject, for minutes; and step-ca's settings beside them."""

import base64
import hashlib
import json
import time

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature

from centre.edge import revocation
from inventory import paths
from inventory.errors import RegisterError
from inventory.register import load
from inventory.vault import tokens, vault
from stacks.configs import pki_config


@pytest.fixture(scope="module")
def register():
    return load("test")


@pytest.fixture(scope="module")
def secrets(register, tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(paths, "LOCAL", tmp_path_factory.mktemp("local"))
        secrets, _ = vault.ensure(register)
    return secrets


def decode(part):
    return base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))


def contents_of(token, key):
    """Header and claims of a token whose signature is checked."""
    header, claims, signature = token.split(".")
    raw = decode(signature)
    der = encode_dss_signature(int.from_bytes(raw[:32], "big"), int.from_bytes(raw[32:], "big"))
    public = serialization.load_pem_private_key(key.encode(), None).public_key()
    public.verify(der, f"{header}.{claims}".encode(), ec.ECDSA(hashes.SHA256()))
    return json.loads(decode(header)), json.loads(decode(claims))


def test_a_clerks_token_names_person_and_municipality(register, secrets):
    token = tokens.token(register, secrets, username="minta.iktato", ksh="16054", serial=77)
    header, claims = contents_of(token, secrets.enrol_key)
    assert header["kid"] == tokens.public_jwk(secrets.enrol_key)["kid"]
    assert (claims["iss"], claims["sub"]) == ("enrol", "minta.iktato")
    assert claims["asp"] == {"unit": "t16054", "organization": "Sajószentpéter", "serial": "77"}
    assert claims["aud"] == f"https://{register.environment.pki_host}/1.0/sign"
    assert claims["exp"] - time.time() == pytest.approx(600, abs=10)


def test_header_and_public_key_are_those_that_step_ca_was_given_before(register, secrets):
    """Made by hand once, by a library now: the same names, order and numbers, or step-ca would be restarted."""
    token = tokens.token(register, secrets, username="minta.iktato", ksh="16054", serial=77)
    header, claims = contents_of(token, secrets.enrol_key)
    jwk = tokens.public_jwk(secrets.enrol_key)
    assert header == {"alg": "ES256", "kid": jwk["kid"], "typ": "JWT"} and "=" not in token
    assert list(claims) == ["iss", "aud", "sub", "iat", "nbf", "exp", "jti", "asp"]
    assert claims["nbf"] == claims["iat"] - 60 and len(claims["jti"]) == 64
    numbers = serialization.load_pem_private_key(secrets.enrol_key.encode(), None).public_key().public_numbers()
    x, y = (base64.urlsafe_b64encode(n.to_bytes(32, "big")).rstrip(b"=").decode() for n in (numbers.x, numbers.y))
    public = {"crv": "P-256", "kty": "EC", "x": x, "y": y}
    text = json.dumps(public, separators=(",", ":")).encode()
    kid = base64.urlsafe_b64encode(hashlib.sha256(text).digest()).rstrip(b"=").decode()
    assert list(jwk.items()) == [*public.items(), ("kid", kid), ("use", "sig"), ("alg", "ES256")]


def test_a_key_of_another_kind_is_refused():
    other = ec.generate_private_key(ec.SECP384R1()).private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    with pytest.raises(ValueError, match="wanted: an EC P-256 private key"):
        tokens.public_jwk(other.decode())


def test_no_two_tokens_are_alike(register, secrets):
    several = {tokens.token(register, secrets, username="minta.iktato", ksh="16054", serial=77) for _ in range(5)}
    assert len({contents_of(token, secrets.enrol_key)[1]["jti"] for token in several}) == 5


def test_a_clerk_of_another_office_gets_no_token(register, secrets):
    with pytest.raises(RegisterError, match="'proba.kozos': does not work here.*minta.iktato"):
        tokens.token(register, secrets, username="proba.kozos", ksh="16054", serial=77)


def test_a_joint_offices_clerk_gets_one_for_each_member(register, secrets):
    for ksh in ("14915", "29188"):
        token = tokens.token(register, secrets, username="proba.kozos", ksh=ksh, serial=77)
        assert contents_of(token, secrets.enrol_key)[1]["asp"]["unit"] == f"t{ksh}"


def test_a_hosts_token_is_signed_with_the_other_key(register, secrets):
    municipality = register.municipality("16054")
    token = tokens.server_token(register, secrets, municipality)
    claims = contents_of(token, secrets.server_key)[1]
    assert (claims["iss"], claims["sub"], claims["sans"]) == ("server", municipality.host, [municipality.host])
    assert "asp" not in claims


@pytest.mark.parametrize(
    ("text", "number"), [("255", 255), ("0xff", 255), ("0xFF", 255), ("00:FF", 255), (" 12 ", 12), (7, 7)]
)
def test_serial_numbers_are_understood_as_people_write_them(text, number):
    assert revocation.serial_number(text) == number


@pytest.mark.parametrize("text", ["ff", "", "0xzz"])
def test_what_is_no_serial_number_is_refused(text):
    with pytest.raises(ValueError, match="invalid literal"):
        revocation.serial_number(text)


def test_the_fingerprint_is_the_roots(secrets):
    der = x509.load_pem_x509_certificate(secrets.root_ca.certificate.encode()).public_bytes(serialization.Encoding.DER)
    assert tokens.fingerprint(secrets) == hashlib.sha256(der).hexdigest()


def test_step_ca_believes_exactly_the_two_keys(register, secrets):
    config = json.loads(pki_config.render(register, secrets))
    provisioners = {item["name"]: item for item in config["authority"]["provisioners"]}
    assert set(provisioners) == {"enrol", "server"}
    assert provisioners["enrol"]["key"] == tokens.public_jwk(secrets.enrol_key)
    assert provisioners["server"]["key"] == tokens.public_jwk(secrets.server_key)
    assert "d" not in provisioners["enrol"]["key"], "a private key in a config that anybody may read"
    days = register.environment.pki.client_certificate_days
    assert provisioners["enrol"]["claims"]["maxTLSCertDuration"] == f"{days * 24}h0m0s"
    assert '"serialNumber": {{ toJson .Token.asp.serial }}' in provisioners["enrol"]["options"]["x509"]["template"]
    assert all(item["claims"]["disableRenewal"] for item in provisioners.values()), "a serial nobody wrote down"
    assert '"extKeyUsage": ["clientAuth"]' in provisioners["enrol"]["options"]["x509"]["template"]
    assert '"extKeyUsage": ["serverAuth"]' in provisioners["server"]["options"]["x509"]["template"]
    assert config["crl"] == {"enabled": True, "generateOnRevoke": True, "cacheDuration": "24h"}


def test_no_private_key_is_in_step_cas_settings(register, secrets):
    text = pki_config.render(register, secrets)
    assert "PRIVATE" not in text
    for key in (secrets.enrol_key, secrets.server_key, secrets.pki_ca.key):
        assert not any(line in text for line in key.splitlines()[1:-1])
