"""A cell's PostgreSQL nodes and the proxy (PgBouncer and HAProxy) through which app servers reach them."""

import pulumi

from inventory import memory, placement
from stacks.components.context import context
from stacks.components.etcd import EtcdMember, fencer
from stacks.components.postgres_node import USER, CellNodeArgs, PatroniNode, PostgresNode
from stacks.components.service import File, Health, ServiceArgs, SwarmService
from stacks.configs import dbproxy
from stacks.configs.postgres import RESERVED_CONNECTIONS, UID, Server

ctx = context()
cell = ctx.cell
room = ctx.environment.server_connections(ctx.cell_entry)
caps = ctx.environment.caps_of(ctx.own_cell)
other_caps = {m.tenant: m.limits for m in ctx.register.joined(ctx.own_cell) if m.limits != caps}
pooler_password = ctx.secrets.password("postgres_pooler")

server = Server(
    memory=memory.POSTGRES,
    # The pooler has no global cap: every tenant at its limit must fit, or all see "remaining slots are reserved".
    max_connections=room + RESERVED_CONNECTIONS,
    stanza=ctx.own_cell,
)
nodes: list[PostgresNode | PatroniNode] = []
if cell.nodes == 1:
    args = CellNodeArgs(cell.data_network.name, server, cell.backup, pooler_password)
    nodes.append(PostgresNode(ctx, cell.postgres[0], args, placement.node(ctx.environment, ctx.cell_entry, 0)))
else:
    # Each after the one before it: a change rolls through the cell and takes neither quorum nor standby away.
    members: list[EtcdMember] = []
    for name in cell.etcd:
        members.append(EtcdMember(ctx, name, pulumi.ResourceOptions(depends_on=members[-1:])))
    for name in cell.postgres:
        opts = pulumi.ResourceOptions(depends_on=[*members, *nodes[-1:]])
        nodes.append(PatroniNode(ctx, name, server, pooler_password, opts))
    fencers = [fencer(ctx, name, gate) for name, gate in zip(cell.fencer, cell.gate, strict=True)]
proxy = SwarmService(
    ctx,
    cell.proxy,
    ServiceArgs(
        image="dbproxy",
        networks=[cell.data_network.name, cell.apps_network.name],
        health=Health(["asp-dbproxy-healthy"]),
        user=USER,
        uid=UID,
        memory=memory.PROXY,
        place=placement.proxy(ctx.environment, ctx.cell_entry),
        files={
            "/etc/asp/pgbouncer.ini": File(dbproxy.pgbouncer_ini(caps, other_caps, cell.nodes)),
            "/etc/asp/haproxy.cfg": File(dbproxy.haproxy_cfg(cell.postgres)),
            dbproxy.USERLIST: File(dbproxy.userlist(pooler_password), secret=True, uid=UID, mode=0o400),
        },
        tmpfs={"/run/asp": 16, "/tmp": 16},
    ),
)
pulumi.export("nodes", [node.name for node in nodes])
pulumi.export("proxy", proxy.name)
