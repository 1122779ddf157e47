"""Who may reach which page: every address of every system, compared with a table that people read.

`data/permissions.yaml`: system → roles → names of addresses. `any role`: every clerk with a role in the system;
`anybody`: also who has not signed in.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator
from pathlib import Path

import yaml
from django.urls import URLPattern, get_resolver

TABLE = yaml.safe_load((Path(__file__).parent / "data" / "permissions.yaml").read_text(encoding="utf-8"))
# They change something and name no role: whoever may see the page may do it, and it is their own.
OWN = {
    "elugy": {"attach", "begin", "detach", "discard", "review", "sign-out", "step"},  # a citizen's own forms
    "helpdesk": {"add", "new"},  # reports are every clerk's, and a message goes to one's own
    "keret": {"sign-out"},
}


def views() -> Iterator[tuple[str, str, Callable]]:
    """System, name and view of each address."""
    for resolver in get_resolver("tests.systems.urls").url_patterns:
        if not isinstance(resolver, URLPattern):  # those of sign-in belong to no system
            for entry in resolver.url_patterns:
                yield str(resolver.pattern).strip("/"), entry.name, entry.callback


def closed_over(view: Callable, name: str) -> tuple[str, ...] | None:
    """What a decorator around a view was given under that name; None without such a decorator."""
    while view is not None:
        code = getattr(view, "__code__", None)
        if code and name in code.co_freevars:
            return view.__closure__[code.co_freevars.index(name)].cell_contents
        view = getattr(view, "__wrapped__", None)
    return None


def who(view: Callable) -> str:
    if roles := closed_over(view, "roles"):
        return " ".join(sorted(roles))
    return "anybody" if getattr(view, "open_to_all", False) else "any role"


def test_each_address_is_for_those_whom_the_table_names():
    current: dict[str, dict[str, list[str]]] = defaultdict(lambda: defaultdict(list))
    for system, name, view in views():
        current[system][who(view)].append(name)
    sorted_names = {s: {roles: sorted(names) for roles, names in pages.items()} for s, pages in current.items()}
    assert sorted_names == TABLE


def test_what_changes_something_is_for_named_roles_unless_it_is_ones_own():
    nameless = defaultdict(set)
    for system, name, view in views():
        if "POST" in closed_over(view, "request_method_list") and not closed_over(view, "roles"):
            nameless[system].add(name)
    assert nameless == OWN


def test_the_table_is_of_every_system_and_its_roles_are_those_of_the_catalogue():
    from tests.systems.support import CATALOGUE

    roles = {entry["id"]: set(entry["roles"]) for entry in CATALOGUE}
    assert set(TABLE) == set(roles)
    for system, pages in TABLE.items():
        in_table = {role for key in pages if key not in ("any role", "anybody") for role in key.split()}
        assert in_table <= roles[system], system
    assert sum(len(names) for pages in TABLE.values() for names in pages.values()) > 200
