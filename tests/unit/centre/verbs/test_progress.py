"""Steps of make up: one line each, what changed is counted, a failure shows the end of its log."""

import sys

import pytest

from centre.verbs.progress import StepFailed, Steps
from tests.support.polling import poll


def test_a_step_says_what_changed(tmp_path, capsys):
    steps = Steps(tmp_path)
    steps.run("Images", lambda: "2 built")
    steps.run("Stack network", lambda: None)
    first, second = capsys.readouterr().out.splitlines()
    assert first.startswith("Images") and first.endswith("2 built")
    assert second.endswith("no change")
    assert steps.changed == 1


def test_a_long_step_says_on_a_terminal_what_it_has_come_to(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    steps, screen = Steps(tmp_path), []

    def everything():
        screen.append(capsys.readouterr().out)
        return "".join(screen)

    def action():
        steps.say("Services that start", "2 still to come")
        poll(everything, lambda text: "Services that start 0 s 2 still to come" in text, 20, "it is shown")

    steps.run("Services that start", action)
    assert "no change" in capsys.readouterr().out


def test_a_failed_command_shows_the_end_of_its_log_and_keeps_it(tmp_path):
    steps = Steps(tmp_path)
    script = "print('\\n'.join(f'line {n}' for n in range(100))); raise SystemExit(3)"
    with pytest.raises(StepFailed, match=r"demo: .* exited with 3\. The end of .*demo\.log:\nline 80\n") as failure:
        steps.command("demo", [sys.executable, "-c", script])
    assert "line 79" not in str(failure.value)
    assert (tmp_path / "demo.log").read_text().startswith("line 0\n")


def test_a_command_without_end_is_given_up(tmp_path):
    with pytest.raises(StepFailed, match="demo: no end after 1 s"):
        Steps(tmp_path).command("demo", [sys.executable, "-c", "import time; time.sleep(30)"], limit=1)


def test_a_missing_command_is_named(tmp_path):
    with pytest.raises(StepFailed, match="no-such-thing: no such command"):
        Steps(tmp_path).command("demo", ["no-such-thing"])
