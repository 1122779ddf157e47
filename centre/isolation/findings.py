"""Everything in a cell's catalogues that is no part of a tenant as the suite makes it, and could open it.

A database is measured against the template that it was cloned from, rights against their owners, the server against
what lets tenants in.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from centre.isolation.reach import POWERS, TENANT, is_tenant, opens_tenants, tenant_of
from centre.isolation.reading import PUBLIC, TABLE_RIGHTS, Cluster, Contents, Database, Facts, Membership, Right
from stacks.configs.postgres import BUSY, OWNER, PROVISIONER, TEMPLATE, TEMPORARY

OWN_RIGHTS = {"USAGE", *TABLE_RIGHTS}  # of a login in its own schema

# Rights of a tenant's logins beyond their own schemas: (login, schema, object or nothing, privilege).
Shares = frozenset[tuple[str, str, str, str]]


@dataclass(frozen=True, order=True)
class Finding:
    """One thing that should not be. `place`: database, or `cluster`."""

    place: str
    kind: str
    detail: str

    def __str__(self) -> str:
        return f"{self.place}: {self.kind}: {self.detail}"


def findings(facts: Facts, shares: Mapping[str, Shares]) -> list[Finding]:
    """Everything that should not be, sorted. `shares`: tenant → what its logins may reach outside their schemas."""
    results = {Finding("cluster", kind, detail) for kind, detail in _cluster(facts.cluster)}
    template = facts.contents.get(TEMPLATE, Contents())
    for name, contents in facts.contents.items():
        results |= {Finding(name, *item) for item in _rights(name, contents.rights, shares.get(name, frozenset()))}
        if is_tenant(name):
            results |= {Finding(name, *item) for item in _differences(template, contents)}
        if is_tenant(name) or name == TEMPLATE:
            results |= {
                Finding(name, f"owner of {entry.kind}", f"{entry.name}: {entry.owner}, wanted {OWNER}")
                for entry in contents.objects
                if entry.owner not in ("", OWNER)
            }
    return sorted(results)


def _cluster(cluster: Cluster) -> Iterator[tuple[str, str]]:
    for role in cluster.roles.values():
        allowed = POWERS.get(role.name, frozenset())
        if allowed is not None and (powers := role.powers - allowed):
            yield "power", f"{role.name}: {', '.join(sorted(powers))}"
        if is_tenant(role.name) and role.login:
            yield "login", f"{role.name}: a group that may log in"
    for membership in cluster.members:
        yield from _membership(membership)
    for names in cluster.same_password:
        yield "password", f"one for {', '.join(names)}"
    for database in cluster.databases.values():
        if database.open:
            yield from _database(database)
    yield from _doors(cluster)
    for line in cluster.maps:
        if line.role not in POWERS:
            yield "identity map", f"{line.name}: {line.outside} is {line.role}"
    for setting in cluster.settings:
        if tenant_of(setting.database) or tenant_of(setting.role):
            yield "setting", f"{setting.role or 'everybody'} in {setting.database}: {setting.setting}"
    for grant in cluster.parameters:
        if grant not in ((BUSY, PROVISIONER, "SET"), (TEMPORARY, PROVISIONER, "SET")):
            yield "parameter", f"{grant.parameter}: {grant.privilege} for {grant.role}"
    for tablespace in cluster.tablespaces:
        yield "tablespace", f"{tablespace.name} of {tablespace.owner}"


def _membership(membership: Membership) -> Iterator[tuple[str, str]]:
    own = TENANT.fullmatch(membership.member)
    if own or tenant_of(membership.group):
        regular = own and own[2] and membership.group == own[1] and membership[2:] == (False, True, False)
        if not regular and membership.member not in (PROVISIONER, "postgres"):
            ways = (("admin", membership.admin), ("inherit", membership.inherit), ("set", membership.set_role))
            options = ", ".join(way for way, on in ways if on) or "nothing inherited"
            yield "membership", f"{membership.member} in {membership.group} ({options})"
    elif membership.member not in POWERS:
        yield "membership", f"{membership.member} in {membership.group}"


def _database(database: Database) -> Iterator[tuple[str, str]]:
    name, tenant = database.name, is_tenant(database.name)
    if tenant and database.owner != OWNER:
        yield "owner of database", f"{name}: {database.owner}, wanted {OWNER}"
    if tenant and database.template:
        yield "template", f"{name}: anybody who may create databases may copy it"
    for grant in database.grants:
        own = tenant and grant == (name, "CONNECT", False)
        for_all = grant.grantee == PUBLIC and grant.privilege == "CONNECT"
        if grant.grantee != database.owner and not own and (tenant or for_all or tenant_of(grant.grantee)):
            yield "database", f"{name}: {grant.privilege} for {grant.grantee}"


def _doors(cluster: Cluster) -> Iterator[tuple[str, str]]:
    for door in cluster.doors:
        if door.error:
            yield "door", f"{door.line}: {door.error}"
        elif door.method != "reject":
            strong = door.type == "hostssl" and door.method in ("scram-sha-256", "cert")
            if opens_tenants(door) or not (strong or door.type == "local"):
                yield "door", door.line


def _rights(database: str, rights: Iterable[Right], shared: Shares) -> Iterator[tuple[str, str]]:
    """All rights but what a tenant's own logins need in their own schemas, and what is shared with them."""
    for right in rights:
        login = TENANT.fullmatch(right.grantee)
        if login and login[1] == database and login[2] and right.kind in ("schema", "relation", "function", "default"):
            at_home = right.kind != "function" and right.schema == login[2] and right.privilege in OWN_RIGHTS
            # A function's name comes with its schema in front.
            name = right.name.removeprefix(f"{right.schema}.") if right.kind == "function" else right.name
            is_share = (right.grantee, right.schema, name, right.privilege) in shared
            if at_home or (right.kind != "default" and is_share):
                continue
        elif right.grantee == OWNER or (tenant_of(database) is None and right.grantee.startswith("asp_")):
            continue  # the pooler's and the provisioner's own databases
        place = ".".join(part for part in (right.schema, right.name) if part)
        yield f"right on {right.kind}", f"{place}: {right.privilege} for {right.grantee}"


def _differences(template: Contents, contents: Contents) -> Iterator[tuple[str, str]]:
    expected = {(entry.kind, entry.name): entry.detail for entry in template.objects}
    actual = {(entry.kind, entry.name): entry.detail for entry in contents.objects}
    for kind, name in actual.keys() - expected.keys():
        yield kind, f"{name}: not in {TEMPLATE}"
    for kind, name in expected.keys() - actual.keys():
        yield kind, f"{name}: gone, it is in {TEMPLATE}"
    for kind, name in expected.keys() & actual.keys():
        if expected[kind, name] != actual[kind, name]:
            yield kind, f"{name}: differs from {TEMPLATE}"
