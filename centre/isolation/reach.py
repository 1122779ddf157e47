"""Who stands behind a role, and which doors lead into a tenant's database: the rules that every question shares."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping

from centre.isolation.reading import PUBLIC, Cluster, Door
from stacks.configs.postgres import PROVISIONER, REPLICATOR

TENANT = re.compile(r"(t\d{5})(?:_([a-z]+))?")
# What roles of the hosting itself may do beyond logging in. `postgres` comes in by the node's own socket alone; None:
# whatever it likes.
POWERS: Mapping[str, frozenset[str] | None] = {
    "postgres": None,
    PROVISIONER: frozenset({"CREATEDB", "CREATEROLE"}),
    REPLICATOR: frozenset({"REPLICATION"}),
}
MIGHTY = frozenset({"SUPERUSER", "CREATEROLE"})  # grants itself the rest


def tenant_of(role: str) -> str | None:
    """`t16054` of `t16054` and of `t16054_irat`; None for other names."""
    match = TENANT.fullmatch(role)
    return match[1] if match else None


def is_tenant(name: str) -> bool:
    """Whether a database or role is named as a tenant itself, `t16054`."""
    return tenant_of(name) == name


def tenants(cluster: Cluster) -> list[str]:
    """Databases of tenants that take connections."""
    return sorted(name for name, database in cluster.databases.items() if database.open and is_tenant(name))


def opens_tenants(door: Door) -> bool:
    """Whether a pg_hba rule lets somebody into a tenant's database without being a member of the role named like it.

    `sameuser` opens the database named like a role to it, `samegroup` is an old name of `samerole`; a local rule counts
    where it asks for nothing, or is for others than administration.
    """
    if door.type == "local":
        return door.method != "peer" or any(user not in POWERS for user in door.users)
    return any(
        name in ("all", "sameuser", "samegroup") or name.startswith("/") or is_tenant(name) for name in door.databases
    )


class Reach:
    """Roles by what stands behind them: a member, by whatever chain, can become what it is a member of.

    How a membership was granted (inherit, set) does not count: pg_hba's `samerole` does not ask for it either.
    """

    def __init__(self, cluster: Cluster):
        self._all = set(tenants(cluster))
        self._above: dict[str, set[str]] = defaultdict(set)
        for member in cluster.members:
            self._above[member.member].add(member.group)
        self._behind: dict[str, set[str]] = defaultdict(set)
        self._roles: dict[str, set[str]] = defaultdict(set)
        for role in cluster.roles.values():
            tenant = tenant_of(role.name)
            if tenant is None:
                continue
            self._roles[tenant].add(role.name)
            for group in self.becomes(role.name):
                self._behind[group].add(tenant)
            if role.powers & MIGHTY:
                self._behind[PUBLIC].add(tenant)
        self._open = [door for door in cluster.doors if door.method != "reject" and opens_tenants(door)]

    def becomes(self, role: str) -> set[str]:
        """The role itself and every role that it can become."""
        reached: set[str] = set()
        pending = [role]
        while pending:
            if (current := pending.pop()) not in reached:
                reached.add(current)
                pending += self._above.get(current, ())
        return reached

    def tenants_behind(self, roles: Iterable[str]) -> set[str]:
        """Tenants one of whose roles is, or can become, one of `roles`."""
        grantees = set(roles)
        if PUBLIC in grantees:
            return self._all
        return self._behind.get(PUBLIC, set()).union(*(self._behind.get(role, ()) for role in grantees))

    def roles_of(self, tenant: str) -> set[str]:
        """The tenant's own roles: its group and its logins."""
        return self._roles.get(tenant, set())

    def doors(self, tenant: str) -> set[str]:
        """Roles that pg_hba lets into a tenant's database: members of the role named like it, and who else may."""
        roles = {tenant}
        for door in self._open:
            if any(name in ("all", tenant) or name.startswith("/") for name in door.databases):
                roles.update(_admitted(door))
        return roles


def _admitted(door: Door) -> Iterator[str]:
    for user in door.users:
        yield PUBLIC if user == "all" or user[:1] in "/+" else user
