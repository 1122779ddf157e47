"""From an inspected container to the recorded outputs."""

from __future__ import annotations

from typing import Any

from stacks.engine.docker.base import short_duration
from stacks.engine.docker.health import health_outputs
from stacks.engine.schema import as_set

MEBIBYTE = 1024 * 1024
# What a read never learns from the daemon: it stands as recorded (or as the program has it).
CARRIED = (
    "attach",
    "cgroupParent",
    "cgroupnsMode",
    "containerLogs",
    "containerReadRefreshTimeoutMilliseconds",
    "cpuPeriod",
    "cpuQuota",
    "cpus",
    "destroyGraceSeconds",
    "deviceRequests",
    "devices",
    "envs",
    "exitCode",
    "gpus",
    "labels",
    "logs",
    "mustRun",
    "networksAdvanced",
    "pidMode",
    "removeVolumes",
    "start",
    "ulimits",
    "uploads",
    "volumes",
    "wait",
    "waitTimeout",
)
_UPLOAD_TEXTS = ("content", "contentBase64", "permissions", "source", "sourceHash")
_SETS = ("deviceRequests", "devices", "labels", "ulimits", "uploads", "volumes", "networksAdvanced")


def container_outputs(data: dict, previous: dict) -> dict:
    """Outputs of a container. `previous`: recorded outputs, or the inputs right after a creation."""
    config, host, state = data["Config"], data["HostConfig"], data["State"]
    network = data.get("NetworkSettings") or {}
    outputs = {key: previous.get(key) for key in CARRIED}
    for key in _SETS:
        outputs[key] = outputs[key] or []
    for key in ("attach", "logs", "wait"):
        outputs[key] = bool(outputs[key])
    outputs["envs"] = sorted(outputs["envs"] or [])
    if not state["Running"]:
        outputs["exitCode"] = state.get("ExitCode")
        if outputs["mustRun"]:
            outputs["mustRun"] = False  # a stopped container that must run is a change to mend
    image = previous.get("image") or ""
    swap, reservation = host.get("MemorySwap") or 0, host.get("MemoryReservation") or 0
    outputs.update(
        {
            "bridge": network.get("Bridge", ""),
            "capabilities": _capabilities(host),
            "command": config.get("Cmd") or [],
            "cpuSet": host.get("CpusetCpus", ""),
            "cpuShares": host.get("CpuShares", 0),
            "deviceReadBps": _rates(host, "BlkioDeviceReadBps"),
            "deviceReadIops": _rates(host, "BlkioDeviceReadIOps"),
            "deviceWriteBps": _rates(host, "BlkioDeviceWriteBps"),
            "deviceWriteIops": _rates(host, "BlkioDeviceWriteIOps"),
            "dns": sorted(host.get("Dns") or []),
            "dnsOpts": sorted(host.get("DnsOptions") or []),
            "dnsSearches": sorted(host.get("DnsSearch") or []),
            "domainname": config.get("Domainname", ""),
            "entrypoints": config.get("Entrypoint") or [],
            "groupAdds": sorted(host.get("GroupAdd") or []),
            "healthcheck": _health(config.get("Healthcheck")),
            "hostname": config.get("Hostname", ""),
            "hosts": as_set([_host(item) for item in host.get("ExtraHosts") or []]),
            "id": data["Id"],
            "image": data["Image"] if image.startswith("sha256:") else config.get("Image", ""),
            "init": bool(host.get("Init")),
            "ipcMode": host.get("IpcMode", ""),
            "logDriver": host["LogConfig"]["Type"],
            "logOpts": (host["LogConfig"].get("Config") or {}) if previous.get("logOpts") else {},
            "maxRetryCount": host["RestartPolicy"].get("MaximumRetryCount", 0),
            "memory": (host.get("Memory") or 0) // MEBIBYTE,
            "memoryReservation": reservation // MEBIBYTE if reservation > 0 else reservation,
            "memorySwap": swap // MEBIBYTE if swap > 0 else swap,
            "mounts": as_set([_mount(item) for item in host.get("Mounts") or []]),
            "name": data["Name"].lstrip("/"),
            "networkDatas": _networks(network),
            "networkMode": host.get("NetworkMode", ""),
            "platform": data.get("Platform", ""),
            "ports": _ports(network)
            if previous.get("ports") and (state["Running"] or previous.get("mustRun"))
            else previous.get("ports") or [],
            "privileged": bool(host.get("Privileged")),
            "publishAllPorts": bool(host.get("PublishAllPorts")),
            "readOnly": bool(host.get("ReadonlyRootfs")),
            "restart": host["RestartPolicy"].get("Name") or "no",
            "rm": bool(host.get("AutoRemove")),
            "runtime": host.get("Runtime", ""),
            "securityOpts": sorted(host.get("SecurityOpt") or []),
            "shmSize": (host.get("ShmSize") or 0) // MEBIBYTE,
            "stdinOpen": bool(config.get("OpenStdin")),
            "stopSignal": config.get("StopSignal", ""),
            "stopTimeout": config.get("StopTimeout") or 0,
            "storageOpts": host.get("StorageOpt") or {},
            "sysctls": host.get("Sysctls") or {},
            "tmpfs": host.get("Tmpfs") or {},
            "tty": bool(config.get("Tty")),
            "user": config.get("User", ""),
            "usernsMode": host.get("UsernsMode", ""),
            "workingDir": config.get("WorkingDir", ""),
        }
    )
    if previous.get("deviceCgroupRules"):
        outputs["deviceCgroupRules"] = sorted(host.get("DeviceCgroupRules") or [])
    if host.get("NanoCpus"):
        outputs["cpus"] = f"{host['NanoCpus'] / 10**9:g}"
    return outputs


