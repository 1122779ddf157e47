"""A made-up cell of three sound tenants, and ways to change one thing in it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from centre.isolation.reading import Cluster, Contents, Facts, Right
from tests.support.country import country


class Cell:
    """Facts of a cell that a test changes step by step."""

    def __init__(self) -> None:
        (self.facts,) = country(3, ["irat", "keret"])

    def change(self, **fields) -> None:
        """Replace fields of the cluster."""
        self.facts = Facts(replace(self.facts.cluster, **fields), self.facts.contents)

    @property
    def cluster(self) -> Cluster:
        return self.facts.cluster

    def role(self, name: str, **fields) -> None:
        """Change a role."""
        self.change(roles={**self.cluster.roles, name: self.cluster.roles[name]._replace(**fields)})

    def database(self, name: str, **fields) -> None:
        """Change a database."""
        self.change(databases={**self.cluster.databases, name: replace(self.cluster.databases[name], **fields)})

    def grant(self, database: str, *right: str) -> None:
        """A right inside a database: kind, schema, name, grantee, privilege."""
        contents = self.facts.contents[database]
        changed = Contents(contents.objects, (*contents.rights, Right(*right)))
        self.facts = Facts(self.cluster, {**self.facts.contents, database: changed})


@pytest.fixture
def cell() -> Cell:
    return Cell()
