"""An app server that was told too little or nonsense says so in one line and does not start; keys give every tenant
its own credentials."""

import json
import os
import subprocess
import sys

import pytest

from inventory import paths
from systems import configuration
from systems.shared.credentials import derive
from tests.unit.systems.support import environment

VARIABLES = [
    "ASP_SYSTEM",
    "ASP_DOMAIN",
    "ASP_EDGE",
    "ASP_DB_HOST",
    "ASP_DB_PORT",
    "ASP_OIDC_ISSUER",
    "ASP_OIDC_BACKCHANNEL",
    "ASP_ROOT_FILE",
    "ASP_IDLE_MINUTES",
    "ASP_SYSTEM_KEY_FILE",
    "ASP_OIDC_KEY_FILE",
    "ASP_DJANGO_KEY_FILE",
    "ASP_SYSTEMS_FILE",
    "ASP_OPERATIONS_FILE",
]


def test_every_variable_is_tried(tmp_path):
    assert sorted(VARIABLES) == sorted(environment(tmp_path))


def test_a_whole_environment_is_read(tmp_path):
    settings = configuration.read(environment(tmp_path))
    assert (settings.system, settings.database_port, settings.idle_minutes) == ("keret", 6432, 30)
    assert settings.system_key == "system-key"
    assert settings.entry.name == "Keretrendszer"
    assert settings.replicas == 1
    assert configuration.read(environment(tmp_path, ASP_REPLICAS="2")).replicas == 2


@pytest.mark.parametrize("name", VARIABLES)
def test_a_missing_variable_is_named(tmp_path, name):
    with pytest.raises(configuration.ConfigurationError, match=f"^{name}: seen nothing, wanted a value"):
        configuration.read(environment(tmp_path, **{name: ""}))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"ASP_DB_PORT": "x"}, "ASP_DB_PORT: seen 'x', wanted a whole number"),
        ({"ASP_SYSTEM": "ado"}, "ASP_SYSTEM: seen 'ado', wanted one of: keret, irat"),
        (
            {"ASP_OIDC_ISSUER": "https://id.asp.test"},
            "ASP_OIDC_ISSUER: seen 'https://id.asp.test', wanted https://<host>",
        ),
        ({"ASP_OIDC_BACKCHANNEL": "http://id"}, "ASP_OIDC_BACKCHANNEL: seen 'http://id', wanted https://<host>"),
        ({"ASP_REPLICAS": "0"}, "ASP_REPLICAS: seen '0', wanted how many tasks the service has"),
        ({"ASP_SYSTEM_KEY_FILE": "/nowhere/system.key"}, "ASP_SYSTEM_KEY_FILE: /nowhere/system.key cannot be read"),
    ],
)
def test_a_wrong_value_is_named_with_what_is_wanted(tmp_path, changes, message):
    with pytest.raises(configuration.ConfigurationError) as error:
        configuration.read(environment(tmp_path, **changes))
    assert message in str(error.value)


@pytest.mark.parametrize(
    ("content", "message"),
    [("", "is empty"), ("nonsense", "wanted a JSON list of systems"), ("[1]", "wanted a JSON list of systems"),
     (json.dumps([{"id": "keret"}]), "missing 4 required positional arguments")],
)  # fmt: skip
def test_a_wrong_catalogue_is_refused(tmp_path, content, message):
    variables = environment(tmp_path)
    (tmp_path / "systems.json").write_text(content)
    with pytest.raises(configuration.ConfigurationError, match=message) as error:
        configuration.read(variables)
    assert str(error.value).startswith("ASP_SYSTEMS_FILE: ")


def test_the_process_ends_with_one_line_and_no_traceback(tmp_path):
    variables = {**os.environ, **environment(tmp_path, ASP_DB_PORT="")}
    process = subprocess.run(
        [sys.executable, "-c", "import systems.wsgi"],
        env=variables,
        cwd=paths.ROOT,
        capture_output=True,
        text=True,
        timeout=30,
    )
    assert process.returncode == 1
    assert process.stderr == "app server: ASP_DB_PORT: seen nothing, wanted a value; stacks/appservers sets it\n"


def test_credentials_are_what_other_implementations_derive():
    # HMAC-SHA256 of "t16054:irat:v1" under "key", by openssl dgst -sha256 -hmac key -binary | base64
    assert derive(b"key", "t16054", "irat") == "Ey6C-evBbuXb5AW9ILJPAG8E491Ul5LcaFTwR9oYMeY"


def test_credentials_differ_by_key_tenant_purpose_and_version():
    variants = [
        derive(b"key", "t16054", "irat"),
        derive(b"kez", "t16054", "irat"),
        derive(b"key", "t16055", "irat"),
        derive(b"key", "t16054", "keret"),
        derive(b"key", "t16054", "irat", 2),
    ]
    assert len(set(variants)) == len(variants)
    assert all(len(variant) == 43 for variant in variants)
