"""From a Container's inputs to the daemon's create body, its network attachments and its uploads."""

from __future__ import annotations

import base64
import io
import tarfile
from pathlib import Path
from typing import Any

from ..errors import ProviderError
from ..schema import label_map
from .base import nanoseconds
from .health import health_spec

MEBIBYTE = 1024 * 1024


def container_body(given: dict) -> dict:
    """Body of ``POST /containers/create``."""
    exposed, bindings = _ports(given.get("ports") or [])
    volumes, binds, sources = _volumes(given.get("volumes") or [])
    body: dict[str, Any] = {
        "Image": given["image"],
        "Hostname": given.get("hostname") or "",
        "Domainname": given.get("domainname") or "",
        "Tty": bool(given.get("tty")),
        "OpenStdin": bool(given.get("stdinOpen")),
        "Labels": label_map(given.get("labels")),
        "HostConfig": {
            "PortBindings": bindings, "Binds": binds, "VolumesFrom": sources, **_limits(given), **_host(given),
        },
    }
    _put(
        body, given, Env="envs", Cmd="command", Entrypoint="entrypoints", User="user", WorkingDir="workingDir",
        StopSignal="stopSignal", StopTimeout="stopTimeout",
    )
    if exposed:
        body["ExposedPorts"] = exposed
    if volumes:
        body["Volumes"] = volumes
    if given.get("healthcheck"):
        body["Healthcheck"] = _health(given["healthcheck"])
    return body


def _put(target: dict, given: dict, **names: str) -> None:
    for name, key in names.items():
        if given.get(key):
            target[name] = given[key]


def _health(given: dict) -> dict:
    interval = nanoseconds(given.get("startInterval"))
    return {**health_spec(given), **({"StartInterval": interval} if interval else {})}


def _ports(given: list[dict]) -> tuple[dict, dict]:
    exposed: dict[str, dict] = {}
    bindings: dict[str, list] = {}
    for item in given:
        key = f"{item['internal']}/{item.get('protocol') or 'tcp'}"
        exposed[key] = {}
        external = item.get("external")
        bindings.setdefault(key, []).append(
            {"HostIp": item.get("ip") or "", "HostPort": str(external) if external else ""}
        )
    return exposed, bindings


def _volumes(given: list[dict]) -> tuple[dict, list[str], list[str]]:
    volumes: dict[str, dict] = {}
    binds, sources = [], []
    for item in given:
        path = item.get("containerPath") or ""
        origin = item.get("volumeName") or item.get("hostPath")
        if item.get("fromContainer"):
            sources.append(item["fromContainer"])
        elif origin:
            options = ["ro" if item.get("readOnly") else "rw", *filter(None, [item.get("selinuxRelabel")])]
            binds.append(f"{origin}:{path}:{','.join(options)}")
        elif path:
            volumes[path] = {}
        else:
            raise ProviderError("Volume entry without container path or source container")
    return volumes, binds, sources


def update_body(given: dict) -> dict:
    """Body of ``POST /containers/<id>/update``."""
    return {
        "RestartPolicy": _restart(given),
        "CpuShares": given.get("cpuShares") or 0,
        "Memory": (given.get("memory") or 0) * MEBIBYTE,
        "MemoryReservation": (given.get("memoryReservation") or 0) * MEBIBYTE,
        "MemorySwap": _swap(given),
        "CpusetCpus": given.get("cpuSet") or "",
    }


def _restart(given: dict) -> dict:
    return {"Name": given.get("restart") or "no", "MaximumRetryCount": given.get("maxRetryCount") or 0}


def _swap(given: dict) -> int:
    swap = given.get("memorySwap") or 0
    return swap * MEBIBYTE if swap > 0 else swap


def _limits(given: dict) -> dict:
    result: dict[str, Any] = {
        "Memory": (given.get("memory") or 0) * MEBIBYTE,
        "MemoryReservation": (given.get("memoryReservation") or 0) * MEBIBYTE,
        "MemorySwap": _swap(given),
    }
    if given.get("shmSize"):
        result["ShmSize"] = given["shmSize"] * MEBIBYTE
    if given.get("cpus"):
        result["NanoCpus"] = round(float(given["cpus"]) * 10**9)
    else:
        _put(result, given, CpuPeriod="cpuPeriod", CpuQuota="cpuQuota")
    _put(result, given, CpuShares="cpuShares", CpusetCpus="cpuSet")
    for key, name in (
        ("deviceReadBps", "BlkioDeviceReadBps"), ("deviceReadIops", "BlkioDeviceReadIOps"),
        ("deviceWriteBps", "BlkioDeviceWriteBps"), ("deviceWriteIops", "BlkioDeviceWriteIOps"),
    ):
        if given.get(key):
            result[name] = [{"Path": item["path"], "Rate": item["rate"]} for item in given[key]]
    return result


