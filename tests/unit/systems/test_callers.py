"""Health and counters are told to the edge and to the service itself, and to nobody else with a certificate."""

import socket

import pytest

from tests.unit.systems.support import EDGE, Connection, browser, configure

configure()

PATHS = ("/healthz/live", "/healthz/metrics")


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("name", [EDGE, "asp-unit-keret"])
def test_the_edge_and_the_service_itself_are_told(monkeypatch, path, name):
    monkeypatch.setattr(socket, "gethostname", lambda: "asp-unit-keret")
    assert browser(**{"gunicorn.socket": Connection(name)}).get(path).status_code == 200


@pytest.mark.parametrize("path", [*PATHS, "/healthz/ready"])
@pytest.mark.parametrize("connection", [Connection("asp-unit-irat"), None])
def test_another_app_servers_certificate_is_told_nothing(monkeypatch, path, connection):
    monkeypatch.setattr(socket, "gethostname", lambda: "asp-unit-keret")
    response = browser(**{"gunicorn.socket": connection}).get(path)
    assert response.status_code == 403
    assert "asp_" not in response.content.decode()
