"""A cell's three etcd members, its fencer and the fencer's gate to the engine as Swarm services."""

from __future__ import annotations

import json

import pulumi

from inventory import memory, placement
from inventory.names import Port
from stacks.components.context import Context
from stacks.components.service import File, Health, ServiceArgs, SwarmService
from stacks.configs.patroni import scope

UID = 5380  # of user etcd in image `etcd`
SOCKET_FOLDER = "/run/engine"  # in the volume that the gate makes its socket in and the fencer reaches it by


def logins_json(ctx: Context) -> str:
    """`etcd.json`: who may do what. The fencer may delete the leader's key and change nothing else."""
    place = scope(ctx.own_cell)
    users = {
        "patroni": {"password": ctx.secrets.password("etcd_patroni"), "write": [place]},
        "fencer": {"password": ctx.secrets.password("etcd_fencer"), "read": [place], "write": [f"{place}leader"]},
    }
    return json.dumps({"root": ctx.secrets.password("etcd_root"), "users": users})


class EtcdMember(pulumi.ComponentResource):
    """One member with its volume of the same name, beside the node of its number. Output: `name`."""

    def __init__(self, ctx: Context, name: str, opts: pulumi.ResourceOptions | None = None):
        super().__init__("asp:hosting:EtcdMember", ctx.short(name), {}, opts)
        cell = ctx.cell
        place = placement.node(ctx.environment, ctx.cell_entry, cell.etcd.index(name))
        volume = ctx.volume(name, place)
        service = SwarmService(
            ctx,
            name,
            ServiceArgs(
                image="etcd",
                networks=[cell.data_network.name],
                health=Health(["asp-member-healthy"]),
                user=f"{UID}:{UID}",
                uid=UID,
                memory=memory.ETCD,
                place=place,
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


def fencer(ctx: Context, name: str, gate_name: str) -> SwarmService:
    """The service that fences a dead leader, by the calls that its gate lets through to the engine (ADR 0016, 0039)."""
    cell, place = ctx.cell, placement.fencer(ctx.environment, ctx.cell_entry)
    audit, socket = ctx.volume(name, place), ctx.volume(gate_name, place)
    through = gate(ctx, gate_name, socket.name)
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
            user=f"{UID}:{UID}",
            uid=UID,
            memory=memory.FENCER,
            place=place,
            files={"/run/secrets/fencer.json": File(json.dumps(settings), secret=True, uid=UID, mode=0o400)},
            volumes={"/audit": audit.name, SOCKET_FOLDER: socket.name},
            tmpfs={"/tmp": 16},
            start_first=False,
        ),
        opts=pulumi.ResourceOptions(depends_on=[through]),
    )


def gate(ctx: Context, name: str, socket: pulumi.Input[str]) -> SwarmService:
    """The service that holds the engine's socket and lets the fencer's calls about the cell's own nodes through.

    A service without any network would get Docker's own bridge, which has a way out: so it has an internal one, on
    which it neither listens nor asks.
    """
    cell = ctx.cell
    settings = {"nodes": cell.postgres, "network": cell.data_network.name}
    return SwarmService(
        ctx,
        name,
        ServiceArgs(
            image="etcd",
            arguments=["asp-failover", "gate"],
            networks=[ctx.names.network("engine").name],
            health=Health(["asp-watch-healthy"]),
            user=f"0:{UID}",  # the engine's socket is root's; every capability is dropped
            memory=memory.GATE,
            place=placement.fencer(ctx.environment, ctx.cell_entry),
            tls=False,
            files={"/run/secrets/gate.json": File(json.dumps(settings))},
            volumes={SOCKET_FOLDER: socket},
            binds={"/var/run/docker.sock": "/var/run/docker.sock"},
            tmpfs={"/tmp": 16},
            start_first=False,
        ),
    )
