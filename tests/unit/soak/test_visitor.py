"""What a soak's person notes of an answer, and when they count a write as acknowledged."""

import contextlib
import random
import threading
from dataclasses import replace

import pytest

from inventory.register import load
from tests.soak import visitor as module
from tests.soak.journal import Journal
from tests.soak.page import Page
from tests.soak.visitor import Desk, Interrupted, Visitor
from tests.support.edge_client import Reply

REGISTER = load("dev")
MUNICIPALITY = REGISTER.municipality("16054")
ADDRESS = f"{MUNICIPALITY.origin}/irat/uj"
FORM = '<form method="post"><input type="hidden" name="token" value="t-1"><input name="sender"><button>Iktatás</button>'
HTML = {"content-type": "text/html; charset=utf-8"}
DONE = Reply(302, {"location": "/irat/irat/7"}, "")


class Client:
    """Answers with what it is given: `sent` to a form, `pages` one after the other to what is followed."""

    register = REGISTER

    def __init__(self, reply=DONE, pages=()):
        self.sent, self.pages, self.bodies = reply, list(pages), []

    def request(self, host, path, method, headers, body):
        self.bodies.append((headers["Content-Type"], body))
        if isinstance(self.sent, Exception):
            raise self.sent
        return self.sent

    def follow(self, url):
        page = self.pages.pop(0)
        if isinstance(page, Exception):
            raise page
        return replace(page, url=page.url or url)


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    monkeypatch.setattr(module, "THINK", (0, 0))


def person(client):
    return Visitor(client, MUNICIPALITY, Journal(), "minta", random.Random(1), threading.Event())


def send(client, **options):
    who = person(client)
    page = Page.read(ADDRESS, FORM)
    with contextlib.suppress(Interrupted):
        who.press(page, "Iktatás", {"sender": "Próba"}, "document", **options)
    (write,) = who.journal.writes
    return write, [answer.fault for answer in who.journal.answers]


def test_a_write_whose_page_came_is_acknowledged():
    write, faults = send(Client(pages=[Reply(200, HTML, "<h1>7</h1>")]))
    assert (write.acknowledged, write.key, write.kind, write.ksh, faults) == (
        True,
        "t-1",
        "document",
        "16054",
        ["", ""],
    )


def test_a_refusal_on_the_page_is_no_acknowledgement():
    page = '<p class="message error" role="status">Lezárták.</p>'
    write, faults = send(Client(pages=[Reply(200, HTML, page)]))
    assert (write.acknowledged, faults[-1]) == (False, "refused: Lezárták.")


def test_a_form_that_comes_back_is_none_either_and_says_why():
    form = '<div class="summary" role="alert">Hiányos.</div>'
    write, faults = send(Client(reply=Reply(422, HTML, form)))
    assert (write.acknowledged, faults) == (False, ["422 Hiányos."])


@pytest.mark.parametrize("error", [ConnectionResetError("cut"), TimeoutError("late")])
def test_no_answer_is_no_acknowledgement(error):
    write, faults = send(Client(reply=error))
    assert not write.acknowledged and faults[0].startswith(f"no answer: {type(error).__name__}")


def test_a_page_that_does_not_come_after_the_form_leaves_it_open():
    write, faults = send(Client(pages=[Reply(503, HTML, "")]))
    assert (write.acknowledged, faults) == (False, ["", "503"])


def test_its_own_key_finds_a_write_that_has_no_token():
    assert send(Client(pages=[Reply(200, HTML, "")]), key="B 17")[0].key == "B 17"


def test_a_page_of_another_host_is_no_good_answer():
    who = person(Client(pages=[Reply(200, HTML, "", url="https://id.asp.test/realms/asp/")]))
    with pytest.raises(Interrupted):
        who.open("/irat/")
    assert [answer.fault for answer in who.journal.answers] == ["200 at id.asp.test"]


def test_a_sign_in_beside_another_is_tried_once_more_and_counted():
    refusal = Reply(400, HTML, "", url=f"https://{REGISTER.environment.identity_host}/realms/asp/")
    who = person(Client(pages=[refusal, Reply(200, HTML, "<h1>Iratok</h1>")]))
    assert who.open("/irat/").heading == "Iratok" and who.journal.sign_ins_again == 1
    who = person(Client(pages=[refusal, refusal]))
    with pytest.raises(Interrupted):
        who.open("/irat/")


def test_addresses_are_noted_without_what_changes():
    who = person(Client(pages=[Reply(200, HTML, "")] * 2))
    who.open("/irat/irat/17?q=x")
    who.open("/elugy/ugyeim/8f14e45f-ceea-467f-a1c0-5f2f9a3b1c22")
    assert [answer.what for answer in who.journal.answers] == ["GET /irat/irat/#", "GET /elugy/ugyeim/#"]
    assert [answer.system for answer in who.journal.answers] == ["irat", "elugy"]


def test_a_file_is_sent_unchanged():
    client = Client(pages=[Reply(200, HTML, "")])
    who, content = person(client), bytes(range(256))
    who.press(Page.read(ADDRESS, FORM), "Iktatás", file=("file", "a.zip", content))
    kind, body = client.bodies[0]
    assert kind.startswith("multipart/form-data; boundary=") and b"\r\n\r\n" + content + b"\r\n--" in body
    assert b'name="token"\r\n\r\nt-1\r\n' in body


def test_nobody_begins_a_page_when_the_day_is_over():
    who = person(Client())
    who.over.set()
    with pytest.raises(Interrupted):
        who.open("/irat/")
    assert who.journal.answers == []


def test_a_paper_is_taken_once_and_never_by_who_left_it():
    desk = Desk()
    desk.put("order", "ilona", "/gazd/kotelezettsegek/1/")
    assert desk.take("order", "ilona") is None and desk.take("invoice", "andras") is None
    assert desk.take("order", "andras") == "/gazd/kotelezettsegek/1/"
    assert desk.take("order", "andras") is None
