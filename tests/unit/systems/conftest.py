"""Django as the app server of `irat` sees it, with keys that open nothing."""

import json
import os

import pytest

from inventory.register import load


@pytest.fixture(scope="session", autouse=True)
def app_server(tmp_path_factory):
    """Settings of one app server; there is no database behind it."""
    folder = tmp_path_factory.mktemp("app")
    register = load("test")
    fields = ("id", "name", "summary", "public", "installed")
    systems = [{name: getattr(system, name) for name in fields} for system in register.systems.values()]
    (folder / "systems.json").write_text(json.dumps(systems))
    (folder / "key").write_text("a key for tests")
    variables = {
        "ASP_SYSTEM": "irat",
        "ASP_DOMAIN": "asp.test",
        "ASP_DB_HOST": "127.0.0.1",
        "ASP_DB_PORT": "1",
        "ASP_OIDC_ISSUER": "https://id.asp.test/realms/asp",
        "ASP_OIDC_BACKCHANNEL": "https://identity:8443",
        "ASP_ROOT_FILE": str(folder / "key"),
        "ASP_IDLE_MINUTES": "30",
        "ASP_SYSTEMS_FILE": str(folder / "systems.json"),
        **{f"ASP_{name}_KEY_FILE": str(folder / "key") for name in ("SYSTEM", "OIDC", "DJANGO")},
        "DJANGO_SETTINGS_MODULE": "systems.settings",
    }
    with pytest.MonkeyPatch.context() as patch:
        for name, value in variables.items():
            patch.setenv(name, value)
        import django

        django.setup()
        yield dict(os.environ)
