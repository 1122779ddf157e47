"""The one place that builds a `docker.Service`: every service of the hosting is hardened and waited for alike.

Fixed here: endpoint mode dnsrr and published ports in host mode (Swarm's own balancing needs IP_VS, which not every
kernel has, and hides the caller's address), files as Swarm secrets and configs whose content's hash is part of both
names (they never change), restart after one second, logs that end somewhere.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import PurePosixPath

import pulumi
import pulumi_docker as docker

from inventory.daemon import LOG_DRIVER, LOG_OPTIONS
from inventory.names import DOMAIN_OF_NODE
from inventory.placement import Place
from stacks.components.context import Context
from stacks.configs.places import CERTIFICATE_FILE, KEY_FILE, ROOT_FILE

MIB = 1024 * 1024
# A container without a way out has no name server but Docker's own, which leaves a name that it does not know without
# an answer (seen with 20.10.24): glibc then waits twice for 5 s, and a member that looks for its peers before they have
# a name waits with it. And where the machine's own name server listens on the loopback, Docker asks it in the
# container's stead: a way out for whoever can put data into names. So none is handed on, and the wait is one second.
DNS_INSIDE = docker.ServiceTaskSpecContainerSpecDnsConfigArgs(
    nameservers=["127.0.0.1"], options=["timeout:1", "attempts:1"]
)


@dataclass(frozen=True)
class File:
    """A file given to a service. `secret` ones reach it through Swarm's encrypted store and memory only."""

    content: str
    secret: bool = False
    uid: int = 0
    mode: int = 0o444


@dataclass(frozen=True)
class Health:
    """A health check: command inside the container, and its times in seconds; `interval` once the service is up."""

    command: Sequence[str]
    interval: int = 5
    timeout: int = 5
    retries: int = 6
    start_period: int = 60


# Docker 20.10 first asks after one interval, and until it is answered a service has no name in any network; but each
# question of Docker's starts a process in a container. A short interval kept a fifth of two processors busy, a long one
# kept away for that long whatever had crashed. So the pace is kept inside: at first the question is put three times a
# second until it is answered, later after a pause. In order, in seconds: pause, patience, how long it is put again and
# again; then the question.
PACE = """
pause=$1 patience=$2 longest=$3; shift 3
read -r up _ </proc/uptime
age=$((${up%.*} - $(cut -d ' ' -f 22 /proc/1/stat) / 100))
sleep $((age / 2 < pause ? age / 2 : pause))
[ "$age" -lt 60 ] || exec timeout "$patience" "$@"
until timeout "$patience" "$@"; do
  read -r now _ </proc/uptime
  [ $((${now%.*} - ${up%.*})) -lt "$longest" ] || exit 1
  sleep 0.3
done
"""
LONGEST_SECONDS = 30


def _healthcheck(health: Health) -> docker.ServiceTaskSpecContainerSpecHealthcheckArgs:
    seconds = (health.interval, health.timeout, LONGEST_SECONDS)
    return docker.ServiceTaskSpecContainerSpecHealthcheckArgs(
        tests=["CMD", "sh", "-c", PACE, "health", *map(str, seconds), *health.command],
        interval=_duration(1),
        timeout=_duration(sum(seconds)),
        retries=health.retries,
        start_period=_duration(health.start_period),
    )


@dataclass(frozen=True)
class ServiceArgs:
    """What differs between services. Memory in MiB, tmpfs sizes in MiB, times in seconds."""

    image: str
    networks: Sequence[str]
    health: Health
    user: str
    memory: int
    place: Place
    uid: int = 10001
    tls: bool = True  # hand over the service's leaf certificate, readable by `uid` only, and the root
    environment: Mapping[str, str] = field(default_factory=dict)
    command: Sequence[str] = ()
    arguments: Sequence[str] = ()
    files: Mapping[str, File] = field(default_factory=dict)
    volumes: Mapping[str, pulumi.Input[str]] = field(default_factory=dict)  # mount path → volume name
    binds: Mapping[str, str] = field(default_factory=dict)  # mount path → path on the machine
    tmpfs: Mapping[str, int] = field(default_factory=dict)  # mount path → size
    ports: Mapping[int, int] = field(default_factory=dict)  # published → inside
    capabilities: Sequence[str] = ()
    read_only: bool = True
    start_first: bool = True  # impossible with a published port, a volume of one writer, or tasks that stay apart
    stop_grace: int = 20
    converge: int = 240


