"""The register is read once for as long as nothing of it changes, and at once again when something does."""

import contextlib
import json
import os

import pytest

from inventory import applied, register
from inventory.errors import RegisterError
from inventory.reader import Reader
from tests.unit.inventory.register_copy import Copy

FILE = "environments/dev/municipalities/14915-malyinka.yaml"


@pytest.fixture
def copy(tmp_path):
    return Copy(tmp_path)


@pytest.fixture
def readings(monkeypatch):
    """Counts readings of the files."""
    roots = []
    init = Reader.__init__
    monkeypatch.setattr(Reader, "__init__", lambda self, root: (roots.append(root), init(self, root))[1])
    register.load.cache_clear()
    return roots


def test_what_did_not_change_is_read_once(copy, readings):
    first = copy.load()
    assert copy.load() is first and len(readings) == 1
    register.load.cache_clear()
    assert copy.load() is not first and len(readings) == 2


@pytest.mark.parametrize(
    "change",
    [
        lambda copy: copy.edit(FILE, "phase: connection", "phase: preparation"),
        lambda copy: copy.add_municipality("10357", "Parasznya"),
        lambda copy: copy.edit("catalogue/sla.yaml", "id", "id"),
        lambda copy: os.replace(copy.root / FILE, copy.root / FILE.replace("malyinka", "malyinka-uj")),
    ],
    ids=["a file edited", "a file added", "a catalogue written again", "a file renamed"],
)
def test_a_change_of_the_files_is_read_at_once(copy, readings, change):
    first = copy.load()
    change(copy)
    with contextlib.suppress(RegisterError):  # the change may be a fault: it was seen
        assert copy.load() is not first
    assert len(readings) == 2


def test_what_was_applied_is_compared_again_without_reading_the_files(copy, readings):
    municipality = copy.load().municipality("14915")
    snapshot = applied.snapshot_file("dev", copy.root)
    snapshot.parent.mkdir(parents=True)
    snapshot.write_text(json.dumps({"14915": applied.snapshot_entry(municipality)}))
    assert copy.load().municipality("14915") is municipality
    snapshot.write_text(json.dumps({"14915": applied.snapshot_entry(municipality) | {"cell": "baz7"}}))
    for _ in range(2):
        with pytest.raises(RegisterError, match="the cell cannot change once a tenant exists"):
            copy.load()
    assert len(readings) == 1


def test_a_register_with_faults_is_not_remembered(copy, readings):
    copy.edit(FILE, "phase: connection", "phase: nonsense")
    for _ in range(2):
        assert copy.faults()
    assert len(readings) == 2


def test_what_everybody_shares_nobody_changes(copy):
    shared = copy.load()
    for part in (shared.municipalities, shared.systems, shared.offices, shared.sla):
        with pytest.raises(TypeError):
            part["new"] = None
