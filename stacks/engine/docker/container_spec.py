"""From a Container's inputs to the daemon's create body, its network attachments and its uploads."""

from __future__ import annotations

import base64
import io
import tarfile
from pathlib import Path
from typing import Any

from stacks.engine.docker.health import health_spec
from stacks.engine.errors import ProviderError
from stacks.engine.schema import label_map
from stacks.engine.valid import nanoseconds

MEBIBYTE = 1024 * 1024


def container_body(inputs: dict) -> dict:
    """Body of `POST /containers/create`."""
    exposed, bindings = _ports(inputs.get("ports") or [])
    volumes, binds, sources = _volumes(inputs.get("volumes") or [])
    body: dict[str, Any] = {
        "Image": inputs["image"],
        "Hostname": inputs.get("hostname") or "",
        "Domainname": inputs.get("domainname") or "",
        "Tty": bool(inputs.get("tty")),
        "OpenStdin": bool(inputs.get("stdinOpen")),
        "Labels": label_map(inputs.get("labels")),
        "HostConfig": {
            "PortBindings": bindings,
            "Binds": binds,
            "VolumesFrom": sources,
            **_limits(inputs),
            **_host(inputs),
        },
    }
    _copy_fields(
        body,
        inputs,
        Env="envs",
        Cmd="command",
        Entrypoint="entrypoints",
        User="user",
        WorkingDir="workingDir",
        StopSignal="stopSignal",
        StopTimeout="stopTimeout",
    )
    if exposed:
        body["ExposedPorts"] = exposed
    if volumes:
        body["Volumes"] = volumes
    if inputs.get("healthcheck"):
        body["Healthcheck"] = _health(inputs["healthcheck"])
    return body


def _copy_fields(target: dict, inputs: dict, **names: str) -> None:
    for name, key in names.items():
        if inputs.get(key):
            target[name] = inputs[key]


def _health(inputs: dict) -> dict:
    interval = nanoseconds(inputs.get("startInterval"))
    return {**health_spec(inputs), **({"StartInterval": interval} if interval else {})}


def _ports(inputs: list[dict]) -> tuple[dict, dict]:
    exposed: dict[str, dict] = {}
    bindings: dict[str, list] = {}
    for item in inputs:
        key = f"{item['internal']}/{item.get('protocol') or 'tcp'}"
        exposed[key] = {}
        external = item.get("external")
        bindings.setdefault(key, []).append(
            {"HostIp": item.get("ip") or "", "HostPort": str(external) if external else ""}
        )
    return exposed, bindings


def _volumes(inputs: list[dict]) -> tuple[dict, list[str], list[str]]:
    volumes: dict[str, dict] = {}
    binds, sources = [], []
    for item in inputs:
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


def update_body(inputs: dict) -> dict:
    """Body of `POST /containers/<id>/update`."""
    return {
        "RestartPolicy": _restart(inputs),
        "CpuShares": inputs.get("cpuShares") or 0,
        "Memory": (inputs.get("memory") or 0) * MEBIBYTE,
        "MemoryReservation": (inputs.get("memoryReservation") or 0) * MEBIBYTE,
        "MemorySwap": _swap(inputs),
        "CpusetCpus": inputs.get("cpuSet") or "",
    }


def _restart(inputs: dict) -> dict:
    return {"Name": inputs.get("restart") or "no", "MaximumRetryCount": inputs.get("maxRetryCount") or 0}


def _swap(inputs: dict) -> int:
    swap = inputs.get("memorySwap") or 0
    return swap * MEBIBYTE if swap > 0 else swap


def _limits(inputs: dict) -> dict:
    result: dict[str, Any] = {
        "Memory": (inputs.get("memory") or 0) * MEBIBYTE,
        "MemoryReservation": (inputs.get("memoryReservation") or 0) * MEBIBYTE,
        "MemorySwap": _swap(inputs),
    }
    if inputs.get("shmSize"):
        result["ShmSize"] = inputs["shmSize"] * MEBIBYTE
    if inputs.get("cpus"):
        result["NanoCpus"] = round(float(inputs["cpus"]) * 10**9)
    else:
        _copy_fields(result, inputs, CpuPeriod="cpuPeriod", CpuQuota="cpuQuota")
    _copy_fields(result, inputs, CpuShares="cpuShares", CpusetCpus="cpuSet")
    for key, name in (
        ("deviceReadBps", "BlkioDeviceReadBps"),
        ("deviceReadIops", "BlkioDeviceReadIOps"),
        ("deviceWriteBps", "BlkioDeviceWriteBps"),
        ("deviceWriteIops", "BlkioDeviceWriteIOps"),
    ):
        if inputs.get(key):
            result[name] = [{"Path": item["path"], "Rate": item["rate"]} for item in inputs[key]]
    return result


