"""Every command of `asp` that a document, a message or a comment of ours names is understood by `asp` itself."""

from __future__ import annotations

import re
import shlex

import pytest

from centre import __main__ as asp
from inventory import paths

FILES = [
    paths.ROOT / "README.md",
    paths.ROOT / "Makefile",
    *sorted((paths.ROOT / "docs").rglob("*.md")),
    *sorted((paths.ROOT / "stacks").glob("*.md")),
    *sorted(file for room in ("centre", "stacks") for file in (paths.ROOT / room).rglob("*.py")),
]
# Between backticks, after a colon or "e.g." in a message, or as a line of a block. A verb is all of it that is sure.
COMMAND = re.compile(r"(?:`|: |e\.g\. |^)asp ([a-z][a-z-]+)((?: [-\w<>{}.'*]+)*)", re.MULTILINE)


def commands() -> list[tuple[str, str]]:
    results = []
    for file in FILES:
        for verb, rest in COMMAND.findall(file.read_text(encoding="utf-8")):
            results.append((str(file.relative_to(paths.ROOT)), f"{verb}{rest}"))
    return list(dict.fromkeys(results))


NAMED = commands()
VERBS = asp.parser()._subparsers._group_actions[0].choices


def test_commands_were_read():
    assert len(NAMED) > 15
    assert {file for file, _ in NAMED} >= {"stacks/README.md", "centre/verbs/plays.py"}


@pytest.mark.parametrize(("file", "command"), NAMED, ids=[f"{file}: {command}" for file, command in NAMED])
def test_a_verb_that_is_named_exists(file, command):
    words = shlex.split(re.sub(r"[<>{}'*]", "", command))
    assert words[0] in VERBS, f"{file} names asp {words[0]}"
    options = [word for word in words if word.startswith("--")]
    help_text = VERBS[words[0]].format_help()
    if not VERBS[words[0]].get_default("passes"):
        assert [option for option in options if option not in help_text] == []
