"""Random programs and a few random kills; the long version with 100 kills is `tests/bench/engine_chaos.py`."""

from __future__ import annotations

import os
import signal
import time

import pytest

from tests.engine.chaos import Chaos, kill_rounds
from tests.engine.harness import volume
from tests.engine.proxy import FlakyDaemon

SEED = int(os.environ.get("ENGINE_SEED", 20261130))  # every run the same programs; the bench tries others
KILLS = 4
EDITS = 3


@pytest.fixture
def chaos(sandbox):
    return Chaos(sandbox, SEED)


def test_random_programs_come_out_as_the_model_says(chaos):
    for step in range(EDITS):
        chaos.edit(6)
        assert chaos.settle() == [], f"seed {SEED}, step {step}"
        assert chaos.identity_faults() == [], f"seed {SEED}, step {step}"
    assert chaos.guarded() == [], f"seed {SEED}, protected"
    assert chaos.identity_faults() == [], f"seed {SEED}, protected"
    chaos.sandbox.run("destroy", "-s", "dev", "--yes", "--skip-preview")
    chaos.spec = []
    assert chaos.check() == [], f"seed {SEED}"


def test_kills_at_random_moments_lose_nothing(chaos):
    kills, faults = kill_rounds(chaos, KILLS)
    assert faults == [], f"seed {SEED}"
    assert kills >= KILLS, f"seed {SEED}: only {kills} runs were still going when they were to be killed"


def test_an_interrupt_saves_what_was_achieved(sandbox):
    sandbox.write(
        volume("a") + "import time\n"
        "def late(name):\n"
        "    if not pulumi.runtime.is_dry_run():\n"
        "        open(os.environ['MARK'], 'w').close()\n"
        "        time.sleep(60)\n"
        "    return name\n"
        "pulumi.export('late', a.name.apply(late))\n"
    )
    mark = sandbox.project / "mark"
    process = sandbox.start("up", "-s", "dev", "--yes", "--skip-preview", MARK=str(mark))
    deadline = time.monotonic() + 60
    while not mark.exists() and time.monotonic() < deadline:
        time.sleep(0.05)
    process.send_signal(signal.SIGTERM)
    _, output = process.communicate(timeout=60)
    assert process.returncode == 8 and "interrupted" in output
    assert "a" in sandbox.resources() and not sandbox.checkpoint.with_suffix(".journal").exists()
    sandbox.write(volume("a"))
    sandbox.up("--skip-preview")


def test_a_daemon_that_vanishes_in_the_middle(sandbox, tmp_path):
    """The second request finds no daemon: the first one's result is kept, and the next run completes."""
    sandbox.write(volume("a") + volume("b", "opts=pulumi.ResourceOptions(depends_on=[a])"))
    with FlakyDaemon(tmp_path / "flaky.sock", fail_on="POST /v1.41/volumes/create", after=1, how="vanish") as flaky:
        output = sandbox.up("--skip-preview", status=1, DOCKER_HOST=flaky.url)
    assert "Cannot connect to the Docker daemon" in output
    assert "a" in sandbox.resources() and "b" not in sandbox.resources()
    sandbox.up("--skip-preview")
    assert sandbox.volumes() == ["a", "b"]


def test_a_daemon_that_answers_errors(sandbox, tmp_path):
    sandbox.write(volume("a"))
    with FlakyDaemon(tmp_path / "flaky.sock", fail_on="POST /v1.41/volumes/create", after=0, how="error") as flaky:
        output = sandbox.up("--skip-preview", status=1, DOCKER_HOST=flaky.url)
    assert "Unable to create volume: Error response from daemon: out of order" in output
    assert "a" not in sandbox.resources()


def test_an_answer_that_is_lost_is_found_again(sandbox, tmp_path):
    """The daemon has made the network but its answer never came: the next run adopts it instead of failing."""
    sandbox.write("n = docker.Network('n', name=f'{P}-n')\n")
    with FlakyDaemon(tmp_path / "flaky.sock", fail_on="POST /v1.41/networks/create", after=0, how="lose") as flaky:
        sandbox.up("--skip-preview", status=1, DOCKER_HOST=flaky.url)
    sandbox.up("--skip-preview")
    assert "n" in sandbox.resources()
    sandbox.run("preview", "-s", "dev", "--expect-no-changes")


def test_a_daemon_that_does_not_answer(sandbox, tmp_path):
    sandbox.write(volume("a"))
    with FlakyDaemon(tmp_path / "flaky.sock", fail_on="POST /v1.41/volumes/create", after=0, how="hang") as flaky:
        output = sandbox.up("--skip-preview", status=1, DOCKER_HOST=flaky.url, DOCKER_CLIENT_TIMEOUT="2")
    assert "did not answer POST /volumes/create within 2 s" in output
    sandbox.up("--skip-preview")
    assert sandbox.volumes() == ["a"]


def test_a_provider_that_is_gone_does_not_hold_the_stack(sandbox, tmp_path):
    """A creation whose daemon vanished for good stays noted, and every other resource can still be worked on."""
    with FlakyDaemon(tmp_path / "flaky.sock", fail_on="POST /v1.41/volumes/create", after=0, how="vanish") as flaky:
        sandbox.write(
            f"far = docker.Provider('far', host='{flaky.url}')\n"
            + volume("a", "opts=pulumi.ResourceOptions(provider=far)")
        )
        sandbox.up("--skip-preview", status=1)
    sandbox.write(volume("b"))
    output = sandbox.up("--skip-preview")
    assert "warning: " in output and "its daemon cannot be asked what came of it" in output
    assert sandbox.volumes() == ["b"]
