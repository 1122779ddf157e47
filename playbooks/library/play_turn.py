#!/usr/bin/python
"""Ansible module: the play that runs it works on these municipalities alone. The work is in `stacks.tenants.turn`."""

from ansible.module_utils.basic import AnsibleModule

DOCUMENTATION = r"""
module: play_turn
short_description: One play at a time on a municipality
description:
  - Waits until no other play works on any of the municipalities, then holds them until the play ends, however it ends.
    In check mode it does nothing.
options:
  environment: {type: str, required: true, description: Environment of the register.}
  municipalities: {type: list, elements: str, required: true, description: KSH codes.}
  verb: {type: str, required: true, description: What is being done, for whoever waits.}
  wait: {type: int, default: 600, description: Seconds to wait for another play.}
"""


def main():
    arguments = {
        "environment": {"type": "str", "required": True},
        "municipalities": {"type": "list", "elements": "str", "required": True},
        "verb": {"type": "str", "required": True},
        "wait": {"type": "int", "default": 600},
    }
    module = AnsibleModule(arguments, supports_check_mode=True)
    try:
        from stacks.tenants import turn
    except ImportError as error:
        module.fail_json(msg=f"{error}; wanted: run by the project's own Python (.asp/venv), see make up")
    env, codes, verb, wait = (module.params[name] for name in arguments)
    try:
        if not module.check_mode:
            turn.take(env, codes, verb, wait)
    except turn.TurnTaken as error:
        module.fail_json(msg=str(error))
    module.exit_json(changed=False)


if __name__ == "__main__":
    main()
