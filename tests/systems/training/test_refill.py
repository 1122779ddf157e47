"""A sandbox is emptied and filled again on a real database: exercise data goes, certificates stay."""

import psycopg
import pytest
from django.db import connection
from django.utils import timezone

from centre.backup import restore
from centre.database import migrations
from centre.sandbox import empty
from stacks.configs.postgres import TEMPLATE
from systems import synthetic
from systems.chain import messages
from systems.core import facts
from systems.helpdesk.models import Ticket
from systems.iparker.models import Entry, ProductGroup
from systems.training.models import Pass
from tests.support.long import of_family
from tests.systems.support import FACTS, OURS, THEIRS

TENANT = f"t{OURS}"


@pytest.fixture
def empty_sandbox(node):
    """`empty_sandbox()`: the sandbox's database exchanged for an empty one, as the play refill does it."""

    def exchange():
        connection.close()
        incoming = empty.prepare(node, TENANT, node.container)
        return restore.rename(node, node.tenants[TENANT], incoming, migrations.installed())

    yield exchange
    empty.forget(node, TENANT)
    with node.superuser() as session:
        session.execute(f"DROP DATABASE IF EXISTS {TENANT}_refilling WITH (FORCE)")


def fill(serve):
    for system in ("helpdesk", "iparker"):
        with serve(system):
            assert synthetic.fill(OURS, seed=1), f"{system} had been filled already"


def learn(serve, exercise):
    with serve("training"):
        return Pass.objects.create(
            username="minta.ilona", name="Minta Ilona", exercise=exercise, done_at=timezone.now()
        )


def databases(node):
    with node.superuser() as session:
        rows = session.execute(f"SELECT datname FROM pg_database WHERE datname LIKE '{TENANT}%' ORDER BY 1").fetchall()
    return [name for (name,) in rows]


def test_what_would_go_is_told_and_nothing_is_touched(node, serve):
    assert empty.would_go(node, TENANT) == []
    fill(serve)
    learn(serve, "hiba")
    lines = empty.would_go(node, TENANT)
    with serve("helpdesk"):
        tickets = Ticket.objects.count()
    assert f"helpdesk.ticket: {tickets} → 0" in lines
    assert any(line.startswith("iparker.entry: ") for line in lines)
    assert not any(line.startswith(("training.", "asp_meta.")) for line in lines), lines
    assert empty.would_go(node, TENANT) == lines
    assert databases(node) == [TENANT]


def test_everything_is_as_new_but_what_was_learned(node, serve, browse, empty_sandbox):
    fill(serve)
    first = learn(serve, "hiba")
    old = empty_sandbox()
    assert databases(node) == [TENANT, old]
    assert empty.would_go(node, TENANT) == [f"database {old}: dropped"]
    assert empty.forget(node, TENANT) == [old]
    with serve("training"):
        assert Pass.objects.get() == first
        assert learn(serve, "hir").pk > first.pk, "numbers go on"
    with serve("iparker"):
        assert not Entry.objects.exists()
        assert ProductGroup.objects.exists(), "what a system needs to begin with is there"
        assert facts.of_tenant().name == FACTS[OURS]["name"]
    assert browse("training", "tanulo").get("/training/").status_code == 200, "rights are as a join makes them"
    fill(serve)
    with serve("helpdesk"):
        assert Ticket.objects.exists()
    with serve("helpdesk", THEIRS):
        assert not Ticket.objects.exists()


def test_another_system_still_cannot_read_it(node, empty_sandbox):
    empty_sandbox()
    with node.superuser(TENANT) as session:
        session.execute(f"SET ROLE {TENANT}_irat")
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            session.execute("SELECT * FROM training.pass")
    with node.superuser() as session:
        (public,) = session.execute("SELECT has_database_privilege('t14915_irat', %s, 'CONNECT')", [TENANT]).fetchone()
    assert public is False


@pytest.mark.parametrize("moment", of_family(["prepared", "exchanged", "half filled"], ["half filled"]))
def test_a_killed_run_is_completed_by_another(node, serve, empty_sandbox, moment):
    fill(serve)
    learn(serve, "hiba")
    connection.close()
    empty.prepare(node, TENANT, node.container)
    if moment == "prepared":
        with serve("helpdesk"):
            assert Ticket.objects.exists(), "nothing of the tenant was touched yet"
    else:
        empty_sandbox()
    if moment == "half filled":
        with serve("helpdesk"):
            synthetic.fill(OURS, seed=1)
    empty_sandbox()
    assert len(empty.forget(node, TENANT)) == (1 if moment == "prepared" else 2)
    assert databases(node) == [TENANT]
    fill(serve)
    with serve("training"):
        assert Pass.objects.count() == 1
        assert messages.begin_run("something", "new")


def test_the_template_is_not_what_is_emptied(node, serve, empty_sandbox):
    empty_sandbox()
    with node.superuser(TEMPLATE) as session:
        assert session.execute("SELECT count(*) FROM training.pass").fetchone() == (0,)
