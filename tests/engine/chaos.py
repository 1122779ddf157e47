"""Random programs and random kills, checked against a plain model of what must exist.

A program is a list of resources in `spec.json`; the model is that list. After every completed `up` the daemon must
hold exactly the model's objects, with their labels, nothing doubled and nothing left over; and an object must be the
same one as before, or another one, as the model says (`generation`: how often it had to be replaced).
"""

from __future__ import annotations

import contextlib
import json
import os
import random
import signal
import time
from collections import Counter

from tests.engine import image
from tests.engine.harness import Sandbox, client

PROGRAM = """
import base64, json
from pathlib import Path
made = {}
for item in json.loads((Path(__file__).parent / "spec.json").read_text()):
    name, label, kind = item["name"], item["label"], item["kind"]
    needs = [made[need] for need in item["needs"]]
    opts = pulumi.ResourceOptions(
        depends_on=[need for need, _ in needs], aliases=[pulumi.Alias(name=was) for was in item["was"]],
        protect=item["protect"], delete_before_replace=item["first"])
    common = {"opts": opts, "labels": [{"label": "v", "value": label}]}
    if needs:
        common["labels"].append({"label": "on", "value": needs[0][0].name})
    if not kind.startswith("auto"):
        common["name"] = f"{P}-{item['place']}"
    logical = f"{P}-{name}" if kind.startswith("auto") else name
    data = base64.b64encode(label.encode()).decode()
    if kind.endswith("volume"):
        made[name] = docker.Volume(logical, **common), kind
    elif kind.endswith("network"):
        made[name] = docker.Network(logical, **common), kind
    elif kind == "overlay":
        made[name] = docker.Network(logical, driver="overlay", **common), kind
    elif kind.endswith("config"):
        made[name] = docker.ServiceConfig(logical, data=data, **common), kind
    elif kind.endswith("secret"):
        made[name] = docker.Secret(logical, data=data, **common), kind
    else:
        task = docker.ServiceTaskSpecArgs(
            container_spec=docker.ServiceTaskSpecContainerSpecArgs(
                image="conformance/base:1", commands=["sh", "-c", "trap 'exit 0' TERM; sleep 600 & wait"],
                env={"LABEL": label},
                mounts=[{"target": f"/v{i}", "source": n.name, "type": "volume"}
                    for i, (n, k) in enumerate(needs) if k.endswith("volume")],
                configs=[{"config_id": n.id, "config_name": n.name, "file_name": f"/c{i}"}
                    for i, (n, k) in enumerate(needs) if k.endswith("config")],
                secrets=[{"secret_id": n.id, "secret_name": n.name, "file_name": f"/s{i}"}
                    for i, (n, k) in enumerate(needs) if k.endswith("secret")]),
            networks_advanceds=[{"id": n.id} for n, k in needs if k == "overlay"])
        made[name] = docker.Service(logical, task_spec=task, endpoint_spec={"mode": "dnsrr"},
            update_config={"monitor": "500ms"}, converge_config={"delay": "100ms", "timeout": "60s"}, **common), kind
"""
KINDS = (
    "volume",
    "volume",
    "autovolume",
    "config",
    "autoconfig",
    "secret",
    "autosecret",
    "network",
    "overlay",
    "service",
    "service",
)
FEW = {"network": 2, "overlay": 2, "service": 2}  # networks take addresses from a small pool, services take time
USABLE = ("volume", "autoconfig", "autosecret", "overlay")  # what a service of a random program may use
Row = tuple[str, str, str]  # kind, place, label


