"""A made-up catalogue of the whole country: what cells of sound tenants would say. For arithmetic, not proof."""

from __future__ import annotations

from centre.isolation.reading import (
    Cluster,
    Contents,
    Database,
    Door,
    Facts,
    Grant,
    Membership,
    Right,
    Role,
    Thing,
)
from stacks.configs.postgres import OWNER, PROVISIONER


def door(kind: str = "hostssl", databases: str = "samerole", users: str = "all", method: str = "scram-sha-256") -> Door:
    """A rule of pg_hba.conf; by default the one that lets tenants in."""
    return Door(kind, tuple(databases.split(",")), tuple(users.split(",")), "samenet", method, (), "")


DOORS = (door("local", "all", "postgres", "peer"), door())


def cell(tenants: list[str], systems: list[str]) -> Facts:
    """One cell with these tenants and nothing else, every one as the suite makes it."""
    logins = {f"{name}_{system}": name for name in tenants for system in systems}
    roles = [Role(name, False, frozenset()) for name in (OWNER, *tenants)]
    roles += [Role(PROVISIONER, True, frozenset({"CREATEDB", "CREATEROLE"}))]
    roles += [Role(login, True, frozenset()) for login in logins]
    members = [Membership(login, group, False, True, False) for login, group in logins.items()]
    members += [Membership(PROVISIONER, role, True, False, False) for role in (*tenants, *logins)]
    owned = tuple(Grant(OWNER, right, False) for right in ("CREATE", "TEMPORARY", "CONNECT"))
    databases = {
        name: Database(name, OWNER, template=False, open=True, grants=(*owned, Grant(name, "CONNECT", False)))
        for name in tenants
    }
    contents = {
        name: Contents(
            tuple(Thing("schema", system, OWNER, "") for system in systems),
            tuple(
                Right(kind, system, table, f"{name}_{system}", right)
                for system in systems
                for kind, table, right in [("schema", "", "USAGE")]
                + [("relation", f"table_{n}", "SELECT") for n in range(7)]
            ),
        )
        for name in tenants
    }
    return Facts(Cluster({role.name: role for role in roles}, tuple(members), databases, DOORS), contents)


def country(count: int, systems: list[str], size: int = 256) -> list[Facts]:
    """`count` tenants in cells of `size`."""
    names = [f"t{number:05d}" for number in range(10000, 10000 + count)]
    return [cell(names[first : first + size], systems) for first in range(0, count, size)]
