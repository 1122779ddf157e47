"""What the database backend may rely on of a connection of psycopg, real or not. `server` is one that is open."""

from __future__ import annotations

import psycopg
import pytest


class ConnectionContract:
    def test_it_is_open_until_it_is_closed(self, server):
        assert not server.closed
        server.close()
        server.close()
        assert server.closed

    def test_it_takes_statements_one_after_another(self, server):
        with server.cursor() as cursor:
            cursor.execute("SELECT 1")
            cursor.execute("SELECT %s", ["2"])
        server.commit()
        server.rollback()

    def test_a_cursor_ends_with_its_block(self, server):
        with server.cursor() as cursor:
            cursor.execute("SELECT 1")
        with pytest.raises(psycopg.InterfaceError, match="the cursor is closed"):
            cursor.execute("SELECT 1")

    def test_a_closed_one_opens_no_cursor(self, server):
        server.close()
        with pytest.raises(psycopg.OperationalError, match="the connection is closed"):
            server.cursor()

    def test_a_closed_one_takes_no_statement_of_an_open_cursor(self, server):
        cursor = server.cursor()
        server.close()
        with pytest.raises(psycopg.OperationalError, match="the connection is closed"):
            cursor.execute("SELECT 1")

    @pytest.mark.parametrize("end", ["commit", "rollback"])
    def test_a_closed_one_ends_no_transaction(self, server, end):
        server.close()
        with pytest.raises(psycopg.OperationalError, match="the connection is closed"):
            getattr(server, end)()
