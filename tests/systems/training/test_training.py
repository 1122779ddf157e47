"""The training system on a real database: exercises are judged by what other systems logged, in a sandbox only."""

import datetime as dt
import re
import uuid
from dataclasses import replace
from unittest import mock

import pytest
from django.conf import settings
from django.db import DatabaseError, connection
from django.test import override_settings
from django.utils import timezone
from reportlab.pdfgen.canvas import Canvas

from inventory import paths
from systems.core.pdf import Pdf
from systems.hagyatek.views import PARTS
from systems.keret.models import Activity, Grant, Presence, User
from systems.portal.forms import KINDS
from systems.shared import identifiers
from systems.training import feed, papers
from systems.training.exercises import BY_CODE, ENTERED, EXERCISES
from systems.training.models import Certificate, Pass
from tests.systems.hagyatek.test_estates import DECEASED
from tests.systems.portal.test_portal import NEWS, hidden
from tests.systems.support import CATALOGUE, OURS, SYSTEMS, THEIRS

BANNER = "OKTATÁSI KÖRNYEZET – kitalált adatok"
ROLES = {entry["id"]: set(entry["roles"]) for entry in CATALOGUE}
# Log lines that are composed of a part or kind and of what was done to it.
COMPOSED = {f"portál: {KINDS['hir'][1].lower()} szerkesztése", f"{PARTS['orokos'][2]} felvétele"}
DRAW = Canvas.drawCentredString
CLERK, NAME = "minta.ilona", "Minta Ilona"


@pytest.fixture
def sandbox():
    """Sajószentpéter is a municipality for training."""
    with override_settings(ASP=replace(settings.ASP, training=(OURS,))):
        yield


@pytest.fixture
def give(serve):
    """`give("iparker.ugyintezo")`: give the clerk exactly these roles and that of a learner."""

    def give(*roles):
        with serve("keret"):
            user, _ = User.objects.get_or_create(username=CLERK, defaults={"name": NAME, "managed": True})
            user.grants.all().delete()
            for role in ("training.tanulo", *roles):
                system, name = role.split(".")
                Grant.objects.create(user=user, kind="permanent", system=system, role=name, given_by="teszt")

    return give


def text_of(page):
    return re.sub(r"\s+", " ", page.content.decode())


def do_trade_exercise(browse):
    """Do the trade system's exercise with a clerk's own requests."""
    clerk = browse("iparker", "ugyintezo")
    form = clerk.get("/iparker/bejelentesek/uj").content.decode()
    answers = {
        "token": re.search(r'name="token" value="([^"]+)"', form)[1],
        "number": "GYAK/1",
        "applicant": "Gyakorló Géza",
        "received_on": timezone.localdate().isoformat(),
        "trader_name": "Gyakorló Kft.",
        "trader_identifier": f"1234567{identifiers.firm_check_digit('1234567')}-2-05",
        "trader_address": "Miskolc, Titkos utca 9.",
        "activity": "élelmiszer-kiskereskedelem",
        "form": "market",
        "site": "Városi piac, 3. asztal",
        "opening_hours": "H–P 8.00–12.00",
        "products": ["1.7"],
        "since": "2026-01-05",
    }
    response = clerk.post("/iparker/bejelentesek/uj", answers)
    assert response.status_code == 302, text_of(response)
    yield
    assert clerk.post(f"{response['Location']}nyilvantartasba").status_code == 302


def test_every_exercise_is_of_a_system_with_its_role_and_judged_by_what_that_system_logs():
    assert len(EXERCISES) == len(BY_CODE) >= 14
    assert {each.system for each in EXERCISES} == set(SYSTEMS) - {"training"}
    for each in EXERCISES:
        assert each.roles and each.roles <= ROLES[each.system], each.code
        assert each.steps and each.actions, each.code
        source = "".join(
            file.read_text(encoding="utf-8") for file in (paths.ROOT / "systems" / each.system).glob("*.py")
        )
        for action in set(each.actions) - {ENTERED} - COMPOSED:
            assert f'"{action}"' in source.lower(), f"{each.code}: {each.system} never logs {action!r}"
    assert {action for each in EXERCISES for action in each.actions} >= COMPOSED


