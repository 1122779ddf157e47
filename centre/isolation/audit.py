"""What readiness checks ask of the reading: who may come into a tenant's database, and what its logins may do there."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass

from centre.isolation import reading
from centre.isolation.reach import MIGHTY, POWERS, TENANT, Reach, is_tenant, tenant_of
from centre.isolation.reading import PUBLIC, Cluster, Contents, Database, Role
from centre.reach.psql import CellSql
from stacks.configs.postgres import OWNER

HOSTING = frozenset({OWNER, *POWERS})


@dataclass(frozen=True)
class Entry:
    """Who may connect. `everybody`: databases open to all; `connect`: tenant's database → roles that may, by whatever
    way, the hosting's own left out."""

    everybody: tuple[str, ...]
    connect: Mapping[str, tuple[str, ...]]


@dataclass(frozen=True)
class Rights:
    """What a tenant's database lets its visitors do. PUBLIC stands for everybody.

    `usage`: role → schemas that it may use; `beyond`: role → `schema.object RIGHT` outside its own schema of
    this tenant; `foreign_owned`: objects that do not belong to the owner of all.
    """

    usage: Mapping[str, tuple[str, ...]]
    beyond: Mapping[str, tuple[str, ...]]
    foreign_owned: tuple[str, ...]


def entry(cluster: Cluster) -> Entry:
    """Who may connect to which database."""
    groups = _groups(cluster)
    return Entry(
        everybody=tuple(sorted(d.name for d in cluster.databases.values() if d.open and PUBLIC in _holders(d))),
        connect={
            database.name: tuple(sorted(_able(groups, _holders(database))))
            for database in cluster.databases.values()
            if is_tenant(database.name)
        },
    )


def grantees(database: Database) -> tuple[str, ...]:
    """Who was granted to connect: roles by name, PUBLIC for everybody; not the owner."""
    return tuple(sorted(_holders(database) - {database.owner}))


def roles_of(cluster: Cluster, tenant: str) -> dict[str, Role]:
    """The tenant's own roles by name."""
    return {name: role for name, role in cluster.roles.items() if tenant_of(name) == tenant}


def mighty(cluster: Cluster, role: Role) -> bool:
    """Whether a role may do more than log in: a power of its own, or handing a group on."""
    return bool(role.powers) or any(m.member == role.name and m.admin for m in cluster.members)


def rights(cluster: Cluster, tenant: str, contents: Contents) -> Rights:
    """What roles of tenants, and everybody, may do inside one tenant's database, which has these contents."""
    usage: dict[str, set[str]] = defaultdict(set)
    beyond: dict[str, set[str]] = defaultdict(set)
    groups = _groups(cluster)
    for right in contents.rights:
        for role in _visitors(groups, right.grantee):
            if right.kind == "schema" and right.privilege == "USAGE":
                usage[role].add(right.schema)
            elif right.kind in ("relation", "column", "function") and role != f"{tenant}_{right.schema}":
                name = right.name.removeprefix(f"{right.schema}.")  # a function's comes with its schema in front
                beyond[role].add(f"{right.schema}.{name} {right.privilege}")
    return Rights(
        {role: tuple(sorted(schemas)) for role, schemas in usage.items()},
        {role: tuple(sorted(names)) for role, names in beyond.items()},
        tuple(sorted(f"{o.name} ({o.kind})" for o in contents.objects if o.owner not in ("", OWNER))),
    )


def server(cell: CellSql) -> Entry:
    """`entry` of a running cell."""
    return entry(reading.cluster(cell))


def database(cell: CellSql, name: str) -> Rights:
    """`rights` in one database of a running cell."""
    return rights(reading.cluster(cell), name, reading.contents(cell, [name])[name])


def _holders(database: Database) -> set[str]:
    return {grant.grantee for grant in database.grants if grant.privilege == "CONNECT"} | {database.owner}


def _groups(cluster: Cluster) -> dict[str, set[str]]:
    """Group → roles that are it or can become it; under PUBLIC those who can grant themselves everything."""
    reach, behind = Reach(cluster), defaultdict(set)
    for role in cluster.roles.values():
        if role.name in HOSTING:
            continue
        for group in reach.becomes(role.name):
            behind[group].add(role.name)
        if role.powers & MIGHTY:
            behind[PUBLIC].add(role.name)
    return dict(behind)


def _able(groups: Mapping[str, set[str]], holders: set[str]) -> set[str]:
    if PUBLIC in holders:
        return {PUBLIC}
    return groups.get(PUBLIC, set()).union(*(groups.get(holder, set()) for holder in holders)) - HOSTING


def _visitors(groups: Mapping[str, set[str]], grantee: str) -> set[str]:
    """Logins of tenants behind a grantee; PUBLIC itself stands for them all."""
    if grantee == PUBLIC:
        return {PUBLIC}
    return {role for role in groups.get(grantee, ()) if (match := TENANT.fullmatch(role)) and match[2]}
