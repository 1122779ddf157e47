#!/usr/bin/python
"""Ansible module: what managers know of machines. Runs on a manager, with the standard library only."""

import copy
import functools
import json
import time
from urllib.parse import quote

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.asp.centre.plugins.module_utils.engine import Engine, EngineFault

DOCUMENTATION = r"""
module: swarm_nodes
short_description: Labels, role and availability of the Swarm's machines
description:
  - Brings about what the register says of machines, on any manager. Labels that do not begin with C(asp.) stay. With
    C(gone), the nodes of a machine are drained, demoted and removed.
author: [ASP operations]
options:
  machines:
    type: list
    elements: dict
    default: []
    description: >-
      Machines by C(id), and what is to be so of C(manager), C(labels) and C(availability). C(node) is the id that the
      machine itself has, empty where it is in no Swarm; any other node of that machine is refused.
  gone: {type: str, default: "", description: Id of a machine whose nodes are removed.}
  keep: {type: str, default: "", description: Node of that machine that stays.}
  dead_only: {type: bool, default: false, description: Refuse to remove a node that still answers.}
  patience: {type: int, default: 180, description: Seconds until every task must have left a machine.}
"""

EXAMPLES = r"""
- name: Drain a machine
  asp.centre.swarm_nodes:
    machines: [{id: m2, availability: drain}]
"""

RETURN = r"""
steps: {type: list, elements: str, returned: always, description: One line for each change.}
"""

# The same as in DOCUMENTATION: a machine has no YAML parser. A test compares the two.
ARGUMENTS = {
    "machines": {"type": "list", "elements": "dict", "default": []},
    "gone": {"type": "str", "default": ""},
    "keep": {"type": "str", "default": ""},
    "dead_only": {"type": "bool", "default": False},
    "patience": {"type": "int", "default": 180},
}
OURS = "asp."
MACHINE = "asp.machine"
ENDED = ("complete", "shutdown", "failed", "rejected", "remove", "orphaned")


def text(value):
    """A number or a truth value as a label has it."""
    return str(value).lower() if isinstance(value, bool) else str(value)


def specification(spec, machine):
    """A node's specification as the register has its machine; what is not ours stays."""
    changed = copy.deepcopy(spec)
    if "labels" in machine:
        foreign = {key: value for key, value in (spec.get("Labels") or {}).items() if not key.startswith(OURS)}
        changed["Labels"] = {**foreign, **{key: text(value) for key, value in machine["labels"].items()}}
    if "manager" in machine:
        changed["Role"] = "manager" if machine["manager"] else "worker"
    if "availability" in machine:
        changed["Availability"] = machine["availability"]
    return changed


def differences(machine_id, before, after):
    """One line for each field of a specification that changes."""
    lines = []
    for key in ("Role", "Availability"):
        if before.get(key) != after.get(key):
            lines.append(f"{machine_id}: {key.lower()} {before.get(key)} → {after.get(key)}")
    old, new = before.get("Labels") or {}, after.get("Labels") or {}
    for label in sorted(set(old) | set(new)):
        if old.get(label) != new.get(label):
            lines.append(f"{machine_id}: label {label} {old.get(label, '(none)')} → {new.get(label, '(none)')}")
    return lines


