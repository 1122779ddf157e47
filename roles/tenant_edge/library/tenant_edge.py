#!/usr/bin/python
"""Ansible module: municipalities at the edge. The work is in `stacks.tenants.edge`."""

from ansible.module_utils.basic import AnsibleModule

DOCUMENTATION = r"""
module: tenant_edge
short_description: Server certificates and map entries of municipalities at the edge
description:
  - Runs on the control node and reaches the edge through the Docker API. Works on all given municipalities at once.
  - C(present) has a certificate issued where there is none or its end is near, then opens the tenant. C(absent) closes
    it and removes the certificate. Open connections are not dropped.
options:
  environment: {type: str, required: true, description: Environment of the register.}
  municipalities: {type: list, elements: str, required: true, description: KSH codes.}
  state: {type: str, choices: [present, absent], default: present, description: What is wanted.}
"""

RETURN = r"""
steps: {type: list, elements: str, returned: always, description: What was (or in check mode would be) changed.}
"""

ARGUMENTS = {
    "environment": {"type": "str", "required": True},
    "municipalities": {"type": "list", "elements": "str", "required": True},
    "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
}


def main():
    module = AnsibleModule(ARGUMENTS, supports_check_mode=True)
    try:
        from inventory.errors import RegisterError
        from stacks.runtime import RuntimeFault
    except ImportError as error:
        module.fail_json(msg=f"{error}; wanted: run by the project's own Python (.asp/venv), see make up")
    try:
        result = run(module.params, module.check_mode)
    except (RegisterError, RuntimeFault) as error:
        module.fail_json(msg=str(error))
    module.exit_json(**result)


def run(params, check):
    """Result of the module for its parameters."""
    from inventory import register as registry
    from inventory import secrets
    from stacks.runtime import Runtime
    from stacks.tenants.edge import EdgePlanner, diff

    register = registry.load(params["environment"])
    municipalities = [register.municipality(ksh) for ksh in dict.fromkeys(params["municipalities"])]
    planner = EdgePlanner(register, Runtime(register))
    changes = planner.present(municipalities) if params["state"] == "present" else planner.absent(municipalities)
    changed = any(changes)
    if changed and not check:
        if params["state"] == "present":
            planner.open(municipalities, changes, secrets.load(register))
        else:
            planner.close(changes)
    told = diff(changes)
    return {"changed": changed, "steps": told["after"].splitlines(), "diff": told}


if __name__ == "__main__":
    main()
