"""The machines of an environment: the Docker daemon of each, and which of them runs a service.

With one machine nobody is asked where a service runs. With several a manager says it, whose answer is good for a few
seconds; a machine is used only when its daemon is the node that the Swarm knows by the machine's label.
"""

from __future__ import annotations

import os
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import docker
from docker.errors import DockerException, NotFound

from centre.reach import daemon, ssh
from centre.reach.faults import RuntimeFault, Unreachable
from centre.reach.link import Link, link
from inventory.machines import Machine, MachineRole
from inventory.models import Environment
from inventory.names import MACHINE

CONNECT_SECONDS = 10  # until a machine that does not answer is given up
PROBE_SECONDS = 10  # for which a daemon may think about who it is
FRESH_SECONDS = 5  # for which the Swarm's nodes are believed to be as they were
NEXT = "Run ansible-playbook playbooks/machines.yml, which says why"


def connect(timeout: int = 30) -> docker.DockerClient:
    """The daemon of this machine; Unreachable with the reason and the next step."""
    try:
        return docker.from_env(timeout=timeout)
    except DockerException as error:
        raise Unreachable(daemon.reason(error)) from error


@dataclass(frozen=True)
class Swarm:
    """What a manager said, and when (monotonic). `nodes`: machine by node id, empty where the label is missing."""

    manager: Machine
    nodes: dict[str, str]
    moment: float