class Nodes:
    """The Swarm's nodes, as one of its managers has them."""

    def __init__(self, engine, check, patience):
        self._engine, self._check, self._patience = engine, check, patience
        self.nodes = {node["ID"]: node for node in engine.get("/nodes")}
        self.steps = []

    def of(self, machine_id):
        """Ids of the nodes that carry a machine's label."""
        return sorted(
            key for key, node in self.nodes.items() if (node["Spec"].get("Labels") or {}).get(MACHINE) == machine_id
        )

    def bring(self, machine):
        """One machine as the register has it."""
        nodes = self.of(machine["id"])
        node = machine.get("node", nodes[0] if len(nodes) == 1 else "")
        others = [other for other in nodes if other != node]
        if others:
            raise EngineFault(
                f"Swarm: machine {machine['id']} has been node {others[0]} ({self._state(others[0])}); wanted: no node "
                f"but its own. Run it with -e act=replace -e machine={machine['id']} -e confirm={machine['id']}"
            )
        if node not in self.nodes and "node" not in machine:
            raise EngineFault(f"Swarm: machine {machine['id']} has no node; wanted: one. See docker node ls")
        if node not in self.nodes:
            return  # not yet in: there is nothing to label
        before = self.nodes[node]["Spec"]
        after = specification(before, machine)
        lines = differences(machine["id"], before, after)
        if lines:
            self._update(node, after)
            self.steps += lines
        if after.get("Availability") == "drain" and not self._check:
            self._empty(machine["id"], node)

    def remove(self, machine_id, keep, dead_only):
        """Take a machine's nodes out: drained while they answer, demoted, then forgotten."""
        for node in self.of(machine_id):
            if node == keep:
                continue
            state = self._state(node)
            if dead_only and state != "down":
                raise EngineFault(
                    f"Swarm: node {node} of machine {machine_id} is {state}; wanted: down. Only a dead machine is "
                    "replaced; for one that runs, use act=remove"
                )
            spec = copy.deepcopy(self.nodes[node]["Spec"])
            if state != "down" and spec["Availability"] != "drain":
                spec["Availability"] = "drain"
                self._update(node, spec)
                self.steps.append(f"{machine_id}: drained")
                if not self._check:
                    self._empty(machine_id, node)
            if spec["Role"] == "manager":
                spec["Role"] = "worker"
                self._update(node, spec)
                self.steps.append(f"{machine_id}: demoted")
                if not self._check:
                    demoted = functools.partial(self._manages_no_more, node)
                    self._await(demoted, f"{machine_id} manages no more")
            if not self._check:
                self._engine.delete(f"/nodes/{node}?force=true")
            self.steps.append(f"{machine_id}: node {node} removed")

    def _state(self, node):
        return self.nodes[node]["Status"]["State"]

    def _manages_no_more(self, node):
        return not self._read(node).get("ManagerStatus")

    def _read(self, node):
        return self._engine.get(f"/nodes/{node}")

    def _update(self, node, spec):
        if self._check:
            return
        deadline = time.monotonic() + self._patience
        while True:  # managers count changes; one that came between is no fault
            version = self._read(node)["Version"]["Index"]
            try:
                self._engine.post(f"/nodes/{node}/update?version={version}", spec)
                return
            except EngineFault as fault:
                if "update out of sequence" not in str(fault) or time.monotonic() > deadline:
                    raise
                time.sleep(0.3)  # somebody else, the Swarm itself as a rule, has just changed the node

    def _empty(self, machine_id, node):
        filters = quote(json.dumps({"node": {node: True}}))

        def empty():
            tasks = self._engine.get(f"/tasks?filters={filters}")
            return all(task["Status"]["State"] in ENDED for task in tasks)

        self._await(empty, f"no task of {machine_id} runs")

    def _await(self, condition, words):
        deadline = time.monotonic() + self._patience
        while not condition():
            if time.monotonic() > deadline:
                raise EngineFault(f"Swarm: {self._patience} s have passed; wanted: {words}. See docker node ps")
            time.sleep(0.5)  # tasks take seconds to end


def run(engine, params, check):
    if not engine.answers() and check:
        return {"changed": True, "steps": [f"{machine['id']}: labels" for machine in params["machines"]]}
    nodes = Nodes(engine, check, params["patience"])
    if params["gone"]:
        nodes.remove(params["gone"], params["keep"], params["dead_only"])
    for machine in params["machines"]:
        nodes.bring(machine)
    lines = "".join(f"{line}\n" for line in nodes.steps)
    return {"changed": bool(nodes.steps), "steps": nodes.steps, "diff": {"before": "", "after": lines}}


def main():
    module = AnsibleModule(ARGUMENTS, supports_check_mode=True)
    try:
        module.exit_json(**run(Engine(), module.params, module.check_mode))
    except EngineFault as fault:
        module.fail_json(msg=str(fault))


if __name__ == "__main__":
    main()
