"""`python -m checks --env dev --tenant 16054`: prove whether a municipality is ready, and write its report."""

from __future__ import annotations

import argparse
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

from checks import catalogue as catalogues
from checks import waivers
from checks.plugin import Suite, run
from checks.recording import Recording
from checks.report import document as reports
from checks.report import terminal
from inventory import paths
from inventory.errors import Fault, RegisterError
from inventory.register import load

READY, NOT_READY, FAULT = 0, 1, 2


def arguments() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m checks",
        description="Judge whether a municipality is ready for, and kept at, its SLA; write its readiness report.",
        epilog="Exit code: 0 ready (or, with --only, all of these hold), 1 not ready, 2 usage or register fault.",
    )
    parser.add_argument("--env", default="dev", help="environment of the register (default: dev)")
    parser.add_argument("--tenant", metavar="KSH", help="KSH code of the municipality, such as 16054")
    parser.add_argument(
        "--only", nargs="+", metavar="ID", default=[], help="only these checks; says nothing of readiness"
    )
    parser.add_argument("--list", action="store_true", help="list the catalogue and end")
    parser.add_argument("--json", action="store_true", help="print the report as JSON instead of the table")
    parser.add_argument("--no-html", action="store_true", help="do not write report.html")
    parser.add_argument("--probes", type=Path, metavar="FILE", help="judge a recorded probes.json, ask no host")
    parser.add_argument(
        "--output", type=Path, metavar="FOLDER", help="where the report goes (default: .asp/<env>/reports/<KSH>)"
    )
    return parser


def main(argv: list[str] | None = None) -> int:
    parser = arguments()
    options = parser.parse_args(argv)
    try:
        return _run(options, parser)
    except RegisterError as error:
        print(f"checks: {error}", file=sys.stderr)
        return FAULT


def _run(options: argparse.Namespace, parser: argparse.ArgumentParser) -> int:
    started, clock = datetime.now(UTC), time.monotonic()
    register = load(options.env)
    catalogue = catalogues.load(register)
    if options.list:
        terminal.show_catalogue(catalogue, terminal.console())
        return READY
    if not options.tenant:
        parser.error("--tenant is missing: give a KSH code, such as --tenant 16054")
    municipality = register.municipality(options.tenant)
    unknown = sorted(set(options.only) - set(catalogue.checks))
    if unknown:
        faults = [Fault("--only", "id", name, "no such check", "See python -m checks --list") for name in unknown]
        raise RegisterError(faults)
    accepted = waivers.load(waivers.path_of(options.env), catalogue)
    recording = _recording(options, register, municipality)
    outcomes = run(Suite(register, municipality, catalogue, recording, options.only))
    waivers.apply(outcomes, accepted, started.date())
    report = reports.build(
        register,
        municipality,
        catalogue,
        outcomes,
        recording.centre.taken if options.probes else started,
        time.monotonic() - clock,
        partial=bool(options.only),
    )
    folder = options.output or paths.reports_dir(options.env) / municipality.ksh
    try:
        written = reports.write(report, recording.model_dump_json(indent=1), folder, not options.no_html)
    except OSError as error:
        remedy = "Make it writable, or give --output another folder"
        raise RegisterError(
            [Fault("--output", "folder", str(folder), f"cannot be written ({error})", remedy)]
        ) from error
    if options.json:
        print((folder / "report.json").read_text(encoding="utf-8"), end="")
    else:
        console = terminal.console()
        terminal.show(report, console)
        console.print(f"Report: {written[-1]}", soft_wrap=True)
    held = all(item["accepted"] for item in report["checks"]) if report["partial"] else report["ready"]
    return READY if held else NOT_READY


def _recording(options, register, municipality) -> Recording:
    if not options.probes:
        from checks.probes import collect

        return collect(register, municipality)
    recording = Recording.read(options.probes)
    if (recording.environment, recording.ksh) != (options.env, municipality.ksh):
        seen = f"{recording.environment}/{recording.ksh}"
        wanted = f"is not of {options.env}/{municipality.ksh}"
        raise RegisterError([Fault(options.probes, "environment/ksh", seen, wanted, "Give this tenant's recording")])
    return recording


if __name__ == "__main__":
    sys.exit(main())
