"""Registering by hand: readers may not, faults are explained, a double click is one document, the log has it."""

import uuid

import pytest

from systems.irat.models import Document
from systems.keret.models import Activity

FORM = {
    "sender": "Minta Kft. (szintetikus)",
    "subject": "Kérelem",
    "arrival": "post",
    "received_on": "2026-01-31",
    "note": "",
}


def form(**changes):
    return FORM | {"token": str(uuid.uuid4())} | changes


@pytest.mark.parametrize("method", ["get", "post"])
def test_who_only_reads_cannot_register(browse, method):
    page = getattr(browse("irat", "olvaso"), method)("/irat/uj", form())
    assert (page.status_code, "Nincs jogosultsága" in page.content.decode()) == (403, True)


def test_faults_come_back_in_hungarian_and_only_as_text(browse):
    clerk = browse("irat", "iktato")
    assert "Bejövő irat iktatása" in clerk.get("/irat/uj").content.decode()
    page = clerk.post("/irat/uj", form(sender="", subject="<b>"))
    text = page.content.decode()
    assert page.status_code == 422
    assert '<a href="#id_sender">Küldő neve</a>: Adja meg a küldő nevét.' in text
    assert 'aria-invalid="true"' in text
    assert "&lt;b&gt;" in text and "<b>" not in text, "what was typed comes back, and only as text"


def test_a_double_click_is_one_document_and_one_line_of_the_log(browse, serve, deliver):
    clerk, data = browse("irat", "iktato"), form()
    first, second = (clerk.post("/irat/uj", data)["Location"] for _ in range(2))
    assert first == second
    deliver()
    with serve("irat"):
        (number,) = Document.objects.values_list("number", flat=True)
    with serve("keret"):
        assert list(Activity.objects.values_list("action", "subject", "username")) == [
            ("iktatás", number, "minta.ilona")
        ]
