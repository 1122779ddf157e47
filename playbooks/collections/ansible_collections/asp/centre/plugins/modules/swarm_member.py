#!/usr/bin/python
"""Ansible module: this machine's own part in the Swarm. Runs on the machine, with the standard library only."""

import json
import time

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.asp.centre.plugins.module_utils.engine import Engine, EngineFault

DOCUMENTATION = r"""
module: swarm_member
short_description: A machine's own part in the Swarm
description:
  - Reads it, begins a Swarm, joins one, or leaves. A machine of another Swarm, or with another address, is refused.
  - What managers know of a machine (labels, role, availability) is the business of C(asp.centre.swarm_nodes).
author: [ASP operations]
options:
  state: {type: str, choices: [read, present, absent], default: read, description: What to bring about.}
  address: {type: str, default: "", description: Address by which the other machines reach this one.}
  cluster: {type: str, default: "", description: Id of the Swarm to be in; none begins one.}
  managers: {type: list, elements: str, default: [], description: Addresses of managers to join at.}
  token: {type: str, default: "", description: The token that managers admit a new machine by.}
  machine: {type: str, default: "", description: Id of the machine in the register; given back.}
"""

EXAMPLES = r"""
- name: Look at this machine's Swarm
  asp.centre.swarm_member: {state: read}
"""

RETURN = r"""
machine: {type: str, returned: always, description: Id of the machine in the register.}
cluster: {type: str, returned: always, description: Id of the Swarm; empty when not known here.}
node: {type: str, returned: always, description: Id of the machine in it; empty when it is in none.}
manager: {type: bool, returned: always, description: Whether it manages the Swarm.}
tokens: {type: dict, returned: on a manager, description: What new machines join with by role.}
"""

# The same as in DOCUMENTATION: a machine has no YAML parser. A test compares the two.
ARGUMENTS = {
    "state": {"type": "str", "choices": ["read", "present", "absent"], "default": "read"},
    "address": {"type": "str", "default": ""},
    "cluster": {"type": "str", "default": ""},
    "managers": {"type": "list", "elements": "str", "default": []},
    "token": {"type": "str", "default": "", "no_log": True},
    "machine": {"type": "str", "default": ""},
}
PORT = 2377
SETTLE_SECONDS = 60
UNSETTLED = ("pending",)


class Member:
    """What the machine's own daemon says of its Swarm."""

    def __init__(self, swarm):
        self.state = swarm.get("LocalNodeState") or "inactive"
        self.node = swarm.get("NodeID") or ""
        self.manager = bool(swarm.get("ControlAvailable"))
        self.address = swarm.get("NodeAddr") or ""
        self.cluster = (swarm.get("Cluster") or {}).get("ID") or ""
        self.managers = sorted({remote["Addr"].rpartition(":")[0] for remote in swarm.get("RemoteManagers") or []})

    @property
    def active(self):
        return self.state == "active"


def read(engine, patience=SETTLE_SECONDS):
    """The machine's part in the Swarm once its daemon has settled; it has none while no daemon answers."""
    deadline = time.monotonic() + patience
    while True:
        member = Member(engine.get("/info")["Swarm"])
        if member.state not in UNSETTLED or time.monotonic() > deadline:
            return member
        time.sleep(0.3)  # the daemon does not say when it has settled


def objection(member, params):
    """Why a machine that is in a Swarm already is not in ours as the register has it; None when it is."""
    if not member.active:
        return (
            f"Swarm: this machine's part in it is {member.state!r}; wanted: active, or none. If nothing of ours runs "
            "here, let it leave (docker swarm leave --force), then run it again"
        )
    if params["address"] and member.address != params["address"]:
        return (
            f"Swarm: this machine advertises {member.address}; wanted: {params['address']}, as the register has it. "
            "An address never changes: drain and remove the machine, let it leave, then prepare it anew"
        )
    other = f"Swarm: this machine is in another one (managers: {', '.join(member.managers) or 'not known'}); wanted: "
    leave = ". If nothing of value runs here, let it leave (docker swarm leave --force)"
    if member.manager and member.cluster != params["cluster"]:
        return f"{other}{params['cluster'] or 'none yet'}{leave}"
    if not member.manager and not set(member.managers) & set(params["managers"]):
        return f"{other}that of {', '.join(params['managers']) or 'none yet'}{leave}"
    return None


def present(engine, member, params, check):
    """Begin a Swarm, or join the one that is there; whether that is a change."""
    if member.state != "inactive":
        problem = objection(member, params)
        if problem:
            raise EngineFault(problem)
        return False
    if not check:
        # Bound to all: a manager starts again after its own address has changed.
        body = {"ListenAddr": f"0.0.0.0:{PORT}", "AdvertiseAddr": params["address"]}
        if params["cluster"]:
            remotes = [f"{manager}:{PORT}" for manager in params["managers"]]
            engine.post("/swarm/join", {**body, "RemoteAddrs": remotes, "JoinToken": params["token"]})
        else:
            engine.post("/swarm/init", body)
    return True


def absent(engine, member, check):
    if member.state == "inactive":
        return False
    if not check:
        engine.post("/swarm/leave?force=true")
    return True


def result(engine, member):
    values = {"cluster": member.cluster, "node": member.node, "manager": member.manager, "address": member.address}
    if member.manager:
        tokens = engine.get("/swarm")["JoinTokens"]
        values["tokens"] = {"manager": tokens["Manager"], "worker": tokens["Worker"]}
    return values


NOTHING = {"cluster": "", "node": "", "manager": False, "address": ""}


def run(engine, params, check):
    """The module's result. Without a daemon there is no Swarm, which in check mode is what a bare machine has."""
    if not engine.answers():
        if params["state"] == "read" or check:
            return {"changed": params["state"] == "present", **NOTHING}
        raise EngineFault("Docker: nothing answers at its socket; wanted: a running daemon. See journalctl -u docker")
    member = read(engine)
    if params["state"] == "read":
        return {"changed": False, **result(engine, member)}
    leave = params["state"] == "absent"
    changed = absent(engine, member, check) if leave else present(engine, member, params, check)
    before = json.dumps({"state": member.state}) + "\n"
    if changed and not check:
        member = read(engine)
    state = {"present": "active", "absent": "inactive"}[params["state"]]
    diff = {"before": before, "after": json.dumps({"state": state}) + "\n"}
    return {"changed": changed, "diff": diff, **result(engine, member)}


def main():
    module = AnsibleModule(ARGUMENTS, supports_check_mode=True)
    try:
        values = run(Engine(), module.params, module.check_mode)
        module.exit_json(machine=module.params["machine"], **values)
    except EngineFault as fault:
        module.fail_json(msg=str(fault))


if __name__ == "__main__":
    main()
