"""Ansible action: who is to be proven restorable, and the proof. The work is in `centre.backup.drill` and `.ledger`."""

from __future__ import annotations

from ansible_collections.asp.centre.plugins.modules.drill import DOCUMENTATION

from centre.action import CentreAction, Params, Result, subjects
from centre.backup import drill, ledger
from centre.ledger import LedgerFault
from centre.reach.psql import CellSql
from centre.reach.runtime import Runtime
from inventory.models import Municipality
from inventory.register import Register
from inventory.vault import vault
from inventory.vault.vault import Secrets


def run(params: Params, check: bool) -> Result:
    """Result of the action for its parameters."""
    register, municipalities = subjects(params)
    secrets = vault.load(register)
    return (
        due(register, secrets, municipalities)
        if params["step"] == "due"
        else prove(register, secrets, municipalities, check)
    )


def due(register: Register, secrets: Secrets, municipalities: list[Municipality]) -> Result:
    entries = ledger.read(register, secrets)
    if not municipalities:
        live = [municipality.ksh for municipality in register.joined() if municipality.phase == "live"]
        turn = ledger.due(entries, live, register.environment.backup.drill_days)
        municipalities = [register.municipality(ksh) for ksh in turn]
    return {"due": [{"ksh": municipality.ksh, "name": municipality.name} for municipality in municipalities]}


def prove(register: Register, secrets: Secrets, municipalities: list[Municipality], check: bool) -> Result:
    if check:
        return {"changed": True}
    runtime = Runtime(register)
    proofs = []
    for municipality in municipalities:
        line = drill.prove(CellSql(runtime, municipality.cell), secrets, municipality)
        proofs.append(
            f"{municipality.ksh} {municipality.name}: {line['rows']} rows of {line['tables']} tables as they were at "
            f"{line['moment']}, repository {line['repository']}, {line['seconds']} s"
        )
    return {"changed": True, "proof": "; ".join(proofs)}


class ActionModule(CentreAction):
    documentation = DOCUMENTATION
    work = staticmethod(run)
    faults = (LedgerFault,)
