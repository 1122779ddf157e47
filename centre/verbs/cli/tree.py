"""The whole tree of `asp`."""

from __future__ import annotations

import argparse

from centre.verbs.cli import cell, certificate, environment, municipality, register
from systems.shared.version import version

DESCRIPTION = "Runs the municipal ASP centre: one door to its stacks, playbooks, checks and register."
EPILOG = """exit codes:
  0    done; ready; the register is sound
  1    failed; not ready; something would change where no change was expected
  2    the call or the register is wrong; nothing was touched
  3    could not be measured: no Docker daemon, or a service that does not answer
  130  interrupted; run it again to go on

Each verb explains itself, with examples: asp VERB --help"""


class Version(argparse.Action):
    """Reads the version only when it is asked for: a Python too old for that must still be told so by `asp host`."""

    def __call__(
        self,
        parser: argparse.ArgumentParser,
        namespace: argparse.Namespace,
        values: object,
        option_string: str | None = None,
    ) -> None:
        print(f"asp {version()}")
        parser.exit()


def parser() -> argparse.ArgumentParser:
    """Every verb of every group."""
    main = argparse.ArgumentParser(
        prog="asp",
        description=DESCRIPTION,
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    main.add_argument("--version", action=Version, nargs=0, help="show the version and end")
    verbs = main.add_subparsers(dest="verb", metavar="VERB", title="verbs", required=True)
    for group in (environment, municipality, certificate, cell, register):
        group.add_all(verbs)
    return main
