"""A recording is judged for the tenant and the environment that it was taken of, and for no other."""

import json

import pytest

from checks.recording import Recording
from inventory.errors import RegisterError
from tests.unit.checks import support


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "probes.json"
    path.write_text(json.dumps(support.good()), encoding="utf-8")
    return path


def test_the_tenants_own_recording_is_read(file):
    assert Recording.read_tenant(file, "dev", "16054").ksh == "16054"


@pytest.mark.parametrize(("environment", "ksh"), [("test", "16054"), ("dev", "14784"), ("test", "14784")])
def test_a_recording_of_another_tenant_or_environment_is_refused(file, environment, ksh):
    with pytest.raises(RegisterError, match=rf"'dev/16054': is not of {environment}/{ksh}\. Give this tenant's"):
        Recording.read_tenant(file, environment, ksh)


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"environment": "dev"}'])
def test_what_is_no_recording_is_refused(file, text):
    file.write_text(text, encoding="utf-8")
    with pytest.raises(RegisterError, match="cannot be read"):
        Recording.read(file)
