"""A cluster is made once, on the founder, and what is there is adopted."""

import json
import subprocess
import threading
from types import SimpleNamespace

import pytest
from asp_node import founding, places


class Etcd:
    """Patroni's client. `initialize`: whether a cluster was ever made; `silent`: looks without an answer before one."""

    def __init__(self, initialize=None, silent=0):
        self.initialize, self.silent, self.config = initialize, silent, None

    def get_cluster(self):
        if self.silent:
            self.silent -= 1
            raise RuntimeError("etcd is not responding properly")
        return SimpleNamespace(initialize=self.initialize)

    def set_config_value(self, text):
        self.config = json.loads(text)


@pytest.fixture
def volume(tmp_path, monkeypatch):
    """An empty one; initdb makes a folder with one file, and is killed half-way while `kill` is a file there."""
    monkeypatch.setattr(places, "VOLUME", tmp_path)
    monkeypatch.setattr(places, "DATA", tmp_path / "pgdata")
    monkeypatch.setattr(places, "SHARED", tmp_path / "dcs.json")
    places.SHARED.write_text('{"ttl": 30}')
    run = subprocess.run

    def fake(argv, check, **options):
        if argv[0] != "initdb":
            return run(argv, check=check, **options)
        assert {"--data-checksums", "--auth=reject"} < set(argv), "damaged pages are noticed, nobody comes in"
        folder = tmp_path / "pgdata.new"
        folder.mkdir()
        if (tmp_path / "kill").exists():
            raise KeyboardInterrupt
        (folder / "PG_VERSION").write_text("17\n")
        return subprocess.CompletedProcess(argv, 0)

    monkeypatch.setattr(founding.subprocess, "run", fake)
    return tmp_path


def found_with(monkeypatch, etcd, stopped=False):
    event = threading.Event()
    monkeypatch.setattr(event, "wait", lambda seconds: None)
    if stopped:
        event.set()
    monkeypatch.setattr(founding, "connect", lambda: etcd)
    founding.found_cluster(event)


def test_the_first_start_makes_the_cluster_whole_and_hands_its_settings_over(volume, monkeypatch):
    found_with(monkeypatch, etcd := Etcd(silent=2))
    assert (volume / "pgdata" / "PG_VERSION").exists() and not (volume / "pgdata.new").exists()
    assert etcd.config == {"ttl": 30}


def test_a_cluster_that_was_ever_made_is_never_founded_again(volume, monkeypatch):
    """An empty volume is a lost one then: Patroni clones it from whoever leads."""
    found_with(monkeypatch, etcd := Etcd(initialize="7412"))
    assert not (volume / "pgdata").exists() and etcd.config is None


def test_data_that_is_there_is_adopted(volume, monkeypatch):
    (volume / "pgdata").mkdir()
    (volume / "pgdata" / "row").touch()
    found_with(monkeypatch, etcd := Etcd())
    assert [file.name for file in (volume / "pgdata").iterdir()] == ["row"] and etcd.config == {"ttl": 30}


def test_killed_in_the_middle_nothing_is_there_and_the_next_start_makes_it(volume, monkeypatch):
    (volume / "kill").touch()
    with pytest.raises(KeyboardInterrupt):
        found_with(monkeypatch, Etcd())
    assert not (volume / "pgdata").exists()
    (volume / "kill").unlink()
    found_with(monkeypatch, Etcd())
    assert (volume / "pgdata" / "PG_VERSION").exists()


def test_a_node_that_is_stopped_founds_nothing(volume, monkeypatch):
    found_with(monkeypatch, etcd := Etcd(), stopped=True)
    assert not (volume / "pgdata").exists() and etcd.config is None
