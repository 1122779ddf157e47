"""Electronic forms in the records system: registered with their files, passed on, decided, and the citizen notified."""

import base64
import hashlib
import uuid

import pytest
from django.db import transaction

from systems.chain import relay, send
from systems.irat.models import Attachment, Direction, Document, Incoming, Submission
from tests.systems.elugy.support import citizen, submit

FILE = b"%PDF-1.7 szintetikus"


def form(serve, target=None, attachments=(), key=None, **changes):
    """Send what elugy sends for one form; returns its UUID."""
    key = key or str(uuid.uuid4())
    body = {
        "submission": key,
        "form": "altalanos-kerelem",
        "title": "Általános kérelem",
        "applicant": {"name": "Próba Piroska", "identifier": "8472765075", "email": "p@pelda.test", "address": ""},
        "data": {"subject": "Kérdés", "text": "Mikor lesz lomtalanítás?"},
        "target": target,
        "submitted_at": "2026-11-20T23:30:00+01:00",
        "attachments": [{"name": n, "type": t, "base64": base64.b64encode(c).decode()} for n, t, c in attachments],
    } | changes
    with serve("elugy"), transaction.atomic():
        send("irat", "submission", body, key=key)
    return key


def outbox(node, target):
    with node.superuser("t16054") as session:
        rows = session.execute("SELECT topic, body FROM chain.message WHERE target = %s ORDER BY id", [target])
        return rows.fetchall()


def arrive(serve):
    with serve("irat"):
        return relay.deliver()


def test_a_form_is_registered_with_its_files_and_the_citizen_is_told(serve, node):
    key = form(serve, attachments=[("terv rajz.pdf", "application/pdf", FILE)])
    assert arrive(serve) == 1
    with serve("irat"):
        document = Submission.objects.get(pk=key).document
        assert (document.sender, document.subject, str(document.received_on)) == (
            "Próba Piroska", "Általános kérelem", "2026-11-20",
        )  # fmt: skip
        file = Attachment.objects.get(document=document)
        assert (bytes(file.content), file.sha256) == (FILE, hashlib.sha256(FILE).hexdigest())
        item = Incoming.objects.get(document=document)
        assert (item.sender, item.arrival, item.waits) == ("Próba Piroska", "gateway", False)
    message = [body for topic, body in outbox(node, "elugy") if topic == "status" and body["submission"] == key]
    assert [(t["status"], t["number"]) for t in message] == [("received", ""), ("registered", document.number)]
    assert item.number in message[0]["text"]


def test_a_form_of_a_system_is_handed_on_whole(serve, node):
    key = form(serve, target="ado", attachments=[("a.txt", "text/plain", b"a")])
    arrive(serve)
    if not outbox(node, "ado"):
        pytest.fail("the case was not handed on")
    ((topic, case),) = outbox(node, "ado")
    assert topic == "case" and case["submission"] == key and case["data"]["subject"] == "Kérdés"
    assert case["number"].endswith("-1") and case["registered_at"]


def test_what_no_system_takes_stays_with_the_records_clerks(serve, node):
    key = form(serve, target="nincs-ilyen")
    arrive(serve)
    with serve("irat"):
        assert Submission.objects.get(pk=key).target == ""


def decide(serve, key, source="ado", outcome="accepted", document=FILE):
    body = {
        "submission": key,
        "number": "",
        "outcome": outcome,
        "text": "A kérelemnek helyt adunk.",
        "decided_by": "Adó Adél",
        "document": base64.b64encode(document).decode() if document else None,
    }
    with serve(source), transaction.atomic():
        send("irat", "decision", body, key=key)


@pytest.mark.parametrize(("outcome", "status"), [("accepted", "decided"), ("rejected", "rejected")])
def test_a_decision_goes_out_under_the_same_main_number(serve, node, outcome, status):
    key = form(serve, target="ado")
    arrive(serve)
    decide(serve, key, outcome=outcome)
    assert arrive(serve) == 1
    with serve("irat"):
        incoming = Submission.objects.get(pk=key)
        outgoing = Document.objects.get(direction=Direction.OUT)
        assert outgoing.number == incoming.document.number.replace("-1", "-2")
        assert (outgoing.addressee, outgoing.sender) == ("Próba Piroska", "Sajószentpéter")
        assert incoming.state == "decided"
        assert bytes(outgoing.attachments.get().content) == FILE
    assert outbox(node, "elugy")[-1][1]["status"] == status


def test_only_the_system_that_deals_with_a_case_decides_it(serve, node):
    key = form(serve, target="ado")
    arrive(serve)
    decide(serve, key, source="hagyatek")
    assert arrive(serve) == 0
    with node.superuser("t16054") as session:
        (reason,) = session.execute("SELECT reason FROM chain.dead").fetchone()
    assert "decision of hagyatek on a case of ado" in reason


def test_a_file_comes_back_as_a_download_and_the_form_is_shown(serve, browse):
    key = form(serve, attachments=[("gonosz.html", "text/html", b"<script>")])
    arrive(serve)
    with serve("irat"):
        document = Submission.objects.get(pk=key).document
        file = document.attachments.get()
    reader = browse("irat", "olvaso")
    page = reader.get(f"/irat/irat/{document.pk}").content.decode()
    assert "Mikor lesz lomtalanítás?" in page and "gonosz.html" in page, "a form that came without labels is shown too"
    answer = reader.get(f"/irat/csatolmany/{file.pk}/fajl")
    assert (answer.content, answer["Content-Type"]) == (b"<script>", "application/octet-stream")
    assert answer["Content-Disposition"].startswith("attachment")


def test_answers_are_shown_as_people_read_them(serve, browse):
    sections = [{"title": "Nyilatkozat", "answers": [["adóalap", "10 000 Ft"], ["van melléklete", "nem"]]}]
    key = form(serve, data={"tax_base": 10000, "has_more": False}, answers=sections)
    old = form(serve, data={"has_more": False})
    arrive(serve)
    with serve("irat"):
        places = [f"/irat/irat/{Submission.objects.get(pk=pk).document_id}" for pk in (key, old)]
    page, before = (browse("irat", "olvaso").get(place).content.decode() for place in places)
    assert "<h3>Nyilatkozat</h3>" in page and "<dt>Adóalap</dt><dd>10 000 Ft</dd>" in page
    assert "tax_base" not in page and "has_more" not in page
    assert "<dt>Has_more</dt><dd>nem</dd>" in before


def test_elugy_says_what_was_asked(serve, deliver, browse):
    submit(citizen())
    deliver()
    with serve("irat"):
        answers = Submission.objects.get().answers
    assert [step["title"] for step in answers] and ["tárgy", "Fa"] in answers[1]["answers"], answers
