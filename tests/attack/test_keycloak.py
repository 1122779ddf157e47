"""The identity provider: its administration, its management port, its grants and its clients' secrets."""

from __future__ import annotations

import json

import pytest

from inventory.names import Port
from stacks.configs.citizen_realm import REALM as CITIZENS
from stacks.configs.realm import OPERATOR, REALM
from tests.attack.browser import Browser
from tests.attack.foothold import NETWORK
from tests.attack.registry import Tries, attack, control
from tests.attack.target import Target

TOKEN = "/protocol/openid-connect/token"


@pytest.fixture(scope="module", autouse=True)
def alive(target: Target) -> None:
    for realm in (REALM, CITIZENS):
        answer = target.anyone().get(f"{target.identity}/realms/{realm}/.well-known/openid-configuration")
        control(answer.status == 200, answer)


OUTSIDE = {
    "admin": ("/admin/", "/admin/master/console/", "//admin/", "/resources/../admin/", "/%61dmin/"),
    "admin-api": (f"/admin/realms/{REALM}/users", f"/admin/realms/{CITIZENS}/users", "/admin/serverinfo"),
    "master-realm": ("/realms/master/", f"/realms/master{TOKEN}", "/realms/master/.well-known/openid-configuration"),
    "master-by-spelling": (f"/realms/{REALM}/../master/account", "/realms/%6Daster/account", "/realms/MASTER/"),
    "account": (f"/realms/{REALM}/account/", f"/realms/{CITIZENS}/account/"),
    "registration": (
        f"/realms/{REALM}/clients-registrations/default",
        f"/realms/{CITIZENS}/clients-registrations/openid-connect",
    ),
    "management": ("/health", "/metrics", "/health/ready"),
    "brokers": (f"/realms/{REALM}/broker/x/endpoint", f"/realms/{REALM}/authz/protection/resource_set"),
    "theme-files": ("/resources/../../etc/passwd", "/resources/%2e%2e/%2e%2e/conf/keycloak.conf"),
}


@attack("K01", "keycloak", "from outside, what is not sign-in", OUTSIDE, short=True)
def test_outside(target: Target, tries: Tries, way: tuple[str, ...]) -> None:
    host = target.register.environment.identity_host
    for browser in (target.anyone(), target.holder(target.own)):
        for path in way:
            for method in ("GET", "POST"):
                answer = browser.ask(host, path, method)
                tries.holds(answer.status in (400, 403, 404, 405, 411), f"{method} {path}: {answer}")


FROM_APPS = {
    "admin-console": ("/admin/master/console/", "GET", None),
    "master-realm": ("/realms/master/", "GET", None),
    "master-token": (
        f"/realms/master{TOKEN}",
        "POST",
        "grant_type=password&client_id=admin-cli&username=admin&password=x",
    ),
    "admin-api": (f"/admin/realms/{REALM}/users", "GET", None),
    "registration": (f"/realms/{REALM}/clients-registrations/default", "POST", "{}"),
    "account": (f"/realms/{REALM}/account/", "GET", None),
    "login-form": (
        f"/realms/{REALM}/protocol/openid-connect/auth?client_id=account-console&response_type=code",
        "GET",
        None,
    ),
}


@attack("K02", "keycloak", "from an app server, what sign-in does not need", FROM_APPS, short=True)
def test_from_an_app_server(target: Target, tries: Tries, way: tuple[str, str, str | None]) -> None:
    path, method, data = way
    base = f"https://{target.register.names.identity}:{Port.IDENTITY:d}"
    for system in target.public_systems:
        call = f"https({base + path!r}, {method!r}, {data!r}, {{'Content-Type': 'application/x-www-form-urlencoded'}})"
        status, text = target.foothold(system).run(f"{NETWORK}\nprint(json.dumps({call}))")
        tries.holds(status in (0, 403, 404, 421), f"{system}: {path}: {status} {text[:100]}")


@attack("K03", "keycloak", "from an app server, the management port")
def test_management_port(target: Target, tries: Tries) -> None:
    base = f"https://{target.register.names.identity}:{Port.IDENTITY_MANAGEMENT:d}"
    for system in target.systems[:4]:
        for path in ("/metrics", "/health"):
            status, text = target.foothold(system).run(f"{NETWORK}\nprint(json.dumps(https({base + path!r})))")
            tries.holds(status in (0, 403, 404), f"{system}: {path}: {status} {text[:80]}")


