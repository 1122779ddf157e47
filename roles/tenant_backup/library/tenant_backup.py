#!/usr/bin/python
"""Ansible module: the newest backup of a cell contains given municipalities. The work is in `stacks.cell.backups`."""

from ansible.module_utils.basic import AnsibleModule

DOCUMENTATION = r"""
module: tenant_backup
short_description: Backups contain the municipalities' databases
description:
  - Makes the cell's stanza where it is absent, proves that WAL reaches the repository, and takes a backup (a full one
    when there is none) if the newest does not contain the database of each given municipality as it is now.
options:
  environment: {type: str, required: true, description: Environment of the register.}
  municipalities: {type: list, elements: str, required: true, description: KSH codes.}
"""

RETURN = r"""
steps: {type: list, elements: str, returned: always, description: What was (or in check mode would be) done.}
"""

ARGUMENTS = {
    "environment": {"type": "str", "required": True},
    "municipalities": {"type": "list", "elements": "str", "required": True},
}


def main():
    module = AnsibleModule(ARGUMENTS, supports_check_mode=True)
    try:
        from inventory.errors import RegisterError
        from stacks.cell.backups import BackupFault
        from stacks.runtime import RuntimeFault
    except ImportError as error:
        module.fail_json(msg=f"{error}; wanted: run by the project's own Python (.asp/venv), see make up")
    try:
        result = run(module.params, module.check_mode)
    except (RegisterError, RuntimeFault, BackupFault) as error:
        module.fail_json(msg=str(error))
    module.exit_json(**result)


def run(params, check):
    """Result of the module for its parameters."""
    from inventory import register as registry
    from stacks.cell.backups import ensure_backed_up
    from stacks.cell.psql import CellSql
    from stacks.runtime import Runtime

    register = registry.load(params["environment"])
    municipalities = [register.municipality(ksh) for ksh in dict.fromkeys(params["municipalities"])]
    runtime = Runtime(register)
    before, after = [], []
    for cell_id in dict.fromkeys(municipality.cell for municipality in municipalities):
        names = [municipality.tenant for municipality in municipalities if municipality.cell == cell_id]
        outcome = ensure_backed_up(CellSql(runtime, cell_id), names, check)
        before += outcome.before
        after += outcome.after
    diff = {"before": "".join(f"{line}\n" for line in before), "after": "".join(f"{line}\n" for line in after)}
    return {"changed": bool(after), "steps": after, "diff": diff}


if __name__ == "__main__":
    main()