def test_a_clerk_is_checked_by_the_log_and_gets_a_certificate(sandbox, serve, browse, deliver, give):
    give("iparker.ugyintezo")
    clerk = browse("training", "tanulo")
    page = text_of(clerk.get("/training/"))
    assert "Bejelentés nyilvántartásba vétele" in page and "Elvégezve: 0/1" in page
    place = "/training/gyakorlatok/bejelentes/"
    learner = do_trade_exercise(browse)
    next(learner)
    deliver()
    answer = text_of(clerk.post(f"{place}ellenorzes", follow=True))
    assert "Még hiányzik: nyilvántartásba vétel." in answer, "half of it is not enough"
    assert next(learner, None) is None
    deliver()
    assert "A gyakorlatot elvégezte." in text_of(clerk.post(f"{place}ellenorzes", follow=True))
    clerk.post(f"{place}ellenorzes")
    page = text_of(clerk.get("/training/"))
    assert "Elvégezve: 1/1" in page and page.count("(PDF)") == 1, "checked twice, certified once"
    address = re.search(r'href="(/training/igazolasok/\d+/igazolas\.pdf)"', page)[1]
    pdf = clerk.get(address)
    assert (pdf.status_code, pdf["Content-Type"]) == (200, "application/pdf")
    assert pdf.content.startswith(b"%PDF-")
    with serve("training"):
        message = " ".join(words(papers.certificate(Certificate.objects.get()).flow))
    assert NAME in message and "Sajószentpéter" in message
    assert "Ipar és kereskedelem Bejelentés nyilvántartásba vétele" in message
    other = browse("training", "tanulo", username="masik.mari", name="Másik Mari")
    assert other.get(address).status_code == 404, "another clerk's certificate"
    assert browse("training", "oktato", username="okos.olga", name="Okos Olga").get(address).status_code == 200


def write_news(browse):
    editor, place = browse("portal", "szerkeszto"), "/portal/szerkesztes/hir/uj"
    values = {**NEWS, "token": hidden(editor.get(place), "token"), "revision": "0"}
    assert editor.post(place, values).status_code == 302


def begin_inventory(browse):
    clerk, token = browse("hagyatek", "ugyintezo"), {"token": str(uuid.uuid4())}
    data = {name: str(value) for name, value in DECEASED.items()}
    response = clerk.post("/hagyatek/uj", {**data, "number": "GYAK/1", **token})
    heir = {"name": "Kis Kata", "address": "x", "relation": "child", "basis": "lawful"}
    assert clerk.post(f"{response['Location']}orokos/uj", {**heir, **token}).status_code == 302


@pytest.mark.parametrize(
    ("code", "role", "do"),
    [("hir", "portal.szerkeszto", write_news), ("leltar", "hagyatek.ugyintezo", begin_inventory)],
)
def test_what_is_done_in_the_pages_of_a_system_counts(sandbox, browse, deliver, give, code, role, do):
    give(role)
    clerk, place = browse("training", "tanulo"), f"/training/gyakorlatok/{code}/"
    do(browse)
    assert "Még hiányzik" in text_of(clerk.post(f"{place}ellenorzes", follow=True)), "nothing has arrived yet"
    deliver()
    assert "A gyakorlatot elvégezte." in text_of(clerk.post(f"{place}ellenorzes", follow=True))
    assert "még nem" not in text_of(clerk.get(place))


def words(flow):
    """Every word of a document before it is built, including its tables."""
    for part in flow:
        if hasattr(part, "getPlainText"):
            yield from part.getPlainText().split()
        for row in getattr(part, "_cellvalues", []):
            yield from words(row)


def test_more_roles_give_a_wider_course_and_another_certificate(sandbox, serve, browse, give):
    def say(system, action):
        with serve("keret"):
            Activity.objects.create(at=timezone.now(), username=CLERK, name=NAME, system=system, action=action)

    clerk = browse("training", "tanulo")
    give("helpdesk.bejelento")
    say("helpdesk", "bejelentés")
    clerk.post("/training/gyakorlatok/hiba/ellenorzes")
    give("helpdesk.bejelento", "adattar.olvaso")
    assert "Elvégezve: 1/2" in text_of(clerk.get("/training/"))
    say("irat", ENTERED)
    assert "Még hiányzik: belépés." in text_of(clerk.post("/training/gyakorlatok/adattar/ellenorzes", follow=True))
    with serve("keret"):
        Presence.objects.create(username=CLERK, system="adattar", began_at=timezone.now())
    assert "elvégezte" in text_of(clerk.post("/training/gyakorlatok/adattar/ellenorzes", follow=True))
    with serve("training"):
        assert [len(each.exercises) for each in Certificate.objects.order_by("pk")] == [1, 2]


