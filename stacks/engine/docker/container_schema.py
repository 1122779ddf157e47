"""Fields of a Container. Nearly everything forces a replacement; restart policy and limits change in place."""

from __future__ import annotations

from stacks.engine.schema import (
    boolean,
    integer,
    labels,
    mapping,
    nested,
    nested_list,
    nested_set,
    text,
    texts,
    textset,
)
from stacks.engine.valid import absolute_path, at_least, base64_text, duration, pattern
from stacks.engine.values import UNKNOWN

READ_TIMEOUT = 15000  # milliseconds, the provider's default


def _rate() -> dict:
    return {"path": text(required=True), "rate": integer(required=True, valid=at_least(0))}


def _image_default(old: str, new: str) -> bool:
    """An empty user or working folder means the image's own."""
    return new == ""


def _same_address(old: str, new: str) -> bool:
    """No address means every one."""
    return (old or "0.0.0.0") == (new or "0.0.0.0")


def _same_ports(old: list[dict], new: list[dict]) -> bool:
    """Whether two lists publish the same ports in whatever order, by the provider's own comparison."""
    if len(old) != len(new) or any(item is UNKNOWN for item in new):
        return False
    return all(_is_published(item, new) for item in old)


def _is_published(port: dict, ports: list[dict]) -> bool:
    for other in (item for item in ports if item["internal"] == port["internal"]):
        if other.get("protocol") != port.get("protocol"):
            continue
        external = other.get("external")
        same_external = external is None or external == port.get("external")  # the daemon chooses one that is left out
        return same_external and _same_address(port.get("ip", ""), other.get("ip", ""))
    return False


MOUNT = {
    "target": text(required=True),
    "source": text(),
    "type": text(required=True, valid=pattern("^(bind|volume|tmpfs)$")),
    "readOnly": boolean(),
    "bindOptions": nested({"propagation": text(valid=pattern("^(private|rprivate|shared|rshared|slave|rslave)$"))}),
    "volumeOptions": nested(
        {
            "noCopy": boolean(),
            "labels": labels(force=False),
            "driverName": text(),
            "driverOptions": mapping(),
            "subpath": text(),
        }
    ),
    "tmpfsOptions": nested({"sizeBytes": integer(), "mode": integer()}),
}

