"""A PostgreSQL node as a Swarm service: of a cell, or alone for a service that has a database to itself."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import pulumi

from inventory import memory, placement
from inventory.placement import Place
from stacks.components.context import Context
from stacks.components.service import File, Health, ServiceArgs, SwarmService
from stacks.configs import patroni, pgbackrest
from stacks.configs.postgres import (
    CELL_LOCAL,
    CELL_RULES,
    UID,
    Login,
    Rule,
    Server,
    bootstrap_cell,
    bootstrap_login,
    pg_hba_conf,
    pg_ident_conf,
    postgresql_conf,
)

USER = f"{UID}:{UID}"
# A clone or the recovery of a large cell takes long (62.5 s at 256 databases on a busy machine); until it serves,
# nothing but its own end may end it.
START_SECONDS = 6 * 3600
# A run gives up waiting for it much earlier, since what never starts looks the same: the node goes on all the same.
CONVERGE_SECONDS = 900


class NodeArgs(Protocol):
    """What a node needs: its network, its server settings, and the files that make it one kind or the other."""

    @property
    def network(self) -> str: ...

    @property
    def server(self) -> Server: ...

    def files(self) -> dict[str, File]:
        """Access rules, bootstrap and, where WAL is archived, pgBackRest's settings."""
        ...


@dataclass(frozen=True)
class CellNodeArgs:
    """A node of a cell: tenants' databases, archived to the repository host `backup`."""

    network: str
    server: Server
    backup: str
    pooler_password: str

    def files(self) -> dict[str, File]:
        return {
            "/etc/asp/pg_hba.conf": File(pg_hba_conf(CELL_RULES, CELL_LOCAL)),
            "/etc/asp/pg_ident.conf": File(pg_ident_conf(CELL_LOCAL)),
            "/etc/asp/pgbackrest.conf": File(pgbackrest.node_conf(self.server.stanza or "", self.backup)),
            "/run/secrets/bootstrap.sql": _secret(bootstrap_cell(self.pooler_password)),
        }


@dataclass(frozen=True)
class SingleNodeArgs:
    """A node with one database for one login, over TLS with a password; `mutual`: and a certificate of our root."""

    network: str
    login: Login
    mutual: bool = False
    # Keycloak itself has its users' sessions written without waiting for the disk.
    server: Server = Server(memory=memory.IDENTITY_DB, max_connections=100, tenants=False)

    def files(self) -> dict[str, File]:
        rule = Rule(self.login.database, self.login.role, self.mutual)
        return {
            "/etc/asp/pg_hba.conf": File(pg_hba_conf([rule])),
            "/etc/asp/pg_ident.conf": File(pg_ident_conf()),
            "/run/secrets/bootstrap.sql": _secret(bootstrap_login(self.login)),
        }


def _secret(content: str) -> File:
    return File(content, secret=True, uid=UID, mode=0o400)


class PostgresNode(pulumi.ComponentResource):
    """One PostgreSQL service with its volume of the same name. Output: `name`."""

    def __init__(self, ctx: Context, name: str, args: NodeArgs, place: Place):
        super().__init__("asp:hosting:PostgresNode", ctx.short(name), {})
        # Not protected: `make clean` must be able to remove an environment. What keeps data is that the volume's
        # inputs are its name and labels, which nothing changes, and that `make down` leaves volumes alone.
        volume = ctx.volume(name, place)
        server = args.server
        service = SwarmService(
            ctx,
            name,
            ServiceArgs(
                image="postgres",
                networks=[args.network],
                health=Health(["asp-postgres-healthy"], start_period=START_SECONDS),
                user=USER,
                uid=UID,
                memory=server.memory,
                place=place,
                files={"/etc/asp/postgresql.conf": File(postgresql_conf(server)), **args.files()},
                volumes={"/data": volume.name},
                tmpfs={"/run/asp": 16, "/tmp": 64, "/dev/shm": 128},
                start_first=False,
                stop_grace=60,
                converge=CONVERGE_SECONDS,
            ),
            opts=pulumi.ResourceOptions(parent=self),
        )
        self.name = service.name
        self.register_outputs({"name": self.name})


class PatroniNode(pulumi.ComponentResource):
    """One of a cell's three nodes with its volume of the same name. Output: `name`.

    `opts`: depends on the node before it, so that a change rolls from node to node, each in service before the next.
    """

    def __init__(
        self, ctx: Context, name: str, server: Server, pooler_password: str, opts: pulumi.ResourceOptions | None = None
    ):
        # A cell that grows from one node keeps that node's service, and all that is mounted in it, as its first.
        grown = pulumi.ResourceOptions(aliases=[pulumi.Alias(type_="asp:hosting:PostgresNode")])
        super().__init__("asp:hosting:PatroniNode", ctx.short(name), {}, pulumi.ResourceOptions.merge(opts, grown))
        cell = ctx.cell
        place = placement.node(ctx.environment, ctx.cell_entry, cell.postgres.index(name))
        volume = ctx.volume(name, place)
        node = patroni.Node(name, ctx.own_cell, cell.etcd, ctx.secrets.password("etcd_patroni"))
        service = SwarmService(
            ctx,
            name,
            ServiceArgs(
                image="postgres",
                arguments=["asp-node", "serve"],
                networks=[cell.data_network.name],
                health=Health(["asp-node-healthy"], start_period=START_SECONDS),
                user=USER,
                uid=UID,
                memory=server.memory + memory.PATRONI,
                place=place,
                environment={"ASP_FOUNDER": "1"} if name == cell.postgres[0] else {},
                files={
                    "/run/secrets/patroni.yml": _secret(patroni.patroni_yml(node, server)),
                    "/run/secrets/bootstrap.sql": _secret(bootstrap_cell(pooler_password, replicated=True)),
                    "/etc/asp/dcs.json": File(patroni.shared_json(server)),
                    "/etc/asp/pg_hba.conf": File(pg_hba_conf(CELL_RULES, CELL_LOCAL, cell.postgres)),
                    "/etc/asp/pg_ident.conf": File(pg_ident_conf(CELL_LOCAL, cell.postgres)),
                    "/etc/asp/pgbackrest.conf": File(pgbackrest.node_conf(server.stanza or "", cell.backup)),
                },
                volumes={"/data": volume.name},
                tmpfs={"/run/asp": 16, "/tmp": 64, "/dev/shm": 128},
                start_first=False,
                stop_grace=60,
                converge=CONVERGE_SECONDS,
            ),
            opts=pulumi.ResourceOptions(parent=self),
        )
        self.name = service.name
        self.register_outputs({"name": self.name})
