"""Fields of a Service, with what each change means (in place unless `force`)."""

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
from stacks.engine.valid import at_least, duration, pattern, ratio


def _same_ratio(old: str, new: str) -> bool:
    try:
        return float(old) == float(new)
    except ValueError:
        return False


def _file_reference(kind: str) -> dict:
    return {
        f"{kind}Id": text(required=True),
        f"{kind}Name": text(),
        "fileName": text(required=True),
        "fileUid": text(default="0"),
        "fileGid": text(default="0"),
        "fileMode": integer(default=0o444, valid=at_least(0)),
    }


def _rollout(failure_actions: str, orders: str) -> dict:
    return {
        "parallelism": integer(default=1, valid=at_least(0)),
        "delay": text(default="0s", valid=duration),
        "failureAction": text(default="pause", valid=pattern(failure_actions)),
        "monitor": text(default="5s", valid=duration),
        "maxFailureRatio": text(default="0.0", suppress=_same_ratio, valid=ratio),
        "order": text(default="stop-first", valid=pattern(orders)),
    }


MOUNT = {
    "target": text(required=True),
    "source": text(),
    "type": text(required=True, valid=pattern("^(bind|volume|tmpfs)$")),
    "readOnly": boolean(),
    "bindOptions": nested(
        {"propagation": text(default="rprivate", valid=pattern("^(private|rprivate|shared|rshared|slave|rslave)$"))}
    ),
    "volumeOptions": nested(
        {"noCopy": boolean(), "labels": labels(force=False), "driverName": text(), "driverOptions": mapping()}
    ),
    "tmpfsOptions": nested({"sizeBytes": integer(), "mode": integer()}),
}

CONTAINER = {
    "image": text(required=True),
    "labels": labels(force=False),
    "commands": texts(),
    "args": texts(),
    "hostname": text(),
    "env": mapping(),
    "dir": text(),
    "user": text(),
    "groups": texts(),
    "privileges": nested(
        {
            "credentialSpec": nested({"file": text(), "registry": text()}),
            "seLinuxContext": nested(
                {"disable": boolean(), "user": text(), "role": text(), "type": text(), "level": text()}
            ),
        }
    ),
    "readOnly": boolean(),
    "mounts": nested_set(MOUNT),
    "stopSignal": text(),
    "stopGracePeriod": text(computed=True, valid=duration),
    "healthcheck": nested(
        {
            "tests": texts(),
            "interval": text(default="0s", valid=duration),
            "timeout": text(default="0s", valid=duration),
            "startPeriod": text(default="0s", valid=duration),
            "retries": integer(valid=at_least(0)),
        },
        computed=True,
    ),
    "hosts": nested_set({"ip": text(required=True, force=True), "host": text(required=True, force=True)}, force=True),
    "dnsConfig": nested({"nameservers": texts(required=True), "searches": texts(), "options": texts()}, computed=True),
    "secrets": nested_set(_file_reference("secret")),
    "configs": nested_set(_file_reference("config")),
    "isolation": text(default="default", valid=pattern("^(default|process|hyperv)$")),
    "sysctl": mapping(force=True),
    "capAdds": texts(),
    "capDrops": texts(),
    "init": boolean(computed=True),
}

TASK = {
    "containerSpec": nested(CONTAINER, required=True),
    "resources": nested(
        {
            "limits": nested({"nanoCpus": integer(), "memoryBytes": integer()}),
            "reservation": nested(
                {
                    "nanoCpus": integer(),
                    "memoryBytes": integer(),
                    "genericResources": nested({"namedResourcesSpecs": textset(), "discreteResourcesSpecs": textset()}),
                }
            ),
        },
        computed=True,
    ),
    "restartPolicy": nested(
        {
            "condition": text(valid=pattern("^(none|on-failure|any)$")),
            "delay": text(valid=duration),
            "maxAttempts": integer(valid=at_least(0)),
            "window": text(valid=duration),
        },
        computed=True,
    ),
    "placement": nested(
        {
            "constraints": textset(),
            "prefs": textset(),
            "maxReplicas": integer(valid=at_least(0)),
            "platforms": nested_set({"architecture": text(required=True), "os": text(required=True)}),
        },
        computed=True,
    ),
    "forceUpdate": integer(computed=True, valid=at_least(0)),
    "runtime": text(computed=True, valid=pattern("^(container|plugin)$")),
    "networksAdvanceds": nested_set(
        {
            "name": text(force=True),
            "id": text(force=True),
            "aliases": textset(force=True),
            "driverOpts": textset(force=True),
        }
    ),
    "logDriver": nested({"name": text(required=True), "options": mapping()}),
}

FIELDS = {
    "auth": nested(
        {
            "serverAddress": text(required=True, force=True),
            "username": text(force=True),
            "password": text(force=True),
        },
        force=True,
    ),
    "name": text(force=True, autoname=True),
    "labels": labels(force=False, computed=True),
    "taskSpec": nested(TASK, required=True),
    "mode": nested(
        {"replicated": nested({"replicas": integer(default=1, valid=at_least(0))}, computed=True), "global": boolean()},
        computed=True,
    ),
    "updateConfig": nested(_rollout("^(pause|continue|rollback)$", "^(stop-first|start-first)$")),
    "rollbackConfig": nested(_rollout("(pause|continue)", "(stop-first|start-first)")),
    "endpointSpec": nested(
        {
            "mode": text(computed=True, valid=pattern("^(vip|dnsrr)$")),
            "ports": nested_list(
                {
                    "name": text(),
                    "protocol": text(default="tcp", valid=pattern("^(tcp|udp|sctp)$")),
                    "targetPort": integer(required=True),
                    "publishedPort": integer(computed=True),
                    "publishMode": text(default="ingress", valid=pattern("^(host|ingress)$")),
                }
            ),
        },
        computed=True,
    ),
    "convergeConfig": nested(
        {"delay": text(default="7s", valid=duration), "timeout": text(default="3m", valid=duration)}
    ),
}
