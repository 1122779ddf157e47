"""What runs on the Docker daemons: services, their confinement, networks and published ports. Four calls in all."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from docker.errors import DockerException

from centre.reach.runtime import Runtime, Unreachable
from checks.expectations import hosting_services, network_members
from inventory.models import Municipality
from inventory.register import Register

MIB = 1024 * 1024
SERVICE_LABEL = "com.docker.swarm.service.name"


# A service that the register wants and that does not exist.
ABSENT: dict[str, Any] = {
    "wanted": 1,
    "running": 0,
    "health": "none",
    "image": None,
    "confinement": {"fault": "no such service"},
}


def hosting(register: Register, municipality: Municipality) -> dict[str, Any]:
    """Sections `services`, `networks`, `published` of the centre's probe."""
    runtime = Runtime(register)
    api = runtime.client.api
    try:
        specs = {item["Spec"]["Name"]: item for item in api.services()}
        tasks = api.tasks(filters={"desired-state": "running"})
        containers = [container for daemon in runtime.daemons() for container in daemon.api.containers()]
    except (DockerException, OSError) as error:
        raise Unreachable(f"Docker daemon: {error}") from error
    healths: dict[str, list[str]] = {}
    for container in containers:
        name = container["Labels"].get(SERVICE_LABEL)
        if name:
            healths.setdefault(name, []).append(_health(container["Status"]))
    running: dict[str, int] = {}
    for task in tasks:
        if task["Status"]["State"] == "running":
            running[task["ServiceID"]] = running.get(task["ServiceID"], 0) + 1
    services = {}
    for name in hosting_services(register, municipality):
        item = specs.get(name)
        services[name] = _service(item, running.get(item["ID"], 0), healths.get(name, [])) if item else dict(ABSENT)
    return {
        "services": services,
        "networks": _networks(register, containers),
        "published": _published(register, specs.values(), containers),
    }


def _health(status: str) -> str:
    """`healthy`, `unhealthy` or `starting` from a container's status line; `unchecked` where no check is defined."""
    match = re.search(r"\((?:health: )?(healthy|unhealthy|starting)\)", status)
    return match.group(1) if match else "unchecked"


def _service(item: dict[str, Any], running: int, healths: list[str]) -> dict[str, Any]:
    template = item["Spec"]["TaskTemplate"]
    container = template["ContainerSpec"]
    replicas = item["Spec"]["Mode"].get("Replicated", {}).get("Replicas", 1)
    # While an update runs there are two; the worst one is what a client may meet.
    worst = next((health for health in ("unhealthy", "starting", "unchecked", "healthy") if health in healths), "none")
    return {
        "wanted": replicas,
        "running": running,
        "health": worst,
        "image": container["Image"],
        "confinement": {
            "user": container.get("User", ""),
            "read_only": container.get("ReadOnly", False),
            "dropped": sorted(container.get("CapabilityDrop") or []),
            "added": sorted(container.get("CapabilityAdd") or []),
            "memory_mib": template.get("Resources", {}).get("Limits", {}).get("MemoryBytes", 0) // MIB,
        },
    }


def _networks(register: Register, containers: list[dict[str, Any]]) -> dict[str, list[str]]:
    """Who is on each of the environment's networks: service names, or the names of strangers' containers."""
    members: dict[str, set[str]] = {name: set() for name in network_members(register)}
    for container in containers:
        member = container["Labels"].get(SERVICE_LABEL) or container["Names"][0].lstrip("/")
        for network in container["NetworkSettings"]["Networks"]:
            if network in members:
                members[network].add(member)
    return {name: sorted(names) for name, names in members.items()}


def _published(
    register: Register, services: Iterable[dict[str, Any]], containers: list[dict[str, Any]]
) -> dict[str, list[int]]:
    """Published ports of everything that carries the environment's name."""
    prefix = register.names.daemon_name("")
    by_name: dict[str, set[int]] = {}
    for item in services:
        name = item["Spec"]["Name"]
        if name.startswith(prefix):
            ports = item.get("Endpoint", {}).get("Ports") or item["Spec"].get("EndpointSpec", {}).get("Ports") or []
            by_name.setdefault(name, set()).update(port["PublishedPort"] for port in ports if "PublishedPort" in port)
    for container in containers:
        name = container["Labels"].get(SERVICE_LABEL) or container["Names"][0].lstrip("/")
        if name.startswith(prefix):
            by_name.setdefault(name, set()).update(
                port["PublicPort"] for port in container["Ports"] if "PublicPort" in port
            )
    return {name: sorted(ports) for name, ports in by_name.items()}
