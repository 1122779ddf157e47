"""The database backend reaches the current tenant's database as this system's role, and nothing without a tenant."""

import psycopg
import pytest
from django.db import connections, transaction
from django.db.utils import InterfaceError

from systems import tenancy
from systems.shared.credentials import derive
from systems.tenant_db import base
from tests.contracts.connection import ConnectionContract

OURS, THEIRS = tenancy.Tenant("16054", None), tenancy.Tenant("14915", None)


class Server:
    """A connection that remembers its parameters and statements. tests/systems/test_connection.py: the real one."""

    def __init__(self, parameters):
        self.parameters, self.closed, self.statements, self.autocommit = parameters, False, [], True

    def close(self):
        self.closed = True

    def take(self, statement):
        if self.closed:
            raise psycopg.OperationalError("the connection is closed")
        self.statements.append(statement)

    def commit(self):
        self.take("commit")

    def rollback(self):
        self.take("rollback")

    def cursor(self):
        if self.closed:
            raise psycopg.OperationalError("the connection is closed")
        return Cursor(self)


class Cursor:
    def __init__(self, server):
        self._server, self._closed = server, False

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def execute(self, sql, parameters=None):
        if self._closed:
            raise psycopg.InterfaceError("the cursor is closed")
        self._server.take(sql)

    def close(self):
        self._closed = True


@pytest.fixture
def server():
    return Server({})


class TestServer(ConnectionContract):
    pass


@pytest.fixture
def opened_connections(monkeypatch):
    """Connections that the backend opened, in order."""
    servers = []

    def connect(wrapper, parameters):
        servers.append(Server(parameters))
        return servers[-1]

    monkeypatch.setattr(base.DatabaseWrapper, "get_new_connection", connect)
    monkeypatch.setattr(base.DatabaseWrapper, "init_connection_state", lambda wrapper: None)
    monkeypatch.setattr(base.DatabaseWrapper, "create_cursor", lambda wrapper, name=None: wrapper.connection.cursor())
    monkeypatch.setattr(base.DatabaseWrapper, "is_usable", lambda wrapper: True)
    monkeypatch.setattr(
        base.DatabaseWrapper, "_set_autocommit", lambda wrapper, value: setattr(wrapper.connection, "autocommit", value)
    )
    for _ in connections.all():  # the one that may exist would remember its connection
        del connections["default"]
    yield servers
    del connections["default"]


def say(sql):
    with connections["default"].cursor() as cursor:
        cursor.execute(sql)


def test_the_connection_is_the_tenants_and_the_systems(opened_connections):
    with tenancy.serving(OURS):
        say("SELECT 1")
    parameters = opened_connections[0].parameters
    assert (parameters["dbname"], parameters["user"]) == ("t16054", "t16054_keret")
    assert parameters["password"] == derive(b"system-key", "t16054", "keret")
    assert parameters["sslmode"] == "verify-full"


def test_without_a_tenant_nothing_is_opened(opened_connections):
    with pytest.raises(tenancy.NoTenant):
        say("SELECT 1")
    with pytest.raises(tenancy.NoTenant), transaction.atomic():
        pass
    assert opened_connections == []


def test_an_open_connection_says_nothing_without_a_tenant(opened_connections):
    with tenancy.serving(OURS):
        say("SELECT 1")
    with pytest.raises(tenancy.NoTenant):
        say("SELECT 2")
    assert [server.statements for server in opened_connections] == [["SELECT 1"]]


def test_the_end_of_a_request_finds_no_tenant_and_keeps_the_connection(opened_connections):
    with tenancy.serving(OURS):
        say("SELECT 1")
    connections["default"].close_if_unusable_or_obsolete()
    with tenancy.serving(OURS):
        say("SELECT 2")
    assert [server.statements for server in opened_connections] == [["SELECT 1", "SELECT 2"]]


def test_another_clerk_of_the_same_tenant_uses_the_same_connection(opened_connections):
    with tenancy.serving(OURS):
        say("SELECT 1")
    with tenancy.serving(tenancy.Tenant("16054", tenancy.Bearer("minta.admin", "t16054", "Sajószentpéter"))):
        say("SELECT 2")
    assert len(opened_connections) == 1


def test_another_tenant_gets_another_connection(opened_connections):
    with tenancy.serving(OURS):
        say("SELECT 'ours'")
    with tenancy.serving(THEIRS):
        say("SELECT 'theirs'")
    assert [(server.parameters["dbname"], server.statements) for server in opened_connections] == [
        ("t16054", ["SELECT 'ours'"]),
        ("t14915", ["SELECT 'theirs'"]),
    ]
    assert [server.closed for server in opened_connections] == [True, False]


def test_a_request_that_begins_with_a_transaction_gets_its_own_tenants_connection(opened_connections):
    with tenancy.serving(OURS):
        say("SELECT 'ours'")
    with tenancy.serving(THEIRS), transaction.atomic():
        say("SELECT 'theirs'")
    assert [(server.parameters["dbname"], server.statements) for server in opened_connections] == [
        ("t16054", ["SELECT 'ours'"]),
        ("t14915", ["SELECT 'theirs'", "commit"]),
    ]


def test_the_tenant_cannot_change_inside_a_transaction(opened_connections):
    with (
        pytest.raises(InterfaceError, match="the tenant changed inside a transaction"),
        tenancy.serving(OURS),
        transaction.atomic(),
    ):
        say("SELECT 'ours'")
        with tenancy.serving(THEIRS):
            say("SELECT 'theirs'")
    assert [server.statements for server in opened_connections] == [["SELECT 'ours'", "rollback"]]
