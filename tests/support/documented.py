"""Commands that the documentation tells people to type: what stands between backticks and begins like one."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from inventory import paths
from tests.support import documents

SPAN = re.compile(r"`([^`\n]+)`")
START = re.compile(
    r"(make |(\.asp/venv/bin/)?python3? -m |(\.asp/venv/bin/)?(ansible-playbook )?playbooks/\w"
    r"|docker |pgbackrest |asp-backup |SELECT )"
)


def files() -> list[Path]:
    """Every document of the repository."""
    return documents.files(paths.ROOT)


def commands(file: Path) -> Iterator[str]:
    """Each command of a file once, in its order."""
    spans = SPAN.findall(file.read_text(encoding="utf-8"))
    yield from dict.fromkeys(span.strip() for span in spans if START.match(span.strip()))


def everywhere() -> list[tuple[str, str]]:
    """(file, command) of the whole documentation."""
    return [(str(file.relative_to(paths.ROOT)), command) for file in files() for command in commands(file)]
