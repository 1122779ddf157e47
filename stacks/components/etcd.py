"""A cell's three etcd members and its fencer as Swarm services."""

from __future__ import annotations

import json

import pulumi

from inventory.names import Port
from stacks.components.context import Context
from stacks.components.service import File, Health, ServiceArgs, SwarmService
from stacks.configs.patroni import scope

UID = 5380  # of user etcd in image `etcd`


def logins_json(ctx: Context) -> str:
    """`etcd.json`: who may do what. The fencer may delete the leader's key and change nothing else."""
    place = scope(ctx.own_cell)
    users = {
        "patroni": {"password": ctx.secrets.password("etcd_patroni"), "write": [place]},
        "fencer": {"password": ctx.secrets.password("etcd_fencer"), "read": [place], "write": [f"{place}leader"]},
    }
    return json.dumps({"root": ctx.secrets.password("etcd_root"), "users": users})


class EtcdMember(pulumi.ComponentResource):
    """One member with its volume of the same name. Output: `name`."""

    def __init__(self, ctx: Context, name: str, opts: pulumi.ResourceOptions | None = None):
        super().__init__("asp:hosting:EtcdMember", ctx.short(name), {}, opts)
        cell = ctx.cell
        volume = ctx.volume(name)
        service = SwarmService(
            ctx,
            name,
            ServiceArgs(
                image="etcd",
                networks=[cell.data_network.name],
                health=Health(["asp-member-healthy"]),
                user=f"{UID}:{UID}",
                uid=UID,
                memory=192,
                environment={
                    "ASP_MEMBER": name,
                    "ASP_MEMBERS": ",".join(cell.etcd),
                    "ASP_CLUSTER": cell.etcd_cluster,
                },
                files={"/run/secrets/etcd.json": File(logins_json(ctx), secret=True, uid=UID, mode=0o400)},
                volumes={"/data": volume.name},
                tmpfs={"/tmp": 16},
                start_first=False,
            ),
            opts=pulumi.ResourceOptions(parent=self),
        )
        self.name = service.name
        self.register_outputs({"name": self.name})


def fencer(ctx: Context, name: str) -> SwarmService:
    """The service that fences a dead leader. It holds the engine's socket, so it is root here: see ADR 0016."""
    cell = ctx.cell
    volume = ctx.volume(name)
    settings = {
        "scope": scope(ctx.own_cell),
        "nodes": cell.postgres,
        "etcd": [f"{member}:{Port.ETCD.value}" for member in cell.etcd],
        "password": ctx.secrets.password("etcd_fencer"),
        "node_port": Port.PATRONI.value,
        "metrics_port": Port.FENCER.value,
    }
    return SwarmService(
        ctx,
        name,
        ServiceArgs(
            image="etcd",
            arguments=["asp-failover", "watch"],
            networks=[cell.data_network.name],
            health=Health(["asp-watch-healthy"]),
            user="0:0",  # the socket's owner; every capability is dropped
            uid=0,
            memory=96,
            files={"/run/secrets/fencer.json": File(json.dumps(settings), secret=True, mode=0o400)},
            volumes={"/audit": volume.name},
            binds={"/var/run/docker.sock": "/var/run/docker.sock"},
            tmpfs={"/tmp": 16},
            start_first=False,
        ),
    )
