"""A recording is judged for the tenant and the environment that it was taken of, and for no other."""

import json

import pytest

from checks.recording import Document, Recording, View
from checks.verdicts import NoData, Unreachable
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


@pytest.mark.parametrize(
    ("part", "error", "says"),
    [
        ({"unreachable": "no running task"}, Unreachable, "database nem válaszol: no running task"),
        ({"fault": "no JSON"}, NoData, "database nem mérhető: no JSON"),
        (None, NoData, "nincs adat: database"),
    ],
)
@pytest.mark.parametrize("path", [("database",), ("database", "writable")])
def test_a_part_without_an_answer_is_none_however_far_it_is_read(part, error, says, path):
    view = View(Document(host="h", taken=support.TAKEN, data={"database": part}), now=support.TAKEN)
    with pytest.raises(error, match=says):
        view.read(*path)
    with pytest.raises(error, match=says):
        view.names(*path)
