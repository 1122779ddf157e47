"""A connection of psycopg does what the one of the backend's unit tests does."""

import pytest
from django.db import connection

from tests.contracts.connection import ConnectionContract


@pytest.fixture
def server(serve):
    with serve("keret"):
        connection.ensure_connection()
        yield connection.connection


class TestPsycopg(ConnectionContract):
    pass
