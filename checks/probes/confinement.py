"""What each running container really may: read from its own /proc, whatever its service's specification says."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from docker.models.containers import Container

from centre.reach.runtime import Runtime, RuntimeFault
from checks.probes.parts import AT_ONCE, guard

SECONDS = 15
# In order: every process's status, where mounts lie, the routes, the limit of processes (cgroup v1, else v2).
LOOK = """
cat /proc/[0-9]*/status; echo; echo "[mounts]"; cat /proc/1/mountinfo; echo "[routes]"; cat /proc/net/route
echo "[pids]"; cat /sys/fs/cgroup/pids/pids.max || cat /sys/fs/cgroup/pids.max
"""


def confinement(runtime: Runtime, services: Iterable[str]) -> dict[str, dict[str, Any]]:
    """Facts of every running container of these services: service → container's short id → facts."""
    label = "com.docker.swarm.service.name"
    containers = [
        (name, container)
        for daemon in runtime.daemons()
        for container in daemon.containers.list(filters={"label": label}, ignore_removed=True)
        if (name := container.labels.get(label)) in set(services)
    ]
    with ThreadPoolExecutor(AT_ONCE) as pool:
        answers = pool.map(lambda pair: guard(lambda: _look(runtime, pair[1])), containers)
    facts: dict[str, dict[str, Any]] = {}
    for (name, container), answer in zip(containers, answers, strict=True):
        facts.setdefault(str(name), {})[str(container.short_id)] = answer
    return facts


def _look(runtime: Runtime, container: Container) -> dict[str, Any]:
    result = runtime.inside(container, ["sh", "-c", LOOK], timeout=SECONDS)
    return read(result.out)


def read(text: str) -> dict[str, Any]:
    """Facts from what LOOK printed. RuntimeFault when there is no process in it."""
    status, _, rest = text.partition("[mounts]\n")
    mounts, _, rest = rest.partition("[routes]\n")
    routes, _, pids = rest.partition("[pids]\n")
    main = _main(status)
    root = [line.split()[5] for line in mounts.splitlines() if line.split()[4:5] == ["/"]]
    ways = [line.split() for line in routes.splitlines()[1:]]
    return {
        "uid": int(main["Uid"].split()[0]),
        "no_new_privileges": main["NoNewPrivs"] == "1",
        "seccomp": main["Seccomp"] == "2",  # 2: a filter
        "capabilities": main["CapBnd"].lstrip("0"),
        "read_only": bool(root) and "ro" in root[-1].split(","),
        "default_route": any(way[1] == way[7] == "00000000" for way in ways if len(way) > 7),
        "processes_limit": pids.strip() or "unknown",
    }


def _main(status: str) -> Mapping[str, str]:
    """The service's own process: the first child of the container's init, which only waits for its children.

    What Docker starts inside a container later, such as a health check, is no child of the init.
    """
    processes = [
        dict(line.partition(":\t")[::2] for line in block.splitlines())
        for block in ("\n" + status).split("\nName:")
        if "Pid:" in block
    ]
    children = [process for process in processes if process["PPid"] == "1"]
    if not (candidates := children or processes):
        raise RuntimeFault("no process is seen in the container")
    return min(candidates, key=lambda process: int(process["Pid"]))
