"""`python -m checks --env dev --tenant 16054`: prove whether a municipality is ready, and write its report."""

from __future__ import annotations

import argparse
import sys

READY, NOT_READY, FAULT, UNKNOWN = 0, 1, 2, 3
EXIT_CODES = """\
exit codes:
  0  ready; with --only: all of these checks hold
  1  not ready: a promise was seen broken
  2  the command line or the register has a fault; nothing was asked
  3  could not be measured: no promise was seen broken, but a mandatory check is UNREACHABLE or NO-DATA

A whole run writes into .asp/<env>/reports/<KSH>/. Runs of some checks (--only) and replays (--probes) write into its
folder partial/, collect into collected/; none of them ever replaces the report of a whole run.

examples:
  python -m checks --env dev --tenant 16054
  python -m checks collect --env dev --tenant 16054 --output out     # asks the hosts, needs Docker and the vault
  python -m checks --env dev --tenant 16054 --probes out/probes.json # judges, needs neither
  python -m checks --tenant 16054 --probes archive/probes.json --as-of recording
"""


def arguments() -> argparse.ArgumentParser:
    """The command line."""
    parser = argparse.ArgumentParser(
        prog="python -m checks",
        description="Judge whether a municipality is ready for, and kept at, its SLA; write its readiness report.",
        epilog=EXIT_CODES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "verb", nargs="?", choices=["judge", "collect"], default="judge",
        help="collect: only ask the hosts and write probes.json, for somebody else to judge (default: judge)",
    )  # fmt: skip
    parser.add_argument("--env", default="dev", help="environment of the register (default: dev)")
    parser.add_argument(
        "--tenant", metavar="KSH", nargs="?", const="", help="KSH code of the municipality, such as 16054"
    )
    parser.add_argument(
        "--only", nargs="+", metavar="ID", default=[], help="only these checks; says nothing of readiness"
    )
    parser.add_argument("--list", action="store_true", help="list the catalogue and end")
    parser.add_argument("--json", action="store_true", help="print the report as JSON instead of the table")
    parser.add_argument("--no-html", action="store_true", help="do not write report.html")
    parser.add_argument("--probes", metavar="FILE", help="judge a recorded probes.json, ask no host")
    parser.add_argument(
        "--as-of", metavar="MOMENT",
        help="judge a recording as of this moment (2026-11-23 10:00, Budapest time unless it has a zone; or the word "
        "recording: the moment it was taken). Without it, facts older than a check's lifetime are NO-DATA",
    )  # fmt: skip
    parser.add_argument("--output", metavar="FOLDER", help="where the files go")
    return parser


def main(argv: list[str] | None = None) -> int:
    """Run the command line; its exit code."""
    options = arguments().parse_args(argv)
    # Only now: asking for help should not wait for pytest, the register's models and the page's templates.
    from checks import command
    from inventory.errors import RegisterError

    try:
        return command.run(options)
    except RegisterError as error:
        print(f"checks: {error}", file=sys.stderr)
        return FAULT
    except PermissionError as error:
        print(f"checks: {error.filename}: may not be read by this user. Run it as root; to judge only a recording, "
              "give --probes and --output", file=sys.stderr)  # fmt: skip
        return FAULT


if __name__ == "__main__":
    sys.exit(main())
