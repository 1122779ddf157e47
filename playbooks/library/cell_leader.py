#!/usr/bin/python
"""Ansible module: hand a cell's leadership to a synchronous standby while clients are held at the pooler."""

from ansible.module_utils.basic import AnsibleModule

DOCUMENTATION = r"""
module: cell_leader
short_description: Planned change of a cell's leader
description:
  - Holds every client at the pooler, switches over, lets them go on; nobody sees an error. Nothing is done when the
    wanted node leads already; without C(candidate) the standby that acknowledges takes over.
options:
  environment: {type: str, required: true, description: Environment of the register.}
  cell: {type: str, required: true, description: Id of the cell; it must have three nodes.}
  candidate: {type: str, description: Service name of the node that shall lead.}
"""

RETURN = r"""
leader: {type: str, returned: always, description: Who leads now (in check mode, who would).}
former: {type: str, returned: always, description: Who led before.}
held_seconds: {type: float, returned: when changed, description: For how long clients were held at most.}
"""


def main():
    arguments = {
        "environment": {"type": "str", "required": True},
        "cell": {"type": "str", "required": True},
        "candidate": {"type": "str"},
    }
    module = AnsibleModule(arguments, supports_check_mode=True)
    try:
        from inventory.errors import RegisterError
        from inventory.register import load
        from stacks.cell.switchover import plan, switch
        from stacks.runtime import Runtime, RuntimeFault
    except ImportError as error:
        module.fail_json(msg=f"{error}; wanted: run by the project's own Python (.asp/venv), see make up")
    try:
        runtime = Runtime(load(module.params["environment"]))
        wanted = plan(runtime, module.params["cell"], module.params["candidate"] or None)
        result = {
            "leader": wanted.candidate,
            "former": wanted.leader,
            "diff": {"before": f"leader: {wanted.leader}\n", "after": f"leader: {wanted.candidate}\n"},
        }
        if not wanted.done and not module.check_mode:
            result["held_seconds"] = round(switch(runtime, wanted), 2)
    except (RegisterError, RuntimeFault) as error:
        module.fail_json(msg=str(error))
    module.exit_json(changed=not wanted.done, **result)


if __name__ == "__main__":
    main()
