"""The helpdesk: a report gets one number, its clock runs in opening hours only, and only its own people see it."""

import datetime as dt
import re
import threading
import uuid
from dataclasses import replace

import pytest
from django.conf import settings
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import IntegrityError, connection
from django.utils import timezone

from systems import tenancy
from systems.helpdesk import feed
from systems.helpdesk.forms import largest_file
from systems.helpdesk.models import Parameter, Step, Ticket, allowances
from systems.shared.bodies import REPORTED
from systems.shared.workdays import ZONE
from tests.systems.support import OURS

FORM = {
    "kind": "fault",
    "reach": "outage",
    "service": "keret",
    "happened_at": "2026-03-02 08:55",
    "error": "K0505",
    "description": "Nem lehet belépni a kártyával.",
    "contact": "+36 48 000 000",
    "case_ids": "",
    "form_code": "",
}


@pytest.fixture
def clerk(browse):
    return browse("helpdesk", "bejelento")


@pytest.fixture
def support(browse):
    return browse("helpdesk", "kezelo", username="ugyfel.szolgalat", name="Ügyfél Szolgálat")


def report(client, **changes):
    return client.post("/helpdesk/uj", FORM | {"token": uuid.uuid4()} | changes)


def text_of(page):
    return re.sub(r"\s+", " ", page.content.decode())


def ticket(serve, *, reported=True, **changes):
    """A ticket with its first step, or (`reported` false) without any."""
    with serve("helpdesk"):
        fields = {key: value for key, value in FORM.items() if key != "happened_at"} | {
            "happened_at": timezone.now(), "token": uuid.uuid4(), "username": "minta.ilona", "name": "Minta Ilona",
        } | changes  # fmt: skip
        new_ticket = Ticket(**fields)
        if reported:
            new_ticket.report()
        else:
            new_ticket.save()
        return new_ticket


def test_a_report_is_numbered_shown_and_logged(clerk, serve, deliver):
    response = report(clerk)
    assert response.status_code == 302, text_of(response)
    page = text_of(clerk.get(response["Location"]))
    year = timezone.localdate().year
    assert f"HB/{year}/1" in page and "K0505" in page and "Beérkezett" in page
    assert f"HB/{year}/1" in text_of(clerk.get("/helpdesk/"))
    deliver()
    from systems.keret.models import Activity

    with serve("keret"):
        assert Activity.objects.filter(action="bejelentés", subject=f"HB/{year}/1").exists()


def test_a_form_that_is_sent_twice_is_one_report(clerk, serve):
    token = uuid.uuid4()
    assert report(clerk, token=token)["Location"] == report(clerk, token=token)["Location"]
    with serve("helpdesk"):
        assert Ticket.objects.count() == 1
    assert report(clerk).status_code == 302


@pytest.mark.parametrize(
    ("changes", "cause"),
    [
        ({"description": ""}, "Ezt a mezőt ki kell tölteni"),
        ({"service": "nincs"}, "Válasszon a felsoroltak közül"),
        ({"happened_at": "2999-01-01 10:00"}, "a jövőben van"),
        ({"happened_at": "tegnap"}, "Az időpont alakja"),
        ({"upload": SimpleUploadedFile("nagy.png", b"x" * (REPORTED + 2**10))}, "legfeljebb 5120 KiB"),
    ],
)
def test_what_is_missing_or_wrong_is_told(clerk, serve, changes, cause):
    page = report(clerk, **changes)
    assert page.status_code == 422
    assert cause in text_of(page)
    with serve("helpdesk"):
        assert not Ticket.objects.exists()


