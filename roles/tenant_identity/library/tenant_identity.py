#!/usr/bin/python
"""Ansible module: municipalities at Keycloak. The work is in `stacks.tenants.identity`."""

from ansible.module_utils.basic import AnsibleModule

DOCUMENTATION = r"""
module: tenant_identity
short_description: Organizations, OIDC clients, clerks and citizens of municipalities at Keycloak
description:
  - Runs on the control node and reaches Keycloak through the Docker API. Works on all given municipalities at once.
  - C(present) makes organization, client with roles, and the clerks of the office, as the register says; members that
    the register does not name are removed. C(absent) removes them, with users who belong to no other municipality.
  - In the citizens' realm a client for each municipality that has e-administration, and the environment's citizens.
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
    from stacks.tenants.citizens import CitizenPlanner
    from stacks.tenants.identity import IdentityPlanner
    from stacks.tenants.keycloak import Keycloak
    from stacks.tenants.steps import Plan
    from systems.configuration import REALM_OF_CITIZENS

    register = registry.load(params["environment"])
    municipalities = [register.municipality(ksh) for ksh in dict.fromkeys(params["municipalities"])]
    vault = secrets.load(register)
    runtime, plan = Runtime(register), Plan()
    with Keycloak(runtime, vault) as clerks, Keycloak(runtime, vault, REALM_OF_CITIZENS) as citizens:
        for planner in (IdentityPlanner(register, vault, clerks), CitizenPlanner(register, vault, citizens)):
            plan.steps += getattr(planner, params["state"])(municipalities).steps
        if not check:
            plan.carry_out()
    return {"changed": bool(plan.steps), "steps": plan.lines, "diff": plan.diff}


if __name__ == "__main__":
    main()