@attack("K04", "keycloak", "a certificate's header sent straight to the identity provider by an app server")
def test_certificate_header(target: Target, tries: Tries) -> None:
    clerk = target.real_clerk(target.own)
    pem = target.certificate(target.own, clerk).read_text().split("-----END CERTIFICATE-----")[0].splitlines()[1:]
    query = (
        f"client_id={target.own.tenant}-keret&response_type=code&scope=openid&state=x&code_challenge={'a' * 43}"
        f"&code_challenge_method=S256&redirect_uri={target.own.origin}/keret/oidc/callback"
    )
    url = f"https://{target.register.names.identity}:{Port.IDENTITY:d}/realms/{REALM}/protocol/openid-connect/auth?{query}"
    for name in ("Client-Cert", "X-Forwarded-Client-Cert", "SSL_CLIENT_CERT"):
        program = (
            f"{NETWORK}\nclass Stay(urllib.request.HTTPRedirectHandler):\n"
            "    def redirect_request(self, *a): return None\n"
            "context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT); context.check_hostname = False\n"
            "context.verify_mode = ssl.CERT_NONE\n"
            "opener = urllib.request.build_opener(Stay, urllib.request.HTTPSHandler(context=context))\n"
            f"request = urllib.request.Request({url!r}, headers={{{name!r}: ':{''.join(pem)}:'}})\n"
            "try:\n    answer = opener.open(request, timeout=6); print(json.dumps([answer.status, '']))\n"
            "except urllib.error.HTTPError as error:\n"
            "    print(json.dumps([error.code, error.headers.get('Location') or '']))\n"
            "except OSError as error: print(json.dumps([0, str(error)]))"
        )
        status, place = target.foothold(target.public_systems[0]).run(program)
        tries.holds("code=" not in place, f"{name}: {status} {place}")


GRANTS = {
    "password-admin-cli": {"grant_type": "password", "client_id": "admin-cli", "username": "{user}", "password": "x"},
    "password-client": {
        "grant_type": "password",
        "client_id": "{tenant}",
        "client_secret": "{secret}",
        "username": "{user}",
        "password": "x",
    },
    "client-credentials": {"grant_type": "client_credentials", "client_id": "{tenant}", "client_secret": "{secret}"},
    "device": {
        "grant_type": "urn:ietf:params:oauth:grant-type:device_code",
        "client_id": "{tenant}",
        "client_secret": "{secret}",
        "device_code": "x",
    },
    "token-exchange": {
        "grant_type": "urn:ietf:params:oauth:grant-type:token-exchange",
        "client_id": "{tenant}",
        "client_secret": "{secret}",
        "subject_token": "x",
    },
    "ciba": {
        "grant_type": "urn:openid:params:grant-type:ciba",
        "client_id": "{tenant}",
        "client_secret": "{secret}",
        "auth_req_id": "x",
    },
    "jwt-bearer": {
        "grant_type": "urn:ietf:params:oauth:grant-type:jwt-bearer",
        "client_id": "{tenant}",
        "client_secret": "{secret}",
        "assertion": "x",
    },
    "implicit-client": {
        "grant_type": "password",
        "client_id": "account-console",
        "username": "{user}",
        "password": "x",
    },
}


@attack("K05", "keycloak", "a token without the browser's sign-in", GRANTS, short=True)
def test_grants(target: Target, tries: Tries, way: dict[str, str]) -> None:
    for realm, secret, user in (
        (REALM, target.secrets.oidc_secret(target.own, "keret"), "nincs.ilyen"),
        (CITIZENS, target.secrets.citizens_oidc_secret(target.own, "elugy"), "nincs.ilyen"),
    ):
        client = f"{target.own.tenant}-{'keret' if realm == REALM else 'elugy'}"
        form = {name: value.format(tenant=client, secret=secret, user=user) for name, value in way.items()}
        answer = target.anyone().post(f"{target.identity}/realms/{realm}{TOKEN}", form)
        # `invalid_grant` would mean: the grant is allowed, only the password was wrong.
        open_grant = answer.status == 200 or (
            "password" in way.values() and json_error(answer.text) in ("invalid_grant", "")
        )
        tries.holds(not open_grant and answer.status < 500, f"{realm}: {answer}")


def json_error(text: str) -> str:
    try:
        return str(json.loads(text).get("error", ""))
    except ValueError:
        return "no JSON"