def test_numbers_have_no_gaps_however_many_report_at_once(serve):
    def work():
        with tenancy.serving(tenancy.Tenant(OURS, None)):
            for _ in range(5):
                Ticket(**(FORM | {"happened_at": timezone.now()}), token=uuid.uuid4(), username="a", name="A").report()
        connection.close()

    with serve("helpdesk"):
        threads = [threading.Thread(target=work) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(30)
        numbers = sorted(int(n.rsplit("/", 1)[1]) for n in Ticket.objects.values_list("number", flat=True))
    assert numbers == list(range(1, 21))


def test_a_clerk_sees_only_their_own_and_support_all(clerk, support, browse, serve):
    own_ticket = ticket(serve)
    other = browse("helpdesk", "bejelento", username="mas.mihaly")
    assert clerk.get(f"/helpdesk/bejelentes/{own_ticket.pk}/").status_code == 200
    assert other.get(f"/helpdesk/bejelentes/{own_ticket.pk}/").status_code == 404
    assert own_ticket.number not in text_of(other.get("/helpdesk/"))
    assert own_ticket.number in text_of(support.get("/helpdesk/"))
    assert (
        clerk.post(f"/helpdesk/bejelentes/{own_ticket.pk}/valasz", {"state": "solved", "text": "x"}).status_code == 403
    )


def test_an_answer_solves_it_and_a_word_of_the_reporter_opens_it_again(clerk, support, serve):
    own_ticket = ticket(serve)
    path = f"/helpdesk/bejelentes/{own_ticket.pk}/"
    support.post(f"{path}valasz", {"state": "solved", "text": "Kicseréltük."})
    assert "Megoldva" in text_of(clerk.get(path)) and "Kicseréltük." in text_of(clerk.get(path))
    clerk.post(f"{path}uzenet", {"text": "Még mindig rossz."})
    assert "Dolgozunk rajta" in text_of(clerk.get(path))
    support.post(f"{path}valasz", {"state": "closed", "text": "Kész."})
    assert clerk.post(f"{path}uzenet", {"text": "Köszönöm."}).status_code == 404, "closed is closed"


def test_an_answer_ends_the_waiting_and_the_clock_runs_again(clerk, support, serve):
    own_ticket = ticket(serve)
    path = f"/helpdesk/bejelentes/{own_ticket.pk}/"
    assert support.post(f"{path}valasz", {"state": "waiting", "text": "Melyik gépen?"}).status_code == 302
    with serve("helpdesk"):
        assert not own_ticket.clock(allowances()).running
    assert clerk.post(f"{path}uzenet", {"text": "Az iktatóén."}).status_code == 302
    with serve("helpdesk"):
        own_ticket.refresh_from_db()
        assert (own_ticket.state, own_ticket.clock(allowances()).running) == ("working", True)


@pytest.mark.parametrize(("kib", "bytes_"), [(100, 100 * 2**10), (10**6, REPORTED)])
def test_a_file_is_no_larger_than_the_way_lets_through(serve, kib, bytes_):
    with serve("helpdesk"):
        Parameter.objects.filter(name="largest_file").update(value=kib)
        assert largest_file() == bytes_


def test_a_file_is_for_its_reporter_and_support_only(clerk, support, browse):
    place = report(clerk, upload=SimpleUploadedFile("kep.png", b"titok"))["Location"]
    colleague = browse("helpdesk", "bejelento", username="mas.mihaly", name="Más Mihály")
    refusal = colleague.get(f"{place}fajl")
    assert (refusal.status_code, b"titok" in refusal.content) == (404, False)
    assert colleague.post(f"{place}uzenet", {"text": "x"}).status_code == 404
    assert support.get(f"{place}fajl").content == clerk.get(f"{place}fajl").content == b"titok"


def test_closing_leaves_the_moment_of_the_solution(clerk, support, serve):
    path = f"/helpdesk/bejelentes/{ticket(serve).pk}/"

    def solved_at():
        with serve("helpdesk"):
            return Ticket.objects.get().solved_at

    support.post(f"{path}valasz", {"state": "solved", "text": "Kicseréltük."})
    with serve("helpdesk"):
        earlier = timezone.now() - dt.timedelta(hours=3)
        Ticket.objects.update(solved_at=earlier)
    support.post(f"{path}valasz", {"state": "closed", "text": "Kész."})
    assert solved_at() == earlier
    with serve("helpdesk"):
        Ticket.objects.update(state="solved")
    clerk.post(f"{path}uzenet", {"text": "Még mindig rossz."})
    assert solved_at() is None, "it is not solved any more"


def test_a_file_comes_back_as_a_download(clerk):
    response = report(clerk, upload=SimpleUploadedFile("képernyő.png", b"\x89PNG<script>", "text/html"))
    answer = clerk.get(f"{response['Location']}fajl")
    assert (answer.content, answer["Content-Type"]) == (b"\x89PNG<script>", "application/octet-stream")
    assert answer["Content-Disposition"].startswith("attachment")


def at(day, hour, minute=0):
    return dt.datetime(2026, 3, day, hour, minute, tzinfo=ZONE)


@pytest.mark.parametrize(
    ("steps", "now", "used", "over"),
    [
        ([("open", at(2, 8))], at(2, 8, 30), 30, False),
        ([("open", at(2, 15, 30))], at(3, 8, 31), 61, True),  # overnight does not count
        ([("open", at(6, 13))], at(9, 8), 30, False),  # Friday afternoon and the weekend do not count
        ([("open", at(2, 8)), ("waiting", at(2, 8, 20))], at(2, 12), 20, False),
        ([("open", at(2, 8)), ("waiting", at(2, 8, 20)), ("working", at(2, 9))], at(2, 9, 10), 30, False),
        ([("open", at(2, 8)), ("solved", at(2, 9))], at(5, 9), 60, False),
    ],
)
def test_the_clock_runs_in_opening_hours_and_stops_while_it_waits(serve, monkeypatch, steps, now, used, over):
    new_ticket = ticket(serve, reported=False)
    with serve("helpdesk"):
        for state, moment in steps:
            Step.objects.create(ticket=new_ticket, state=state, at=moment, name="x")
        monkeypatch.setattr("systems.helpdesk.models.timezone.now", lambda: now)
        clock = new_ticket.clock(allowances())
    assert (clock.used_minutes, clock.over) == (used, over)


@pytest.mark.parametrize(
    ("steps", "now", "due"),
    [
        ([("open", at(2, 8))], at(2, 8, 30), at(2, 9)),
        ([("open", at(2, 15, 30))], at(2, 15, 45), at(3, 8, 30)),  # overnight
        ([("open", at(6, 13))], at(6, 13, 10), at(9, 8, 30)),  # over the weekend
        ([("open", at(2, 8)), ("waiting", at(2, 8, 20)), ("working", at(2, 9))], at(2, 9, 10), at(2, 9, 40)),
        ([("open", at(2, 8)), ("waiting", at(2, 8, 20))], at(2, 12), None),  # the clock stands
        ([("open", at(2, 8)), ("solved", at(2, 8, 20))], at(2, 12), None),
        ([("open", at(2, 8))], at(2, 9), None),  # the time is over
        ([("open", at(2, 8))], at(2, 8, 59), at(2, 9)),
    ],
)
def test_the_clock_says_when_time_will_be_up(serve, monkeypatch, steps, now, due):
    new_ticket = ticket(serve, reported=False)
    with serve("helpdesk"):
        for state, moment in steps:
            Step.objects.create(ticket=new_ticket, state=state, at=moment, name="x")
        monkeypatch.setattr("systems.helpdesk.models.timezone.now", lambda: now)
        assert new_ticket.clock(allowances()).due == due


def test_a_ticket_is_over_only_after_its_last_minute(serve, monkeypatch):
    new_ticket = ticket(serve, reported=False)
    with serve("helpdesk"):
        Step.objects.create(ticket=new_ticket, state="open", at=at(2, 8), name="x")
        for minute, over in ((0, False), (1, True)):
            monkeypatch.setattr("systems.helpdesk.models.timezone.now", lambda minute=minute: at(2, 9, minute))
            assert new_ticket.clock(allowances()).over is over


def test_the_nights_figures_are_reports_by_state_and_the_days_by_reach(serve):
    steps = [("outage", "open", at(2, 8)), ("outage", "solved", at(3, 0)), ("minor", "open", at(3, 23, 59)),
            ("minor", "open", at(4, 0))]  # fmt: skip
    for reach, state, moment in steps:
        solved_at = moment if state == "solved" else None
        ticket(serve, reach=reach, state=state, reported_at=moment, solved_at=solved_at)
    with serve("helpdesk"):
        figures = [
            (row["measure"], row["dimension"], row["kind"], row["value"]) for row in feed.rows(dt.date(2026, 3, 3))
        ]
    assert figures == [
        ("bejelentés", "Beérkezett", "count", 3),
        ("bejelentés", "Megoldva", "count", 1),
        ("új bejelentés", "Zavaró, de dolgozni lehet", "count", 1),
        ("új bejelentés", "Senki sem tud dolgozni", "count", 1),
    ]


@pytest.mark.parametrize("system", ["helpdesk", "keret", "portal"])
def test_coming_and_running_maintenance_is_announced_where_people_come_first(browse, monkeypatch, system):
    now = timezone.now()
    planned = settings.ASP.maintenance[0]
    over = replace(planned, since=now - dt.timedelta(hours=2), until=now - dt.timedelta(hours=1), text="Elmúlt munka")
    running = replace(over, until=now + dt.timedelta(hours=1), text="Most folyó munka", emergency=True)
    monkeypatch.setattr(settings, "ASP", replace(settings.ASP, maintenance=(planned, over, running)))
    roles = {"helpdesk": ["bejelento"], "keret": ["adminisztrator"], "portal": []}[system]
    page = text_of(browse(system, *roles).get(f"/{system}/"))
    assert "Próba karbantartás" in page and "Rendkívüli karbantartás" in page and "Most folyó munka" in page
    assert "Elmúlt munka" not in page


def test_a_step_never_changes(serve):
    ticket(serve)
    with serve("helpdesk"):
        for change in (lambda: Step.objects.update(text="más"), lambda: Step.objects.all().delete()):
            with pytest.raises(IntegrityError, match="rows of step never change"):
                change()
        assert Step.objects.get().text == ""


def test_the_list_shows_each_clock_and_the_systems_name(serve, support, monkeypatch):
    for service, steps in {
        "irat": [("open", at(2, 8))],
        "keret": [("open", at(2, 8)), ("waiting", at(2, 8, 20))],
        "ado": [("open", at(2, 8)), ("solved", at(2, 8, 10))],
    }.items():
        new_ticket = ticket(serve, reported=False, service=service, number=f"HB/{service}", reported_at=at(2, 8))
        with serve("helpdesk"):
            for state, moment in steps:
                Step.objects.create(ticket=new_ticket, state=state, at=moment, name="x")
            if state == "solved":
                Ticket.objects.filter(pk=new_ticket.pk).update(state=state, solved_at=moment)
    monkeypatch.setattr("systems.helpdesk.models.timezone.now", lambda: at(2, 8, 45))
    page = text_of(support.get("/helpdesk/"))
    assert "15 perc van hátra" in page and "az óra áll, 40 perc van hátra" in page and ">10 perc<" in page
    assert 'data-label="Rendszer">Iratkezelő<' in page
    monkeypatch.setattr("systems.helpdesk.models.timezone.now", lambda: at(2, 9, 5))
    assert "5 perccel túllépte" in text_of(support.get("/helpdesk/"))


def test_an_outage_may_last_as_long_as_the_register_says(serve, monkeypatch):
    monkeypatch.setattr(settings, "ASP", replace(settings.ASP, outage_minutes=7))
    with serve("helpdesk"):
        assert ticket(serve).clock(allowances()).allowed_minutes == 7
        assert ticket(serve, reach="minor").clock(allowances()).allowed_minutes == 2400
