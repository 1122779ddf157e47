"""Verbs that are playbooks hand the right variables to ansible-playbook, and everything else as it was typed."""

from __future__ import annotations

import json

import pytest

from centre import __main__ as asp
from centre.faults import USAGE
from centre.verbs import child, plays
from centre.verbs.progress import Steps


@pytest.fixture
def runs_of_plays(monkeypatch):
    """What would be run: (playbook, variables, further words, environment)."""
    runs = []

    def run(argv, environ=None):
        playbook, words = argv[1].rsplit("/", 1)[1], argv[2:]
        variables = json.loads(words[1]) if words[:1] == ["-e"] and words[1].startswith("{") else {}
        runs.append((playbook, variables, words[2:] if variables else words, environ["ASP_ENV"]))
        return 0

    monkeypatch.setattr(child, "run", run)
    return runs


@pytest.mark.parametrize(
    ("line", "playbook", "variables", "rest"),
    [
        ("join 16054 --check --diff", "join.yml", {"municipality": "16054"}, ["--check", "--diff"]),
        ("join --all", "join.yml", {"municipality": "all"}, []),
        ("leave 16054 --confirm Ózd", "leave.yml", {"municipality": "16054", "confirm": "Ózd"}, []),
        ("endpoints --limit a-1", "endpoints.yml", {}, ["--limit", "a-1"]),
        ("revoke --list", "revoke.yml", {"act": "list"}, []),
        ("revoke --serial 0x1", "revoke.yml", {"act": "revoke", "kind": "certificate", "subject": "0x1"}, []),
        ("revoke --seat a-1 --lift", "revoke.yml", {"act": "lift", "kind": "seat", "subject": "a-1"}, []),
        (
            "revoke --clerk a.b --reason left --confirm a.b --check",
            "revoke.yml",
            {"act": "revoke", "kind": "clerk", "subject": "a.b", "reason": "left", "confirm": "a.b"},
            ["--check"],
        ),
        ("drill", "drill.yml", {}, []),
        ("drill 16054 14915", "drill.yml", {"municipality": "16054,14915"}, []),
        ("restore 16054 --undo old -v", "restore.yml", {"municipality": "16054", "undo": "old"}, ["-v"]),
        (
            "restore 16054 --at 2026-11-23T14:00:00 --look --repository 2",
            "restore.yml",
            {"municipality": "16054", "target_time": "2026-11-23T14:00:00", "look": True, "repository": 2},
            [],
        ),
        ("restore-cell baz1 --confirm baz1", "restore_cell.yml", {"cell": "baz1", "confirm": "baz1"}, []),
        ("failover baz1 --node n", "failover.yml", {"cell": "baz1", "node": "n"}, []),
        ("fill 29188 --confirm Ózd", "fill.yml", {"municipality": "29188", "confirm": "Ózd"}, []),
        ("refill 29188 --seed 7 --check", "refill.yml", {"municipality": "29188", "seed": 7}, ["--check"]),
        ("publish --check", "publish.yml", {}, ["--check"]),
        (
            "publish --day 2026-11-22 --out /tmp/x --incomplete --with-connecting",
            "publish.yml",
            {"day": "2026-11-22", "folder": "/tmp/x", "incomplete": True, "with_connecting": True},
            [],
        ),
    ],
)
def test_a_verb_runs_its_playbook(runs_of_plays, line, playbook, variables, rest):
    assert asp.main([*line.split(), "--env", "test"]) == 0
    assert runs_of_plays == [(playbook, variables, rest, "test")]


@pytest.mark.parametrize(
    "line", ["revoke", "revoke --clerk a.b --seat a-1", "revoke --list --clerk a.b", "revoke --lift"]
)
def test_a_revocation_is_of_one_thing(runs_of_plays, line, capsys):
    assert asp.main([*line.split(), "--env", "test"]) == USAGE
    assert "wanted one of --serial" in capsys.readouterr().err and not runs_of_plays


def test_a_name_of_several_words_is_one_value():
    words = plays.argv("leave", {"confirm": "Sajó 'szent' péter", "look": False, "undo": None})
    assert words[2] == "-e"
    assert json.loads(words[3]) == {"confirm": "Sajó 'szent' péter"}


@pytest.mark.parametrize(("script", "code"), [("exit 0", 0), ("exit 2", 1), ("exit 4", 1), ("exit 130", 130)])
def test_ansibles_own_exit_codes_are_not_taken_for_ours(script, code):
    assert child.run(["bash", "-c", script]) == code


def test_a_terminated_verb_ends_its_program(tmp_path):
    import os
    import signal
    import threading

    timer = threading.Timer(0.5, os.kill, (os.getpid(), signal.SIGTERM))
    timer.start()
    assert child.code_of(["sleep", "30"]) == -signal.SIGTERM


def test_a_step_of_up_reads_the_plays_own_summary(tmp_path, monkeypatch, capsys):
    steps = Steps(tmp_path)

    def command(name, argv, environ):
        with open(environ["ASP_PLAY_SUMMARY"], "w") as stream:
            json.dump({"changed": 3, "failed": 0, "unreachable": 0, "hosts": {}, "stats": {}}, stream)
        return ""

    monkeypatch.setattr(steps, "command", command)
    plays.step(steps, "dev", "join", "Municipalities join")
    assert capsys.readouterr().out.endswith("3 tasks changed\n")
