#!/usr/bin/python
"""Ansible module: which municipalities have a database at the centre already. Reads only."""

from ansible.module_utils.basic import AnsibleModule

DOCUMENTATION = r"""
module: tenant_state
short_description: Which municipalities exist at the centre
description: Reads the cells' catalogues. What has no database yet can be taken back without losing anything.
options:
  environment: {type: str, required: true, description: Environment of the register.}
  municipalities: {type: list, elements: str, required: true, description: KSH codes.}
"""

RETURN = r"""
present: {type: list, elements: str, returned: always, description: KSH codes of municipalities with a database.}
absent: {type: list, elements: str, returned: always, description: KSH codes of those without.}
"""


def main():
    arguments = {
        "environment": {"type": "str", "required": True},
        "municipalities": {"type": "list", "elements": "str", "required": True},
    }
    module = AnsibleModule(arguments, supports_check_mode=True)
    from inventory.errors import RegisterError
    from inventory.register import load
    from stacks.cell import catalogue
    from stacks.cell.psql import CellSql
    from stacks.runtime import Runtime, RuntimeFault

    try:
        register = load(module.params["environment"])
        runtime = Runtime(register)
        wanted = [register.municipality(ksh) for ksh in dict.fromkeys(module.params["municipalities"])]
        cells = {m.cell: catalogue.shared(CellSql(runtime, m.cell)).databases for m in wanted}
    except (RegisterError, RuntimeFault) as error:
        module.fail_json(msg=str(error))
    state = {True: [], False: []}
    for municipality in wanted:
        state[municipality.tenant in cells[municipality.cell]].append(municipality.ksh)
    module.exit_json(changed=False, present=state[True], absent=state[False])


if __name__ == "__main__":
    main()
