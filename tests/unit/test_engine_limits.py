"""Every verb and flag of the real CLI is taken by the engine, or listed as not covered; never neither, never both."""

from __future__ import annotations

import argparse
import re
from pathlib import Path

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
    "stack": words("change-secrets-provider export graph history import init ls output rename rm select tag unselect"),
    "config": words("cp env get refresh rm rm-all set set-all"),
    "state": words("delete edit move protect rename repair taint unprotect untaint upgrade"),
}
COMMON = words(
    "color cwd disable-integrity-checking emoji fully-qualify-stack-names logflow logtostderr memprofilerate debug",
    "non-interactive otel-traces profiling tracing verbose stack diff json message parallel target target-dependents",
    "exclude exclude-dependents show-replacement-steps show-sames suppress-outputs suppress-permalink config-file",
    "suppress-progress show-config show-full-output neo copilot remote",
)
PROGRAM = words(
    "attach-debugger policy-pack policy-pack-config show-policy-remediations replace target-replace show-reads config",
    "config-path expect-no-changes refresh",
)
WORK = words("skip-preview yes")
FLAGS = {
    "preview": COMMON + PROGRAM + words("import-file save-plan show-secrets"),
    "up": COMMON + PROGRAM + WORK + words("plan continue-on-error secrets-provider ignore-protect"),
    "refresh": COMMON
    + WORK
    + words(
        "clear-pending-creates import-pending-creates preview-only run-program skip-pending-creates config config-path",
        "skip-plugin-pre-install suppress-stream-logs urns expect-no-changes",
    ),
    "destroy": COMMON
    + WORK
    + words("continue-on-error exclude-protected preview-only remove run-program refresh suppress-stream-logs"),
}


def parsers(top: argparse.ArgumentParser) -> dict[str, argparse.ArgumentParser]:
    """The parsers of the commands below a command."""
    for action in top._actions:
        if isinstance(action, argparse._SubParsersAction):
            return dict(action.choices)
    return {}


TAKEN = parsers(parser())


def flags(verb: str) -> set[str]:
    """Long flags that the engine takes with a verb."""
    found = {option for action in TAKEN[verb]._actions for option in action.option_strings}
    return {option.removeprefix("--") for option in found if option.startswith("--")}


@pytest.mark.parametrize("verb", VERBS)
def test_each_verb_is_taken_or_listed(verb):
    assert (verb in TAKEN) != (verb in LISTED)


@pytest.mark.parametrize(("verb", "command"), [(verb, item) for verb, items in COMMANDS.items() for item in items])
def test_each_command_is_taken_or_listed(verb, command):
    assert (command in parsers(TAKEN[verb])) != (f"{verb} {command}" in LISTED)


@pytest.mark.parametrize(("verb", "flag"), [(verb, flag) for verb, items in FLAGS.items() for flag in items])
def test_each_flag_is_taken_or_listed(verb, flag):
    assert (flag in flags(verb)) != (f"--{flag}" in LISTED)


def test_what_is_listed_as_not_covered_is_refused(capsys):
    with pytest.raises(SystemExit) as refusal:
        parser().parse_args(["up", "--policy-pack", "x"])
    assert refusal.value.code == 2 and "unrecognized arguments: --policy-pack" in capsys.readouterr().err


def test_the_list_is_not_empty():
    assert len(LISTED) > 60 and len(VERBS) > 30 and sum(map(len, FLAGS.values())) > 150
