"""From the daemon's service to the recorded outputs, in the provider's shape and orders."""

from __future__ import annotations

from typing import Any

from stacks.engine.docker.base import short_duration
from stacks.engine.docker.health import health_outputs
from stacks.engine.schema import as_set, label_set

PERMISSIONS = 0o777  # what the provider reads back of a tmpfs mode: the sticky bit is lost


def service_outputs(data: dict, inputs: dict | None = None, created: bool = False) -> dict:
    """Outputs of an inspected service, without `auth` and `convergeConfig` which the daemon does not know.

    `inputs`: what was applied just now, None in a refresh. `created`: right after a creation the provider records null
    for lists and maps that the program left out; after an update or refresh it records empty ones.
    """
    spec = data["Spec"]
    task = spec["TaskTemplate"]
    container_inputs = ((inputs or {}).get("taskSpec") or {}).get("containerSpec") or {}
    return {
        "endpointSpec": _endpoint(data),
        "id": data["ID"],
        "labels": label_set(spec.get("Labels")),
        "mode": _mode(spec.get("Mode") or {}),
        "name": spec["Name"],
        "rollbackConfig": _rollout(spec.get("RollbackConfig")),
        "taskSpec": {
            "containerSpec": _container(task.get("ContainerSpec") or {}, container_inputs, created),
            "forceUpdate": task.get("ForceUpdate", 0),
            "logDriver": _log_driver(task.get("LogDriver")),
            "networksAdvanceds": as_set([_network(item) for item in task.get("Networks") or []]),
            "placement": _placement(task.get("Placement") or {}),
            "resources": _resources(task.get("Resources") or {}),
            "restartPolicy": _restart(task.get("RestartPolicy") or {}),
            "runtime": task.get("Runtime", ""),
        },
        "updateConfig": _rollout(spec.get("UpdateConfig")),
    }


def _container(spec: dict, inputs: dict, created: bool) -> dict:
    def null_if_absent(key: str, value: Any) -> Any:
        return None if created and not value and inputs.get(key) is None else value

    return {
        "args": null_if_absent("args", spec.get("Args") or []),
        "capAdds": null_if_absent("capAdds", spec.get("CapabilityAdd") or []),
        "capDrops": null_if_absent("capDrops", spec.get("CapabilityDrop") or []),
        "commands": null_if_absent("commands", spec.get("Command") or []),
        "configs": as_set([_file(item, "config", "Config") for item in spec.get("Configs") or []]),
        "dir": spec.get("Dir", ""),
        "dnsConfig": _dns(spec.get("DNSConfig")),
        "env": null_if_absent("env", dict(item.split("=", 1) for item in spec.get("Env") or [] if "=" in item)),
        "groups": null_if_absent("groups", spec.get("Groups") or []),
        "healthcheck": health_outputs(spec.get("Healthcheck")),
        "hostname": spec.get("Hostname", ""),
        "hosts": as_set([_host(item) for item in spec.get("Hosts") or []]),
        "image": spec.get("Image", ""),
        "init": bool(spec.get("Init")),
        "isolation": spec.get("Isolation", ""),
        "labels": label_set(spec.get("Labels")),
        "mounts": _mounts(spec.get("Mounts") or [], inputs.get("mounts") or [], created),
        "privileges": _privileges(spec.get("Privileges")),
        "readOnly": bool(spec.get("ReadOnly")),
        "secrets": as_set([_file(item, "secret", "Secret") for item in spec.get("Secrets") or []]),
        "stopGracePeriod": short_duration(spec.get("StopGracePeriod", 0)),
        "stopSignal": spec.get("StopSignal", ""),
        "sysctl": null_if_absent("sysctl", spec.get("Sysctls") or {}),
        "user": spec.get("User", ""),
    }


def _file(item: dict, key: str, name: str) -> dict:
    file = item.get("File") or {}
    return {
        f"{key}Id": item.get(f"{name}ID", ""),
        f"{key}Name": item.get(f"{name}Name", ""),
        "fileGid": file.get("GID", ""),
        "fileMode": file.get("Mode", 0),
        "fileName": file.get("Name", ""),
        "fileUid": file.get("UID", ""),
    }


def _host(text: str) -> dict:
    address, _, name = text.partition(" ")
    return {"host": name, "ip": address}


def _dns(spec: dict | None) -> dict | None:
    if spec is None:
        return None
    return {
        "nameservers": spec.get("Nameservers") or None,
        "options": spec.get("Options") or None,
        "searches": spec.get("Search") or None,
    }


def _mounts(mounts: list[dict], inputs: list[dict], created: bool) -> list[dict]:
    silent = {item["target"] for item in inputs if created and item.get("readOnly") is None}
    modes = {item["target"]: (item.get("tmpfsOptions") or {}).get("mode") for item in inputs}
    result = []
    for item in mounts:
        bind, volume, tmpfs = item.get("BindOptions"), item.get("VolumeOptions"), item.get("TmpfsOptions")
        read_only = bool(item.get("ReadOnly"))
        result.append(
            {
                "bindOptions": None if bind is None else {"propagation": bind.get("Propagation", "")},
                "readOnly": None if item.get("Target") in silent and not read_only else read_only,
                "source": item.get("Source", ""),
                "target": item.get("Target", ""),
                "tmpfsOptions": None
                if tmpfs is None
                else {
                    "mode": modes.get(item.get("Target")) or tmpfs.get("Mode", 0) & PERMISSIONS,
                    "sizeBytes": tmpfs.get("SizeBytes", 0),
                },
                "type": item.get("Type", ""),
                "volumeOptions": None if volume is None else _volume_options(volume),
            }
        )
    return as_set(result)


