"""Tokens that are believed, and sessions that go on: signature, keys, moment, roles that hold now."""

import datetime as dt
import json
import time
from types import SimpleNamespace

import pytest
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet, OctKey, RSAKey

from systems.core import clerk_access
from systems.core.clerk import Clerk
from systems.core.clerk_access import ClerkAccess
from systems.shell import sign_in
from tests.unit.systems.support import CLAIMS, browser

KEY = RSAKey.generate_key(2048, parameters={"kid": "one"})


@pytest.fixture
def keys(monkeypatch):
    """The provider's keys."""
    holder = SimpleNamespace(keys=KeySet([KEY]))
    monkeypatch.setattr(sign_in, "_keys", lambda realm, period: holder.keys)
    return holder


def token(claims, key=KEY, algorithm="RS256"):
    return jwt.encode({"alg": algorithm, "kid": "one"}, claims, key, algorithms=[algorithm])


def verify(text):
    browser()  # sets Django up
    return sign_in.verify(text, "t16054", "nonce", sign_in.clerks())


def test_a_token_that_the_provider_signed_for_this_sign_in_is_believed(keys):
    assert verify(token(CLAIMS))["preferred_username"] == "minta.iktato"


@pytest.mark.parametrize("change", [{"nonce": "another"}, {"aud": "t16054-irat"}, {"exp": 1}])
def test_a_signature_alone_is_not_enough(keys, change):
    with pytest.raises(JoseError):
        verify(token(CLAIMS | change))


def test_another_key_signs_nothing(keys):
    other = RSAKey.generate_key(2048, parameters={"kid": "one"})
    with pytest.raises(JoseError):
        verify(token(CLAIMS, other))


def test_a_shared_secret_signs_nothing(keys):
    """Whoever reads the public keys could sign with them."""
    secret = OctKey.import_key(b"k" * 32, {"kid": "one"})
    keys.keys = KeySet([secret])
    with pytest.raises((JoseError, ValueError)):
        verify(token(CLAIMS, secret, "HS256"))


def test_a_token_without_an_end_is_not_believed(keys):
    with pytest.raises(JoseError, match="exp"):
        verify(token({name: value for name, value in CLAIMS.items() if name != "exp"}))


def test_the_providers_keys_come_from_this_hosting_and_are_asked_for_again(monkeypatch):
    browser()
    calls = []

    def get(url, **options):
        calls.append((url, options))
        return SimpleNamespace(raise_for_status=lambda: None, text=json.dumps({"keys": [KEY.as_dict(private=False)]}))

    monkeypatch.setattr(sign_in.requests, "get", get)
    sign_in._keys.cache_clear()
    sign_in._keys(sign_in.clerks(), 1)
    sign_in._keys(sign_in.clerks(), 1)
    sign_in._keys(sign_in.clerks(), 2)
    assert len(calls) == 2 and sign_in.KEYS_LIFETIME <= 600, "a key that was withdrawn ends within minutes"
    assert calls[0][1] == {"verify": sign_in.settings.ASP.root_certificate, "timeout": sign_in.TIMEOUT}
    sign_in._keys.cache_clear()


def request_of(session, bearer="minta.iktato"):
    tenant = SimpleNamespace(name="t16054", bearer=SimpleNamespace(username=bearer) if bearer else None)
    return SimpleNamespace(session=session, tenant=tenant, build_absolute_uri=lambda path: f"https://x{path}", GET={})


def test_the_client_that_redeems_a_code_believes_this_hosting_alone():
    browser()
    session = sign_in.client(request_of({}), sign_in.clerks())
    assert session.verify == sign_in.settings.ASP.root_certificate
    assert session.client_id == "t16054-keret"


def test_without_a_certificate_nobody_is_a_clerk(monkeypatch):
    browser()
    claims = {**CLAIMS, "organization": ["t16054"]}
    monkeypatch.setattr(sign_in, "redeem", lambda *_: (claims, "id-token"))
    assert sign_in._clerk(request_of({}), {}).username == "minta.iktato"
    for bearer in (None, "minta.admin"):
        with pytest.raises(sign_in.SignInRefusal, match="the certificate is not of the clerk"):
            sign_in._clerk(request_of({}, bearer), {})


@pytest.mark.parametrize(("system", "roles"), [("keret", ["irat.iktato", "keret.admin"]), ("irat", ["irat.iktato"])])
def test_a_system_reports_its_own_roles_and_the_framework_all(monkeypatch, system, roles):
    browser()
    monkeypatch.setattr(sign_in, "settings", SimpleNamespace(ASP=SimpleNamespace(system=system)))
    assert sign_in._reported(Clerk("a", "A", ("irat.iktato", "keret.admin"), "")) == roles


def test_a_sign_in_begins_a_session_with_a_new_key():
    class Session(dict):
        cycled = 0

        def cycle_key(self):
            self.cycled += 1

    request = request_of(Session())
    Clerk("minta.iktato", "Minta Ilona", ("irat.iktato",), "t").remember(request)
    assert request.session.cycled == 1, "a key that somebody else planted before opens nothing"


NOON = dt.datetime(2026, 11, 30, 12, tzinfo=dt.UTC)


@pytest.mark.parametrize(
    ("locked", "not_before", "since", "goes_on"),
    [
        (False, None, 0, True),
        (True, None, NOON.timestamp(), False),
        (False, NOON, NOON.timestamp(), True),
        (False, NOON, NOON.timestamp() - 1, False),
        (True, NOON, NOON.timestamp() + 1, False),
    ],
)
def test_a_session_goes_on_unless_it_was_ended(monkeypatch, locked, not_before, since, goes_on):
    access = ClerkAccess(locked, not_before, False, ())
    assert access.allows(since) is goes_on
    monkeypatch.setattr(clerk_access, "fetch", lambda username: access)
    data = {"username": "minta.iktato", "name": "M", "roles": [], "id_token": "", "since": since}
    session = {"clerk": data | {"until": time.time() + 60}}
    assert (Clerk.from_session(request_of(session)) is not None) is goes_on


@pytest.mark.parametrize(
    ("managed", "roles"), [(True, ("ado.ugyintezo",)), (False, ("ado.ugyintezo", "irat.iktato", "iratx.iktato"))]
)
def test_roles_are_those_that_hold_now(monkeypatch, managed, roles):
    access = ClerkAccess(False, None, managed, ("ado.ugyintezo",))
    monkeypatch.setattr(clerk_access, "fetch", lambda username: access)
    data = {"username": "minta.iktato", "name": "M", "roles": ["irat.iktato", "iratx.iktato"], "id_token": ""}
    clerk = Clerk.from_session(request_of({"clerk": data | {"until": time.time() + 60}}))
    assert clerk.roles == roles
    assert clerk.roles_in("irat") == (set() if managed else {"iktato"})
