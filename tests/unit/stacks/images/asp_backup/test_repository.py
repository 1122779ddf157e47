"""What pgBackRest says of a repository, and what is kept beside it: nothing half-written is ever believed."""

import json
import os
import subprocess

import pytest
from asp_backup.repository import ARCHIVED, INSIDE, Repository, RepositoryFault


@pytest.fixture
def repository(tmp_path):
    return Repository("baz1", "1", tmp_path)


@pytest.fixture
def pgbackrest(monkeypatch):
    """`pgbackrest(text)`: what it prints from now on, "" for a refusal; the commands that were run are returned."""

    def answer(text):
        commands = []

        def run(command, **_):
            commands.append(command)
            return subprocess.CompletedProcess(command, 0 if text else 28, text, "no such")

        monkeypatch.setattr(subprocess, "run", run)
        return commands

    return answer


def test_backups_that_ended_with_an_error_do_not_count(repository, pgbackrest):
    whole = {"label": "1", "error": False}
    commands = pgbackrest(json.dumps([{"backup": [whole, {"label": "2", "error": True}]}]))
    assert repository.backups() == [whole]
    assert commands == [
        ["pgbackrest", "--stanza=baz1", "--repo=1", "--output=json", "--log-level-console=error", "info"]
    ]


def test_a_catalogue_that_does_not_answer_is_a_fault(repository, monkeypatch):
    def run(command, timeout, **_):
        raise subprocess.TimeoutExpired(command, timeout)

    monkeypatch.setattr(subprocess, "run", run)
    with pytest.raises(RepositoryFault, match="the catalogue cannot be read: no answer in 60 s"):
        repository.backups()


def test_a_catalogue_that_cannot_be_read_leaves_no_state(repository, pgbackrest):
    pgbackrest("")
    with pytest.raises(RepositoryFault, match="the catalogue cannot be read: no such"):
        repository.state()


def test_what_a_backup_has_inside_is_read_once(repository, monkeypatch):
    labels = []

    def info(self, option):
        labels.append(option.removeprefix("--set="))
        return [{"backup": [{"database-ref": [{"name": f"t{labels[-1]}", "oid": 7}]}]}]

    monkeypatch.setattr(Repository, "info", info)
    for label in ("1", "1", "2", "1"):
        assert repository.inside(label) == {f"t{label}": 7}
    assert labels == ["1", "2", "1"]
    (repository.folder / INSIDE).write_text('{"lab')
    assert repository.inside("1") == {"t1": 7}, "a file that is no answer is not believed"


def test_what_was_noted_to_be_archived_is_told_and_the_last_note_holds(repository):
    assert repository.archived() == {}
    repository.note_archived({"t16054": 20001, "t14784": 20002})
    repository.note_archived({"t16054": 20003})
    assert repository.archived() == {"t16054": 20003, "t14784": 20002}
    (repository.folder / ARCHIVED / "t14784").write_text("")
    (repository.folder / ARCHIVED / ".t16055.abc.new").write_text("20004")
    assert repository.archived() == {"t16054": 20003}, "a file that is no answer is not believed"


@pytest.mark.parametrize("text", ["[]", '[{"backup": []}]'])
def test_a_repository_without_backup_has_a_state_too(repository, pgbackrest, text):
    pgbackrest(text)
    nothing = {"inside": {}, "archived": {}, "finding": {"at": 0, "damage": ""}}
    assert repository.state() == {"info": json.loads(text), **nothing}


def test_the_newest_wal_is_of_the_newest_timeline_and_cluster(repository):
    assert repository.newest_wal() == 0
    archive = repository.folder / "repo" / "archive" / "baz1"
    for folder, moment in (("17-1/0000000100000000", 1_700_000_900), ("17-1/0000000200000000", 1_700_000_000)):
        (archive / folder).mkdir(parents=True)
        segment = archive / folder / "000000020000000000000007-abc.zst"
        segment.touch()
        os.utime(segment, (moment, moment))
    assert repository.newest_wal() == 1_700_000_000
