"""Every verb and flag of the real CLI is taken by the engine, or listed as not covered; never neither, never both."""

from __future__ import annotations

import argparse
import inspect
import re
from pathlib import Path

import pulumi
import pytest

from stacks.engine.cli import parser

LIMITS = (Path(__file__).resolve().parents[2] / "docs" / "engine-limits.md").read_text(encoding="utf-8")
SECTION = LIMITS.split("## Verbs and flags of the CLI that are not covered")[1].split("\n## ")[0]
LISTED = {name for row in re.findall(r"^\|([^|]*)\|", SECTION, re.MULTILINE) for name in re.findall("`([^`]+)`", row)}


def words(*lines: str) -> list[str]:
    return " ".join(lines).split()


# Of `pulumi <verb> --help`, 3.260.0.
VERBS = words(
    "about api cancel config console convert deployment destroy do env gen-completion import insights install login",
    "logout logs neo new org package plugin policy preview project refresh schema stack state template up version",
    "watch whoami",
)
COMMANDS = {
    "stack": words(
        "change-secrets-provider drift export get graph history import init list ls new output remove rename rm",
        "schedule select tag unselect webhook",
    ),
    "config": words("copy cp env get refresh remove remove-all rm rm-all set set-all"),
    "state": words("delete edit get move protect rename repair taint unprotect untaint upgrade"),
}
COMMAND_FLAGS = {
    "stack": words("output show-ids show-name show-secrets show-urns"),
    "stack init": words("copy-config-from no-select secrets-provider teams"),
    "stack ls": words("all json organization project tag"),
    "stack select": words("create secrets-provider"),
    "stack output": words("json shell show-secrets"),
    "stack export": words("file show-secrets version"),
    "stack import": words("file force"),
    "stack rename": [],
    "stack rm": words("force preserve-config remove-backups yes"),
    "config": words("json open show-secrets config-file"),
    "config set": words("path plaintext secret type config-file"),
    "config get": words("json open path config-file"),
    "config rm": words("path config-file"),
    "state delete": words("force target-dependents yes"),
    "state unprotect": words("all yes"),
    "cancel": words("yes"),
}
COMMON = words(
    "color cwd disable-integrity-checking emoji fully-qualify-stack-names logflow logtostderr memprofilerate debug",
    "non-interactive otel-traces profiling tracing verbose stack diff json message parallel target target-dependents",
    "exclude exclude-dependents show-replacement-steps show-sames suppress-outputs suppress-permalink config-file",
    "suppress-progress show-config show-full-output neo copilot remote config config-path run-program urns",
    "skip-plugin-pre-install suppress-stream-logs",
)
PROGRAM = words(
    "attach-debugger policy-pack policy-pack-config show-policy-remediations replace target-replace show-reads",
    "expect-no-changes refresh show-secrets ignore-protect neo-task-on-failure",
)
WORK = words("skip-preview yes")
FLAGS = {
    "preview": COMMON + PROGRAM + words("import-file save-plan"),
    "up": COMMON + PROGRAM + WORK + words("plan continue-on-error secrets-provider strict"),
    "refresh": COMMON
    + WORK
    + words(
        "clear-pending-creates import-pending-creates preview-only skip-pending-creates expect-no-changes",
    ),
    "destroy": COMMON + WORK + words("continue-on-error exclude-protected preview-only remove refresh ignore-protect"),
}
# Taken by the engine alone: engine.md or engine-limits.md says so.
OWN = {"event-log", "help"}
OWN_OF = {"refresh": {"show-secrets"}, "destroy": {"show-secrets", "expect-no-changes"}}


def parsers(top: argparse.ArgumentParser) -> dict[str, argparse.ArgumentParser]:
    """The parsers of the commands below a command."""
    for action in top._actions:
        if isinstance(action, argparse._SubParsersAction):
            return dict(action.choices)
    return {}


TAKEN = parsers(parser())


def flags(command: str) -> set[str]:
    """Long flags that the engine takes with a verb, or a command below one."""
    verb, _, below = command.partition(" ")
    command_parser = parsers(TAKEN[verb])[below] if below else TAKEN[verb]
    options = {option for action in command_parser._actions for option in action.option_strings}
    return {option.removeprefix("--") for option in options if option.startswith("--")}


@pytest.mark.parametrize("verb", VERBS)
def test_each_verb_is_taken_or_listed(verb):
    assert (verb in TAKEN) != (verb in LISTED)


@pytest.mark.parametrize(("verb", "command"), [(verb, item) for verb, items in COMMANDS.items() for item in items])
def test_each_command_is_taken_or_listed(verb, command):
    assert (command in parsers(TAKEN[verb])) != (f"{verb} {command}" in LISTED)


FLAGS_OF = [(command, flag) for table in (FLAGS, COMMAND_FLAGS) for command, items in table.items() for flag in items]


@pytest.mark.parametrize(("command", "flag"), FLAGS_OF)
def test_each_flag_is_taken_or_listed(command, flag):
    assert (flag in flags(command)) != bool(LISTED & {f"{command} --{flag}", f"--{flag}"})


def test_every_command_that_the_engine_takes_was_compared():
    below = {f"{verb} {name}" for verb in COMMANDS for name in parsers(TAKEN[verb])}
    aliases = {"stack list", "stack new", "stack remove", "config remove"}
    assert below - aliases == {command for command in COMMAND_FLAGS if " " in command}
    assert set(TAKEN) - {"pre", "update", "down"} == {*FLAGS, "stack", "config", "state", "cancel", "version"}


@pytest.mark.parametrize("verb", FLAGS)
def test_a_flag_that_only_the_engine_has_is_named(verb):
    own = flags(verb) - set(FLAGS[verb])
    assert own == OWN | OWN_OF.get(verb, set())
    for flag in own - {"help"}:
        assert f"`--{flag}`" in LIMITS.split("## Differences that remain")[1], flag


@pytest.mark.parametrize(
    ("words", "command"),
    [
        (["stack", "list"], "ls"),
        (["stack", "new", "x"], "init"),
        (["stack", "remove"], "rm"),
        (["config", "remove", "k"], "rm"),
    ],
)
def test_the_newer_names_of_commands_mean_the_same(words, command):
    assert getattr(parser().parse_args(words), f"{words[0]}_verb") == command


def test_each_option_of_a_resource_is_named():
    row = next(line for line in LIMITS.splitlines() if line.startswith("| options |"))
    options = set(inspect.signature(pulumi.ResourceOptions.__init__).parameters) - {"self"}
    assert len(options) > 20 and options - set(re.findall(r"\w+", row)) == set()


def test_what_is_listed_as_not_covered_is_refused(capsys):
    with pytest.raises(SystemExit) as refusal:
        parser().parse_args(["up", "--policy-pack", "x"])
    assert refusal.value.code == 2 and "unrecognized arguments: --policy-pack" in capsys.readouterr().err


def test_the_list_is_not_empty():
    assert len(LISTED) > 90 and len(VERBS) > 30 and len(FLAGS_OF) > 200
