"""The register on the command line: `python -m inventory validate`, `import` and `citizens`."""

from __future__ import annotations

import argparse
import os
import re
import sys
from pathlib import Path

from inventory import paths, register
from inventory.errors import Fault, RegisterError
from inventory.importing.importer import Outcome, import_settlements
from inventory.vault import vault


def main(arguments: list[str] | None = None) -> int:
    """Exit code: 0, or 2 when the register or a request has faults (then nothing was written)."""
    options = _parser().parse_args(arguments)
    try:
        return options.run(options)
    except RegisterError as error:
        for fault in error.faults:
            print(fault, file=sys.stderr)
        print(f"{len(error.faults)} fault{'s' * (len(error.faults) > 1)}; nothing was touched.", file=sys.stderr)
        return 2


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m inventory", description="The register: what should exist.")
    verbs = parser.add_subparsers(required=True, metavar="VERB")
    env = {"default": os.environ.get("ASP_ENV", "dev"), "help": "environment (default: ASP_ENV, or dev)"}

    validate = verbs.add_parser("validate", help="check an environment; prints every fault, or a summary")
    validate.add_argument("--env", **env)
    validate.set_defaults(run=_validate)

    citizens = verbs.add_parser(
        "citizens",
        help="show what the synthetic citizens sign in with",
        description="Prints username, password, name and tax identification sign of each synthetic citizen.",
    )
    citizens.add_argument("--env", **env)
    citizens.set_defaults(run=_citizens)

    importing = verbs.add_parser(
        "import",
        help="make register entries from the list of settlements",
        description="Makes entries in phase preparation from the statistical office's list. Existing files are kept; "
        "every row that cannot be used is reported with line, value and reason.",
    )
    which = importing.add_mutually_exclusive_group(required=True)
    which.add_argument("--county", help="one county, as 'Borsod-Abaúj-Zemplén'")
    which.add_argument("--all", action="store_true", help="the whole country")
    importing.add_argument("--env", **env)
    importing.add_argument(
        "--into", type=Path, metavar="DIR", help="another environment folder, made from --env's settings"
    )
    importing.add_argument("--dry-run", action="store_true", help="say what would be made, write nothing")
    importing.set_defaults(run=_import)
    return parser


def _validate(options: argparse.Namespace) -> int:
    found = register.load(options.env)
    joined = len(found.joined())
    print(
        f"environment {options.env} is sound: {len(found.municipalities)} municipalities ({joined} joined), "
        f"{len(found.offices)} offices, {len(found.workstations())} workstations, "
        f"{len(found.environment.cells)} cells, {len(found.systems)} systems, {len(found.sla)} SLA clauses"
    )
    return 0


def _citizens(options: argparse.Namespace) -> int:
    found = register.load(options.env)
    secrets = vault.load(found)
    for citizen in found.environment.citizens:
        print(f"{citizen.username}  {secrets.citizen_password(citizen)}  {citizen.full_name}  {citizen.identifier}")
    return 0


def _import(options: argparse.Namespace) -> int:
    template = paths.ENVIRONMENTS / options.env / "environment.yaml"
    into = options.into or template.parent
    if not template.is_file():
        known = ", ".join(sorted(file.parent.name for file in paths.ENVIRONMENTS.glob("*/environment.yaml")))
        fault = Fault("inventory/environments", "environment", options.env, "no such environment", f"Known: {known}")
        raise RegisterError([fault])
    if not re.fullmatch(r"[a-z][a-z0-9]{1,11}", into.name):
        remedy = "Wanted: a folder named as an environment's id, 2 to 12 small letters and digits"
        raise RegisterError([Fault("--into", "name", into.name, "cannot name an environment", remedy)])
    county = None if options.all else options.county
    outcome = import_settlements(into, template, county, options.dry_run)
    _tell(outcome, options.dry_run)
    root = into.absolute().parents[1]
    if not options.dry_run and (root / paths.CATALOGUE / "systems.yaml").is_file():
        register.load(into.name, root)
        print(f"environment {into.name} is sound")
    return 0


def _tell(outcome: Outcome, dry_run: bool) -> None:
    for report in outcome.reported:
        print(f"not imported: {report}")
    for report in outcome.kept:
        print(f"kept: {report}")
    for cell in outcome.cells:
        print(f"new cell: {cell.id} ({cell.county}, capacity {cell.capacity})")
    verb = "would be made" if dry_run else "made"
    print(f"{verb}: {len(outcome.entries)} municipalities, {len(outcome.offices)} offices, {len(outcome.cells)} cells")
    print(outcome.balance())


if __name__ == "__main__":
    sys.exit(main())
