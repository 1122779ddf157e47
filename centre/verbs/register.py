"""The register on the command line of `asp`: what `python -m inventory` does, and its answer as JSON."""

from __future__ import annotations

import argparse
import json
import os
from pathlib import Path
from typing import Any

from centre.faults import OK, USAGE
from inventory import __main__ as inventory
from inventory.errors import RegisterError
from inventory.register import Register, load

REGISTER = "ASP_REGISTER"  # another folder with catalogue/ and environments/


def validate(options: argparse.Namespace) -> int:
    """`asp validate`: exit 0, or 2 with every fault."""
    folder = options.register or os.environ.get(REGISTER)
    root = Path(folder).absolute() if folder else None
    try:
        register = load(options.env, root)
    except RegisterError as error:
        if not options.json:
            raise
        print(json.dumps(_unsound(options.env, error), ensure_ascii=False, indent=1))
        return USAGE
    counts = _counts(register)
    if options.json:
        print(json.dumps({"environment": options.env, "sound": True, **counts, "faults": []}, indent=1))
    else:
        print(f"environment {options.env} is sound: {', '.join(f'{count} {kind}' for kind, count in counts.items())}")
    return OK


def _counts(register: Register) -> dict[str, int]:
    return {
        "municipalities": len(register.municipalities),
        "joined": len(register.joined()),
        "offices": len(register.offices),
        "workstations": len(register.workstations()),
        "cells": len(register.environment.cells),
        "systems": len(register.systems),
        "clauses": len(register.sla),
    }


def _unsound(env: str, error: RegisterError) -> dict[str, Any]:
    faults = [
        {"file": str(f.file), "field": f.field, "value": str(f.value), "problem": f.problem, "remedy": f.remedy}
        for f in error.faults
    ]
    return {"environment": env, "sound": False, "faults": faults}


def imported(options: argparse.Namespace) -> int:
    """`asp import`: the importer has a command line of its own."""
    return inventory.main(["import", *_env(options), *options.rest])


def citizens(options: argparse.Namespace) -> int:
    return inventory.main(["citizens", *_env(options)])


def _env(options: argparse.Namespace) -> list[str]:
    help_options = {"-h", "--help"} & set(options.rest)
    return [] if help_options else ["--env", options.env]
