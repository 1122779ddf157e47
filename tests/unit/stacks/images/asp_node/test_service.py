"""A node runs alone on its volume, ends at once when PostgreSQL has crashed while it led, and else stops cleanly."""

import threading
from types import SimpleNamespace

import pytest
from asp_node import places, recovery, service
from asp_service.files import locked


class Patroni:
    """Runs until it is ended; `end`: by what."""

    def __init__(self, argv, pass_fds):
        self.end = None

    def poll(self):
        return None if self.end is None else 0

    def kill(self):
        self.end = "kill"

    def terminate(self):
        self.end = "terminate"

    def wait(self):
        return 0


class Stop(threading.Event):
    """Set by itself at the third look."""

    def wait(self, timeout=None):
        self.looks = getattr(self, "looks", 0) + 1
        if self.looks == 3:
            self.set()
        return self.is_set()


@pytest.fixture
def volume(monkeypatch, tmp_path):
    """A node's files; neither Patroni nor the keeper runs."""
    for name in ("DATA", "LOCK", "READY", "ALIVE"):
        monkeypatch.setattr(places, name, tmp_path / name.lower())
    places.DATA.mkdir()
    monkeypatch.setattr(service.os, "makedirs", lambda *_, **__: None)
    monkeypatch.setattr(service.signal, "signal", lambda *_: None)
    monkeypatch.setattr(service, "keep", lambda *_: None)
    monkeypatch.delenv("ASP_FOUNDER", raising=False)
    monkeypatch.delenv("PGBACKREST_CONFIG", raising=False)
    return tmp_path


@pytest.mark.parametrize(
    ("leads", "crashed", "end"),
    [
        (True, True, "kill"),  # proven dead at once, so that a standby takes over
        (False, True, "terminate"),  # Patroni starts a standby again
        (True, False, "terminate"),
    ],
)
def test_a_leader_whose_postgresql_crashed_ends_at_once(volume, monkeypatch, leads, crashed, end):
    nodes = []
    monkeypatch.setattr(service.subprocess, "Popen", lambda *a, **k: nodes.append(Patroni(*a, **k)) or nodes[0])
    monkeypatch.setattr(service, "Keeper", lambda: SimpleNamespace(applied=leads))
    monkeypatch.setattr(recovery, "crashed", lambda: crashed)
    assert service._run(Stop(), 7) == 0
    assert [node.end for node in nodes] == [end]


def test_a_volume_that_is_in_use_is_left_alone(volume, monkeypatch):
    monkeypatch.setattr(service, "LOCK_SECONDS", 0.1)
    monkeypatch.setattr(service, "_run", lambda *_: pytest.fail("a second server on one volume"))
    (places.DATA / "postmaster.pid").write_text("77")
    with locked(places.LOCK, 1):
        assert service.run() == 1
    assert (places.DATA / "postmaster.pid").exists(), "the other one's"


def test_what_a_kill_left_says_nothing_of_the_node_that_starts(volume, monkeypatch):
    for file in (places.READY, places.ALIVE, places.DATA / "postmaster.pid"):
        file.touch()
    there = []
    monkeypatch.setattr(service, "_run", lambda *_: there.extend(file.name for file in volume.rglob("*")) or 0)
    assert service.run() == 0
    assert {"ready", "alive", "postmaster.pid"}.isdisjoint(there)