@attack("K06", "keycloak", "the clients' secrets: none, the wrong one, another municipality's, another realm's")
def test_client_secrets(target: Target, tries: Tries) -> None:
    wrong = (
        "",
        "x",
        target.secrets.oidc_secret(target.other, "keret"),
        target.secrets.oidc_secret(target.own, "irat"),
        target.secrets.citizens_oidc_secret(target.own, "keret"),
    )
    for secret in wrong:
        form = {
            "grant_type": "authorization_code",
            "client_id": f"{target.own.tenant}-keret",
            "client_secret": secret,
            "code": "x",
            "redirect_uri": f"{target.own.origin}/keret/oidc/callback",
            "code_verifier": "a" * 50,
        }
        answer = target.anyone().post(f"{target.identity}/realms/{REALM}{TOKEN}", form)
        tries.holds(json_error(answer.text) in ("unauthorized_client", "invalid_client", "no JSON"), answer)


@attack("K07", "keycloak", "the operator's account from outside, with guesses")
def test_operator(target: Target, tries: Tries) -> None:
    for realm in ("master", REALM):
        form = {"grant_type": "client_credentials", "client_id": OPERATOR, "client_secret": "x"}
        answer = target.anyone().post(f"{target.identity}/realms/{realm}{TOKEN}", form)
        tries.holds(answer.status in (400, 401, 403, 404), answer)


PROTOCOL = {
    "userinfo": ("GET", "userinfo", {}),
    "introspect": ("POST", "token/introspect", {"token": "x"}),
    "revoke": ("POST", "revoke", {"token": "x"}),
    "device": ("POST", "auth/device", {"client_id": "{tenant}"}),
    "ciba": ("POST", "ext/ciba/auth", {"client_id": "{tenant}", "login_hint": "x"}),
    "pushed": ("POST", "ext/par/request", {"client_id": "{tenant}", "response_type": "code"}),
}


@attack("K08", "keycloak", "an endpoint of the protocol without proof", PROTOCOL)
def test_protocol(target: Target, tries: Tries, way: tuple[str, str, dict[str, str]]) -> None:
    method, path, form = way
    for realm in (REALM, CITIZENS):
        url = f"{target.identity}/realms/{realm}/protocol/openid-connect/{path}"
        filled = {name: value.format(tenant=f"{target.own.tenant}-keret") for name, value in form.items()}
        answer = target.anyone().get(url) if method == "GET" else target.anyone().post(url, filled)
        tries.holds(answer.status in (400, 401, 403, 404, 405, 415), f"{realm}: {answer}")


@attack("K09", "keycloak", "pages of sign-in in a frame, or stored by a browser")
def test_headers(target: Target, tries: Tries) -> None:
    browser: Browser = target.anyone()
    query = (
        f"client_id={target.own.tenant}-elugy&response_type=code&scope=openid&state=x&code_challenge={'a' * 43}"
        f"&code_challenge_method=S256&redirect_uri={target.own.origin}/elugy/ugyfel/callback"
    )
    answer = browser.get(f"{target.identity}/realms/{CITIZENS}/protocol/openid-connect/auth?{query}")
    control(answer.status == 200, answer)
    tries.holds("frame-ancestors" in answer.header("content-security-policy"), answer.header("content-security-policy"))
    tries.holds(answer.header("x-content-type-options") == "nosniff", "no nosniff")
    tries.holds("no-store" in answer.header("cache-control"), answer.header("cache-control"))
    for name, value in answer.headers:
        if name == "set-cookie":
            tries.holds(
                "secure" in value.lower()
                and ("httponly" in value.lower() or "AUTH_SESSION_ID_HASH" in value or "KC_" in value),
                value,
            )


@attack("K10", "keycloak", "which users exist, by differences of the citizens' sign-in")
def test_user_names(target: Target, tries: Tries) -> None:
    from tests.attack.test_sign_in import citizens_form

    citizens = target.register.environment.citizens
    control(citizens, "no citizens")
    texts = set()
    for username in (citizens[-1].username, "nincs.ilyen"):
        browser, action = citizens_form(target)
        answer = browser.post(action, {"username": username, "password": "rossz"})
        texts.add((answer.status, answer.text.replace(username, "U").count("<"), "kc-feedback" in answer.text))
    tries.holds(len(texts) == 1, texts)
    clear_failures(target)


def clear_failures(target: Target) -> None:
    """Forget failed sign-ins: attacks leave nobody locked out."""
    from centre.reach.keycloak import Keycloak

    with Keycloak(target.runtime, target.secrets) as keycloak:
        for realm in (REALM, CITIZENS):
            keycloak.beside(realm).remove("attack-detection", "brute-force", "users")
