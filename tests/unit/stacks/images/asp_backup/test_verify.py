"""A repository is whole when pgBackRest's report says so of every backup; its exit code says nothing."""

import itertools
import json
import re
import subprocess
from types import SimpleNamespace

import pytest
from asp_backup import verify as verify_module
from asp_backup.repository import Repository, RepositoryFault
from asp_backup.verify import damage, verify

WHOLE = """\
stanza: baz1
status: ok
  archiveId: 17-1, total WAL checked: 3, total valid WAL: 3
    missing: 0, checksum invalid: 0, size invalid: 0, other: 0
  backup: 20261128-115340F, status: valid, total files checked: 966, total valid files: 966
    missing: 0, checksum invalid: 0, size invalid: 0, other: 0
"""
BUNDLE = WHOLE.replace("status: ok", "status: error").replace(
    "status: valid, total files checked: 966, total valid files: 966\n    missing: 0, checksum invalid: 0",
    "status: invalid, total files checked: 966, total valid files: 965\n    missing: 0, checksum invalid: 1",
)
MANIFEST = WHOLE.replace("status: valid, total files checked: 966", "status: manifest missing, total files checked: 0")
GONE = "".join(WHOLE.splitlines(keepends=True)[:4]) + "  backup: none found\n"
NEW = WHOLE + "  backup: 20261128-120125F, status: in-progress, total files checked: 0, total valid files: 0\n"
LABEL = "20261128-115340F"


@pytest.mark.parametrize("report", [WHOLE, NEW])
def test_a_whole_repository_has_no_damage(report):
    assert damage(report, {LABEL}) == ""


@pytest.mark.parametrize(
    ("report", "pattern"),
    [
        (BUNDLE, f"status: error; .*{LABEL}, status: invalid.*checksum invalid: 1.*{LABEL} is not there whole"),
        (MANIFEST, f"status: manifest missing.*backup {LABEL} is not there whole"),
        (GONE, f"backup: none found; backup {LABEL} is not there whole"),
        ("stanza: baz1\nstatus: error\n  No usable backup.info file\n", "status: error; No usable backup.info file"),
        ("", f"backup {LABEL} is not there whole"),
    ],
)
def test_what_pgbackrest_reports_is_believed_and_not_its_exit_code(report, pattern):
    """As 2.55.1 printed it, each time with exit code 0."""
    words = damage(report, {LABEL})
    assert re.search(pattern, words), words
    assert "total files checked: 966, total valid files: 966" not in words, "what is whole is not told"


@pytest.fixture
def repository(tmp_path, monkeypatch):
    """A repository with one backup; `reports`: what `pgbackrest verify` prints next, "" for its refusal."""
    repository, reports = Repository("baz1", "1", tmp_path), []

    def run(command, **_):
        catalogue = [{"backup": [{"label": LABEL, "type": "full", "timestamp": {"stop": 100}}]}]
        text = json.dumps(catalogue) if "info" in command else reports.pop()
        return subprocess.CompletedProcess(command, 0 if text else 28, text, "")

    monkeypatch.setattr(subprocess, "run", run)
    return repository, reports


def test_what_a_verification_said_is_kept_until_the_next(repository, monkeypatch):
    repository, reports = repository
    clock = itertools.count(1000.0, step=60)
    monkeypatch.setattr(verify_module, "time", SimpleNamespace(time=lambda: next(clock)))
    assert repository.finding() == {"at": 0, "damage": ""}
    reports.append(WHOLE)
    assert verify(repository) == ""
    whole = repository.finding()
    assert whole["at"] > 100 and whole["damage"] == ""
    reports.append(BUNDLE)
    fault = verify(repository)
    assert "checksum invalid: 1" in fault
    assert repository.finding() == {"at": whole["at"], "damage": fault}, "when it was whole last stays known"
    reports.append("")
    assert "could not be verified: exit code 28" in verify(repository)
    assert repository.finding()["damage"] == fault, "a verification that failed changes nothing"


def test_a_backup_that_came_or_went_meanwhile_is_not_asked_for(repository, monkeypatch):
    repository, reports = repository
    labels = iter([{LABEL}, {"20261128-120125F"}])
    monkeypatch.setattr(verify_module, "_labels", lambda _: next(labels))
    reports.append(WHOLE)
    assert verify(repository) == ""


def test_a_catalogue_that_cannot_be_read_proves_nothing(repository, monkeypatch):
    repository, _ = repository

    def fault(_):
        raise RepositoryFault("the catalogue cannot be read: no answer in 60 s")

    monkeypatch.setattr(verify_module, "_labels", fault)
    assert verify(repository) == "it could not be verified: the catalogue cannot be read: no answer in 60 s"
    assert repository.finding() == {"at": 0, "damage": ""}