class Machines:
    """Daemons of an environment's machines, each of whose answers may take `timeout` seconds."""

    def __init__(self, environment: Environment, timeout: int = 30):
        self._environment, self._timeout = environment, timeout
        self._machines = environment.machines
        self._local: docker.DockerClient | None = None
        self._members: set[str] = set()  # whose daemon is known to be the node of its label
        self._swarm: Swarm | None = None

    def manager(self) -> docker.DockerClient:
        """A daemon that manages the Swarm: the first that answers, in the register's order, as long as it does."""
        if len(self._machines) == 1:
            return self._client(self._machines[0], self._timeout)
        return self._client(self._ask().manager, self._timeout)

    def client(self, machine: Machine) -> docker.DockerClient:
        """A machine's daemon. Unreachable when it does not answer, or is not the node of its label."""
        if len(self._machines) > 1 and machine.id not in self._members:
            _require_member(machine, self._client(machine, PROBE_SECONDS), self._ask())
            self._members.add(machine.id)
        return self._client(machine, self._timeout)

    def all(self) -> list[docker.DockerClient]:
        """The daemon of every machine, in the register's order; Unreachable naming each that does not answer."""
        if faults := [fault for fault in self.faults().values() if fault]:
            raise Unreachable("; ".join(faults))
        return [self.client(machine) for machine in self._machines]

    def faults(self) -> dict[str, str]:
        """Each machine that is asked, and why it cannot be used, else ""; with one machine nobody is asked."""
        if len(self._machines) == 1:
            return {}
        self._ask()
        with ThreadPoolExecutor(len(self._machines)) as pool:
            return dict(
                zip((machine.id for machine in self._machines), pool.map(self._fault, self._machines), strict=True)
            )

    def _fault(self, machine: Machine) -> str:
        try:
            self._alive(machine)
            self.client(machine)
        except RuntimeFault as fault:
            return str(fault)
        return ""

    def _alive(self, machine: Machine) -> docker.DockerClient:
        """A machine's daemon that has just answered; one that has not is left alone for a while."""
        client = self._client(machine, PROBE_SECONDS)
        try:
            client.ping()
        except Unreachable as fault:
            self._link(machine).rest(str(fault))
            raise
        return client

    def running(self, service: str) -> list[Machine]:
        """The machines that run a service's tasks, in the register's order."""
        if len(self._machines) == 1:
            return self._machines
        swarm = self._ask()
        try:
            filters = {"service": service, "desired-state": "running"}
            tasks = self._client(swarm.manager, self._timeout).api.tasks(filters=filters)
        except NotFound:
            return []
        except DockerException as error:
            raise Unreachable(f"service {service}: {swarm.manager.id} does not tell where it runs: {error}") from error
        nodes = {task["NodeID"] for task in tasks if task.get("NodeID")}
        if unknown := nodes - set(swarm.nodes):  # it joined a moment ago
            self._swarm = None
            unknown -= set(self._ask().nodes)
        if unknown:
            raise Unreachable(f"service {service}: runs on node {min(unknown)}, which no manager knows. {NEXT}")
        labels = {self._ask().nodes[node] for node in nodes}
        if foreign := labels - {machine.id for machine in self._machines}:
            raise Unreachable(
                f"service {service}: runs on a node with label {MACHINE}={min(foreign) or '(none)'}; wanted: one "
                f"of {', '.join(machine.id for machine in self._machines)}. {NEXT}"
            )
        return [machine for machine in self._machines if machine.id in labels]

    def holding(self, *volumes: str) -> docker.DockerClient:
        """The daemon of the one machine on which all of these volumes lie; RuntimeFault where that is not one."""
        if len(self._machines) == 1:
            return self.manager()
        places = {volume: self._place(volume) for volume in volumes}
        machine, *others = sorted({machine.id: machine for machine in places.values()}.items())
        if others:
            layout = ", ".join(f"{volume} on {place.id}" for volume, place in places.items())
            raise RuntimeFault(f"volumes: seen: {layout}; wanted: all on one machine, on which one container has them")
        return self.client(machine[1])

    def _place(self, volume: str) -> Machine:
        """Where a volume lies: where a service runs that has it; else, one that is stopped, where there is one."""
        label = {"label": f"asp.env={self._environment.id}"}
        for item in self.manager().api.services(filters=label):
            mounts = item["Spec"]["TaskTemplate"]["ContainerSpec"].get("Mounts") or []
            if any(mount.get("Source") == volume for mount in mounts):
                for machine in self.running(item["Spec"]["Name"]):
                    return machine
        there = [
            machine
            for machine, client in zip(self._machines, self.all(), strict=True)
            if any(entry.name == volume for entry in client.volumes.list(filters={"name": volume}))
        ]
        if len(there) != 1:
            layout = ", ".join(machine.id for machine in there) or "nowhere"
            raise Unreachable(
                f"volume {volume}: seen: {layout}; wanted: on one machine, or a running service that has it"
            )
        return there[0]

    def _client(self, machine: Machine, timeout: int) -> docker.DockerClient:
        if not machine.local:
            return self._link(machine).client(timeout)
        if self._local is None:
            self._local = connect(timeout)
        return self._local

    def _link(self, machine: Machine) -> Link:
        assert machine.host_key, "the register gives a machine that is reached by SSH a host key"
        user, key = self._environment.administration.user, os.environ.get(ssh.KEY, "")
        to = ssh.Destination(machine.address, ssh.PORT, user, machine.host_key, key, CONNECT_SECONDS)
        return link(machine.id, to)

    def _ask(self) -> Swarm:
        """What the Swarm looks like now; Unreachable with the words of every manager when none can say."""
        before = self._swarm
        if before and time.monotonic() < before.moment + FRESH_SECONDS:
            return before
        managers = self._environment.staying(MachineRole.MANAGER)
        if before:
            managers = sorted(managers, key=lambda machine: machine.id != before.manager.id)
        faults = []
        for machine in managers:
            try:
                client = self._alive(machine)
                nodes = {node["ID"]: (node["Spec"].get("Labels") or {}).get(MACHINE, "")
                         for node in client.api.nodes()}  # fmt: skip
                swarm = Swarm(machine, nodes, time.monotonic())
                _require_member(machine, client, swarm)
            except RuntimeFault as fault:
                faults.append(str(fault))
            except DockerException as error:  # no manager, or of a minority
                faults.append(f"machine {machine.id}: manages no Swarm now ({error}); wanted: one with a majority")
            else:
                self._members.add(machine.id)
                self._swarm = swarm
                return swarm
        raise Unreachable(f"environment {self._environment.id}: no manager answers. Seen: {'; '.join(faults)}. {NEXT}")


def _require_member(machine: Machine, client: docker.DockerClient, swarm: Swarm) -> None:
    """Unreachable unless a daemon is the node of its machine in this Swarm."""
    info: dict[str, Any] = client.info()["Swarm"]
    node, state = info.get("NodeID", ""), info.get("LocalNodeState", "")
    if node not in swarm.nodes:
        state = f"node {node}, which {swarm.manager.id} does not know" if node else f"Swarm {state}"
        expected = f"a node of the Swarm that {swarm.manager.id} manages"
    elif (label := swarm.nodes[node]) != machine.id:
        state, expected = f"node {node} with label {MACHINE}={label or '(none)'}", machine.id
    else:
        return
    raise Unreachable(f"machine {machine.id}: seen: {state}; wanted: {expected}. {NEXT}")