class Chaos:
    """A sandbox with a random program. `seed` is printed by whoever fails."""

    def __init__(self, sandbox: Sandbox, seed: int):
        image.ensure()
        self.sandbox = sandbox
        self.random = random.Random(seed)
        self.spec: list[dict] = []
        self.under_way: Counter = Counter()  # operations that were under way when a run was killed
        self._count = 0
        self._identities: dict[str, tuple[int, str]] = {}  # place -> generation and the daemon's id
        sandbox.write(PROGRAM)

    # -- programs

    def add(self) -> None:
        """Append a resource that may need earlier ones."""
        kind = self.random.choice(KINDS)
        if sum(item["kind"] == kind for item in self.spec) >= FEW.get(kind, 99):
            kind = "volume"
        self._count += 1
        usable = [item["name"] for item in self.spec if kind != "service" or item["kind"] in USABLE]
        count = len(usable) if kind == "service" else self.random.choice((0, 0, 1, 2))
        needs = self.random.sample(usable, min(len(usable), count, 4))
        self.spec.append(
            {
                "name": f"r{self._count}",
                "place": f"r{self._count}",
                "kind": kind,
                "label": str(self._count),
                "needs": needs,
                "was": [],
                "protect": False,
                "generation": 0,
                "held": False,
                "first": None if kind in USABLE else self.random.choice((None, True)),
            }
        )
        for item in self.spec:
            item["held"] |= kind == "service" and item["name"] in needs

    def drop(self) -> None:
        """Remove a resource that nothing needs."""
        if self._free():
            self.spec.remove(self.random.choice(self._free()))

    def _free(self) -> list[dict]:
        needed = {need for item in self.spec for need in item["needs"]}
        return [item for item in self.spec if item["name"] not in needed]

    def change(self) -> None:
        """Change a label: a service is updated, all else is replaced, with what shows its name or cannot outlive it."""
        free = [item for item in self.spec if not self._drags(item)]
        if free:
            self._count += 1
            target = self.random.choice(free)
            target["label"] = str(self._count)
            if target["kind"] != "service":
                self._replaced(target)

    def _drags(self, item: dict, first: bool = False) -> bool:
        """Whether something that a service uses would be deleted before its replacement: the daemon refuses that.

        `first`: so is what `item` shows. The service is not taken along (conformance case `service`, step 4).
        """
        first = first or not item["kind"].startswith("auto") or bool(item["first"])
        if item["kind"] == "service":
            return False
        shown_by = [other for other in self.spec if other["needs"][:1] == [item["name"]]]
        return (item["held"] and first) or any(self._drags(other, first) for other in shown_by)

    def _replaced(self, item: dict) -> None:
        item["generation"] += 1
        for other in self.spec:
            shows = other["kind"] != "service" and other["needs"][:1] == [item["name"]]
            if shows:
                self._replaced(other)

    def rename(self) -> None:
        """Give a resource another logical name, with an alias: its object must stay the same one."""
        fixed = [item for item in self.spec if not item["kind"].startswith("auto")]
        if fixed:
            self._count += 1
            item = self.random.choice(fixed)
            old, new = item["name"], f"n{self._count}"
            item["name"] = new
            item["was"] = [*item["was"], old]
            for other in self.spec:
                other["needs"] = [new if need == old else need for need in other["needs"]]

    def edit(self, times: int) -> None:
        """Some random edits, written to the program."""
        for _ in range(times):
            self.random.choice((self.add, self.add, self.drop, self.change, self.rename))()
        self.save()

    def save(self, spec: list[dict] | None = None) -> None:
        """Write the program's list, or another one."""
        text = json.dumps(self.spec if spec is None else spec)
        (self.sandbox.project / "spec.json").write_text(text, encoding="utf-8")

    # -- comparison

    def check(self) -> list[str]:
        """Differences between the daemon and the model."""
        present = sorted(row for row, _ in self._daemon())
        expected = sorted((_sort(item["kind"]), item["place"], item["label"]) for item in self.spec)
        faults = [f"{row} is wanted and not there" for row in expected if row not in present]
        faults += [f"{row} is there and not wanted" for row in present if row not in expected]
        faults += [f"{row} is doubled" for row in set(present) if present.count(row) > 1]
        return faults

    def identity_faults(self) -> list[str]:
        """Objects that were replaced where the model says that they stay, or the other way round."""
        now = {row[1]: identity for row, identity in self._daemon()}
        faults = []
        for item in self.spec:
            place, generation, identity = item["place"], item["generation"], now.get(item["place"], "")
            before = self._identities.get(place)
            if before is not None and (before[0] == generation) != (before[1] == identity):
                what = "was replaced" if before[0] == generation else "was not replaced"
                faults.append(f"{item['kind']} {place} {what}")
            self._identities[place] = (generation, identity)
        return faults

    def _daemon(self) -> list[tuple[Row, str]]:
        """What there is: row and identity."""
        api, prefix = client(), self.sandbox.prefix
        volumes = api.volumes(filters={"name": prefix})["Volumes"] or []
        rows = [("volume", item["Name"], item["Labels"], _born(item)) for item in volumes]
        rows += [("network", item["Name"], item["Labels"], item["Id"]) for item in self.sandbox.networks()]
        for kind, items in (("config", api.configs()), ("secret", api.secrets()), ("service", api.services())):
            rows += [(kind, item["Spec"]["Name"], item["Spec"]["Labels"], item["ID"]) for item in items]
        return [
            ((kind, name.removeprefix(f"{prefix}-").split("-")[0], (marks or {}).get("v", "?")), identity)
            for kind, name, marks, identity in rows
            if name.startswith(prefix)
        ]

    def settle(self) -> list[str]:
        """Complete the program, then look: faults of the daemon, of the journal and of a repeated preview."""
        output = self.sandbox.up("--skip-preview", status=None)
        faults = self.check()
        if faults or "error" in output:
            faults.append(f"up said: {output[-1500:]}")
        if self.sandbox.checkpoint.with_suffix(".journal").exists():
            faults.append("the journal is still there")
        output = self.sandbox.run("preview", "-s", "dev", "--expect-no-changes", status=None)
        if "no changes were expected" in output or "error" in output:
            faults.append(f"preview after it: {output[-400:]}")
        return faults

    def guarded(self) -> list[str]:
        """Protect a resource, try to remove and to replace it, and free it again: faults."""
        free = self._free()
        replaceable = [item for item in free if item["kind"] != "service"]  # a service is never replaced
        one = self.random.choice(replaceable or free)
        one["protect"] = True
        self.save()
        self.sandbox.up("--skip-preview")
        others = [item for item in self.spec if item is not one]
        attempts = [others] + ([[*others, {**one, "label": "other"}]] if one["kind"] != "service" else [])
        faults = []
        for spec in attempts:
            self.save(spec)
            output = self.sandbox.up("--skip-preview", status=1)
            faults += [] if "protect" in output else [f"{one['kind']} {one['place']}: no refusal: {output[-500:]}"]
            faults += self.check()
        one["protect"] = False
        self.save()
        return faults + self.settle()

    # -- kills

    def kill_during(self, *arguments: str, window: float) -> bool:
        """Start a command and kill all its processes; False when it had ended before.

        At a random moment within `window` seconds, or as soon as the journal has a random number of records.
        """
        process = self.sandbox.start(*arguments, "-s", "dev", "--yes", "--skip-preview")
        records = self.random.choice((None, self.random.randint(1, 8)))
        deadline = time.monotonic() + (window * 2 if records else self.random.uniform(0.2, window))
        while process.poll() is None and time.monotonic() < deadline and not (records and self._written() >= records):
            time.sleep(0.002)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.communicate()
        killed = process.returncode == -signal.SIGKILL
        if killed:
            self.under_way.update(self._under_way())
        return killed

    def _written(self) -> int:
        """Records in the journal."""
        with contextlib.suppress(FileNotFoundError):
            return self.sandbox.checkpoint.with_suffix(".journal").read_bytes().count(b"\n")
        return 0

    def _under_way(self) -> set[str]:
        """Operations that the journal shows as begun and not done."""
        under_way = set()
        journal = self.sandbox.checkpoint.with_suffix(".journal")
        for line in journal.read_text(encoding="utf-8").splitlines() if journal.exists() else ():
            record = json.loads(line)
            mark = (record.get("op"), (record.get("resource") or {}).get("urn"))
            (under_way.add if record["kind"] == "begin" else under_way.discard)(mark)
        return {f"{op} {urn.split('::')[2].rsplit(':', 1)[-1]}" for op, urn in under_way} or {"nothing"}

    def measured(self, *arguments: str) -> float:
        """Seconds that a command takes."""
        began = time.monotonic()
        self.sandbox.run(*arguments, "-s", "dev", "--yes", "--skip-preview", status=None)
        return time.monotonic() - began


def _sort(kind: str) -> str:
    """The daemon's sort of object that a kind of the program makes."""
    return "network" if kind == "overlay" else kind.removeprefix("auto")


def _born(item: dict) -> str:
    """A volume has no id: its name and its age in seconds tell it from another one, if not from a very quick one."""
    return f"{item['Name']} {item['CreatedAt']}"


def kill_rounds(chaos: Chaos, kills: int) -> tuple[int, list[str]]:
    """Edit, kill, complete, compare until `kills` runs were killed; returns how many and all faults."""
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