class SwarmService(pulumi.ComponentResource):
    """A Swarm service with its secrets and configs. `name` is its name on the daemon, from `inventory.names`."""

    def __init__(self, ctx: Context, name: str, args: ServiceArgs, opts: pulumi.ResourceOptions | None = None):
        short = ctx.short(name)
        super().__init__("asp:hosting:SwarmService", short, {}, opts)
        self._ctx, self._short = ctx, short
        self._child = pulumi.ResourceOptions(parent=self)
        files = dict(args.files)
        if args.tls:
            pair = ctx.secrets.tls(name)
            files[CERTIFICATE_FILE] = File(pair.chain, secret=True, uid=args.uid)
            files[KEY_FILE] = File(pair.key, secret=True, uid=args.uid, mode=0o400)
            files[ROOT_FILE] = File(ctx.root_certificate)
        secrets = [self._secret(path, file) for path, file in sorted(files.items()) if file.secret]
        configs = [self._config(path, file) for path, file in sorted(files.items()) if not file.secret]
        labels = [docker.ServiceLabelArgs(label=key, value=value) for key, value in sorted(ctx.labels.items())]
        self.service = docker.Service(
            short,
            name=name,
            labels=labels,
            task_spec=docker.ServiceTaskSpecArgs(
                container_spec=self._container(name, args, secrets, configs),
                networks_advanceds=[
                    docker.ServiceTaskSpecNetworksAdvancedArgs(id=ctx.network(network)) for network in args.networks
                ],
                resources=docker.ServiceTaskSpecResourcesArgs(
                    limits=docker.ServiceTaskSpecResourcesLimitsArgs(memory_bytes=args.memory * MIB)
                ),
                restart_policy=docker.ServiceTaskSpecRestartPolicyArgs(condition="any", delay="1s", window="0s"),
                log_driver=docker.ServiceTaskSpecLogDriverArgs(name=LOG_DRIVER, options=LOG_OPTIONS),
                placement=_placement(args.place),
            ),
            mode=docker.ServiceModeArgs(replicated=docker.ServiceModeReplicatedArgs(replicas=args.place.replicas)),
            endpoint_spec=docker.ServiceEndpointSpecArgs(
                mode="dnsrr",
                ports=[
                    docker.ServiceEndpointSpecPortArgs(
                        target_port=inside, published_port=published, publish_mode="host", protocol="tcp"
                    )
                    for published, inside in sorted(args.ports.items())
                ],
            ),
            update_config=docker.ServiceUpdateConfigArgs(
                parallelism=1,
                delay="0s",
                order=_order(args),
                failure_action="rollback",
                monitor="5s",
            ),
            converge_config=docker.ServiceConvergeConfigArgs(delay="1s", timeout=f"{args.converge}s"),
            opts=self._child,
        )
        self.name = self.service.name
        self.register_outputs({"name": self.name})

    def _container(
        self,
        name: str,
        args: ServiceArgs,
        secrets: list[docker.ServiceTaskSpecContainerSpecSecretArgs],
        configs: list[docker.ServiceTaskSpecContainerSpecConfigArgs],
    ) -> docker.ServiceTaskSpecContainerSpecArgs:
        mounts = (
            [
                docker.ServiceTaskSpecContainerSpecMountArgs(target=path, source=volume, type="volume")
                for path, volume in sorted(args.volumes.items())
            ]
            + [
                docker.ServiceTaskSpecContainerSpecMountArgs(target=path, source=source, type="bind")
                for path, source in sorted(args.binds.items())
            ]
            + [
                docker.ServiceTaskSpecContainerSpecMountArgs(
                    target=path,
                    type="tmpfs",
                    # No mode: the provider reads Docker's own, 1777, back without the sticky bit: a change each time.
                    tmpfs_options=docker.ServiceTaskSpecContainerSpecMountTmpfsOptionsArgs(size_bytes=size * MIB),
                )
                for path, size in sorted(args.tmpfs.items())
            ]
        )
        return docker.ServiceTaskSpecContainerSpecArgs(
            image=self._ctx.image(args.image),
            hostname=name,
            commands=list(args.command) or None,
            args=list(args.arguments) or None,
            env=dict(args.environment) or None,
            user=args.user,
            read_only=args.read_only,
            init=True,
            cap_drops=["ALL"],
            cap_adds=[f"CAP_{capability}" for capability in sorted(args.capabilities)] or None,
            mounts=mounts or None,
            secrets=secrets or None,
            configs=configs or None,
            stop_grace_period=_duration(args.stop_grace),
            healthcheck=_healthcheck(args.health),
            dns_config=DNS_INSIDE if self._inside(args.networks) else None,
        )

    def _inside(self, names: Sequence[str]) -> bool:
        """Whether every one of these networks is internal."""
        internal = {network.name.name: network.internal for network in self._ctx.register.networks}
        return all(internal[name] for name in names)

    def _secret(self, path: str, file: File) -> docker.ServiceTaskSpecContainerSpecSecretArgs:
        logical, physical = self._hashed(path, file)
        labels = [docker.SecretLabelArgs(label=key, value=value) for key, value in sorted(self._ctx.labels.items())]
        data = pulumi.Output.secret(_base64(file.content))
        secret = docker.Secret(logical, name=physical, data=data, labels=labels, opts=self._child)
        return docker.ServiceTaskSpecContainerSpecSecretArgs(
            secret_id=secret.id,
            secret_name=secret.name,
            file_name=path,
            file_uid=str(file.uid),
            file_gid=str(file.uid),
            file_mode=file.mode,
        )

    def _config(self, path: str, file: File) -> docker.ServiceTaskSpecContainerSpecConfigArgs:
        logical, physical = self._hashed(path, file)
        labels = [
            docker.ServiceConfigLabelArgs(label=key, value=value) for key, value in sorted(self._ctx.labels.items())
        ]
        config = docker.ServiceConfig(
            logical, name=physical, data=_base64(file.content), labels=labels, opts=self._child
        )
        return docker.ServiceTaskSpecContainerSpecConfigArgs(
            config_id=config.id,
            config_name=config.name,
            file_name=path,
            file_uid=str(file.uid),
            file_gid=str(file.uid),
            file_mode=file.mode,
        )

    def _hashed(self, path: str, file: File) -> tuple[str, str]:
        """Logical and physical name of a file. Swarm allows 64 characters, so a long middle is cut, never the hash."""
        tag = hashlib.sha256(f"{path}\0{file.content}".encode()).hexdigest()[:12]
        label = f"{self._short}-{PurePosixPath(path).name.replace('.', '-')}"
        return f"{label}-{tag}", f"{self._ctx.names.daemon_name(label)[:51]}-{tag}"