def _host(given: dict) -> dict:
    result: dict[str, Any] = {
        "Privileged": bool(given.get("privileged")),
        "PublishAllPorts": bool(given.get("publishAllPorts")),
        "RestartPolicy": _restart(given),
        "AutoRemove": bool(given.get("rm")),
        "ReadonlyRootfs": bool(given.get("readOnly")),
        "Init": bool(given.get("init")),
        "LogConfig": {"Type": given.get("logDriver") or "", "Config": given.get("logOpts") or {}},
        "Mounts": [_mount(item) for item in given.get("mounts") or []],
        "ExtraHosts": [f"{item['host']}:{item['ip']}" for item in given.get("hosts") or []],
        "Ulimits": [
            {"Name": item["name"], "Soft": item["soft"], "Hard": item["hard"]} for item in given.get("ulimits") or []
        ],
        "Devices": [
            {
                "PathOnHost": item["hostPath"], "PathInContainer": item.get("containerPath") or item["hostPath"],
                "CgroupPermissions": item.get("permissions") or "rwm",
            }
            for item in given.get("devices") or []
        ],
        "DeviceRequests": _device_requests(given),
    }
    _put(
        result, given, Tmpfs="tmpfs", Dns="dns", DnsOptions="dnsOpts", DnsSearch="dnsSearches", Sysctls="sysctls",
        GroupAdd="groupAdds", StorageOpt="storageOpts", NetworkMode="networkMode", UsernsMode="usernsMode",
        PidMode="pidMode", IpcMode="ipcMode", CgroupnsMode="cgroupnsMode", CgroupParent="cgroupParent",
        Runtime="runtime", DeviceCgroupRules="deviceCgroupRules",
    )
    if given.get("securityOpts"):
        kept = [item for item in given["securityOpts"] if item != "systempaths=unconfined"]
        result["SecurityOpt"] = kept
        if len(kept) != len(given["securityOpts"]):
            result["MaskedPaths"] = result["ReadonlyPaths"] = []
    if given.get("capabilities"):
        _put(result, given["capabilities"], CapAdd="adds", CapDrop="drops")
    return result


def _device_requests(given: dict) -> list[dict]:
    requests = [
        {
            "Driver": item.get("driver") or "cdi", "Count": item.get("count") or 0,
            "DeviceIDs": item.get("deviceIds") or [], "Capabilities": [item.get("capabilities") or []],
            "Options": item.get("options") or {},
        }
        for item in given.get("deviceRequests") or []
    ]
    gpus = (given.get("gpus") or "").strip("\"' ")
    if gpus == "all":
        requests.append({"Count": -1, "Capabilities": [["gpu"]]})
    elif gpus.startswith("device="):
        requests.append({"DeviceIDs": gpus.removeprefix("device=").split(","), "Capabilities": [["gpu"]]})
    elif gpus:
        raise ProviderError(f"gpus {gpus!r} is not supported; wanted 'all' or 'device=<id>,<id>'")
    return requests


def _mount(given: dict) -> dict:
    mount: dict[str, Any] = {
        "Type": given["type"], "Target": given["target"], "Source": given.get("source") or "",
        "ReadOnly": bool(given.get("readOnly")),
    }
    options = given.get("bindOptions")
    if options is not None and given["type"] == "bind":
        mount["BindOptions"] = {"Propagation": options.get("propagation") or ""}
    options = given.get("volumeOptions")
    if options is not None and given["type"] == "volume":
        mount["VolumeOptions"] = {
            "NoCopy": bool(options.get("noCopy")), "Labels": label_map(options.get("labels")),
            "DriverConfig": {"Name": options.get("driverName") or "", "Options": options.get("driverOptions") or {}},
        }
    options = given.get("tmpfsOptions")
    if options is not None and given["type"] == "tmpfs":
        mount["TmpfsOptions"] = {"SizeBytes": options.get("sizeBytes") or 0, "Mode": options.get("mode") or 0}
    return mount


def attachment(given: dict) -> dict:
    """``EndpointConfig`` of one ``networksAdvanced`` element."""
    result: dict[str, Any] = {
        "Aliases": given.get("aliases") or [],
        "IPAMConfig": {
            "IPv4Address": given.get("ipv4Address") or "", "IPv6Address": given.get("ipv6Address") or "",
            "LinkLocalIPs": given.get("linkLocalIps") or [],
        },
    }
    _put(result, given, MacAddress="macAddress", GwPriority="gwPriority")
    if given.get("driverOpts"):
        result["DriverOpts"] = dict(item.split("=", 1) for item in given["driverOpts"])
    return result


def upload_archive(given: dict) -> bytes:
    """A tar with one uploaded file; ProviderError when its content is not given exactly once."""
    sources = [key for key in ("content", "contentBase64", "source") if given.get(key)]
    if len(sources) != 1:
        raise ProviderError(
            f"upload of {given['file']}: exactly one of content, contentBase64 and source must be set, "
            f"seen {', '.join(sources) or 'none'}"
        )
    if given.get("source"):
        content = Path(given["source"]).read_bytes()
    elif given.get("contentBase64"):
        content = base64.b64decode(given["contentBase64"])
    else:
        content = given["content"].encode()
    entry = tarfile.TarInfo(given["file"].lstrip("/"))
    entry.size = len(content)
    entry.mode = 0o744 if given.get("executable") else 0o644
    if given.get("permissions"):
        entry.mode = int(given["permissions"], 8)
    for key, attribute in (("owner", "uid"), ("group", "gid")):
        if given.get(key):
            if not given[key].isdigit():
                raise ProviderError(f"upload of {given['file']}: {key} {given[key]!r} must be a number")
            setattr(entry, attribute, int(given[key]))
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        archive.addfile(entry, io.BytesIO(content))
    return buffer.getvalue()
