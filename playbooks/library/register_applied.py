#!/usr/bin/python
"""Ansible module: remember what was applied for municipalities, so that unchangeable values can be held to."""

from ansible.module_utils.basic import AnsibleModule

DOCUMENTATION = r"""
module: register_applied
short_description: Remember what was applied for municipalities
options:
  environment: {type: str, required: true, description: Environment of the register.}
  municipalities: {type: list, elements: str, required: true, description: KSH codes.}
  state:
    type: str
    choices: [joining, joined, absent]
    default: joined
    description: C(joining) before anything is made, C(joined) when the tenant is whole, C(absent) forgets it.
"""


def main():
    arguments = {
        "environment": {"type": "str", "required": True},
        "municipalities": {"type": "list", "elements": "str", "required": True},
        "state": {"type": "str", "choices": ["joining", "joined", "absent"], "default": "joined"},
    }
    module = AnsibleModule(arguments, supports_check_mode=True)
    from inventory import applied
    from inventory.errors import RegisterError
    from inventory.register import load

    env, codes, state = (module.params[name] for name in arguments)
    try:
        register = load(env)
        entries = {ksh: applied.of(register.municipality(ksh), state) for ksh in codes} if state != "absent" else {}
        forget = codes if state == "absent" else []
        before, after = applied.change(env, entries, forget, dry_run=module.check_mode)
    except RegisterError as error:
        module.fail_json(msg=str(error))
    concerned = set(codes)
    diff = {
        side: {ksh: values for ksh, values in snapshot.items() if ksh in concerned}
        for side, snapshot in (("before", before), ("after", after))
    }
    module.exit_json(changed=after != before, diff=diff)


if __name__ == "__main__":
    main()
