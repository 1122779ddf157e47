"""The service takes what is due, tries again later what failed, and never lets one repository's fault end it."""

import datetime as dt
import io
import json
import subprocess

import pytest
from asp_backup import server
from asp_backup.__main__ import main
from asp_backup.metrics import BackupMetrics
from asp_backup.repository import Repository, RepositoryFault
from asp_backup.settings import Settings

FULL = {
    "label": "F",
    "type": "full",
    "timestamp": {"start": 100, "stop": 100},
    "info": {"size": 1, "repository": {"delta": 1}},
}


@pytest.fixture
def settings(tmp_path):
    """The file that stacks/backups writes, read."""
    file = tmp_path / "backup.json"
    crons = {"full": "30 1 * * 0", "differential": "30 1 * * 1-6", "incremental": "0 9-17 * * 1-5"}
    (tmp_path / "one").mkdir()
    values = {"stanza": "baz1", "repositories": {"1": str(tmp_path / "one")}, "metrics_port": 1, **crons}
    file.write_text(json.dumps(values))
    return Settings.read(file)


class World:
    """A keeper of one repository with a clock; `backups` are listed, `ran` are the commands, `exit` their code."""

    def __init__(self, settings, patch):
        self.repository = settings.repositories[0]
        self.metrics = BackupMetrics(settings.repositories)
        self.keeper = server.Keeper(settings, self.metrics)
        self.backups, self.ran, self.exit, self.wrong, self.clock = [FULL], [], 0, "", 0.0
        patch.setattr(server.time, "monotonic", lambda: self.clock)
        patch.setattr(Repository, "backups", lambda _: self.backups)
        patch.setattr(server, "verify", self.verify)
        patch.setattr(server.subprocess, "run", self.run)

    def verify(self, repository):
        self.ran.append("verify")
        repository.note_finding(0 if self.wrong else 2**40, self.wrong)
        return self.wrong

    def run(self, command, check):
        self.ran.append(command[3])
        return subprocess.CompletedProcess(command, self.exit)

    def look(self, after=0.0):
        self.clock += after
        self.keeper.look(self.repository)
        ran, self.ran = self.ran, []
        return ran


@pytest.fixture
def world(settings, monkeypatch):
    return World(settings, monkeypatch)


def test_a_backup_that_is_due_is_taken_and_tried_again_only_after_a_while(world):
    world.exit = 50
    assert world.look() == ["--type=full"]
    assert 'asp_backup_runs_total{repository="1",outcome="failed"} 1' in world.metrics.text()
    assert world.look(20) == ["verify"], "what is not due may go on meanwhile"
    assert world.look(server.RETRY_SECONDS - 21) == []
    world.exit = 0
    assert world.look(2) == ["--type=full"]
    assert 'asp_backup_runs_total{repository="1",outcome="done"} 1' in world.metrics.text()


def test_a_damaged_repository_is_verified_again_once_an_hour(world, monkeypatch, capsys):
    monkeypatch.setattr(server, "due", lambda *_: None)
    world.wrong = "status: error"
    assert world.look() == ["verify"]
    output = json.loads(capsys.readouterr().err)
    assert output["message"] == "repository 1 is not proven whole: status: error; again in 3600 s"
    assert (output["level"], output["logger"]) == ("ERROR", "asp-backup")
    assert world.look(server.VERIFY_RETRY_SECONDS - 1) == []
    world.wrong = ""
    assert world.look(1) == ["verify"]
    assert world.look(20) == []


def test_a_catalogue_that_cannot_be_read_is_said_and_looked_at_again(world, monkeypatch, capsys):
    def fault(_):
        raise RepositoryFault("the catalogue cannot be read: no answer in 60 s")

    with monkeypatch.context() as patch:
        patch.setattr(Repository, "backups", fault)
        assert world.look() == []
    assert "the catalogue cannot be read: no answer in 60 s" in capsys.readouterr().err
    assert world.look() == ["--type=full"]


def test_before_the_first_backup_of_all_nothing_is_taken(world):
    world.backups = []
    assert world.look() == []


def test_the_settings_are_read_as_the_stack_writes_them(settings):
    assert [each.number for each in settings.repositories] == ["1"]
    assert settings.schedules["full"].latest(dt.datetime(2026, 11, 23)) == dt.datetime(2026, 11, 22, 1, 30)
    with pytest.raises(ValueError, match="repository '3': wanted one of 1"):
        settings.repository("3")


@pytest.fixture
def command(settings, monkeypatch):
    """Runs `asp-backup` with these words and this input."""
    monkeypatch.setattr(Settings, "read", lambda: settings)

    def run(*words, text=""):
        monkeypatch.setattr("sys.stdin", io.StringIO(text))
        return main(list(words))

    return run


def test_databases_in_archived_wal_are_noted_in_every_repository(command, settings):
    assert command("archived", text='{"t16054": 20001}') == 0
    assert settings.repositories[0].archived() == {"t16054": 20001}
    assert command("archived", text="{") == 2


def test_the_state_is_told_as_json_or_not_at_all(command, monkeypatch, capsys):
    monkeypatch.setattr(Repository, "info", lambda *_: [])
    assert command("state") == 0
    assert json.loads(capsys.readouterr().out)["1"]["info"] == []

    def fault(*_):
        raise RepositoryFault("the catalogue cannot be read: no such")

    monkeypatch.setattr(Repository, "info", fault)
    assert command("state") == 1
    assert capsys.readouterr() == ("", "asp-backup: the catalogue cannot be read: no such\n")


def test_a_verification_ends_with_1_when_the_repository_is_not_proven_whole(command, monkeypatch, capsys):
    monkeypatch.setattr("asp_backup.__main__.verify", lambda _: "")
    assert command("verify", "1") == 0
    monkeypatch.setattr("asp_backup.__main__.verify", lambda _: "status: error")
    assert command("verify", "1") == 1
    assert capsys.readouterr().err == "asp-backup: repository 1 is not proven whole: status: error\n"
    assert command("verify", "3") == 2 and command("vreify") == 2
