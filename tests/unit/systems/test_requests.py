"""What runs before every page: only the edge may send requests, tenants are kept apart, health is reported."""

import json
import logging
import socket
import threading

import pytest
from django.db.utils import OperationalError

from systems.core import logs
from systems.keret import views
from tests.unit.systems.support import Connection, browser, certificate


@pytest.fixture
def log(caplog):
    """Log lines as the services write them."""
    caplog.set_level(logging.INFO)
    caplog.handler.setFormatter(logs.JsonFormatter())
    return lambda: [json.loads(line) for line in caplog.text.splitlines()]


@pytest.mark.parametrize(
    ("changes", "cause"),
    [
        ({"gunicorn.socket": None}, "not from the edge: certificate of nobody"),
        ({"gunicorn.socket": Connection("asp-unit-irat")}, "not from the edge: certificate of asp-unit-irat"),
        ({"HTTP_HOST": "sajoszentpeter.asp.test.elsewhere.test"}, "Host must be under asp.test"),
        ({"HTTP_HOST": "sajoszentpeter-asp.test"}, "Host must be under asp.test"),
        ({"HTTP_ASP_TENANT": None}, "Asp-Tenant is None, must be five digits"),
        ({"HTTP_ASP_TENANT": "16054,14915"}, "Asp-Tenant is '16054,14915', must be five digits"),
    ],
)
def test_a_misdirected_request_is_told_so_in_hungarian_and_logged(log, changes, cause):
    page = browser(**changes).get("/keret/")
    assert page.status_code == 421
    assert "Hibás cím" in page.content.decode()
    assert "request-1" in page.content.decode(), "the number under which operators find it"
    refusal = log()[0]
    assert (refusal["message"], refusal["level"]) == (f"refused: {cause}", "WARNING")
    assert refusal["request"] == "request-1"


@pytest.mark.parametrize(
    ("header", "cause"),
    [(None, "no Client-Cert"), (certificate(unit="t14915"), "Client-Cert of t14915 at t16054")],
)
def test_another_tenants_certificate_is_refused_without_naming_anyone(log, header, cause):
    page = browser(HTTP_CLIENT_CERT=header).get("/keret/?q=Minta+Ilona")
    assert page.status_code == 403
    assert "A hozzáférés nem engedélyezett" in page.content.decode()
    assert [line["message"] for line in log()] == [f"refused: {cause}", "GET /keret/"]
    assert log()[1]["status"] == 403
    assert "minta" not in json.dumps(log()).lower()


def test_a_page_is_never_stored_and_its_forms_lead_nowhere_else():
    page = browser().get("/keret/kijelentkezve")
    assert page.status_code == 200
    assert page["Cache-Control"] == "no-store"
    assert "form-action 'self' https://id.asp.test:7443" in page["Content-Security-Policy"]
    assert page["X-Frame-Options"] == "DENY"


def test_a_system_that_is_not_installed_says_so_to_everyone():
    for path in ("/ado/", "/ado/adozo/1"):
        page = browser().get(path)
        assert page.status_code == 404
        assert "Ez a rendszer ennél az önkormányzatnál nincs telepítve" in page.content.decode()
        assert "Az Önkormányzati adó ennél" in page.content.decode()
    page = browser(HTTP_CLIENT_CERT=None).get("/portal/")
    assert (page.status_code, "A Települési portál ennél" in page.content.decode()) == (404, True)


def test_a_system_that_this_municipality_lacks_says_so(monkeypatch, settings_of):
    settings_of("irat")
    mine = browser(HTTP_ASP_TENANT="29188", HTTP_CLIENT_CERT=certificate(unit="t29188"))
    page = mine.get("/irat/")
    assert (page.status_code, "Az Iratkezelő ennél az önkormányzatnál nincs" in page.content.decode()) == (404, True)


@pytest.fixture
def settings_of(monkeypatch):
    """Let `settings.ASP` be that of another system's app server."""
    from dataclasses import replace

    from django.conf import settings

    return lambda system: monkeypatch.setattr(settings, "ASP", replace(settings.ASP, system=system))


def test_a_database_that_is_away_is_said_so_and_not_a_fault_of_ours(monkeypatch, log):
    def away(*_):
        raise OperationalError("connection to server failed")

    monkeypatch.setattr(views.facts, "of_tenant", away)
    visitor = browser()
    visitor.enter("keret.felhasznalo")
    page = visitor.get("/keret/")
    assert page.status_code == 503
    assert "A rendszer átmenetileg nem érhető el" in page.content.decode()
    assert page["Retry-After"] == "10"


def test_sessions_that_cannot_be_read_give_the_same_page(monkeypatch):
    from django.contrib.sessions.backends.signed_cookies import SessionStore

    def away(_):
        raise OperationalError("connection to server failed")

    visitor = browser()
    visitor.enter("keret.felhasznalo")
    monkeypatch.setattr(SessionStore, "load", away)
    assert visitor.get("/keret/").status_code == 503


def test_a_fault_of_ours_is_a_500_in_hungarian_with_its_traceback_in_the_log(monkeypatch, caplog):
    def fault(**_):
        raise ZeroDivisionError

    monkeypatch.setattr(views.facts, "of_tenant", fault)
    visitor = browser()
    visitor.enter("keret.felhasznalo")
    page = visitor.get("/keret/")
    assert (page.status_code, "Váratlan hiba történt" in page.content.decode()) == (500, True)
    assert "ZeroDivisionError" in caplog.text


class Pooler:
    """Answers one connection as PgBouncer answers PostgreSQL's SSLRequest."""

    def __init__(self, answer: bytes | None):
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.port = self._socket.getsockname()[1]
        if answer is None:  # nobody listens
            self._socket.close()
            return
        self._thread = threading.Thread(target=self._serve, args=(answer,), daemon=True)
        self._thread.start()

    def _serve(self, answer):
        connection, _ = self._socket.accept()
        with connection:
            self.request = connection.recv(8)
            connection.sendall(answer)

    def close(self):
        self._socket.close()
        self._thread.join(5)


@pytest.mark.parametrize(
    ("answer", "status", "word"),
    [(b"N", 200, "ready"), (b"H", 503, "pooler does not speak PostgreSQL"), (None, 503, "pooler:")],
)
def test_ready_means_that_the_pooler_answers_and_live_means_that_we_do(monkeypatch, answer, status, word):
    from dataclasses import replace

    from django.conf import settings

    pooler = Pooler(answer)
    monkeypatch.setattr(settings, "ASP", replace(settings.ASP, database_host="127.0.0.1", database_port=pooler.port))
    no_tenant = {"HTTP_ASP_TENANT": None, "HTTP_CLIENT_CERT": None, "HTTP_HOST": "asp-unit-keret"}
    ready = browser(**no_tenant).get("/healthz/ready")
    assert (ready.status_code, ready.json()["status"][: len(word)]) == (status, word)
    live = browser(**no_tenant).get("/healthz/live")
    assert (live.status_code, live.json()) == (200, {"status": "live"})
    if answer:
        pooler.close()
        assert pooler.request == bytes([0, 0, 0, 8, 4, 210, 22, 48])
