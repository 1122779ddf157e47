"""Which tenant reaches which other, plane by plane: every one against every other, as sets. Nobody may."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from centre.isolation.reach import Reach, tenants
from centre.isolation.reading import Facts

# The right to connect, the doors of pg_hba, memberships of roles, rights on anything inside.
PLANES = ("connect", "doors", "membership", "objects")

Pair = tuple[str, str]


@dataclass(frozen=True)
class Matrix:
    """Plane → (from, to) pairs of tenants. `examined`: ordered pairs times planes."""

    tenants: int
    reached: Mapping[str, frozenset[Pair]] = field(repr=False)

    @property
    def examined(self) -> int:
        return self.tenants * (self.tenants - 1) * len(PLANES)

    @property
    def forbidden(self) -> int:
        return sum(len(pairs) for pairs in self.reached.values())


def matrix(cells: Iterable[Facts]) -> Matrix:
    """Every tenant of all cells against every other. Those of different cells share no server: no plane joins them."""
    reached: dict[str, set[Pair]] = {plane: set() for plane in PLANES}
    count = 0
    for facts in cells:
        reach, names = Reach(facts.cluster), tenants(facts.cluster)
        count += len(names)
        for target in names:
            database = facts.cluster.databases[target]
            holders = {grant.grantee for grant in database.grants if grant.privilege == "CONNECT"} | {database.owner}
            for plane, roles in (
                ("connect", holders),
                ("doors", reach.doors(target)),
                ("membership", reach.roles_of(target)),
                ("objects", {right.grantee for right in facts.contents[target].rights}),
            ):
                reached[plane].update((source, target) for source in reach.tenants_behind(roles) if source != target)
    return Matrix(count, {plane: frozenset(pairs) for plane, pairs in reached.items()})
