#!/usr/bin/python
"""Ansible module: who is to be proven restorable, and the proof. The work is in `stacks.cell.drill` and `.ledger`."""

from ansible.module_utils.basic import AnsibleModule

DOCUMENTATION = r"""
module: tenant_drill
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

ARGUMENTS = {
    "environment": {"type": "str", "required": True},
    "step": {"type": "str", "choices": ["due", "prove"], "required": True},
    "municipalities": {"type": "list", "elements": "str", "default": []},
}


def main():
    module = AnsibleModule(ARGUMENTS, supports_check_mode=True)
    try:
        from inventory.errors import RegisterError
        from stacks.cell.ledger import LedgerFault
        from stacks.runtime import RuntimeFault
    except ImportError as error:
        module.fail_json(msg=f"{error}; wanted: run by the project's own Python (.asp/venv), see make up")
    try:
        result = run(module.params, module.check_mode)
    except (RegisterError, RuntimeFault, LedgerFault) as error:
        module.fail_json(msg=str(error))
    module.exit_json(**result)


def run(params, check):
    """Result of the module for its parameters."""
    from inventory import secrets
    from inventory.register import load

    register = load(params["environment"])
    chosen = [register.municipality(ksh) for ksh in dict.fromkeys(params["municipalities"])]
    return STEPS[params["step"]](register, secrets.load(register), chosen, check)


def due(register, vault, chosen, check):
    from stacks.cell import ledger

    entries = ledger.read(register, vault)
    if not chosen:
        live = [m.ksh for m in register.joined() if m.phase == "live"]
        turn = ledger.due(entries, live, register.environment.backup.drill_days)
        chosen = [register.municipality(ksh) for ksh in turn]
    return {"changed": False, "due": [{"ksh": m.ksh, "name": m.name} for m in chosen]}


def prove(register, vault, chosen, check):
    from stacks.cell.drill import prove
    from stacks.cell.psql import CellSql
    from stacks.runtime import Runtime

    if check:
        return {"changed": True}
    runtime = Runtime(register)
    said = []
    for municipality in chosen:
        line = prove(CellSql(runtime, municipality.cell), vault, municipality)
        said.append(
            f"{municipality.ksh} {municipality.name}: {line['rows']} rows of {line['tables']} tables as they were at "
            f"{line['moment']}, repository {line['repository']}, {line['seconds']} s"
        )
    return {"changed": True, "said": "; ".join(said)}


STEPS = {"due": due, "prove": prove}


if __name__ == "__main__":
    main()
