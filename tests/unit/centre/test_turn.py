"""Two plays never work on one municipality; one that was killed blocks nobody."""

import json
import os
import subprocess
import sys

import pytest

from centre import turn
from centre.reach.processes import Process
from inventory import paths


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.setattr(paths, "LOCAL", tmp_path)
    return paths.environment_dir("dev")


@pytest.fixture
def other():
    """Another process, alive until the test ends."""
    process = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    yield process
    process.kill()
    process.communicate()


def identity(process):
    return Process.from_pid(process.pid)


def test_a_turn_is_waited_for_and_then_named(other):
    turn.take("dev", ["16054", "14784"], "join", 0, identity(other))
    with pytest.raises(turn.TurnTaken, match=rf"16054: join, process {other.pid}; wanted: none"):
        turn.take("dev", ["25159", "16054"], "leave", 0.1, turn.play())
    turn.take("dev", ["25159"], "leave", 0, turn.play())


def test_nothing_is_held_by_who_has_to_wait(other, folder):
    turn.take("dev", ["16054"], "join", 0, identity(other))
    with pytest.raises(turn.TurnTaken):
        turn.take("dev", ["14784", "16054"], "join", 0)
    assert set(json.loads((folder / "turns.json").read_text())) == {"16054"}


def test_a_killed_play_blocks_nobody(other):
    turn.take("dev", ["16054"], "join", 0, identity(other))
    other.kill()
    turn.take("dev", ["16054"], "join", 5)  # even before anybody has asked how it ended
    with pytest.raises(turn.TurnTaken):
        turn.take("dev", ["16054"], "join", 0, Process.from_pid(os.getpid()))


def test_a_later_process_of_the_same_number_is_another(other):
    turn.take("dev", ["16054"], "join", 0, Process(other.pid, 1))
    turn.take("dev", ["16054"], "join", 0)


def test_a_play_keeps_its_own_turn():
    for _ in range(2):
        turn.take("dev", ["16054"], "join", 0)


def test_the_play_is_found_above_its_modules(tmp_path):
    script = tmp_path / "ansible-playbook"
    script.write_text("import subprocess, sys\nsubprocess.run([sys.executable, '-c', sys.argv[1]])\n")
    inner = "from centre import turn; print(turn.play().pid)"
    process = subprocess.Popen([sys.executable, str(script), inner], stdout=subprocess.PIPE, text=True, cwd=paths.ROOT,
                            env={**os.environ, "PYTHONPATH": str(paths.ROOT)})  # fmt: skip
    text, _ = process.communicate(timeout=60)
    assert int(text) == process.pid
