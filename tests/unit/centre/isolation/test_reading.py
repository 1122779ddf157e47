"""What psql prints becomes typed facts, and databases that take no connections are not visited."""

from __future__ import annotations

from centre.isolation import reading
from centre.isolation.reading import Door, Grant, Membership, Right, Role, Thing

CLUSTER = {
    "roles": [["t10000", False, []], ["asp_provisioner", True, ["CREATEROLE"]]],
    "members": [["t10000_irat", "t10000", False, True, False]],
    "same_password": [["a", "b"]],
    "databases": [
        ["t10000", "asp_owner", False, True, [["t10000", "CONNECT", False]]],
        ["template0", "postgres", True, False, []],
    ],
    "doors": [["hostssl", ["samerole"], ["all"], "samenet", "scram-sha-256", ["clientcert=verify-ca"], ""]],
    "maps": [["nodes", "node-1", "asp_replicator"]],
    "settings": [["t10000", "", "row_security=off"]],
    "parameters": [["log_statement", "t10000", "SET"]],
    "tablespaces": [["leak", "t10000"]],
}
CONTENTS = {
    "database": "t10000",
    "objects": [["schema", "irat", "asp_owner", ""]],
    "rights": [["schema", "irat", "", "t10000_irat", "USAGE"]],
}


class Psql:
    """Answers the two scripts and keeps what it was given."""

    def __init__(self):
        self.scripts = []

    def rows(self, sql, **options):
        assert options["role"] == "postgres"
        self.scripts.append(sql)
        return [CLUSTER] if sql == reading.CLUSTER else [CONTENTS]


def test_a_cell_is_read_in_two_scripts():
    psql = Psql()
    facts = reading.read(psql)
    assert len(psql.scripts) == 2
    assert '\\connect "t10000"' in psql.scripts[1] and "template0" not in psql.scripts[1]
    cluster = facts.cluster
    assert cluster.roles["asp_provisioner"] == Role("asp_provisioner", True, frozenset({"CREATEROLE"}))
    assert cluster.members == (Membership("t10000_irat", "t10000", admin=False, inherit=True, set_role=False),)
    assert cluster.databases["t10000"].grants == (Grant("t10000", "CONNECT", False),)
    assert cluster.doors == (
        Door("hostssl", ("samerole",), ("all",), "samenet", "scram-sha-256", ("clientcert=verify-ca",), ""),
    )
    assert cluster.doors[0].line == "hostssl samerole all samenet scram-sha-256 clientcert=verify-ca"
    assert cluster.same_password == (("a", "b"),)
    assert (cluster.maps[0].role, cluster.settings[0].setting) == ("asp_replicator", "row_security=off")
    assert (cluster.parameters[0].role, cluster.tablespaces[0].owner) == ("t10000", "t10000")
    assert facts.contents["t10000"].objects == (Thing("schema", "irat", "asp_owner", ""),)
    assert facts.contents["t10000"].rights == (Right("schema", "irat", "", "t10000_irat", "USAGE"),)


def test_no_database_is_no_question():
    psql = Psql()
    assert reading.contents(psql, []) == {}
    assert psql.scripts == []
