"""One PostgreSQL node for the whole run; each test starts with new municipalities."""

import pytest

from tests.systems import support

SOCKETS = support.configure()  # before collection, because tests import models


@pytest.fixture(scope="session", autouse=True)
def node():
    node = support.Node(SOCKETS)
    try:
        node.make_tenants()
        yield node
    finally:
        node.remove()


@pytest.fixture(autouse=True)
def clean(node):
    """Undo what a test did to the municipalities."""
    yield
    from django.db import connection

    from systems.core import facts

    connection.close()
    facts._cache.clear()
    node.reset()


@pytest.fixture
def serve():
    """`with serve("irat"):` code inside runs as that system for Sajószentpéter; `serve("irat", THEIRS)`: elsewhere."""
    return support.serving


@pytest.fixture
def browse():
    """`browse("irat", "iktato")`: client of a clerk with these roles in that system; `browse("portal")`: of anybody."""
    return support.browser


@pytest.fixture
def deliver():
    """`deliver()`: run every system's relay until no message is left."""
    return support.deliver
