"""From a planned Service to the daemon's `ServiceSpec`."""

from __future__ import annotations

from typing import Any

from stacks.engine.docker.health import health_spec
from stacks.engine.schema import label_map
from stacks.engine.valid import nanoseconds


def service_spec(plan: dict) -> dict:
    """The request body. `plan`: result of `diff.planned`, so every field is there, absent ones as None."""
    spec: dict[str, Any] = {
        "Name": plan["name"],
        "Labels": label_map(plan.get("labels")),
        "TaskTemplate": _task(plan["taskSpec"]),
        "Mode": _mode(plan.get("mode")),
        "EndpointSpec": _endpoint(plan.get("endpointSpec")),
    }
    for key, name in (("updateConfig", "UpdateConfig"), ("rollbackConfig", "RollbackConfig")):
        if plan.get(key):
            spec[name] = _rollout(plan[key])
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


def _container(inputs: dict) -> dict:
    spec: dict[str, Any] = {
        "Image": inputs["image"],
        "Labels": label_map(inputs.get("labels")),
        "ReadOnly": bool(inputs.get("readOnly")),
        # A period that is not given is sent as zero: the provider's own habit, and so part of its state.
        "StopGracePeriod": nanoseconds(inputs.get("stopGracePeriod")),
        "Init": bool(inputs.get("init")),
        "Mounts": [_mount(item) for item in inputs.get("mounts") or []],
        "Healthcheck": _health(inputs.get("healthcheck") or {}),
        "Hosts": [f"{item['ip']} {item['host']}" for item in inputs.get("hosts") or []],
        "DNSConfig": _dns(inputs.get("dnsConfig") or {}),
        "Secrets": [_file(item, "secret", "Secret") for item in inputs.get("secrets") or []],
        "Configs": [_file(item, "config", "Config") for item in inputs.get("configs") or []],
        "Env": [f"{key}={value}" for key, value in sorted((inputs.get("env") or {}).items())],
        "Sysctls": inputs.get("sysctl") or {},
    }
    for key, name in (
        ("commands", "Command"),
        ("args", "Args"),
        ("hostname", "Hostname"),
        ("dir", "Dir"),
        ("user", "User"),
        ("groups", "Groups"),
        ("stopSignal", "StopSignal"),
        ("isolation", "Isolation"),
        ("capAdds", "CapabilityAdd"),
        ("capDrops", "CapabilityDrop"),
    ):
        if inputs.get(key):
            spec[name] = inputs[key]
    if inputs.get("privileges"):
        spec["Privileges"] = _privileges(inputs["privileges"])
    return spec


def _privileges(inputs: dict) -> dict:
    result = {}
    if inputs.get("credentialSpec"):
        source = inputs["credentialSpec"]
        result["CredentialSpec"] = {"File": source.get("file") or "", "Registry": source.get("registry") or ""}
    if inputs.get("seLinuxContext"):
        source = inputs["seLinuxContext"]
        result["SELinuxContext"] = {
            "Disable": bool(source.get("disable")),
            **{name: source.get(name.lower()) or "" for name in ("User", "Role", "Type", "Level")},
        }
    return result


def _mount(inputs: dict) -> dict:
    mount: dict[str, Any] = {
        "Type": inputs["type"],
        "Target": inputs["target"],
        "Source": inputs.get("source") or "",
        "ReadOnly": bool(inputs.get("readOnly")),
    }
    if inputs.get("bindOptions") is not None:
        mount["BindOptions"] = {"Propagation": inputs["bindOptions"].get("propagation") or ""}
    if inputs.get("volumeOptions") is not None:
        source = inputs["volumeOptions"]
        mount["VolumeOptions"] = {
            "NoCopy": bool(source.get("noCopy")),
            "Labels": label_map(source.get("labels")),
            "DriverConfig": {"Name": source.get("driverName") or "", "Options": source.get("driverOptions") or {}},
        }
    if inputs.get("tmpfsOptions") is not None:
        source = inputs["tmpfsOptions"]
        mount["TmpfsOptions"] = {"SizeBytes": source.get("sizeBytes") or 0, "Mode": source.get("mode") or 0}
    return mount


def _health(inputs: dict) -> dict:
    return {key: value for key, value in health_spec(inputs).items() if value}


