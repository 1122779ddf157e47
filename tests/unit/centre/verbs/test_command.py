"""The command `asp`: every verb explains itself, a wrong call is one message, exit codes are as documented."""

from __future__ import annotations

import argparse
import ast
import importlib
import json
import subprocess
import sys

import pytest

from centre import __main__ as asp
from centre.faults import CentreFault
from centre.reach.runtime import Unreachable
from centre.verbs.cli.tree import parser
from inventory import paths


def verbs() -> dict[str, argparse.ArgumentParser]:
    (choices,) = [a.choices for a in parser()._actions if isinstance(a, argparse._SubParsersAction)]
    return dict(choices)


VERBS = verbs()
# What an operator's handbook names; a verb that goes must go there too.
NAMED = set(
    [
        "host",
        "up",
        "status",
        "plan",
        "env",
        "stack",
        "down",
        "clean",
        "check",
        "join",
        "leave",
        "endpoints",
        "restore",
        "restore-cell",
        "failover",
        "drill",
        "refill",
        "revoke",
        "fill",
        "publish",
        "validate",
        "import",
        "citizens",
        "browse",
        "second-factor",
        "version",
        "completion",
    ]
)


def call(capsys, *words) -> tuple[int, str, str]:
    try:
        code = asp.main(list(words))
    except SystemExit as leave:
        code = int(leave.code or 0)
    output = capsys.readouterr()
    return code, output.out, output.err


def test_the_tree_has_every_verb():
    assert set(VERBS) == NAMED


@pytest.mark.parametrize("name", sorted(VERBS))
def test_a_verb_explains_itself_with_an_example_that_it_understands(name):
    text = VERBS[name].format_help()
    examples = [line.strip() for line in text.split("examples:\n", 1)[1].splitlines() if line.startswith("  asp ")]
    assert examples, text
    for example in examples:
        words = [word.strip("'") for word in example.split(" > ")[0].split()[1:]]
        assert asp.parse(words).verb == name


@pytest.mark.parametrize("name", sorted(VERBS))
def test_a_verbs_function_exists(name):
    module, function = VERBS[name].get_default("run").split(":")
    assert callable(getattr(importlib.import_module(module), function))


def test_help_names_the_exit_codes(capsys):
    code, out, _ = call(capsys, "--help")
    assert code == 0
    for number in ("0 ", "1 ", "2 ", "3 ", "130"):
        assert f"\n  {number}" in out


def test_help_needs_nothing_but_the_standard_library():
    """`python3 -m centre host` prepares a machine that has nothing else yet."""
    program = "import sys; from centre.__main__ import main\ntry: main(['--help'])\nfinally: print(sorted(sys.modules))"
    process = subprocess.run(
        [sys.executable, "-S", "-c", program], cwd=paths.ROOT, capture_output=True, text=True, timeout=60
    )
    modules = ast.literal_eval(process.stdout.splitlines()[-1])
    ours = ("centre", "inventory", "systems", "__main__")
    assert [m for m in modules if m.split(".")[0] not in sys.stdlib_module_names and not m.startswith(ours)] == []


def test_without_a_verb_it_is_usage(capsys):
    assert call(capsys)[0] == 2


@pytest.mark.parametrize("verb", ["join", "leave", "check", "restore", "fill", "refill"])
def test_a_verb_on_one_municipality_has_no_default(capsys, verb):
    code, _, err = call(capsys, verb, "--env", "test")
    assert code == 2
    assert err == f"error: wanted a KSH code, e.g. asp {verb} 16054; known ones: asp status --env test\n"


def test_what_is_no_code_is_named(capsys):
    code, _, err = call(capsys, "join", "Sajószentpéter")
    assert (code, "wanted a KSH code, e.g. asp join 16054; seen: Sajószentpéter" in err) == (2, True)


def test_an_option_that_no_verb_knows_is_named(capsys):
    code, _, err = call(capsys, "status", "--yes")
    assert (code, "status does not know: --yes. See asp status --help" in err) == (2, True)


def test_options_of_ansible_are_handed_on():
    options = asp.parse(["join", "16054", "--check", "--diff", "-e", "x=y"])
    assert (options.ksh, options.rest) == ("16054", ["--check", "--diff", "-e", "x=y"])
    assert asp.parse(["stack", "edge", "preview", "--diff"]).rest == ["--diff"]


@pytest.mark.parametrize(
    ("words", "variable", "env"),
    [
        (["status"], None, "dev"),
        (["status"], "test", "test"),
        (["status", "three"], "test", "three"),
        (["status", "--env", "three"], "test", "three"),
        (["join", "16054", "--env", "three"], None, "three"),
    ],
)
def test_the_environment_is_given_by_word_option_or_variable(monkeypatch, words, variable, env):
    monkeypatch.delenv("ASP_ENV", raising=False)
    if variable:
        monkeypatch.setenv("ASP_ENV", variable)
    assert asp.parse(words).env == env


@pytest.mark.parametrize(
    ("fault", "code"),
    [
        (CentreFault("no"), 1),
        (Unreachable("no"), 3),
        (PermissionError(13, "Permission denied", "vault.yml"), 1),
        (KeyboardInterrupt(), 130),
    ],
    ids=["failed", "unreachable", "not ours", "interrupted"],
)
def test_a_fault_is_one_message_and_a_code(capsys, monkeypatch, fault, code):
    def fail(_options):
        raise fault

    monkeypatch.setattr(asp, "verb", lambda _name: fail)
    status, _, err = call(capsys, "status")
    assert status == code
    assert len(err.strip().splitlines()) == 1


def test_an_unknown_environment_is_a_register_fault(capsys):
    code, out, err = call(capsys, "validate", "nope")
    assert (code, out) == (2, "")
    assert "environment = 'nope': no such environment. Known: dev, test" in err


def test_validate_says_the_same_as_json(capsys):
    code, out, _ = call(capsys, "validate", "dev", "--json")
    answer = json.loads(out)
    assert (code, answer["sound"], answer["municipalities"], answer["faults"]) == (0, True, 5, [])
    code, out, _ = call(capsys, "validate", "nope", "--json")
    answer = json.loads(out)
    assert (code, answer["sound"]) == (2, False)
    assert answer["faults"][0]["field"] == "environment"


def test_validate_reads_another_register(capsys, monkeypatch, tmp_path):
    code, _, err = call(capsys, "validate", "dev", "--register", str(tmp_path))
    assert (code, "Known: none" in err) == (2, True)
    monkeypatch.setenv("ASP_REGISTER", str(paths.REGISTER))
    assert call(capsys, "validate", "dev")[0] == 0


def test_an_installed_wheel_refuses_what_needs_the_repository(capsys, monkeypatch, tmp_path):
    monkeypatch.setattr(paths, "ROOT", tmp_path)
    code, _, err = call(capsys, "up")
    assert code == 2
    assert "asp up needs a checkout of the repository; this asp is a wheel in" in err and "make host" in err


def test_completion_knows_the_verbs(capsys):
    code, out, _ = call(capsys, "completion", "bash")
    assert code == 0
    assert "restore-cell" in out and "--expect-no-changes" in out
    process = subprocess.run(["bash", "-n"], input=out, text=True, capture_output=True)
    assert process.returncode == 0, process.stderr
