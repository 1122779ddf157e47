"""The Treasury's figures are read from each municipality's own warehouse and from nothing else."""

import datetime as dt

import psycopg
import pytest
from django.db import transaction
from django.utils import timezone

from centre.statistics import figures
from inventory import register
from systems.adattar.models import Feed
from systems.chain import send
from systems.exchange import feeding
from tests.systems.support import OURS, THEIRS

ROWS = [
    {"measure": "iktatott irat", "dimension": "bejövő", "kind": "count", "value": 12},
    {"measure": "iktatott irat", "dimension": "kimenő", "kind": "count", "value": 3},
]


@pytest.fixture
def municipalities():
    register_entries = register.load("dev").municipalities
    return [register_entries[OURS], register_entries[THEIRS]]


@pytest.fixture
def day():
    return timezone.localdate() - dt.timedelta(days=1)


def give(serve, day, ksh=OURS, **changes):
    body = {"day": day, "dataset": "irat", "rows": ROWS, "count": len(ROWS), "sha256": feeding.checksum(ROWS)}
    with serve("irat", ksh), transaction.atomic():
        send("adattar", "feed", body | changes, key=f"irat/{day}")


def test_whole_feeds_of_the_day_are_read_for_each_municipality(node, serve, deliver, municipalities, day):
    give(serve, day)
    give(serve, day, THEIRS, sha256="0" * 64)
    deliver()
    deliver(THEIRS)
    with serve("adattar", THEIRS):
        assert Feed.objects.get().status == Feed.Status.WRONG
    feeds = figures.read(node, municipalities, day)
    assert sorted(feeds) == sorted([OURS, THEIRS])
    assert feeds[OURS].systems == ["irat"]
    assert sorted(feeds[OURS].figures) == [
        ("irat", "iktatott irat", "bejövő", "count", 12),
        ("irat", "iktatott irat", "kimenő", "count", 3),
    ]
    assert not feeds[THEIRS].systems and not feeds[THEIRS].figures, "a wrong feed counts for nothing"
    assert not figures.read(node, municipalities, day - dt.timedelta(days=1))[OURS].figures


def test_the_reader_reaches_no_other_systems_rows(node, municipalities, day):
    """Any statement run as the reader sees only the warehouse and its own messages."""
    with node.superuser(f"t{OURS}") as session:
        tables = session.execute(
            "SELECT schemaname, tablename FROM pg_tables WHERE schemaname <> ALL (%s)",
            [["pg_catalog", "information_schema", figures.WAREHOUSE, "chain", "asp_meta"]],
        ).fetchall()
        assert {schema for schema, _ in tables} >= {"irat", "ado", "gazd", "elugy", "hagyatek", "keret"}
        for schema, table in tables:
            with pytest.raises(psycopg.errors.InsufficientPrivilege), session.transaction():
                session.execute(f"SET LOCAL ROLE {municipalities[0].role(figures.WAREHOUSE)}")
                session.execute(psycopg.sql.SQL("SELECT FROM {} LIMIT 1").format(psycopg.sql.Identifier(schema, table)))


def test_a_municipality_that_takes_its_login_the_right_is_not_read(node, municipalities, day):
    """This proves that the login's own right is used to read the figures, not the administrator's."""
    with node.superuser(f"t{OURS}") as session:
        session.execute(f"REVOKE SELECT ON adattar.treasury FROM {municipalities[0].role(figures.WAREHOUSE)}")
    with pytest.raises(AssertionError, match="permission denied for view treasury"):
        figures.read(node, municipalities, day)