def _volume_options(spec: dict) -> dict:
    driver = spec.get("DriverConfig") or {}
    return {
        "driverName": driver.get("Name", ""),
        "driverOptions": driver.get("Options") or {},
        "labels": label_set(spec.get("Labels")),
        "noCopy": bool(spec.get("NoCopy")),
    }


def _privileges(spec: dict | None) -> dict | None:
    if spec is None or not any(spec.values()):
        return None
    credential, context = spec.get("CredentialSpec"), spec.get("SELinuxContext")
    return {
        "credentialSpec": credential
        and {"file": credential.get("File", ""), "registry": credential.get("Registry", "")},
        "seLinuxContext": context
        and {
            "disable": bool(context.get("Disable")),
            **{key: context.get(key.capitalize(), "") for key in ("level", "role", "type", "user")},
        },
    }


def _log_driver(spec: dict | None) -> dict | None:
    return spec and {"name": spec.get("Name", ""), "options": spec.get("Options") or None}


def _network(item: dict) -> dict:
    options = item.get("DriverOpts") or {}
    return {
        "aliases": sorted(item.get("Aliases") or []),
        "driverOpts": sorted(f"{key}={value}" for key, value in options.items()),
        "id": item.get("Target", ""),
        "name": "",
    }


def _placement(spec: dict) -> dict:
    platforms = [{"architecture": item["Architecture"], "os": item["OS"]} for item in spec.get("Platforms") or []]
    return {
        "constraints": sorted(spec.get("Constraints") or []),
        "maxReplicas": spec.get("MaxReplicas", 0),
        "platforms": as_set(platforms),
        "prefs": sorted(item["Spread"]["SpreadDescriptor"] for item in spec.get("Preferences") or []),
    }


def _resources(spec: dict) -> dict:
    limits, reservation = spec.get("Limits"), spec.get("Reservations")
    return {
        "limits": None if limits is None else _amounts(limits),
        "reservation": None
        if reservation is None
        else {"genericResources": _generic(reservation.get("GenericResources")), **_amounts(reservation)},
    }


def _amounts(spec: dict) -> dict:
    return {"memoryBytes": spec.get("MemoryBytes", 0), "nanoCpus": spec.get("NanoCPUs", 0)}


def _generic(items: list[dict] | None) -> dict | None:
    if not items:
        return None
    named_specs = [item["NamedResourceSpec"] for item in items if item.get("NamedResourceSpec")]
    discrete = [item["DiscreteResourceSpec"] for item in items if item.get("DiscreteResourceSpec")]
    return {
        "discreteResourcesSpecs": sorted(f"{item['Kind']}={item['Value']}" for item in discrete),
        "namedResourcesSpecs": sorted(f"{item['Kind']}={item['Value']}" for item in named_specs),
    }


def _restart(spec: dict) -> dict:
    return {
        "condition": spec.get("Condition", ""),
        "delay": short_duration(spec["Delay"]) if spec.get("Delay") is not None else "",
        "maxAttempts": spec.get("MaxAttempts", 0),
        "window": short_duration(spec["Window"]) if spec.get("Window") is not None else "",
    }


def _mode(spec: dict) -> dict:
    replicated = spec.get("Replicated")
    return {
        "global": spec.get("Global") is not None,
        "replicated": None if replicated is None else {"replicas": replicated.get("Replicas", 0)},
    }


def _rollout(spec: dict | None) -> dict | None:
    return spec and {
        "delay": short_duration(spec.get("Delay", 0)),
        "failureAction": spec.get("FailureAction", ""),
        "maxFailureRatio": f"{spec.get('MaxFailureRatio', 0):.1f}",
        "monitor": short_duration(spec.get("Monitor", 0)),
        "order": spec.get("Order", ""),
        "parallelism": spec.get("Parallelism", 0),
    }


def _endpoint(data: dict) -> dict:
    endpoint = data.get("Endpoint") or {}
    spec = endpoint.get("Spec") or {}
    if spec.get("Mode"):
        mode, ports = spec["Mode"], endpoint.get("Ports")
    else:
        endpoint_spec = data["Spec"].get("EndpointSpec") or {}
        mode, ports = endpoint_spec.get("Mode", ""), endpoint_spec.get("Ports")
    return {
        "mode": mode,
        "ports": [
            {
                "name": item.get("Name", ""),
                "protocol": item.get("Protocol", ""),
                "publishMode": item.get("PublishMode", ""),
                "publishedPort": item.get("PublishedPort", 0),
                "targetPort": item.get("TargetPort", 0),
            }
            for item in ports or []
        ],
    }