def test_exercises_of_other_roles_are_not_theirs(sandbox, browse, give):
    give("helpdesk.bejelento")
    clerk = browse("training", "tanulo")
    assert clerk.get("/training/gyakorlatok/hiba/").status_code == 200
    assert clerk.get("/training/gyakorlatok/iktatas/").status_code == 404
    assert clerk.post("/training/gyakorlatok/iktatas/ellenorzes").status_code == 404
    assert clerk.get("/training/gyakorlatok/nincs-ilyen/").status_code == 404


def test_nobody_practises_in_a_municipality_that_works(serve, browse, give):
    give("helpdesk.bejelento")
    with serve("keret"):
        Activity.objects.create(at=timezone.now(), username=CLERK, name=NAME, system="helpdesk", action="bejelentés")
    clerk = browse("training", "tanulo")
    assert "Ez éles önkormányzat" in text_of(clerk.get("/training/"))
    assert "Ellenőrzés</button>" not in text_of(clerk.get("/training/gyakorlatok/hiba/"))
    assert "Ez éles önkormányzat" in text_of(clerk.post("/training/gyakorlatok/hiba/ellenorzes", follow=True))
    with serve("training"):
        assert not Pass.objects.exists()


def test_the_trainer_sees_who_began_and_who_did_what(sandbox, serve, browse, give):
    now = timezone.now()
    with serve("keret"):
        User.objects.create(username="kezdo.kata", name="Kezdő Kata")
        Presence.objects.create(username="kezdo.kata", system="training", began_at=now)
    with serve("training"):
        Pass.objects.create(username=CLERK, name=NAME, exercise="hiba", done_at=now)
    trainer = browse("training", "oktato", username="okos.olga", name="Okos Olga")
    page = text_of(trainer.get("/training/attekintes/"))
    assert "Kezdő Kata" in page and "még egy sem" in page
    assert NAME in page and "Hiba bejelentése" in page
    assert page.index("Kezdő Kata") < page.index(NAME)
    assert browse("training", "tanulo").get("/training/attekintes/").status_code == 403
    assert trainer.post("/training/gyakorlatok/hiba/ellenorzes").status_code == 403, "trainers learn only as learners"


def test_training_reads_deeds_and_nothing_else_of_the_framework(serve):
    with serve("training"), connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM keret.clerk_deed")
        assert cursor.fetchone() == (0,)
        cursor.execute("SELECT * FROM keret.clerk_deed")
        assert [column.name for column in cursor.description] == ["username", "name", "system", "action", "at"]
        with pytest.raises(DatabaseError, match="permission denied for table activity"):
            cursor.execute("SELECT subject FROM keret.activity")
    with serve("irat"), connection.cursor() as cursor, pytest.raises(DatabaseError, match="permission denied"):
        cursor.execute("SELECT * FROM keret.clerk_deed")


def test_the_warehouse_is_told_numbers_only(serve):
    day = timezone.localdate()
    with serve("training"):
        Pass.objects.create(username=CLERK, name=NAME, exercise="hiba", done_at=timezone.now())
        rows = feed.rows(day)
        assert {row["measure"]: row["value"] for row in rows} == {
            "elvégzett gyakorlat": 1,
            "kiadott oktatási igazolás": 0,
        }
        assert feed.rows(day - dt.timedelta(days=1))[0]["value"] == 0


@pytest.mark.parametrize("system", SYSTEMS)
def test_every_page_in_a_sandbox_says_that_it_is_one(sandbox, browse, system):
    role = sorted(ROLES[system])[0]
    for place in ("", "nincs-ilyen-oldal"):
        page = browse(system, role).get(f"/{system}/{place}", follow=True)
        assert text_of(page).count(BANNER) == 1, f"/{system}/{place}: {page.status_code}"
    assert BANNER not in text_of(browse(system, role, ksh=THEIRS).get(f"/{system}/", follow=True))


@pytest.mark.parametrize(("ksh", "pages"), [(OURS, 2), (THEIRS, 0)])
def test_every_page_of_a_document_from_a_sandbox_says_so(sandbox, serve, ksh, pages):
    with serve("iparker", ksh), mock.patch.object(Canvas, "drawCentredString", autospec=True) as draw:
        draw.side_effect = DRAW
        paper = Pdf("Működési engedély").table(["Sor"], [[f"{n}. sor"] for n in range(60)]).content()
    assert paper.startswith(b"%PDF-")
    assert [call.args[3] for call in draw.call_args_list] == [BANNER] * pages


@pytest.mark.parametrize("system", ["portal", "elugy"])
def test_citizens_are_told_too(sandbox, browse, system):
    assert text_of(browse(system).get(f"/{system}/")).count(BANNER) == 1
    assert BANNER not in text_of(browse(system, ksh=THEIRS).get(f"/{system}/"))
