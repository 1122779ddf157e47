"""A cell's pgBackRest repository host: WAL and backups from the nodes over mutual TLS, on the register's schedule."""

import json

import pulumi

from inventory import memory, placement
from inventory.names import Port
from stacks.components.context import context
from stacks.components.postgres_node import USER
from stacks.components.service import File, Health, ServiceArgs, SwarmService
from stacks.configs import pgbackrest
from stacks.configs.postgres import UID

ctx = context()
cell = ctx.cell
settings = ctx.environment.backup
schedule = {
    "stanza": ctx.own_cell,
    "repositories": {number: pgbackrest.folder(number) for number in pgbackrest.PLACES},
    "full": settings.full,
    "differential": settings.differential,
    "incremental": settings.incremental,
    "metrics_port": Port.BACKUP_METRICS.value,
}

place = placement.backup(ctx.environment, ctx.cell_entry)
volume, vault = ctx.volume(cell.backup, place), ctx.volume(cell.vault, place)
service = SwarmService(
    ctx,
    cell.backup,
    ServiceArgs(
        image="postgres",
        arguments=["asp-backup", "serve"],
        networks=[cell.data_network.name],
        health=Health(["pgbackrest", "server-ping", "--log-level-console=error"]),
        user=USER,
        uid=UID,
        memory=memory.BACKUP,
        place=place,
        files={
            "/etc/asp/pgbackrest.conf": File(
                pgbackrest.repository_conf(ctx.own_cell, cell.postgres, settings.retention_full)
            ),
            "/etc/asp/backup.json": File(json.dumps(schedule)),
            f"{pgbackrest.INCLUDED}/keys.conf": File(
                pgbackrest.keys_conf({number: ctx.secrets.password(key) for number, key in pgbackrest.KEYS.items()}),
                secret=True,
                uid=UID,
                mode=0o400,
            ),
        },
        environment={"PGBACKREST_CONFIG_INCLUDE_PATH": pgbackrest.INCLUDED},
        volumes={pgbackrest.PLACES[pgbackrest.DAILY]: volume.name, pgbackrest.PLACES[pgbackrest.VAULT]: vault.name},
        tmpfs={"/run/asp": 16, "/tmp": 64},
        start_first=False,
    ),
)
pulumi.export("backup", service.name)
pulumi.export("volume", volume.name)
