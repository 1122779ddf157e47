"""The fencer of one cell: watches its leader, fences it when it is dead or silent, and tells what it did as metrics.

`/run/secrets/fencer.json`: scope, nodes, etcd (`host:port`), password, node_port, metrics_port. Volumes: /audit, and
/run/engine with the socket of the gate to the engine. A leader is dead when none of its containers runs or all are
frozen, silent when its Patroni has not answered for long enough while etcd's quorum and the standbys answer this very
program: then it is not the program that is cut off. A leader whose Patroni answers is left to Patroni, whatever it
says.
"""

from __future__ import annotations

import http.client
import json
import ssl
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from asp_service import metrics, tls
from asp_service.log import Changes, Log
from asp_service.places import ROOT

from asp_failover.engine import Engine, EngineFault
from asp_failover.etcd import Etcd, EtcdFault
from asp_failover.fence import Audit, Fencer, Leader, Refusal

SETTINGS = "/run/secrets/fencer.json"
FOLDER = Path("/audit")
TICK_SECONDS = 0.1
ASK_SECONDS = 1.0  # for one answer of a Patroni
ASK_EVERY_SECONDS = 0.5
SHOWN_SECONDS = 1.5  # of silence, where the engine shows the reason as well
SILENT_SECONDS = 5.0  # of silence alone: 1 s of it was seen on a machine with a load of 15 a core
STOPPING_SECONDS = 20.0
TASK_LABEL = "com.docker.swarm.task.id"
REFUSED_SECONDS = 2.0  # between attempts at what was refused
BEAT = Path("/tmp/beat")
RUNNING = ("running", "paused", "restarting")
HELP = {
    "asp_fencer_fences_total": "Attempts to fence a leader, by outcome.",
    "asp_fencer_last_fence_seconds": "Time from decision to release of the last fencing.",
    "asp_fencer_last_look_timestamp_seconds": "When the leader was last looked at without a fault.",
    "asp_fencer_leader": "Who holds the leader's key.",
}

log = Log("asp-fencer")
Ask = Callable[[str], dict[str, Any] | None]  # a node → its own word; None when it says none


