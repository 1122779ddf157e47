"""The fencer's engine, made of dictionaries. tests/contracts compares it with the daemon."""

from __future__ import annotations

from typing import Any

from asp_failover import watch
from asp_failover.engine import SERVICE_LABEL

NETWORK = "n"


class Machine:
    """Nodes with any number of containers. What is, and what is shown of it, may differ as at a real engine.

    `stubborn`: kills do nothing. `sticky`: cuts do nothing. `late`: so many looks at a killed container show it alive.
    `list_states`: container → the state that the list shows instead. `shown`: container → fields that inspecting shows
    instead. `off_list`: containers that the list has lost. `reason`: why a running container is silent. `reasons`,
    `tasks_of`, `networks`: container → why it is silent, its task, its network, where not the ordinary one.
    """

    def __init__(self, *nodes: str):
        self.replicas = dict.fromkeys(nodes, 1)
        self.state: dict[str, str] = {}
        self.owner: dict[str, str] = {}
        self.attached: set[str] = set()
        for name in nodes:
            self.add(name, f"c-{name}")
        self.where = "here"
        self.stubborn = self.sticky = False
        self.late = 0
        self.reason: str | None = None
        self.list_states: dict[str, str] = {}
        self.shown: dict[str, dict[str, Any]] = {}
        self.off_list: set[str] = set()
        self.reasons: dict[str, str] = {}
        self.tasks_of: dict[str, str] = {}
        self.networks: dict[str, str] = {}
        self.codes: dict[str, int] = {}
        self.halts: set[str] = set()
        self.calls: list[tuple] = []
        self._dying: dict[str, int] = {}  # killed → looks that still show it alive

    # -- what happens on the machine

    def add(self, node: str, container: str, state: str = "running") -> None:
        """One more container of a node."""
        self.state[container], self.owner[container] = state, node
        self.attached.add(container)

    def finish(self, container: str, code: int = 0) -> None:
        """A container ends, and its place on the network with it."""
        self.state[container], self.codes[container] = "exited", code
        self.attached.discard(container)

    def remove(self, container: str) -> None:
        del self.state[container], self.owner[container]
        self.attached.discard(container)

    # -- what the fencer asks

    def node(self) -> str:
        return "here"

    def tasks(self, service: str) -> list[dict[str, Any]]:
        return [{"ID": f"t-{service}", "NodeID": self.where}] * self.replicas[service]

    def service(self, name: str) -> dict[str, Any]:
        return {"Spec": {"Mode": {"Replicated": {"Replicas": self.replicas[name]}}}}

    def scale(self, name: str, replicas: int) -> int:
        self.calls.append(("scale", name, replicas))
        before, self.replicas[name] = self.replicas[name], replicas
        return before

    def containers(self, service: str) -> list[dict[str, Any]]:
        return [
            {
                "Id": name,
                "State": self.list_states.get(name, self.state[name]),
                "Labels": {SERVICE_LABEL: service, watch.TASK_LABEL: self.tasks_of.get(name, f"t-{service}")},
                "NetworkSettings": {"Networks": self._networks(name)},
            }
            for name, owner in self.owner.items()
            if owner == service and name not in self.off_list
        ]

    def _networks(self, container: str) -> dict[str, Any]:
        """An ended container remembers its network; one that was cut off does not."""
        ended = self.state[container] == "exited"
        return (
            {"data": {"NetworkID": self.networks.get(container, NETWORK)}}
            if ended or container in self.attached
            else {}
        )

    def halted(self, container: str) -> str | None:
        if reason := self.reasons.get(container, self.reason):
            return reason
        if container not in self.state or not self._networks(container):
            return "it has no network"
        return "its processes are stopped" if container in self.halts else None

    def kill(self, container: str) -> None:
        self.calls.append(("kill", container))
        if self.stubborn or self.state.get(container) in (None, "exited") or container in self._dying:
            return
        self._dying[container] = self.late
        if not self.late:
            self._look(container)

    def _look(self, container: str) -> None:
        """A killed container ends once it was shown alive for long enough."""
        if container in self._dying:
            self._dying[container] -= 1
            if self._dying[container] < 0:
                del self._dying[container]
                self.finish(container, 137)

    def cut(self, container: str, network: str) -> None:
        self.calls.append(("cut", container))
        if not self.sticky:
            self.attached.discard(container)

    def endpoints(self, network: str) -> set[str]:
        return {container for container in self.attached if self.networks.get(container, NETWORK) == network}

    def inspect(self, container: str) -> dict[str, Any] | None:
        self._look(container)
        state = self.state.get(container)
        if state is None:
            return None
        running = state != "exited"
        return {
            "State": {
                "Status": state,
                "Running": running,
                "Paused": state == "paused",
                "Restarting": False,
                "Pid": 77 if running else 0,
                "ExitCode": 0 if running else self.codes.get(container, 137),
                "FinishedAt": "0001-01-01T00:00:00Z" if running else "2026-01-01T00:00:00Z",
                **self.shown.get(container, {}),
            }
        }
