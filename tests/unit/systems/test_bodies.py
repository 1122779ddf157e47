"""A request is judged before its body is read: by its size, by who sends it, and for signs that no text has."""

import json
import logging
import re

import pytest

from systems.core import logs
from systems.shared import bodies
from tests.unit.systems.support import browser, configure

configure()


class Unread:
    """A body that must not be read."""

    def read(self, *_):
        raise AssertionError("the body was read")

    readline = read


@pytest.fixture
def log(caplog):
    caplog.set_level(logging.INFO)
    caplog.handler.setFormatter(logs.JsonFormatter())
    return lambda: [json.loads(line) for line in caplog.text.splitlines()]


def post(client, path="/keret/kilepes", length=20, **changes):
    entries = {"CONTENT_TYPE": "application/x-www-form-urlencoded", "CONTENT_LENGTH": str(length), **changes}
    entries["wsgi.input"] = Unread()
    return client.generic("POST", path, **{name: value for name, value in entries.items() if value is not None})


def test_nobodys_body_is_read():
    """The CSRF token was looked for in it, before anybody was asked who they are."""
    page = post(browser())
    assert (page.status_code, "Lejárt a munkamenet" in page.content.decode()) == (403, True)


def test_a_body_larger_than_the_page_takes_is_answered_with_the_reason(log):
    clerk = browser()
    clerk.enter("keret.felhasznalo")
    page = post(clerk, length=bodies.WITHOUT_A_FILE + 1)
    assert (page.status_code, "Túl nagy" in page.content.decode()) == (413, True)
    assert log()[0]["message"] == f"body refused: {bodies.WITHOUT_A_FILE + 1} bytes, at most {bodies.WITHOUT_A_FILE}"


@pytest.mark.parametrize(("row", "path"), list(zip(bodies.UPLOADS, [
    "/ado/kivonatok/uj", "/elugy/kitoltes/0d6b4f3e-3f6a-4ab5-8d3c-6b1f0c3b2a11/mellekletek/uj", "/helpdesk/uj",
    "/irat/irat/7/csatolmany", "/irat/erkeztetes/krx", "/migration/uj", "/portal/szerkesztes/rendelet/uj",
], strict=True)), ids=lambda value: getattr(value, "system", None))  # fmt: skip
def test_a_page_that_takes_files_names_its_limit(row, path):
    assert (bodies.upload(path), bodies.largest(path)) == (row, row.file + bodies.AROUND_A_FILE)
    assert bodies.upload(f"{path}/x") is None
    page = post(browser(), path, length=row.largest + 1)
    assert (page.status_code, f"legfeljebb {row.file // 2**20} MB" in page.content.decode()) == (413, True)


def test_rows_mean_the_same_to_haproxy():
    for row in bodies.UPLOADS:
        assert re.fullmatch(r"\^/[a-z]+/[-a-z0-9/\[\]+()|]+\$", row.path), row
        assert row.path.startswith(f"^/{row.system}/")


@pytest.mark.parametrize(
    ("changes", "status"),
    [
        ({"CONTENT_LENGTH": None, "HTTP_TRANSFER_ENCODING": "chunked"}, 411),
        ({"CONTENT_LENGTH": "-1"}, 400),
        ({"CONTENT_LENGTH": "\N{ARABIC-INDIC DIGIT NINE}"}, 400),
        ({"CONTENT_LENGTH": "9" * 5000}, 413),
        ({"REQUEST_METHOD": "ABCD"}, 405),
        ({"REQUEST_METHOD": "PUT"}, 405),
        ({"QUERY_STRING": "q=%00"}, 400),
        ({"QUERY_STRING": "q=a\0b"}, 400),
        ({"PATH_INFO": "/keret/\0"}, 400),
    ],
)
def test_what_no_browser_sends_is_refused(changes, status):
    assert post(browser(), **changes).status_code == status


@pytest.mark.parametrize("form", [{"nev": "a\0b"}, {"a\0b": "1"}])
@pytest.mark.parametrize("kind", ["application/x-www-form-urlencoded", "multipart/form-data"])
def test_nul_in_a_form_is_refused_in_one_place(form, kind):
    clerk = browser()
    clerk.enter("keret.felhasznalo")
    if kind == "multipart/form-data":
        page = clerk.post("/keret/kilepes", form)
    else:
        from urllib.parse import urlencode

        page = clerk.post("/keret/kilepes", urlencode(form), content_type=kind)
    assert page.status_code == 400


def test_what_a_caller_chose_is_escaped_in_the_log(log, caplog):
    browser().get("/keret/%E2%80%AEnev%C2%9B31m%0Akov")
    assert "\u202e" not in caplog.text and "\x9b" not in caplog.text
    assert log()[-1]["message"] == "GET /keret/\u202enev\x9b31m\nkov"
    browser().get("/keret/" + "x" * 5000)
    assert len(log()[-1]["message"]) == logs.MESSAGE_LENGTH
    browser().generic("N\u202eX", "/keret/")
    assert log()[-1]["message"] == "other /keret/"


def test_a_callers_origin_is_not_in_the_log(caplog, log):
    configure()
    from django.test import Client

    from tests.unit.systems.support import from_edge

    client = Client(enforce_csrf_checks=True, **from_edge())
    visitor = browser()
    visitor.enter("keret.felhasznalo")
    client.cookies = visitor.cookies
    assert client.post("/keret/kilepes", secure=True, HTTP_ORIGIN="https://boss.example").status_code == 403
    assert "boss.example" not in caplog.text
    assert "form refused: Origin checking failed" in [line["message"] for line in log()]
