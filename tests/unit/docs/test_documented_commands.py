"""Every command that README, docs and runbooks name exists, with the options that it is given there."""

import importlib.util
import re
import shlex
import subprocess
import sys
from functools import cache

import pytest

from inventory import paths
from tests.support import documented

TOLD = documented.everywhere()
MAKEFILE = (paths.ROOT / "Makefile").read_text(encoding="utf-8")
# Options of ansible-playbook itself; everything else after a playbook is `-e name=value`.
ANSIBLE = {"--check", "--diff", "--limit", "-e"}


def of(prefix):
    return [pytest.param(command, id=f"{file}: {command}") for file, command in TOLD if re.match(prefix, command)]


@cache
def help_of(module: str, *verbs: str) -> str:
    process = subprocess.run(
        [sys.executable, "-m", module, *verbs, "--help"], cwd=paths.ROOT, capture_output=True, text=True, timeout=60
    )
    return process.stdout if process.returncode == 0 else ""


def test_the_documentation_was_read():
    assert len(TOLD) > 60 and len({file for file, _ in TOLD}) > 10


@pytest.mark.parametrize("command", of("make "))
def test_make_targets_exist(command):
    words = [word for word in shlex.split(command)[1:] if "=" not in word and not word.startswith("-")]
    assert words, command
    for target in words:
        assert re.search(rf"^{re.escape(target)}:", MAKEFILE, re.M), f"no target {target} in the Makefile"


@pytest.mark.parametrize("command", of(r"(\.asp/venv/bin/)?python3? -m "))
def test_modules_exist_and_know_their_options(command):
    module, *arguments = shlex.split(command.replace("<", "").replace(">", ""))[2:]
    assert importlib.util.find_spec(module), f"no module {module}"
    options = [argument.split("=")[0] for argument in arguments if argument.startswith("-") and argument != "--help"]
    if not options:
        return
    help_text = help_of(module) + help_of(module, arguments[0]) if not arguments[0].startswith("-") else help_of(module)
    for option in options:
        assert re.search(rf"(?<![\w-]){re.escape(option)}(?![\w-])", help_text), (
            f"{module} does not know {option}: {help_text}"
        )


@pytest.mark.parametrize("command", of(r"(\.asp/venv/bin/)?(ansible-playbook )?playbooks/\w"))
def test_playbooks_exist_and_take_their_variables(command):
    words = shlex.split(command.replace("<", "").replace(">", ""))
    words = words[1:] if words[0].endswith("ansible-playbook") else words
    playbook = paths.ROOT / words[0]
    assert playbook.is_file(), f"no playbook {words[0]}"
    text = playbook.read_text(encoding="utf-8")
    for word in words[1:]:
        name, assigned, _ = word.partition("=")
        assert name in text if assigned else word in ANSIBLE, f"{words[0]} does not take {word}"
