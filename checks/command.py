"""What `python -m checks` does once its command line is read."""

from __future__ import annotations

import argparse
import time
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from checks import catalogue as catalogues
from checks import waivers
from checks.plugin import Suite
from checks.plugin import run as run_suite
from checks.recording import Recording
from checks.report import files, terminal
from checks.report.document import Run, build
from checks.report.model import Report
from checks.verdicts import Verdict
from inventory.errors import Fault, RegisterError
from inventory.models import Municipality
from inventory.register import Register, load

OF_THE_RECORDING = "recording"


def run(options: argparse.Namespace) -> int:
    """Judge, collect or list; the exit code. RegisterError for faults of the call or the register."""
    clock = time.monotonic()
    register = load(options.env)
    catalogue = catalogues.load(register)
    if options.list:
        terminal.show_catalogue(catalogue, terminal.console())
        return 0
    municipality = _municipality(options.tenant, register)
    _require_sound(options, catalogue)
    if options.verb == "collect":
        return _collect(options, register, municipality)
    accepted = waivers.load(waivers.path_of(options.env), catalogue)
    recording = _recording(options, register, municipality)
    as_of = _moment(options.as_of, recording) if options.as_of else datetime.now(UTC)
    outcomes = run_suite(Suite(register, municipality, catalogue, recording, options.only, as_of))
    waivers.apply(outcomes, accepted, as_of.astimezone(ZoneInfo("Europe/Budapest")).date())
    report = build(
        register,
        municipality,
        catalogue,
        outcomes,
        recording,
        Run(
            as_of=as_of,
            seconds=time.monotonic() - clock,
            scope="partial" if options.only else "whole",
            source="recording" if options.probes else "live",
        ),
    )
    part = files.PARTIAL if options.only or options.probes else ""
    paths = files.write(report, recording.text(), _folder(options, municipality, part), not options.no_html)
    if options.json:
        print(report.text(), end="")
    else:
        console = terminal.console()
        terminal.show(report, console)
        console.print(f"Report: {paths[-1]}", soft_wrap=True)
    return exit_code(report)


def exit_code(report: Report) -> int:
    """0 when everything that decides holds, 1 when something was seen broken, 3 when something is unknown."""
    broken = [check for check in report.judged if not check.accepted]
    if not broken and report.judged:
        return 0
    return 1 if not broken or any(check.verdict == Verdict.FAIL for check in broken) else 3


def _municipality(ksh: str | None, register: Register) -> Municipality:
    if not ksh:
        codes = [*register.municipalities][:8]
        rest = len(register.municipalities) - len(codes)
        listing = ", ".join(codes) + (f" and {rest} more" if rest else "")
        problem = f"no municipality was given. Known in {register.environment.id}: {listing}"
        remedy = f"Give a KSH code: python -m checks --env {register.environment.id} --tenant {codes[0]}"
        raise RegisterError([Fault("--tenant", "KSH", ksh or "", problem, remedy)])
    return register.municipality(ksh)


def _require_sound(options: argparse.Namespace, catalogue: catalogues.Catalogue) -> None:
    faults = [
        Fault("--only", "id", name, "no such check", "See python -m checks --list")
        for name in sorted(set(options.only) - set(catalogue.checks))
    ]
    if options.as_of and not options.probes:
        problem = "only a recording can be judged as of another moment"
        faults.append(Fault("--as-of", "moment", options.as_of, problem, "Give --probes FILE too"))
    if options.verb == "collect":
        values = {"--only": options.only, "--probes": options.probes, "--json": options.json}
        faults += [
            Fault(name, "collect", value, "collect asks the hosts and judges nothing", f"Leave {name} out")
            for name, value in values.items()
            if value
        ]
    if faults:
        raise RegisterError(faults)


def _collect(options: argparse.Namespace, register: Register, municipality: Municipality) -> int:
    recording = _recording(options, register, municipality)
    print(f"Recording: {files.keep(recording.text(), _folder(options, municipality, files.COLLECTED))}")
    silent = [document for document in recording.documents if document.unreachable]
    for document in silent:
        print(f"{document.host}: UNREACHABLE: {document.unreachable}")
    return 3 if silent else 0


def _recording(options: argparse.Namespace, register: Register, municipality: Municipality) -> Recording:
    if options.probes:
        return Recording.read_tenant(Path(options.probes), register.environment.id, municipality.ksh)
    from checks.probes import collect

    return collect(register, municipality)


def _moment(text: str, recording: Recording) -> datetime:
    """The moment that `--as-of` names; Budapest time unless it has a zone."""
    if text == OF_THE_RECORDING:
        return recording.taken
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        remedy = 'Give a moment, such as "2026-11-23 10:00", or the word recording'
        raise RegisterError([Fault("--as-of", "moment", text, "is no moment", remedy)]) from error
    moment = moment if moment.tzinfo else moment.replace(tzinfo=ZoneInfo("Europe/Budapest"))
    if moment < recording.taken:
        problem = f"lies before the recording, which was taken {recording.taken.isoformat(timespec='seconds')}"
        raise RegisterError([Fault("--as-of", "moment", text, problem, "Give that moment or a later one")])
    return moment


def _folder(options: argparse.Namespace, municipality: Municipality, part: str) -> Path:
    return Path(options.output) if options.output else files.folder_of(options.env, municipality.ksh, part)