FIELDS = {
    "attach": boolean(),
    "bridge": text(output=True),
    "capabilities": nested({"adds": textset(force=True), "drops": textset(force=True)}, force=True),
    "cgroupParent": text(force=True),
    "cgroupnsMode": text(force=True),
    "command": texts(force=True, computed=True),
    "containerLogs": text(output=True),
    "containerReadRefreshTimeoutMilliseconds": integer(default=READ_TIMEOUT),
    "cpuPeriod": integer(valid=at_least(0)),
    "cpuQuota": integer(valid=at_least(0)),
    "cpuSet": text(valid=pattern(r"^\d+([,-]\d+)*$")),
    "cpuShares": integer(valid=at_least(0)),
    "cpus": text(force=True),
    "destroyGraceSeconds": integer(),
    "deviceCgroupRules": textset(force=True),
    "deviceReadBps": nested_set(_rate()),
    "deviceReadIops": nested_set(_rate()),
    "deviceRequests": nested_set(
        {
            "capabilities": textset(force=True),
            "count": integer(force=True),
            "deviceIds": textset(force=True),
            "driver": text(force=True, default="cdi"),
            "options": mapping(force=True),
        },
        force=True,
    ),
    "deviceWriteBps": nested_set(_rate()),
    "deviceWriteIops": nested_set(_rate()),
    "devices": nested_set(
        {
            "hostPath": text(required=True, force=True),
            "containerPath": text(force=True),
            "permissions": text(force=True, default="rwm"),
        },
        force=True,
    ),
    "dns": textset(force=True),
    "dnsOpts": textset(force=True),
    "dnsSearches": textset(force=True),
    "domainname": text(force=True),
    "entrypoints": texts(force=True, computed=True),
    "envs": textset(force=True, computed=True),
    "exitCode": integer(output=True),
    "gpus": text(force=True),
    "groupAdds": textset(force=True),
    "healthcheck": nested(
        {
            "tests": texts(force=True),
            "interval": text(force=True, default="0s", valid=duration),
            "timeout": text(force=True, default="0s", valid=duration),
            "startPeriod": text(force=True, default="0s", valid=duration),
            "startInterval": text(force=True, default="0s", valid=duration),
            "retries": integer(force=True, valid=at_least(0)),
        },
        computed=True,
    ),
    "hostname": text(force=True, computed=True),
    "hosts": nested_set({"host": text(required=True, force=True), "ip": text(required=True, force=True)}, force=True),
    "image": text(required=True, force=True),
    "init": boolean(force=True, computed=True),
    "ipcMode": text(force=True, computed=True),
    "labels": labels(computed=True),
    "logDriver": text(force=True, computed=True),
    "logOpts": mapping(force=True),
    "logs": boolean(),
    "maxRetryCount": integer(),
    "memory": integer(valid=at_least(0)),
    "memoryReservation": integer(valid=at_least(0)),
    "memorySwap": integer(valid=at_least(-1)),
    "mounts": nested_set(MOUNT, force=True),
    "mustRun": boolean(default=True),
    "name": text(force=True, autoname=True),
    "networkDatas": nested_list({}, output=True),
    "networkMode": text(force=True, default="bridge"),
    "networksAdvanced": nested_set(
        {
            "aliases": textset(force=True),
            "driverOpts": textset(force=True),
            "gwPriority": integer(force=True, valid=at_least(0)),
            "ipv4Address": text(force=True),
            "ipv6Address": text(force=True),
            "linkLocalIps": textset(force=True),
            "macAddress": text(force=True),
            "name": text(required=True, force=True),
        },
        force=True,
    ),
    "pidMode": text(force=True),
    "platform": text(force=True, computed=True),
    "ports": nested_list(
        {
            "internal": integer(required=True, force=True),
            "external": integer(force=True, computed=True),
            "ip": text(force=True, default="0.0.0.0", suppress=_same_address),
            "protocol": text(force=True, default="tcp"),
        },
        force=True,
        suppress=_same_ports,
    ),
    "privileged": boolean(force=True),
    "publishAllPorts": boolean(force=True),
    "readOnly": boolean(force=True),
    "removeVolumes": boolean(default=True),
    "restart": text(default="no", valid=pattern("^(no|on-failure|always|unless-stopped)$")),
    "rm": boolean(),
    "runtime": text(force=True, computed=True),
    "securityOpts": textset(force=True, computed=True),
    "shmSize": integer(force=True, computed=True, valid=at_least(0)),
    "start": boolean(default=True),
    "stdinOpen": boolean(force=True),
    "stopSignal": text(force=True, computed=True),
    "stopTimeout": integer(force=True, computed=True),
    "storageOpts": mapping(force=True),
    "sysctls": mapping(force=True),
    "tmpfs": mapping(force=True),
    "tty": boolean(force=True),
    "ulimits": nested_set(
        {
            "hard": integer(required=True, force=True),
            "name": text(required=True, force=True),
            "soft": integer(required=True, force=True),
        },
        force=True,
    ),
    "uploads": nested_set(
        {
            "content": text(force=True),
            "contentBase64": text(force=True, valid=base64_text),
            "executable": boolean(force=True),
            "file": text(required=True, force=True),
            "group": text(force=True),
            "owner": text(force=True),
            "permissions": text(force=True, valid=pattern("^0[0-7]{3}$")),
            "source": text(force=True),
            "sourceHash": text(force=True),
        },
        force=True,
    ),
    "user": text(force=True, suppress=_image_default),
    "usernsMode": text(force=True),
    "volumes": nested_set(
        {
            "containerPath": text(force=True),
            "fromContainer": text(force=True),
            "hostPath": text(force=True, valid=absolute_path),
            "readOnly": boolean(force=True),
            "selinuxRelabel": text(force=True, valid=pattern("^(z|Z)$")),
            "volumeName": text(force=True),
        },
        force=True,
    ),
    "wait": boolean(),
    "waitTimeout": integer(default=60),
    "workingDir": text(force=True, suppress=_image_default),
}
