"""Verbs over the register, and about this program itself."""

from __future__ import annotations

import argparse
from pathlib import Path

from centre.verbs.cli.verb import Parsers, add, json_option

SHELLS = ("bash", "zsh", "tcsh")


def add_all(verbs: Parsers[argparse.ArgumentParser]) -> None:
    validate = add(
        verbs,
        "validate",
        "centre.verbs.register:validate",
        "check an environment of the register; print every fault, or a summary",
        details="Touches nothing and needs no Docker.",
        examples=["validate", "validate test --json", "validate land --register /srv/register"],
        env=True,
        checkout=False,
    )
    json_option(validate)
    validate.add_argument(
        "--register",
        type=Path,
        metavar="DIR",
        help="folder with catalogue/ and environments/ (default: ASP_REGISTER, or the project's inventory/)",
    )
    add(
        verbs,
        "import",
        "centre.verbs.register:imported",
        "make register entries from the statistical office's list of settlements",
        examples=["import --county Nógrád --dry-run"],
        passes="python -m inventory import",
        help_too=False,
        checkout=False,
    )
    add(
        verbs,
        "citizens",
        "centre.verbs.register:citizens",
        "show what the synthetic citizens of an environment sign in with",
        examples=["citizens"],
        env=True,
    )
    add(
        verbs,
        "version",
        "centre.verbs.about:show_version",
        "show the versions of the suite and of what it runs on",
        examples=["version"],
        checkout=False,
    )
    completion = add(
        verbs,
        "completion",
        "centre.verbs.about:completion",
        "print a completion script for a shell",
        examples=["completion bash > /etc/bash_completion.d/asp"],
        checkout=False,
    )
    completion.add_argument("shell", choices=SHELLS)
