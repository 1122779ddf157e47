"""From a planned Service to the daemon's ``ServiceSpec``."""

from __future__ import annotations

from typing import Any

from ..schema import label_map
from .base import nanoseconds
from .health import health_spec


def service_spec(wanted: dict) -> dict:
    """The request body. ``wanted``: result of ``diff.planned``, so every field is there, absent ones as None."""
    spec: dict[str, Any] = {
        "Name": wanted["name"],
        "Labels": label_map(wanted.get("labels")),
        "TaskTemplate": _task(wanted["taskSpec"]),
        "Mode": _mode(wanted.get("mode")),
        "EndpointSpec": _endpoint(wanted.get("endpointSpec")),
    }
    for key, name in (("updateConfig", "UpdateConfig"), ("rollbackConfig", "RollbackConfig")):
        if wanted.get(key):
            spec[name] = _rollout(wanted[key])
    return spec


def _task(task: dict) -> dict:
    result: dict[str, Any] = {
        "ContainerSpec": _container(task["containerSpec"]),
        "Resources": _resources(task.get("resources") or {}),
        "RestartPolicy": _restart(task.get("restartPolicy")),
        "Placement": _placement(task.get("placement") or {}),
        "ForceUpdate": task.get("forceUpdate") or 0,
        "Networks": [_network(item) for item in task.get("networksAdvanceds") or []],
    }
    if task.get("runtime"):
        result["Runtime"] = task["runtime"]
    if task.get("logDriver"):
        driver = task["logDriver"]
        result["LogDriver"] = {"Name": driver.get("name"), "Options": driver.get("options") or {}}
    return result


def _container(given: dict) -> dict:
    spec: dict[str, Any] = {
        "Image": given["image"],
        "Labels": label_map(given.get("labels")),
        "ReadOnly": bool(given.get("readOnly")),
        # A period that is not given is sent as zero: the provider's own habit, and so part of its state.
        "StopGracePeriod": nanoseconds(given.get("stopGracePeriod")),
        "Init": bool(given.get("init")),
        "Mounts": [_mount(item) for item in given.get("mounts") or []],
        "Healthcheck": _health(given.get("healthcheck") or {}),
        "Hosts": [f"{item['ip']} {item['host']}" for item in given.get("hosts") or []],
        "DNSConfig": _dns(given.get("dnsConfig") or {}),
        "Secrets": [_file(item, "secret", "Secret") for item in given.get("secrets") or []],
        "Configs": [_file(item, "config", "Config") for item in given.get("configs") or []],
        "Env": [f"{key}={value}" for key, value in sorted((given.get("env") or {}).items())],
        "Sysctls": given.get("sysctl") or {},
    }
    for key, name in (
        ("commands", "Command"), ("args", "Args"), ("hostname", "Hostname"), ("dir", "Dir"), ("user", "User"),
        ("groups", "Groups"), ("stopSignal", "StopSignal"), ("isolation", "Isolation"), ("capAdds", "CapabilityAdd"),
        ("capDrops", "CapabilityDrop"),
    ):
        if given.get(key):
            spec[name] = given[key]
    if given.get("privileges"):
        spec["Privileges"] = _privileges(given["privileges"])
    return spec


def _privileges(given: dict) -> dict:
    result = {}
    if given.get("credentialSpec"):
        source = given["credentialSpec"]
        result["CredentialSpec"] = {"File": source.get("file") or "", "Registry": source.get("registry") or ""}
    if given.get("seLinuxContext"):
        source = given["seLinuxContext"]
        result["SELinuxContext"] = {
            "Disable": bool(source.get("disable")),
            **{name: source.get(name.lower()) or "" for name in ("User", "Role", "Type", "Level")},
        }
    return result


def _mount(given: dict) -> dict:
    mount: dict[str, Any] = {
        "Type": given["type"],
        "Target": given["target"],
        "Source": given.get("source") or "",
        "ReadOnly": bool(given.get("readOnly")),
    }
    if given.get("bindOptions") is not None:
        mount["BindOptions"] = {"Propagation": given["bindOptions"].get("propagation") or ""}
    if given.get("volumeOptions") is not None:
        source = given["volumeOptions"]
        mount["VolumeOptions"] = {
            "NoCopy": bool(source.get("noCopy")),
            "Labels": label_map(source.get("labels")),
            "DriverConfig": {"Name": source.get("driverName") or "", "Options": source.get("driverOptions") or {}},
        }
    if given.get("tmpfsOptions") is not None:
        source = given["tmpfsOptions"]
        mount["TmpfsOptions"] = {"SizeBytes": source.get("sizeBytes") or 0, "Mode": source.get("mode") or 0}
    return mount


