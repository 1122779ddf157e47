"""How a verb is added to the tree: its help with examples, its environment, the function that does it."""

from __future__ import annotations

import argparse
from collections.abc import Sequence

Parsers = argparse._SubParsersAction  # what add_subparsers() returns; argparse has no public name for it


def add(
    verbs: Parsers[argparse.ArgumentParser],
    name: str,
    run: str,
    summary: str,
    *,
    examples: Sequence[str],
    details: str = "",
    env: bool = False,
    passes: str = "",
    help_too: bool = True,
    checkout: bool = True,
) -> argparse.ArgumentParser:
    """Add a verb. `run`: its function as `module:name`, called with the options and returning the exit code.

    `env`: the environment may be given as first word (`asp status dev`) besides `--env`. `passes`: the program that
    unknown options are handed to. `help_too` False: that program answers `--help` as well. `checkout` False: an
    installed wheel can do it, without the repository.
    """
    more = f"\n\nOptions that asp does not know are handed to {passes}." if passes else ""
    parser = verbs.add_parser(
        name,
        help=summary,
        description=f"{summary[0].upper()}{summary[1:]}.{' ' if details else ''}{details}{more}",
        epilog="examples:\n" + "\n".join(f"  asp {example}" for example in examples),
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
        add_help=help_too,
    )
    # Both write `env`, so neither has a default of its own: it would overwrite what the other one read.
    words = "environment of the register (default: ASP_ENV, or dev)"
    if env:
        parser.add_argument("env", nargs="?", default=argparse.SUPPRESS, metavar="ENV", help=words)
    parser.add_argument("--env", default=argparse.SUPPRESS, metavar="ENV", help="the same" if env else words)
    parser.set_defaults(run=run, passes=bool(passes), checkout=checkout)
    return parser


def json_option(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--json", action="store_true", help="print JSON instead of text")


def municipality(parser: argparse.ArgumentParser) -> None:
    # Optional for argparse, so that a missing one is refused in words that help.
    parser.add_argument("ksh", nargs="?", metavar="KSH", help="KSH code of the municipality, such as 16054")
