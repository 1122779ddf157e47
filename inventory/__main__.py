"""The register on the command line: `python -m inventory validate`, `import` and `citizens`."""

from __future__ import annotations

import argparse
import os
import re
import sys
from pathlib import Path

from inventory import paths, register
from inventory.errors import Fault, RegisterError, UnknownName
from inventory.importing.importer import ImportOutcome, import_settlements
from inventory.importing.places import Places
from inventory.vault import vault


def main(arguments: list[str] | None = None) -> int:
    """Exit code: 0, or 2 when the register or a request has faults (then nothing was written)."""
    options = _parser().parse_args(arguments)
    try:
        code: int = options.run(options)
        return code
    except RegisterError as error:
        for fault in error.faults:
            print(fault, file=sys.stderr)
        print(f"{len(error.faults)} fault{'s' * (len(error.faults) > 1)}; nothing was touched.", file=sys.stderr)
        return 2


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m inventory", description="The register: what should exist.")
    verbs = parser.add_subparsers(required=True, metavar="VERB")

    def takes_env(verb: argparse.ArgumentParser) -> None:
        verb.add_argument(
            "--env", default=os.environ.get("ASP_ENV", "dev"), help="environment (default: ASP_ENV, or dev)"
        )

    validate = verbs.add_parser("validate", help="check an environment; prints every fault, or a summary")
    takes_env(validate)
    validate.set_defaults(run=_validate)

    citizens = verbs.add_parser(
        "citizens",
        help="show what the synthetic citizens sign in with",
        description="Prints username, password, name and tax identification sign of each synthetic citizen.",
    )
    takes_env(citizens)
    citizens.set_defaults(run=_citizens)

    importing = verbs.add_parser(
        "import",
        help="make register entries from the list of settlements",
        description="Writes entries in phase preparation from the statistical office's list. Existing files are kept; "
        "every row that cannot be used is reported with line, value and reason. Nothing is written unless the whole "
        "result is sound.",
    )
    scope = importing.add_mutually_exclusive_group(required=True)
    scope.add_argument("--county", help="one county, as 'Borsod-Abaúj-Zemplén' or 'Zala vármegye'")
    scope.add_argument("--all", action="store_true", help="the whole country")
    takes_env(importing)
    importing.add_argument(
        "--into", type=Path, metavar="DIR", help="another environment folder, made from --env's settings"
    )
    importing.add_argument("--subnet", help="/16 of a new environment (default: the first free one)")
    importing.add_argument("--https-port", type=int, metavar="PORT", help="published port of a new environment")
    importing.add_argument("--http-port", type=int, metavar="PORT", help="the same without TLS")
    importing.add_argument("--ssh-base", type=int, metavar="PORT", help="below its workstations' SSH ports")
    importing.add_argument("--dry-run", action="store_true", help="say what would be written, write nothing")
    importing.set_defaults(run=_import)
    return parser


def _validate(options: argparse.Namespace) -> int:
    sound = register.load(options.env)
    joined = len(sound.joined())
    print(
        f"environment {options.env} is sound: {len(sound.municipalities)} municipalities ({joined} joined), "
        f"{len(sound.offices)} offices, {len(sound.workstations())} workstations, "
        f"{len(sound.environment.machines)} machines, {len(sound.environment.cells)} cells, "
        f"{len(sound.systems)} systems, {len(sound.sla)} SLA clauses"
    )
    return 0


def _citizens(options: argparse.Namespace) -> int:
    sound = register.load(options.env)
    secrets = vault.load(sound)
    for citizen in sound.environment.citizens:
        print(f"{citizen.username}  {secrets.citizen_password(citizen)}  {citizen.full_name}  {citizen.identifier}")
    return 0


def _import(options: argparse.Namespace) -> int:
    template = paths.ENVIRONMENTS / options.env / "environment.yaml"
    into = options.into or template.parent
    if not template.is_file():
        environments = [file.parent.name for file in paths.ENVIRONMENTS.glob("*/environment.yaml")]
        raise UnknownName("inventory/environments", "environment", options.env, environments, "no such environment")
    if not re.fullmatch(r"[a-z][a-z0-9]{1,11}", into.name):
        remedy = "Wanted: a folder named as an environment's id, 2 to 12 small letters and digits"
        raise RegisterError([Fault("--into", "name", into.name, "cannot name an environment", remedy)])
    county = None if options.all else options.county
    required = Places(options.subnet, options.https_port, options.http_port, options.ssh_base)
    _tell(into.name, import_settlements(into, template, county, options.dry_run, required=required), options.dry_run)
    return 0


def _tell(env: str, outcome: ImportOutcome, dry_run: bool) -> None:
    for report in outcome.reported:
        print(f"not imported: {report}")
    for report in outcome.unchanged:
        print(f"kept: {report}")
    for cell in outcome.cells:
        print(f"new cell: {cell.id} ({cell.county}, capacity {cell.capacity})")
    if outcome.places:
        print(f"new environment: {env} ({outcome.places})")
    verb = "would be written" if dry_run else "written"
    print(f"{verb}: {len(outcome.entries)} municipalities, {len(outcome.offices)} offices, {len(outcome.cells)} cells")
    print(outcome.balance())
    print(f"environment {env} {'would be' if dry_run else 'is'} sound")


if __name__ == "__main__":
    sys.exit(main())
