"""Fencing: prove that a node cannot write any more, write the proof down, and only then release the leader's key.

The order is what makes it safe (ADR 0016): nothing may start the node again → its processes are killed and its network
cut → the engine shows both → the proof lies on disk → one transaction deletes the key if it is still the very same one.
Whatever is not shown is not believed: a machine that does not answer, a container never seen alive, a standby that is
not ready are each a refusal, and then Patroni's own time-out decides.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from asp_service.files import write_json

from asp_failover.engine import Engine, EngineFault
from asp_failover.etcd import Etcd, EtcdFault

PROOF_SECONDS = 8.0
PAUSE = 0.02
STANDBY_SECONDS = 3.0
STANDBY_PAUSE = 0.2  # each question is a TLS handshake, on a machine that may be busy already


class Refusal(Exception):
    """Fencing is not proven, so nothing was released; the message says what was missing."""


@dataclass(frozen=True)
class Leader:
    """The leader's key as it was read: the very one that may be deleted."""

    key: str
    name: str
    create_revision: int


@dataclass
class Audit:
    """What was seen and done, one JSON line each, on disk before anything rests on it.

    `containers`: member → containers that were seen alive. `pending`: service → replicas to give back after fencing.
    """

    folder: Path
    containers: dict[str, list[str]] = field(default_factory=dict)
    pending: dict[str, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self._state.is_file():
            state = json.loads(self._state.read_text())
            self.containers, self.pending = state["seen"], state["pending"]

    @property
    def _state(self) -> Path:
        return self.folder / "state.json"

    def alive(self, member: str, containers: list[str]) -> None:
        """Remember that a member was seen alive in these containers."""
        if self.containers.get(member) != containers:
            self.containers[member] = containers
            self.save()

    def save(self) -> None:
        """State on disk, whole or not at all."""
        write_json(self._state, {"seen": self.containers, "pending": self.pending})

    def write(self, event: str, **facts: Any) -> None:
        """Append one line and wait until it is on disk."""
        line = json.dumps({"at": time.time(), "event": event, **facts}, sort_keys=True)
        with (self.folder / "audit.jsonl").open("a") as stream:
            stream.write(line + "\n")
            stream.flush()
            os.fsync(stream.fileno())


@dataclass
class Fencer:
    """Fences members of one cell. `standby_ready(name)`: the standby's own word that its PostgreSQL runs."""

    engine: Engine
    etcd: Etcd
    audit: Audit
    scope: str
    standby_ready: Callable[[str], bool]

    def fence(self, leader: Leader, reason: str) -> float:
        """Fence a leader and release its key; seconds it took. Refusal when any step is not proven."""
        began = time.monotonic()
        self._may(leader)
        self.audit.write("fencing", member=leader.name, reason=reason, create_revision=leader.create_revision)
        try:
            # Remembered first: killed right after the change, the next start of this program gives the replicas back.
            self.audit.pending[leader.name] = self._replicas(leader.name)
            self.audit.save()
            self.engine.scale(leader.name, 0)
            proof = self._prove(leader.name)
            self.audit.write("proof", member=leader.name, containers=proof)
            released = self.etcd.delete_if(leader.key, leader.name, leader.create_revision)
        except (EngineFault, EtcdFault) as fault:
            raise Refusal(str(fault)) from fault
        if not released:
            raise Refusal(f"the leader's key is not {leader.name}'s of revision {leader.create_revision} any more")
        took = time.monotonic() - began
        self.audit.write("released", member=leader.name, seconds=round(took, 3))
        return took

    def give_back(self) -> None:
        """Let fenced members start again: they rejoin as standbys, because their key is gone or another's."""
        for name, replicas in list(self.audit.pending.items()):
            self.engine.scale(name, replicas)
            del self.audit.pending[name]
            self.audit.save()
            self.audit.write("given back", member=name, replicas=replicas)

    def _replicas(self, name: str) -> int:
        replicas = self.engine.service(name)["Spec"]["Mode"]["Replicated"].get("Replicas", 0)
        return self.audit.pending.get(name) or replicas

    def _may(self, leader: Leader) -> None:
        """Refusal unless standbys with every acknowledged row can take over, and this engine can prove anything."""
        if not self.audit.containers.get(leader.name):
            raise Refusal(f"{leader.name} was never seen alive on this machine, so its end cannot be shown here")
        try:
            pair = self.etcd.prefix(f"{self.scope}sync").get(f"{self.scope}sync")
            sync = json.loads(pair["value"]) if pair else {}
            elsewhere = {t["NodeID"] for t in self.engine.tasks(leader.name) if t.get("NodeID")} - {self.engine.node()}
        except (EngineFault, EtcdFault) as fault:
            raise Refusal(str(fault)) from fault
        if elsewhere:
            raise Refusal(f"{leader.name} runs on another machine ({', '.join(elsewhere)}); silence is no proof")
        standbys = [name for name in (sync.get("sync_standby") or "").split(",") if name]
        if sync.get("leader") != leader.name or not standbys:
            raise Refusal(f"no standby is known to have every acknowledged row of {leader.name} (seen: {sync})")
        # Any one of them may have acknowledged a row alone: so many must answer that one of those is among them.
        quorum = int(sync.get("quorum") or 0) + 1
        ready = self._ready(standbys, quorum)
        if len(ready) < quorum:
            shortage = f"standbys that answer: {', '.join(ready) or 'none'}; wanted {quorum} of {', '.join(standbys)}"
            raise Refusal(f"{shortage}. Nobody could take over with every acknowledged row")

    def _ready(self, standbys: list[str], quorum: int) -> list[str]:
        """Those of the standbys that answer. The others are asked again for a while: one may have just come back.

        Refused at once, the leader would be looked at again only when its own container is back, and be fenced no more.
        """
        deadline = time.monotonic() + STANDBY_SECONDS
        ready: list[str] = []
        while True:
            ready += [name for name in standbys if name not in ready and self.standby_ready(name)]
            if len(ready) >= quorum or time.monotonic() > deadline:
                return ready
            time.sleep(STANDBY_PAUSE)

    def _prove(self, name: str) -> list[dict[str, Any]]:
        """Kill and cut every container of a service until the engine shows that none runs or is reached."""
        deadline = time.monotonic() + PROOF_SECONDS
        networks: set[str] = set()
        past = set(self.audit.containers[name])
        while True:
            containers = self.engine.containers(name)
            for container in containers:
                attached = (container.get("NetworkSettings") or {}).get("Networks") or {}
                networks |= {network["NetworkID"] for network in attached.values() if network.get("NetworkID")}
                if container["State"] not in ("exited", "dead"):
                    self.engine.kill(container["Id"])
            ids = sorted(past | {container["Id"] for container in containers})
            for each in ids:
                for network in networks:
                    if each in self.engine.endpoints(network):
                        self.engine.cut(each, network)
            proof = [self._state(each, networks) for each in ids]
            if all(entry["proven"] for entry in proof):
                return proof
            if time.monotonic() > deadline:
                raise Refusal(f"{name}: not shown to be stopped and cut off within {PROOF_SECONDS} s: {proof}")
            time.sleep(PAUSE)

    def _state(self, container: str, networks: set[str]) -> dict[str, Any]:
        inspected = self.engine.inspect(container)
        if inspected is None:  # seen alive here, and now unknown to the engine: it was removed, which needs its end
            return {"container": container, "state": "removed", "proven": True}
        state = inspected["State"]
        reached = [network for network in networks if container in self.engine.endpoints(network)]
        stopped = not state["Running"] and not state["Paused"] and not state["Restarting"] and state["Pid"] == 0
        facts = {key: state[key] for key in ("Status", "Pid", "ExitCode", "FinishedAt")}
        return {"container": container, **facts, "networks": reached, "proven": stopped and not reached}
