"""Ansible action: who is to be proven restorable, and the proof. The work is in `centre.backup.drill` and `.ledger`."""

from centre.action import CentreAction, asked
from centre.backup import drill, ledger
from centre.reach.psql import CellSql
from centre.reach.runtime import Runtime
from inventory.vault import vault

DOCUMENTATION = r"""
action: tenant_drill
short_description: Restore drills and their ledger
description:
  - C(due) verifies the ledger and says whose turn it is; with municipalities, exactly those. C(prove) restores each
    aside, compares it with the running one and signs a line in the ledger; in check mode it does nothing.
options:
  environment: {type: str, required: true, description: Environment of the register.}
  step: {type: str, choices: [due, prove], required: true, description: What is done.}
  municipalities: {type: list, elements: str, default: [], description: KSH codes.}
"""

RETURN = r"""
due: {type: list, elements: dict, returned: after due, description: "C(ksh) and C(name) of each, most urgent first."}
said: {type: str, returned: after prove, description: What was proven.}
"""


def run(params, check):
    """Result of the action for its parameters."""
    register, chosen = asked(params)
    return STEPS[params["step"]](register, vault.load(register), chosen, check)


def due(register, secrets, chosen, check):
    entries = ledger.read(register, secrets)
    if not chosen:
        live = [m.ksh for m in register.joined() if m.phase == "live"]
        turn = ledger.due(entries, live, register.environment.backup.drill_days)
        chosen = [register.municipality(ksh) for ksh in turn]
    return {"changed": False, "due": [{"ksh": m.ksh, "name": m.name} for m in chosen]}


def prove(register, secrets, chosen, check):
    if check:
        return {"changed": True}
    runtime = Runtime(register)
    said = []
    for municipality in chosen:
        line = drill.prove(CellSql(runtime, municipality.cell), secrets, municipality)
        said.append(
            f"{municipality.ksh} {municipality.name}: {line['rows']} rows of {line['tables']} tables as they were at "
            f"{line['moment']}, repository {line['repository']}, {line['seconds']} s"
        )
    return {"changed": True, "said": "; ".join(said)}


STEPS = {"due": due, "prove": prove}


class ActionModule(CentreAction):
    documentation = DOCUMENTATION
    work = staticmethod(run)
    faults = (ledger.LedgerFault,)
