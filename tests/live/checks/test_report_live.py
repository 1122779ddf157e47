"""The operator's command on the deployed environment: in time, and with nothing secret in what it writes."""

from __future__ import annotations

import json
import subprocess
import sys
import time

import pytest

from inventory import paths
from inventory.vault import vault
from tests.live.checks.conftest import KSH

SECONDS = 30


@pytest.fixture(scope="module")
def check_run(register, tmp_path_factory):
    """(process, seconds, folder of the report) of one run."""
    folder = tmp_path_factory.mktemp("report")
    command = [sys.executable, "-m", "checks", "--env", register.environment.id, "--tenant", KSH, "--output", folder]
    start = time.monotonic()
    process = subprocess.run(command, cwd=paths.ROOT, capture_output=True, text=True, timeout=180)
    return process, time.monotonic() - start, folder


def test_the_deployed_tenant_is_ready(check_run):
    process, _, folder = check_run
    assert process.returncode == 0, process.stdout + process.stderr
    report = json.loads((folder / "report.json").read_text(encoding="utf-8"))
    assert report["ready"] and not report["blocking"]
    assert len(report["checks"]) >= 64


def test_it_takes_no_longer_than_an_operator_waits(check_run):
    assert check_run[1] <= SECONDS


def test_nothing_secret_is_written(check_run, register):
    secrets = vault.load(register)
    secret_texts = {text for text in _texts(secrets._data) if len(text) >= 20 and "BEGIN CERTIFICATE" not in text}
    for municipality in register.joined():
        secret_texts |= {secrets.role_password(municipality, system) for system in municipality.systems}
        secret_texts |= {secrets.oidc_secret(municipality, system) for system in municipality.systems}
    assert len(secret_texts) > 50
    for file in check_run[2].iterdir():
        text = file.read_text(encoding="utf-8")
        assert "PRIVATE KEY" not in text
        assert not [secret[:4] for secret in secret_texts if secret in text], f"{file.name} holds a secret"


def test_every_check_shows_what_it_was_judged_by(check_run):
    report = json.loads((check_run[2] / "report.json").read_text(encoding="utf-8"))
    assert [item["id"] for item in report["checks"] if not item["evidence"]] == []


def _texts(value):
    if isinstance(value, dict):
        for item in value.values():
            yield from _texts(item)
    elif isinstance(value, str):
        yield value
