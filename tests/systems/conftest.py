"""One PostgreSQL node for the whole run; each test finds its municipalities as new."""

import pytest

from tests.systems import support

SOCKETS = support.configure()  # before tests are collected: they import models


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
    """Whatever a test did to the municipalities is undone after it."""
    yield
    from django.db import connection

    from systems.core import facts

    connection.close()
    facts._known.clear()
    node.reset()


@pytest.fixture
def serve():
    """`with serve("irat"):` code inside works as that system for Sajószentpéter; `serve("irat", THEIRS)` elsewhere."""
    return support.serving


@pytest.fixture
def browse():
    """`browse("irat", "iktato")`: a client of a clerk with these roles there; `browse("portal")`: of anybody."""
    return support.browser


@pytest.fixture
def deliver():
    """`deliver()`: every system's relay, until nothing is left."""
    return support.deliver