def _host(inputs: dict) -> dict:
    result: dict[str, Any] = {
        "Privileged": bool(inputs.get("privileged")),
        "PublishAllPorts": bool(inputs.get("publishAllPorts")),
        "RestartPolicy": _restart(inputs),
        "AutoRemove": bool(inputs.get("rm")),
        "ReadonlyRootfs": bool(inputs.get("readOnly")),
        "Init": bool(inputs.get("init")),
        "LogConfig": {"Type": inputs.get("logDriver") or "", "Config": inputs.get("logOpts") or {}},
        "Mounts": [_mount(item) for item in inputs.get("mounts") or []],
        "ExtraHosts": [f"{item['host']}:{item['ip']}" for item in inputs.get("hosts") or []],
        "Ulimits": [
            {"Name": item["name"], "Soft": item["soft"], "Hard": item["hard"]} for item in inputs.get("ulimits") or []
        ],
        "Devices": [
            {
                "PathOnHost": item["hostPath"],
                "PathInContainer": item.get("containerPath") or item["hostPath"],
                "CgroupPermissions": item.get("permissions") or "rwm",
            }
            for item in inputs.get("devices") or []
        ],
        "DeviceRequests": _device_requests(inputs),
    }
    _copy_fields(
        result,
        inputs,
        Tmpfs="tmpfs",
        Dns="dns",
        DnsOptions="dnsOpts",
        DnsSearch="dnsSearches",
        Sysctls="sysctls",
        GroupAdd="groupAdds",
        StorageOpt="storageOpts",
        NetworkMode="networkMode",
        UsernsMode="usernsMode",
        PidMode="pidMode",
        IpcMode="ipcMode",
        CgroupnsMode="cgroupnsMode",
        CgroupParent="cgroupParent",
        Runtime="runtime",
        DeviceCgroupRules="deviceCgroupRules",
    )
    if inputs.get("securityOpts"):
        options = [item for item in inputs["securityOpts"] if item != "systempaths=unconfined"]
        result["SecurityOpt"] = options
        if len(options) != len(inputs["securityOpts"]):
            result["MaskedPaths"] = result["ReadonlyPaths"] = []
    if inputs.get("capabilities"):
        _copy_fields(result, inputs["capabilities"], CapAdd="adds", CapDrop="drops")
    return result


def _device_requests(inputs: dict) -> list[dict]:
    requests = [
        {
            "Driver": item.get("driver") or "cdi",
            "Count": item.get("count") or 0,
            "DeviceIDs": item.get("deviceIds") or [],
            "Capabilities": [item.get("capabilities") or []],
            "Options": item.get("options") or {},
        }
        for item in inputs.get("deviceRequests") or []
    ]
    gpus = (inputs.get("gpus") or "").strip("\"' ")
    if gpus == "all":
        requests.append({"Count": -1, "Capabilities": [["gpu"]]})
    elif gpus.startswith("device="):
        requests.append({"DeviceIDs": gpus.removeprefix("device=").split(","), "Capabilities": [["gpu"]]})
    elif gpus:
        raise ProviderError(f"gpus {gpus!r} is not supported; wanted 'all' or 'device=<id>,<id>'")
    return requests


def _mount(inputs: dict) -> dict:
    mount: dict[str, Any] = {
        "Type": inputs["type"],
        "Target": inputs["target"],
        "Source": inputs.get("source") or "",
        "ReadOnly": bool(inputs.get("readOnly")),
    }
    options = inputs.get("bindOptions")
    if options is not None and inputs["type"] == "bind":
        mount["BindOptions"] = {"Propagation": options.get("propagation") or ""}
    options = inputs.get("volumeOptions")
    if options is not None and inputs["type"] == "volume":
        mount["VolumeOptions"] = {
            "NoCopy": bool(options.get("noCopy")),
            "Labels": label_map(options.get("labels")),
            "DriverConfig": {"Name": options.get("driverName") or "", "Options": options.get("driverOptions") or {}},
        }
    options = inputs.get("tmpfsOptions")
    if options is not None and inputs["type"] == "tmpfs":
        mount["TmpfsOptions"] = {"SizeBytes": options.get("sizeBytes") or 0, "Mode": options.get("mode") or 0}
    return mount


def attachment(inputs: dict) -> dict:
    """`EndpointConfig` of one `networksAdvanced` element."""
    result: dict[str, Any] = {
        "Aliases": inputs.get("aliases") or [],
        "IPAMConfig": {
            "IPv4Address": inputs.get("ipv4Address") or "",
            "IPv6Address": inputs.get("ipv6Address") or "",
            "LinkLocalIPs": inputs.get("linkLocalIps") or [],
        },
    }
    _copy_fields(result, inputs, MacAddress="macAddress", GwPriority="gwPriority")
    if inputs.get("driverOpts"):
        result["DriverOpts"] = dict(item.split("=", 1) for item in inputs["driverOpts"])
    return result


def upload_archive(inputs: dict) -> bytes:
    """A tar with one uploaded file; ProviderError when its content is not given exactly once."""
    sources = [key for key in ("content", "contentBase64", "source") if inputs.get(key)]
    if len(sources) != 1:
        raise ProviderError(
            f"upload of {inputs['file']}: exactly one of content, contentBase64 and source must be set, "
            f"seen {', '.join(sources) or 'none'}"
        )
    if inputs.get("source"):
        content = Path(inputs["source"]).read_bytes()
    elif inputs.get("contentBase64"):
        content = base64.b64decode(inputs["contentBase64"])
    else:
        content = inputs["content"].encode()
    entry = tarfile.TarInfo(inputs["file"].lstrip("/"))
    entry.size = len(content)
    entry.mode = 0o744 if inputs.get("executable") else 0o644
    if inputs.get("permissions"):
        entry.mode = int(inputs["permissions"], 8)
    for key, attribute in (("owner", "uid"), ("group", "gid")):
        if inputs.get(key):
            if not inputs[key].isdigit():
                raise ProviderError(f"upload of {inputs['file']}: {key} {inputs[key]!r} must be a number")
            setattr(entry, attribute, int(inputs[key]))
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        archive.addfile(entry, io.BytesIO(content))
    return buffer.getvalue()
