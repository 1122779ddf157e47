#!/usr/bin/python
"""Ansible module: remember what was applied for municipalities, and keep the evidence of what was done."""

from datetime import UTC, datetime

from ansible.module_utils.basic import AnsibleModule

DOCUMENTATION = r"""
module: register_applied
short_description: Remember what was applied for municipalities
description:
  - Writes C(.asp/<env>/applied.json), which later runs hold unchangeable values to; and, when C(steps) are given and
    something was done, C(.asp/<env>/evidence/<time>-<state>.json).
options:
  environment: {type: str, required: true, description: Environment of the register.}
  municipalities: {type: list, elements: str, required: true, description: KSH codes.}
  state:
    type: str
    choices: [joining, joined, absent]
    default: joined
    description: C(joining) before anything is made, C(joined) when the tenant is whole, C(absent) forgets it.
  steps: {type: dict, default: {}, description: What each part of the play changed (lists of lines).}
"""


def main():
    arguments = {
        "environment": {"type": "str", "required": True},
        "municipalities": {"type": "list", "elements": "str", "required": True},
        "state": {"type": "str", "choices": ["joining", "joined", "absent"], "default": "joined"},
        "steps": {"type": "dict", "default": {}},
    }
    module = AnsibleModule(arguments, supports_check_mode=True)
    from inventory import applied
    from inventory.errors import RegisterError
    from inventory.register import load

    env, codes, state, steps = (module.params[name] for name in arguments)
    try:
        register = load(env)
        entries = {ksh: applied.of(register.municipality(ksh), state) for ksh in codes}
        kept, dropped = (entries, []) if state != "absent" else ({}, codes)
        before, after = applied.change(env, kept, dropped, dry_run=module.check_mode)
    except RegisterError as error:
        module.fail_json(msg=str(error))
    if any(steps.values()) and not module.check_mode:
        moment = datetime.now(UTC).isoformat(timespec="seconds")
        applied.keep_evidence(
            env, f"{moment}-{state}", {"at": moment, "environment": env, "municipalities": entries, "steps": steps}
        )
    diff = {
        side: {ksh: values for ksh, values in snapshot.items() if ksh in codes}
        for side, snapshot in (("before", before), ("after", after))
    }
    module.exit_json(changed=after != before, diff=diff)


if __name__ == "__main__":
    main()