def _health(given: dict) -> dict:
    return {key: value for key, value in health_spec(given).items() if value}


def _dns(given: dict) -> dict:
    names = {"nameservers": "Nameservers", "searches": "Search", "options": "Options"}
    return {name: given[key] for key, name in names.items() if given.get(key)}


def _file(given: dict, key: str, name: str) -> dict:
    return {
        f"{name}ID": given[f"{key}Id"],
        f"{name}Name": given.get(f"{key}Name") or "",
        "File": {
            "Name": given["fileName"],
            "UID": given.get("fileUid") or "0",
            "GID": given.get("fileGid") or "0",
            "Mode": given.get("fileMode") or 0,
        },
    }


def _resources(given: dict) -> dict:
    result = {}
    if given.get("limits") is not None:
        result["Limits"] = _amounts(given["limits"])
    if given.get("reservation") is not None:
        reservation = given["reservation"]
        result["Reservations"] = _amounts(reservation)
        generic = reservation.get("genericResources")
        if generic:
            result["Reservations"]["GenericResources"] = _generic(generic)
    return result


def _amounts(given: dict) -> dict:
    return {"NanoCPUs": given.get("nanoCpus") or 0, "MemoryBytes": given.get("memoryBytes") or 0}


def _generic(given: dict) -> list[dict]:
    result = []
    for item in given.get("namedResourcesSpecs") or []:
        kind, _, value = item.partition("=")
        result.append({"NamedResourceSpec": {"Kind": kind, "Value": value}})
    for item in given.get("discreteResourcesSpecs") or []:
        kind, _, value = item.partition("=")
        result.append({"DiscreteResourceSpec": {"Kind": kind, "Value": int(value)}})
    return result


def _restart(given: dict | None) -> dict:
    if not given:
        return {}
    result = {
        "Delay": nanoseconds(given.get("delay")),
        "MaxAttempts": given.get("maxAttempts") or 0,
        "Window": nanoseconds(given.get("window")),
    }
    if given.get("condition"):
        result["Condition"] = given["condition"]
    return result


def _placement(given: dict) -> dict:
    return {
        "Constraints": given.get("constraints") or [],
        "Preferences": [{"Spread": {"SpreadDescriptor": item}} for item in given.get("prefs") or []],
        "Platforms": [
            {"Architecture": item["architecture"], "OS": item["os"]} for item in given.get("platforms") or []
        ],
        "MaxReplicas": given.get("maxReplicas") or 0,
    }


def _network(given: dict) -> dict:
    result: dict[str, Any] = {"Target": given.get("id") or given.get("name"), "Aliases": given.get("aliases") or []}
    if given.get("driverOpts"):
        result["DriverOpts"] = dict(item.split("=", 1) for item in given["driverOpts"])
    return result


def _mode(given: dict | None) -> dict:
    given = given or {}
    if given.get("global"):
        return {"Global": {}}
    if given.get("replicated") is not None:
        return {"Replicated": {"Replicas": given["replicated"].get("replicas", 1)}}
    return {}


def _endpoint(given: dict | None) -> dict:
    given = given or {}
    result: dict[str, Any] = {"Ports": [_port(item) for item in given.get("ports") or []]}
    if given.get("mode"):
        result["Mode"] = given["mode"]
    return result


def _port(given: dict) -> dict:
    return {
        "Name": given.get("name") or "",
        "Protocol": given.get("protocol") or "tcp",
        "TargetPort": given["targetPort"],
        "PublishedPort": given.get("publishedPort") or 0,
        "PublishMode": given.get("publishMode") or "ingress",
    }


def _rollout(given: dict) -> dict:
    return {
        "Parallelism": given.get("parallelism") or 0,
        "Delay": nanoseconds(given.get("delay")),
        "FailureAction": given.get("failureAction") or "",
        "Monitor": nanoseconds(given.get("monitor")),
        "MaxFailureRatio": float(given.get("maxFailureRatio") or 0),
        "Order": given.get("order") or "",
    }
