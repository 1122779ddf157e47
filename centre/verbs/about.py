"""What this program is, and how a shell completes its words."""

from __future__ import annotations

import argparse
import platform
from importlib import metadata

from centre.faults import OK, CentreFault
from centre.verbs.cli.tree import parser
from inventory import paths
from systems.shared.version import version

TOOLS = ("ansible-core", "pulumi", "pulumi-docker", "docker")


def show_version(_options: argparse.Namespace) -> int:
    """`asp version`: the suite's, and of what it runs on."""
    print(f"asp {version()} ({paths.ROOT})")
    print(f"python {platform.python_version()}")
    for tool in TOOLS:
        try:
            print(f"{tool} {metadata.version(tool)}")
        except metadata.PackageNotFoundError:
            print(f"{tool} is not installed")
    return OK


def completion(options: argparse.Namespace) -> int:
    """`asp completion SHELL`: the script on standard output."""
    try:
        import shtab
    except ImportError as error:
        raise CentreFault("completion needs the package shtab of requirements.lock; run make host") from error
    print(shtab.complete(parser(), shell=options.shell))
    return OK
