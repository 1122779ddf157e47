"""Random programs and random kills, checked against a plain model of what must exist.

A program is a list of resources in ``spec.json``; the model is that list. After every completed ``up`` the daemon must
hold exactly the model's objects, with their labels, nothing doubled and nothing left over.
"""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import time

from .harness import Sandbox, client

PROGRAM = """
import base64, json
from pathlib import Path
made = {}
for item in json.loads((Path(__file__).parent / "spec.json").read_text()):
    name, label = item["name"], item["label"]
    needs = [made[need] for need in item["needs"]]
    opts = pulumi.ResourceOptions(depends_on=needs)
    labels = [{"label": "v", "value": label}]
    if needs:
        labels.append({"label": "on", "value": needs[0].name})
    if item["kind"] == "auto":
        made[name] = docker.Volume(f"{P}-{name}", labels=labels, opts=opts)
    elif item["kind"] == "volume":
        made[name] = docker.Volume(name, name=f"{P}-{name}", labels=labels, opts=opts)
    elif item["kind"] == "network":
        made[name] = docker.Network(name, name=f"{P}-{name}", labels=labels, opts=opts)
    elif item["kind"] == "config":
        made[name] = docker.ServiceConfig(name, name=f"{P}-{name}", labels=labels, opts=opts,
            data=base64.b64encode(label.encode()).decode())
    else:
        made[name] = docker.Secret(name, name=f"{P}-{name}", labels=labels, opts=opts,
            data=base64.b64encode(label.encode()).decode())
"""
KINDS = ("volume", "volume", "auto", "config", "secret", "network")
NETWORKS = 2  # bridge networks take addresses from a small pool


class Chaos:
    """A sandbox with a random program. ``seed`` is printed by whoever fails."""

    def __init__(self, sandbox: Sandbox, seed: int):
        self.sandbox = sandbox
        self.random = random.Random(seed)
        self.spec: list[dict] = []
        self._count = 0
        sandbox.write(PROGRAM)

    # -- programs

    def add(self) -> None:
        """Append a resource that may need earlier ones."""
        kind = self.random.choice(KINDS)
        if kind == "network" and sum(item["kind"] == "network" for item in self.spec) >= NETWORKS:
            kind = "volume"
        self._count += 1
        usable = [item["name"] for item in self.spec]
        needs = self.random.sample(usable, min(len(usable), self.random.choice((0, 0, 1, 2))))
        self.spec.append({"name": f"r{self._count}", "kind": kind, "label": str(self._count), "needs": needs})

    def drop(self) -> None:
        """Remove a resource that nothing needs."""
        needed = {need for item in self.spec for need in item["needs"]}
        free = [item for item in self.spec if item["name"] not in needed]
        if free:
            self.spec.remove(self.random.choice(free))

    def change(self) -> None:
        """Change a label: the resource is replaced, and what shows its name with it or not."""
        if self.spec:
            self._count += 1
            self.random.choice(self.spec)["label"] = str(self._count)

    def edit(self, times: int) -> None:
        """Some random edits, written to the program."""
        for _ in range(times):
            self.random.choice((self.add, self.add, self.drop, self.change))()
        self.save()

    def save(self) -> None:
        """Write the program's list."""
        (self.sandbox.project / "spec.json").write_text(json.dumps(self.spec), encoding="utf-8")

    # -- comparison

    def check(self) -> list[str]:
        """Differences between the daemon and the model."""
        seen = self._daemon()
        wanted = sorted((item["kind"].replace("auto", "volume"), item["name"], item["label"]) for item in self.spec)
        faults = [f"{row} is wanted and not there" for row in wanted if row not in seen]
        faults += [f"{row} is there and not wanted" for row in seen if row not in wanted]
        faults += [f"{row} is doubled" for row in set(seen) if seen.count(row) > 1]
        return faults

    def _daemon(self) -> list[tuple[str, str, str]]:
        api, prefix = client(), self.sandbox.prefix
        rows = [
            ("volume", item["Name"], item["Labels"]) for item in api.volumes(filters={"name": prefix})["Volumes"] or []
        ]
        rows += [("network", item["Name"], item["Labels"]) for item in api.networks(names=[prefix])]
        for kind, items in (("config", api.configs()), ("secret", api.secrets())):
            rows += [(kind, item["Spec"]["Name"], item["Spec"]["Labels"]) for item in items]
        mine = [(kind, name.removeprefix(f"{prefix}-"), marks) for kind, name, marks in rows if name.startswith(prefix)]
        return sorted((kind, name.split("-")[0], (marks or {}).get("v", "?")) for kind, name, marks in mine)

    def settle(self) -> list[str]:
        """Complete the program, then look: faults of the daemon, of the journal and of a repeated preview."""
        self.sandbox.up("--skip-preview")
        faults = self.check()
        if self.sandbox.checkpoint.with_suffix(".journal").exists():
            faults.append("the journal is still there")
        said = self.sandbox.run("preview", "-s", "dev", "--expect-no-changes", status=None)
        if "no changes were expected" in said or "error" in said:
            faults.append(f"preview after it: {said[-400:]}")
        return faults

    # -- kills

    def kill_during(self, *arguments: str, window: float) -> bool:
        """Start a command and kill all its processes at a random moment; False when it had ended before."""
        process = self.sandbox.start(*arguments, "-s", "dev", "--yes", "--skip-preview")
        try:
            process.communicate(timeout=self.random.uniform(0.2, window))
            return False
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.communicate()
            return True

    def measured(self, *arguments: str) -> float:
        """Seconds that a command takes."""
        began = time.monotonic()
        self.sandbox.run(*arguments, "-s", "dev", "--yes", "--skip-preview", status=None)
        return time.monotonic() - began

    def close(self) -> None:
        """Remove what the sandbox itself does not know of."""
        api = client()
        for item in api.configs():
            if item["Spec"]["Name"].startswith(self.sandbox.prefix):
                api.remove_config(item["ID"])
        for item in api.secrets():
            if item["Spec"]["Name"].startswith(self.sandbox.prefix):
                api.remove_secret(item["ID"])
        self.sandbox.close()


def kill_rounds(chaos: Chaos, kills: int) -> tuple[int, list[str]]:
    """Edit, kill, complete, compare until ``kills`` runs were killed; returns how many and all faults."""
    killed, faults, rounds = 0, [], 0
    for _ in range(6):
        chaos.add()
    chaos.save()
    window = max(1.0, chaos.measured("up") * 1.2)
    while killed < kills and rounds < kills * 4 and not faults:
        rounds += 1
        if chaos.random.random() < 0.2:
            killed += chaos.kill_during("destroy", window=window)
        else:
            chaos.edit(4)
            killed += chaos.kill_during("up", window=window)
        faults += [f"after kill {killed} (round {rounds}): {text}" for text in chaos.settle()]
    return killed, faults
