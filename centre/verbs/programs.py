"""Operators' verbs that are programs of this project, each with a command line of its own."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence

from centre.verbs import child
from centre.verbs.plays import municipality
from inventory import paths


def _module(module: str, arguments: Sequence[str]) -> int:
    """Run one of our programs with what was typed; its exit codes are those of `asp`."""
    # In the caller's folder, against which the paths among its options are read.
    environ = {"PYTHONPATH": os.pathsep.join([str(paths.ROOT), *filter(None, [os.environ.get("PYTHONPATH")])])}
    return child.code_of([sys.executable, "-m", module, *arguments], environ)


def check(options: argparse.Namespace) -> int:
    """`asp check KSH`; without a code only together with options that name what to check otherwise (`--list`)."""
    env = ["--env", options.env]
    rest = [*options.rest, *(["--json"] if options.json else [])]
    if options.ksh is None and options.rest:
        return _module("checks", [*env, *rest])
    return _module("checks", [*env, "--tenant", municipality(options, "check"), *rest])