def _dns(inputs: dict) -> dict:
    names = {"nameservers": "Nameservers", "searches": "Search", "options": "Options"}
    return {name: inputs[key] for key, name in names.items() if inputs.get(key)}


def _file(inputs: dict, key: str, name: str) -> dict:
    return {
        f"{name}ID": inputs[f"{key}Id"],
        f"{name}Name": inputs.get(f"{key}Name") or "",
        "File": {
            "Name": inputs["fileName"],
            "UID": inputs.get("fileUid") or "0",
            "GID": inputs.get("fileGid") or "0",
            "Mode": inputs.get("fileMode") or 0,
        },
    }


def _resources(inputs: dict) -> dict:
    result = {}
    if inputs.get("limits") is not None:
        result["Limits"] = _amounts(inputs["limits"])
    if inputs.get("reservation") is not None:
        reservation = inputs["reservation"]
        result["Reservations"] = _amounts(reservation)
        generic = reservation.get("genericResources")
        if generic:
            result["Reservations"]["GenericResources"] = _generic(generic)
    return result


def _amounts(inputs: dict) -> dict:
    return {"NanoCPUs": inputs.get("nanoCpus") or 0, "MemoryBytes": inputs.get("memoryBytes") or 0}


def _generic(inputs: dict) -> list[dict]:
    result = []
    for item in inputs.get("namedResourcesSpecs") or []:
        kind, _, value = item.partition("=")
        result.append({"NamedResourceSpec": {"Kind": kind, "Value": value}})
    for item in inputs.get("discreteResourcesSpecs") or []:
        kind, _, value = item.partition("=")
        result.append({"DiscreteResourceSpec": {"Kind": kind, "Value": int(value)}})
    return result


def _restart(inputs: dict | None) -> dict:
    if not inputs:
        return {}
    result = {
        "Delay": nanoseconds(inputs.get("delay")),
        "MaxAttempts": inputs.get("maxAttempts") or 0,
        "Window": nanoseconds(inputs.get("window")),
    }
    if inputs.get("condition"):
        result["Condition"] = inputs["condition"]
    return result


def _placement(inputs: dict) -> dict:
    return {
        "Constraints": inputs.get("constraints") or [],
        "Preferences": [{"Spread": {"SpreadDescriptor": item}} for item in inputs.get("prefs") or []],
        "Platforms": [
            {"Architecture": item["architecture"], "OS": item["os"]} for item in inputs.get("platforms") or []
        ],
        "MaxReplicas": inputs.get("maxReplicas") or 0,
    }


def _network(inputs: dict) -> dict:
    result: dict[str, Any] = {"Target": inputs.get("id") or inputs.get("name"), "Aliases": inputs.get("aliases") or []}
    if inputs.get("driverOpts"):
        result["DriverOpts"] = dict(item.split("=", 1) for item in inputs["driverOpts"])
    return result


def _mode(inputs: dict | None) -> dict:
    inputs = inputs or {}
    if inputs.get("global"):
        return {"Global": {}}
    if inputs.get("replicated") is not None:
        return {"Replicated": {"Replicas": inputs["replicated"].get("replicas", 1)}}
    return {}


def _endpoint(inputs: dict | None) -> dict:
    inputs = inputs or {}
    result: dict[str, Any] = {"Ports": [_port(item) for item in inputs.get("ports") or []]}
    if inputs.get("mode"):
        result["Mode"] = inputs["mode"]
    return result


def _port(inputs: dict) -> dict:
    return {
        "Name": inputs.get("name") or "",
        "Protocol": inputs.get("protocol") or "tcp",
        "TargetPort": inputs["targetPort"],
        "PublishedPort": inputs.get("publishedPort") or 0,
        "PublishMode": inputs.get("publishMode") or "ingress",
    }


def _rollout(inputs: dict) -> dict:
    return {
        "Parallelism": inputs.get("parallelism") or 0,
        "Delay": nanoseconds(inputs.get("delay")),
        "FailureAction": inputs.get("failureAction") or "",
        "Monitor": nanoseconds(inputs.get("monitor")),
        "MaxFailureRatio": float(inputs.get("maxFailureRatio") or 0),
        "Order": inputs.get("order") or "",
    }
