#!/usr/bin/python
"""Ansible module: remember what was applied for municipalities, so that unchangeable values can be held to."""

from ansible.module_utils.basic import AnsibleModule

DOCUMENTATION = r"""
module: register_applied
short_description: Remember what was applied for municipalities
options:
  environment: {type: str, required: true, description: Environment of the register.}
  municipalities: {type: list, elements: str, required: true, description: KSH codes.}
  state: {type: str, choices: [present, absent], default: present, description: absent forgets them.}
"""


def main():
    arguments = {
        "environment": {"type": "str", "required": True},
        "municipalities": {"type": "list", "elements": "str", "required": True},
        "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
    }
    module = AnsibleModule(arguments, supports_check_mode=True)
    from inventory import applied
    from inventory.errors import RegisterError
    from inventory.register import load

    parameters = module.params
    try:
        register = load(parameters["environment"])
        wanted = {ksh: register.municipality(ksh) for ksh in parameters["municipalities"]}
    except RegisterError as error:
        module.fail_json(msg=str(error))
    before = applied.read(parameters["environment"])
    if parameters["state"] == "present":
        after = before | {ksh: applied.of(municipality) for ksh, municipality in wanted.items()}
    else:
        after = {ksh: values for ksh, values in before.items() if ksh not in wanted}
    if after != before and not module.check_mode:
        applied.write(parameters["environment"], after)
    module.exit_json(changed=after != before, diff={"before": before, "after": after})


if __name__ == "__main__":
    main()
