"""An app server that is told nonsense says so in one line."""

import subprocess
import sys

import pytest

from systems.configuration import ConfigurationError, read


@pytest.mark.parametrize(
    ("variable", "value", "message"),
    [
        ("ASP_SYSTEM", "", "ASP_SYSTEM: seen nothing"),
        ("ASP_SYSTEM", "gazd", "ASP_SYSTEM: seen 'gazd', wanted one of: keret, irat"),
        ("ASP_DB_PORT", "x", "ASP_DB_PORT: seen 'x', wanted a whole number"),
        ("ASP_SYSTEM_KEY_FILE", "/nowhere", "ASP_SYSTEM_KEY_FILE: /nowhere cannot be read"),
        ("ASP_SYSTEMS_FILE", "/etc/hostname", "ASP_SYSTEMS_FILE: wanted a JSON list of systems"),
    ],
)
def test_each_fault_is_named(app_server, variable, value, message):
    assert read(app_server).system == "irat"
    with pytest.raises(ConfigurationError, match=message):
        read({**app_server, variable: value})


def test_start_ends_with_one_line(app_server):
    done = subprocess.run(
        [sys.executable, "-c", "import systems.wsgi"],
        env={**app_server, "ASP_SYSTEM": "gazd"},
        capture_output=True,
        text=True,
        timeout=30,
    )
    assert done.returncode == 1
    assert done.stderr.strip() == "app server: ASP_SYSTEM: seen 'gazd', wanted one of: keret, irat"


def test_models_and_migrations_agree():
    done = subprocess.run(
        [sys.executable, "-m", "systems.schema", "--check"], capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0, done.stdout