class Watcher:
    """One cell's watch: `tick()` looks once and acts."""

    def __init__(self, settings: dict[str, Any], engine: Engine, etcd: Etcd, audit: Audit, ask: Ask | None = None):
        self.nodes: list[str] = settings["nodes"]
        self.scope: str = settings["scope"]
        self._port: int = settings["node_port"]
        self._engine, self._etcd, self._audit = engine, etcd, audit
        self._ask = ask or self._patroni
        self._tls: ssl.SSLContext | None = None
        self.fencer = Fencer(engine, etcd, audit, self.scope, self.standby_ready)
        self._answered: dict[str, float] = {}  # when a node answered last, or was first looked at
        self._heard: set[str] = set()
        self._refused_until = 0.0
        self.counts = {"released": 0, "refused": 0, "faults": 0}
        self.leader = ""
        self.last_seconds = 0.0
        self.last_tick = time.time()

    def tick(self) -> None:
        """Look at the leader once; fence it when it is dead or silent. Faults of etcd and engine pass through."""
        leader = self.current()
        name = leader.name if leader else ""
        if name != self.leader:
            self._answered.pop(name, None)  # a new reign starts with full patience
        self.leader = name
        if self._audit.pending and (leader is None or leader.name not in self._audit.pending):
            self.fencer.give_back()
        if leader is None or leader.name not in self.nodes:
            return
        reason = self.suspicion(leader.name)
        if reason and time.monotonic() >= self._refused_until:
            self.act(leader, reason)

    def current(self) -> Leader | None:
        """Who holds the leader's key, through etcd's quorum."""
        key = f"{self.scope}leader"
        pair = self._etcd.prefix(key).get(key)
        return Leader(key, pair["value"], pair["create_revision"]) if pair else None

    def suspicion(self, name: str) -> str | None:
        """Why a leader should be fenced, or None."""
        containers = self._engine.containers(name)
        alive = [container for container in containers if container["State"] in RUNNING]
        if not alive:
            return "no container of it runs"
        if all(container["State"] == "paused" for container in alive):
            return "its container is frozen"
        silent = time.monotonic() - self._answered.setdefault(name, time.monotonic())
        if silent < SHOWN_SECONDS:
            if len(alive) == 1 and name in self._heard:
                self._audit.alive(name, [alive[0]["Id"]])
            return None
        evidence = [self._engine.halted(container["Id"]) for container in alive]
        # Silence alone may be a busy machine; what the engine itself shows needs less of it.
        patience = SHOWN_SECONDS if all(evidence) else SILENT_SECONDS
        # Told to stop, Patroni falls silent first and hands over after its checkpoint: it is given time for that.
        task_ids = {task["ID"] for task in self._engine.tasks(name)}
        if not any(evidence) and all(container["Labels"].get(TASK_LABEL) not in task_ids for container in alive):
            patience = STOPPING_SECONDS
        addition = f" and {evidence[0]}" if all(evidence) else ""
        return f"its Patroni has not answered for {silent:.1f} s{addition}" if silent >= patience else None

    def listen(self) -> None:
        """Ask the leader forever, beside the watch: waiting for a dead node's answer must not delay seeing it dead."""
        while True:
            self.hear()
            time.sleep(ASK_EVERY_SECONDS)

    def hear(self) -> None:
        """Ask the leader once, and remember its answer."""
        if (name := self.leader) and self._ask(name) is not None:
            self._answered[name] = time.monotonic()
            self._heard.add(name)

    def look(self) -> EtcdFault | EngineFault | None:
        """Tick once; the fault for which nothing is known, or None."""
        try:
            self.tick()
        except (EtcdFault, EngineFault) as fault:
            self.counts["faults"] += 1
            return fault
        self.last_tick = time.time()
        return None

    def act(self, leader: Leader, reason: str) -> None:
        """Fence, and let the node come back as a standby; a refusal is written down and tried again later."""
        try:
            self.last_seconds = self.fencer.fence(leader, reason)
            self.counts["released"] += 1
            log.warning(f"{leader.name}: {reason}; fenced and released in {self.last_seconds:.3f} s")
            self.fencer.give_back()
        except Refusal as refusal:
            self.counts["refused"] += 1
            self._refused_until = time.monotonic() + REFUSED_SECONDS
            self._audit.write("refused", member=leader.name, reason=reason, why=str(refusal))
            log.error(f"{leader.name}: {reason}; NOT released: {refusal}")
            # What refused before anything was stopped leaves nothing pending; what refused later must run again.
            self.fencer.give_back()
        self._answered.pop(leader.name, None)
        self._heard.discard(leader.name)

    def standby_ready(self, name: str) -> bool:
        """Whether a standby's Patroni says that its PostgreSQL runs."""
        return (self._ask(name) or {}).get("state") in ("running", "streaming", "in archive recovery")

    def _patroni(self, name: str) -> dict[str, Any] | None:
        """A node's own word; None when it says none within ASK_SECONDS."""
        if self._tls is None:
            self._tls = tls.client()
        connection = http.client.HTTPSConnection(name, self._port, timeout=ASK_SECONDS, context=self._tls)
        try:
            connection.request("GET", "/patroni")
            return json.loads(connection.getresponse().read())
        except (OSError, ValueError, http.client.HTTPException):
            return None
        finally:
            connection.close()

    def metrics(self) -> str:
        """Prometheus text."""
        values = metrics.Metrics(HELP)
        for outcome, count in self.counts.items():
            values.set("asp_fencer_fences_total", count, outcome=outcome)
        values.set("asp_fencer_last_fence_seconds", round(self.last_seconds, 3))
        values.set("asp_fencer_last_look_timestamp_seconds", round(self.last_tick, 1))
        for node in self.nodes:
            values.set("asp_fencer_leader", int(node == self.leader), node=node)
        return values.text()


def run() -> int:
    """Watch forever."""
    settings = json.loads(Path(SETTINGS).read_text())
    etcd = Etcd(settings["etcd"], ROOT, "fencer", settings["password"])
    watcher = Watcher(settings, Engine(), etcd, Audit(FOLDER))
    metrics.serve(watcher.metrics, settings["metrics_port"])
    threading.Thread(target=watcher.listen, daemon=True).start()
    faults = Changes(log)
    while True:
        BEAT.touch()
        if fault := watcher.look():
            faults.say(f"nothing is known: {fault}")
        else:
            faults.over()
        time.sleep(TICK_SECONDS)