def _placement(place: Place) -> docker.ServiceTaskSpecPlacementArgs | None:
    """Nothing where nothing is bound. Constraints are sorted, as they are read back."""
    if not place.constraints:
        return None
    return docker.ServiceTaskSpecPlacementArgs(
        constraints=sorted(place.constraints),
        prefs=[DOMAIN_OF_NODE] if place.apart else None,
        max_replicas=1 if place.apart else None,
    )


def _order(args: ServiceArgs) -> str:
    """Whether an update starts the new task before it stops the old one.

    Not where tasks stay apart: Swarm counts the old one against the most that a machine may run, and where every
    machine has one, a new task waits for a place for ever (https://github.com/moby/moby/issues/40797).
    """
    return "start-first" if args.start_first and not args.ports and not args.place.apart else "stop-first"


def _duration(seconds: int) -> str:
    """Seconds in the form that is read back (`90` → `1m30s`, `60` → `1m`): any other is a change at each run."""
    minutes, rest = divmod(seconds, 60)
    hours, minutes = divmod(minutes, 60)
    parts = [f"{value}{unit}" for value, unit in ((hours, "h"), (minutes, "m"), (rest, "s")) if value]
    return "".join(parts) or "0s"


def _base64(content: str) -> str:
    return base64.b64encode(content.encode()).decode()
