"""A made-up catalogue of the whole country: what cells of sound tenants would say. For arithmetic, not proof."""

from __future__ import annotations

from centre.isolation.matrix import Facts
from stacks.configs.postgres import OWNER, PROVISIONER

DOORS = [
    {"type": "local", "databases": ["all"], "users": ["postgres"], "method": "peer", "options": [], "error": None},
    {"type": "hostssl", "databases": ["samerole"], "users": ["all"], "method": "scram-sha-256", "options": [],
     "error": None},
]  # fmt: skip


def cell(tenants: list[str], systems: list[str]) -> Facts:
    """One cell with these tenants and nothing else, every one as the suite makes it."""
    roles = {name: {"login": False, "powers": []} for name in (OWNER, *tenants)}
    roles[PROVISIONER] = {"login": True, "powers": ["CREATEDB", "CREATEROLE"]}
    logins = {f"{name}_{system}": name for name in tenants for system in systems}
    roles |= {login: {"login": True, "powers": []} for login in logins}
    members = [[login, group, False, True, False] for login, group in logins.items()]
    members += [[PROVISIONER, role, True, False, False] for role in (*tenants, *logins)]
    owned = [[OWNER, right, False] for right in ("CREATE", "TEMPORARY", "CONNECT")]
    databases = {
        name: {"owner": OWNER, "template": False, "acl": [*owned, [name, "CONNECT", False]]} for name in tenants
    }
    contents = {
        name: {
            "objects": [["schema", system, OWNER, ""] for system in systems],
            "rights": [
                [kind, system, thing, f"{name}_{system}", right]
                for system in systems
                for kind, thing, right in [("schema", "", "USAGE")]
                + [("relation", f"table_{n}", "SELECT") for n in range(7)]
            ],
        }
        for name in tenants
    }
    cluster = {
        "roles": roles, "members": members, "same_password": [], "databases": databases, "doors": DOORS, "maps": [],
        "settings": [], "parameters": [], "tablespaces": [],
    }  # fmt: skip
    return Facts(cluster, contents)


def country(count: int, systems: list[str], size: int = 256) -> list[Facts]:
    """`count` tenants in cells of `size`."""
    names = [f"t{number:05d}" for number in range(10000, 10000 + count)]
    return [cell(names[first : first + size], systems) for first in range(0, count, size)]