BLANK_AT_CREATION = (
    "dns",
    "dnsOpts",
    "dnsSearches",
    "groupAdds",
    "logOpts",
    "storageOpts",
    "sysctls",
    "tmpfs",
)


def full_elements(outputs: dict, inputs: dict | None = None) -> dict:
    """Elements of carried sets with all their fields, as the provider completes them.

    `inputs`: those of a creation; a flag or number that the program left out is then recorded as null.
    """

    def unset(value: Any, zero: Any) -> Any:
        return zero if value is None and inputs is None else value

    outputs["networksAdvanced"] = as_set(
        [
            {
                "aliases": sorted(item.get("aliases") or []),
                "driverOpts": sorted(item.get("driverOpts") or []),
                "gwPriority": unset(item.get("gwPriority"), 0),
                "ipv4Address": item.get("ipv4Address") or "",
                "ipv6Address": item.get("ipv6Address") or "",
                "linkLocalIps": sorted(item.get("linkLocalIps") or []),
                "macAddress": item.get("macAddress") or "",
                "name": item["name"],
            }
            for item in outputs["networksAdvanced"]
        ]
    )
    outputs["volumes"] = as_set(
        [
            {
                **{
                    key: item.get(key) or ""
                    for key in ("containerPath", "fromContainer", "hostPath", "selinuxRelabel", "volumeName")
                },
                "readOnly": unset(item.get("readOnly"), False),
            }
            for item in outputs["volumes"]
        ]
    )
    outputs["uploads"] = [
        {
            **{key: item.get(key) or "" for key in _UPLOAD_TEXTS},
            "executable": bool(item.get("executable")),
            **{key: item[key] for key in ("file", "group", "owner") if item.get(key)},
        }
        for item in outputs["uploads"]
    ]
    if inputs is not None:
        flags = {item["target"]: item.get("readOnly") for item in inputs.get("mounts") or []}
        outputs["mounts"] = as_set([{**item, "readOnly": flags.get(item["target"])} for item in outputs["mounts"]])
    for key in ("deviceRequests", "devices", "labels", "ulimits", "uploads"):
        outputs[key] = as_set([{k: v for k, v in item.items() if k != "__defaults"} for item in outputs[key]])
    return outputs


def _capabilities(host: dict) -> dict | None:
    adds, drops = host.get("CapAdd") or [], host.get("CapDrop") or []
    return {"adds": sorted(adds), "drops": sorted(drops)} if adds or drops else None


def _rates(host: dict, key: str) -> list[dict]:
    return as_set([{"path": item["Path"], "rate": item["Rate"]} for item in host.get(key) or []])


def _health(spec: dict | None) -> dict | None:
    outputs = health_outputs(spec)
    if spec is None or outputs is None:
        return None
    return {**outputs, "startInterval": short_duration(spec.get("StartInterval", 0))}


def _host(text: str) -> dict:
    name, _, address = text.partition(":")
    return {"host": name, "ip": address}


def _mount(item: dict) -> dict:
    bind, volume, tmpfs = item.get("BindOptions"), item.get("VolumeOptions"), item.get("TmpfsOptions")
    driver = (volume or {}).get("DriverConfig") or {}
    return {
        "bindOptions": bind and {"propagation": bind.get("Propagation", "")},
        "readOnly": bool(item.get("ReadOnly")),
        "source": item.get("Source", ""),
        "target": item.get("Target", ""),
        "tmpfsOptions": tmpfs and {"mode": tmpfs.get("Mode", 0), "sizeBytes": tmpfs.get("SizeBytes", 0)},
        "type": item.get("Type", ""),
        "volumeOptions": volume
        and {
            "driverName": driver.get("Name", ""),
            "driverOptions": driver.get("Options") or {},
            "labels": [{"label": key, "value": value} for key, value in sorted((volume.get("Labels") or {}).items())],
            "noCopy": bool(volume.get("NoCopy")),
            "subpath": volume.get("Subpath", ""),
        },
    }


def _ports(network: dict) -> list[dict]:
    result = []
    for key, bindings in (network.get("Ports") or {}).items():
        internal, _, protocol = key.partition("/")
        for binding in bindings or []:
            result.append(
                {
                    "external": int(binding.get("HostPort") or 0),
                    "internal": int(internal),
                    "ip": binding.get("HostIp", ""),
                    "protocol": protocol,
                }
            )
    return sorted(result, key=lambda item: (item["internal"], item["external"], item["protocol"]))


def _networks(network: dict) -> list[dict]:
    return [
        {
            "gateway": item.get("Gateway", ""),
            "globalIpv6Address": item.get("GlobalIPv6Address", ""),
            "globalIpv6PrefixLength": item.get("GlobalIPv6PrefixLen", 0),
            "ipAddress": item.get("IPAddress", ""),
            "ipPrefixLength": item.get("IPPrefixLen", 0),
            "ipv6Gateway": item.get("IPv6Gateway", ""),
            "macAddress": item.get("MacAddress", ""),
            "networkName": name,
        }
        for name, item in (network.get("Networks") or {}).items()
    ]
