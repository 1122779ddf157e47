"""The Django project for unit tests: two systems in one process, no database, requests as from the edge."""

import json
import os
import tempfile
from functools import cache
from pathlib import Path
from unittest import mock

from tests.support.certificates import client_cert

HOST, EDGE, KSH = "sajoszentpeter.asp.test", "asp-unit-edge", "16054"
ISSUER = "https://id.asp.test:7443/realms/asp"
# What every token says that keret accepts of a clerk.
CLAIMS = {
    "iss": ISSUER,
    "aud": "t16054-keret",
    "azp": "t16054-keret",
    "nonce": "nonce",
    "exp": 4_000_000_000,
    "preferred_username": "minta.iktato",
}
OPERATIONS = {
    "opening_hours": {**{str(day): ["08:00", "16:00"] for day in range(4)}, "4": ["08:00", "13:30"]},
    "outage_minutes": 60,
    "maintenance": [
        {
            "since": "2099-01-10T18:00:00+01:00",
            "until": "2099-01-10T22:00:00+01:00",
            "text": "Próba karbantartás",
            "emergency": False,
        }
    ],
    "training": [],
    "message_days": 90,
}
CATALOGUE = [
    {"id": "keret", "name": "Keretrendszer", "summary": "k", "public": False, "installed": True},
    {
        "id": "irat",
        "name": "Iratkezelő",
        "summary": "i",
        "public": False,
        "installed": True,
        "absent_at": ["29188"],
    },
    {"id": "portal", "name": "Települési portál", "summary": "p", "public": True, "installed": False},
    {"id": "ado", "name": "Önkormányzati adó", "summary": "a", "public": False, "installed": False},
]


def environment(folder: Path, **changes: str) -> dict[str, str]:
    """A complete and valid environment of an app server, its files in `folder`; `changes` override it."""
    files = {
        "system.key": "system-key",
        "oidc.key": "oidc-key",
        "django.key": "django-key",
        "ca.crt": "root",
        "systems.json": json.dumps(CATALOGUE),
        "operations.json": json.dumps(OPERATIONS),
    }
    for name, content in files.items():
        (folder / name).write_text(content, encoding="utf-8")
    return {
        "ASP_SYSTEM": "keret",
        "ASP_DOMAIN": "asp.test",
        "ASP_EDGE": EDGE,
        "ASP_DB_HOST": "proxy",
        "ASP_DB_PORT": "6432",
        "ASP_OIDC_ISSUER": ISSUER,
        "ASP_OIDC_BACKCHANNEL": "https://asp-unit-identity:8443",
        "ASP_ROOT_FILE": str(folder / "ca.crt"),
        "ASP_IDLE_MINUTES": "30",
        "ASP_SYSTEM_KEY_FILE": str(folder / "system.key"),
        "ASP_OIDC_KEY_FILE": str(folder / "oidc.key"),
        "ASP_DJANGO_KEY_FILE": str(folder / "django.key"),
        "ASP_SYSTEMS_FILE": str(folder / "systems.json"),
        "ASP_OPERATIONS_FILE": str(folder / "operations.json"),
        **changes,
    }


@cache
def configure() -> None:
    """Set Django up once a process. Sessions live in the cookie, so that pages without data need no database."""
    from django.conf import settings

    with tempfile.TemporaryDirectory() as folder, mock.patch.dict(os.environ, environment(Path(folder))):
        from systems import settings as product
    options = {name: getattr(product, name) for name in dir(product) if name.isupper()}
    options["INSTALLED_APPS"] = [*product.INSTALLED_APPS, "systems.irat"]
    options["SESSION_ENGINE"] = "django.contrib.sessions.backends.signed_cookies"
    options["STORAGES"] = {"staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}}
    options["STATIC_ROOT"] = None
    settings.configure(**options)
    import django

    django.setup()
    from systems.core import clerk_access

    clerk_access.fetch = lambda username: None  # no database here; tests/systems covers it


def certificate(username="minta.iktato", unit="t16054", organization="Sajószentpéter", second_unit=None) -> str:
    """A `Client-Cert` value of a clerk of Sajószentpéter; parts that are None are left out."""
    parts = [("CN", username), ("OU", unit), ("OU", second_unit), ("O", organization)]
    return client_cert(*((part, value) for part, value in parts if value is not None))


class Connection:
    """A TLS connection as gunicorn provides it, with the peer's verified certificate."""

    def __init__(self, *names: str):
        self._names = names

    def getpeercert(self):
        return {"subjectAltName": tuple(("DNS", name) for name in self._names)}


def from_edge(**changes) -> dict:
    """Environment of a request from the edge for Sajószentpéter's clerk; None removes an entry."""
    entries = {
        "gunicorn.socket": Connection(EDGE),
        "wsgi.url_scheme": "https",
        "HTTP_HOST": HOST,
        "HTTP_ASP_TENANT": KSH,
        "HTTP_ASP_REQUEST_ID": "request-1",
        "HTTP_CLIENT_CERT": certificate(),
        **changes,
    }
    return {name: value for name, value in entries.items() if value is not None}


def browser(**changes):
    """A test client whose requests come from the edge; `enter` signs in."""
    configure()
    from django.test import Client

    class Browser(Client):
        def generic(self, *arguments, secure=True, **options):
            return super().generic(*arguments, secure=True, **options)

        def enter(self, *roles: str, username="minta.iktato", until: int | None = None) -> None:
            """Sign in with these roles, by a session like that of a completed sign-in."""
            from django.conf import settings

            session = self.session
            session["clerk"] = {
                "username": username,
                "name": "Minta Ilona",
                "roles": list(roles),
                "id_token": "id-token",
                "until": until or 2**40,
            }
            session.save()
            self.cookies[settings.SESSION_COOKIE_NAME] = session.session_key

    return Browser(raise_request_exception=False, **from_edge(**changes))
