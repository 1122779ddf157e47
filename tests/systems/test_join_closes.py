"""A database that is open in ways that are closed today is seen by the isolation proof, and closed by the next join."""

from centre.database import apply, migrations
from centre.isolation import reading
from centre.isolation.findings import findings

OPENED = """
GRANT SELECT ON pg_stat_activity TO PUBLIC;
GRANT EXECUTE ON FUNCTION lo_create(oid), pg_stat_get_activity(integer) TO PUBLIC;
GRANT EXECUTE ON FUNCTION ado.balance_of(text) TO PUBLIC;
GRANT SELECT ON ado.citizen_balance TO t16054_elugy;
GRANT INSERT ON chain.allowed TO t16054_portal;
COMMENT ON DATABASE t16054 IS 'Sajószentpéter';
COMMENT ON SCHEMA chain IS NULL;
ALTER ROLE t16054_portal RESET temp_file_limit;
"""


def strange(node):
    """What the proof finds in our municipality's database; the test's own settings of the cluster are left out."""
    tenant = node.tenants["t16054"]
    shared = frozenset(
        right
        for share in tenant.shares
        for right in [
            (share.login, share.schema, "", "USAGE"),
            *((share.login, share.schema, share.object, privilege) for privilege in share.rights),
        ]
    )
    facts = reading.read(node)
    return {str(finding) for finding in findings(facts, {"t16054": shared}) if finding.place == "t16054"}


def test_what_is_open_is_seen_and_closed(node):
    assert strange(node) == set()
    tenants, installed = list(node.tenants.values()), migrations.installed()
    with node.superuser("t16054") as session:
        session.execute(OPENED)
    text = "\n".join(sorted(strange(node)))
    for expected in (
        "right on table: pg_catalog.pg_stat_activity: ANY for PUBLIC",
        "right on function: pg_catalog.lo_create(oid): ANY for PUBLIC",
        "right on function: pg_catalog.pg_stat_get_activity(integer): ANY for PUBLIC",
        "function: ado.balance_of(text): differs from asp_template",
        "right on relation: ado.citizen_balance: SELECT for t16054_elugy",
        "right on relation: chain.allowed: INSERT for t16054_portal",
    ):
        assert expected in text
    steps = {line.partition(":")[0] for line in apply.ensure_present(node, tenants, installed, check=False).after}
    assert {
        "database t16054 walls",
        "database t16054 comment",
        "database t16054 facts",
        "role t16054_portal",
        "rights of PUBLIC in t16054",
        "rights of t16054_elugy in t16054",
        "rights of t16054_portal in t16054",
    } <= steps
    assert not apply.ensure_present(node, tenants, installed, check=True).changed
    assert strange(node) == set()
