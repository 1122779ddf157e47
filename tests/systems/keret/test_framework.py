"""The framework on a real database: an administrator's decision takes effect in every system at the next request."""

import datetime as dt
import html
import json
import re

import psycopg
import pytest
from django.db import DatabaseError, IntegrityError, connection, transaction
from django.utils import timezone

from systems.chain import relay, send
from systems.core import clerk_access, facts
from systems.keret import chain
from systems.keret.models import Activity, Grant, Presence, User
from tests.systems.support import FACTS, OURS, THEIRS

ADMINISTRATOR = {"username": "admin.aranka", "name": "Admin Aranka"}


@pytest.fixture
def admin(browse):
    return browse("keret", "felhasznalo", "adminisztrator", **ADMINISTRATOR)


@pytest.fixture
def clerk(serve):
    """Minta Ilona, who has signed in with one role in irat."""
    with serve("keret"):
        return User.objects.create(username="minta.ilona", name="Minta Ilona", token_roles=["irat.iktato"])


def text_of(page):
    return re.sub(r"\s+", " ", page.content.decode())


def test_every_page_of_the_administrator_opens_and_only_for_them(admin, browse, clerk):
    paths = ["felhasznalok/", "felhasznalok/uj", f"felhasznalok/{clerk.pk}/", f"felhasznalok/{clerk.pk}/adatok"]
    paths += [f"felhasznalok/{clerk.pk}/{part}" for part in ("szerepkorok", "engedely", "helyettesites")]
    paths += ["belepettek/", "naplo/", "statisztika/"]
    other = browse("keret", "felhasznalo", username="mas.mihaly")
    for path in paths:
        assert admin.get(f"/keret/{path}").status_code == 200, path
        assert other.get(f"/keret/{path}").status_code == 403, path


def test_a_clerk_is_added_and_a_name_is_taken_once(admin, serve, deliver):
    data = {"username": "uj.ubul", "name": "Új Ubul", "position": "", "email": "", "phone": ""}
    assert admin.post("/keret/felhasznalok/uj", data).status_code == 302
    repeat = admin.post("/keret/felhasznalok/uj", data)
    assert (repeat.status_code, "Ezzel a felhasználónévvel már van" in text_of(repeat)) == (422, True)
    deliver()
    with serve("keret"):
        assert list(Activity.objects.values_list("action", "subject", "username")) == [
            ("felhasználó felvétele", "uj.ubul", "admin.aranka")
        ]


def test_roles_set_here_replace_those_of_the_sign_in(admin, clerk, serve, deliver):
    with serve("irat"):
        assert clerk_access.fetch(clerk.username).effective(("irat.iktato",)) == ("irat.iktato",)
    response = admin.post(f"/keret/felhasznalok/{clerk.pk}/szerepkorok", {"irat": ["irat.olvaso"]})
    assert response.status_code == 302
    with serve("irat"):
        assert clerk_access.fetch(clerk.username).effective(("irat.iktato",)) == ("irat.olvaso",)
    deliver()
    with serve("keret"):
        assert set(Activity.objects.values_list("action", "subject")) == {
            ("szerepkör megadása", "minta.ilona: irat.olvaso"),
            ("szerepkör elvétele", "minta.ilona: irat.iktato"),
        }


def test_an_administrator_cannot_take_their_own_role_or_lock_themselves(admin, serve):
    with serve("keret"):
        me = User.objects.create(username=ADMINISTRATOR["username"], name=ADMINISTRATOR["name"])
    page = admin.post(f"/keret/felhasznalok/{me.pk}/szerepkorok", {"keret": ["keret.felhasznalo"]})
    assert (page.status_code, "nem veheti el" in text_of(page)) == (422, True)
    admin.post(f"/keret/felhasznalok/{me.pk}/zarolas", {"zar-reason": "próba"})
    with serve("keret"):
        assert User.objects.get(pk=me.pk).locked_at is None


KEEPS = "Ő az önkormányzat utolsó adminisztrátora"
ROLE = "keret.adminisztrator"


@pytest.fixture
def principal(serve):
    """The only permanent administrator, by a sign-in; and a substitute."""
    with serve("keret"):
        head = User.objects.create(username="fo.ferenc", name="Fő Ferenc", token_roles=[ROLE])
        helper = User.objects.create(username=ADMINISTRATOR["username"], name=ADMINISTRATOR["name"])
        details = {"given_by": "x", "until": timezone.now() + dt.timedelta(days=1)}
        Grant.objects.create(user=helper, kind="substitution", substitutes=head, **details)
        Grant.objects.create(user=helper, kind="temporary", system="keret", role="adminisztrator", **details)
    return head


def test_who_stands_in_for_the_last_administrator_cannot_strip_or_lock_them(admin, principal, serve):
    page = admin.post(f"/keret/felhasznalok/{principal.pk}/szerepkorok", {"irat": ["irat.iktato"]})
    assert (page.status_code, KEEPS in text_of(page)) == (422, True)
    admin.post(f"/keret/felhasznalok/{principal.pk}/zarolas", {"zar-reason": "próba"})
    assert KEEPS in text_of(admin.get(f"/keret/felhasznalok/{principal.pk}/"))
    refusal = admin.post(f"/keret/felhasznalok/{principal.pk}/szerepkorok", {"keret": [ROLE], "irat": ["irat.iktato"]})
    assert refusal.status_code == 302, "their other roles can be changed"
    with serve("keret"):
        head = User.objects.get(pk=principal.pk)
        assert (head.locked_at, head.base_roles()) == (None, {ROLE, "irat.iktato"})


@pytest.mark.parametrize("locked", [True, False])
def test_another_administrator_counts_unless_locked(admin, principal, serve, locked):
    with serve("keret"):
        other = User.objects.create(username="mas.mihaly", name="Más Mihály", managed=True)
        Grant.objects.create(user=other, kind="permanent", system="keret", role="adminisztrator", given_by="x")
        User.objects.filter(pk=other.pk).update(locked_at=timezone.now() if locked else None)
    response = admin.post(f"/keret/felhasznalok/{principal.pk}/szerepkorok", {"irat": ["irat.iktato"]})
    assert response.status_code == (422 if locked else 302)


def test_who_is_administrator_for_a_while_does_not_count(principal, serve):
    with serve("keret"):
        User.objects.filter(username=ADMINISTRATOR["username"]).update(managed=True)
        assert list(User.objects.holding(ROLE)) == [principal]


def test_two_administrators_cannot_remove_each_other_at_the_same_time(browse, serve, node):
    with serve("keret"):
        pair = [User.objects.create(username=f"admin.{n}", name=f"Admin {n}", token_roles=[ROLE]) for n in "ab"]
    clients = [browse("keret", "adminisztrator", username=user.username, name=user.name) for user in pair]
    strip = [
        lambda client=client, other=other: (
            client.post(f"/keret/felhasznalok/{other.pk}/szerepkorok", {"irat": ["irat.iktato"]}).status_code
        )
        for client, other in zip(clients, reversed(pair), strict=True)
    ]
    with serve("keret"):
        assert sorted(node.at_once("SELECT FROM keret.clerk FOR UPDATE", *strip)) == [302, 422]
        assert User.objects.holding(ROLE).count() == 1


def test_the_log_cannot_be_changed_by_anybody(serve, node):
    with serve("keret"):
        Activity.objects.create(at=timezone.now(), username="x", name="X", system="irat", action="iktatás")
        for change in (lambda: Activity.objects.update(name="Y"), lambda: Activity.objects.all().delete()):
            with pytest.raises(DatabaseError, match="lines of activity are only ever added"), transaction.atomic():
                change()
    with node.superuser("t16054") as session, pytest.raises(psycopg.Error, match="only ever added"):
        session.execute("DELETE FROM keret.activity")


def test_other_systems_read_a_clerks_name(clerk, serve):
    with serve("irat"), connection.cursor() as cursor:
        cursor.execute("SELECT username, name FROM keret.clerk_access")
        assert cursor.fetchall() == [("minta.ilona", "Minta Ilona")]


def test_a_clerks_particulars_are_changed_but_not_their_username(admin, clerk, serve, deliver):
    form = text_of(admin.get(f"/keret/felhasznalok/{clerk.pk}/adatok"))
    assert 'value="Minta Ilona"' in form and 'name="username"' not in form
    data = {"username": "mas.nev", "name": "Minta-Új Ilona", "position": "iktató", "email": "", "phone": "123"}
    assert admin.post(f"/keret/felhasznalok/{clerk.pk}/adatok", data).status_code == 302
    wrong = admin.post(f"/keret/felhasznalok/{clerk.pk}/adatok", data | {"name": ""})
    assert (wrong.status_code, "Ezt a mezőt ki kell tölteni: név." in text_of(wrong)) == (422, True)
    deliver()
    with serve("keret"):
        user = User.objects.get(pk=clerk.pk)
        assert (user.username, user.name, user.position) == ("minta.ilona", "Minta-Új Ilona", "iktató")
        assert Activity.objects.get().action == "felhasználó adatainak módosítása"


def test_statistics_count_work_and_people(admin, serve):
    now = timezone.now()
    with serve("keret"):
        for n, (system, action) in enumerate([("irat", "iktatás"), ("irat", "szignálás"), ("ado", "iktatás")]):
            Activity.objects.create(at=now, username=f"u{n % 2}", name="U", system=system, action=action)
            Presence.objects.create(username=f"u{n % 2}", system=system, began_at=now)
        old = now - dt.timedelta(days=40)
        Activity.objects.create(at=old, username="u", name="U", system="gazd", action="régi művelet")
    page = text_of(admin.get("/keret/statisztika/"))
    bars = dict(re.findall(r'<th scope="row">([^<]*)</th><td class="number">([0-9]+)</td>', page))
    assert (bars["Iratkezelő"], bars["Önkormányzati adó"], bars["iktatás"], bars["szignálás"]) == ("2", "1", "2", "1")
    assert bars[timezone.localtime(now).strftime("%m. %d.")] == "2", "two people, however often they signed in"
    assert "Gazdálkodás" not in bars and "régi művelet" not in bars


def test_a_lock_ends_every_session_at_once_and_its_end_lets_them_in_again(admin, clerk, browse):
    inside = browse("irat", "iktato")
    assert inside.get("/irat/").status_code == 200
    assert admin.post(f"/keret/felhasznalok/{clerk.pk}/zarolas", {"zar-reason": "szabadság"}).status_code == 302
    assert inside.get("/irat/").status_code == 302, "to sign-in"
    assert browse("irat", "iktato").get("/irat/").status_code == 302, "a new session helps a locked clerk nothing"
    admin.post(f"/keret/felhasznalok/{clerk.pk}/feloldas")
    assert inside.get("/irat/").status_code == 302, "the old session stays over"
    assert browse("irat", "iktato").get("/irat/").status_code == 200


def test_a_lock_wants_a_reason(admin, clerk, serve):
    admin.post(f"/keret/felhasznalok/{clerk.pk}/zarolas", {"zar-reason": ""})
    with serve("keret"):
        assert User.objects.get(pk=clerk.pk).locked_at is None


def test_who_is_in_is_listed_and_can_be_put_out(admin, clerk, browse, serve):
    with serve("keret"):
        Presence.objects.create(username=clerk.username, system="irat", began_at=timezone.now())
        Presence.objects.create(username="regi.rezso", system="irat", began_at=timezone.now() - dt.timedelta(days=1))
    inside = browse("irat", "iktato")
    assert inside.get("/irat/").status_code == 200
    page = text_of(admin.get("/keret/belepettek/"))
    assert ("minta.ilona" in page, "regi.rezso" in page) == (True, False)
    assert admin.post(f"/keret/belepettek/{clerk.pk}/kileptetes").status_code == 302
    assert inside.get("/irat/").status_code == 302
    assert "minta.ilona" not in text_of(admin.get("/keret/belepettek/"))


def test_only_sessions_that_began_before_are_ended(serve):
    now = timezone.now()
    with serve("keret"):
        for username, minutes in (("minta.ilona", -1), ("minta.ilona", 1), ("mas.mihaly", -1)):
            began = now + dt.timedelta(minutes=minutes)
            Presence.objects.create(username=username, system="irat", began_at=began)
        chain.end_sessions("minta.ilona", now)
        over = Presence.objects.exclude(ended_at=None)
        assert [(presence.username, presence.began_at < now) for presence in over] == [("minta.ilona", True)]


def sign_in(serve, client, minutes_ago):
    """Minta Ilona's sign-in to the records, as reported to the framework and remembered by the session."""
    at = timezone.now() - dt.timedelta(minutes=minutes_ago)
    with serve("irat"):
        body = {"username": "minta.ilona", "name": "Minta Ilona", "roles": ["irat.iktato"], "at": at}
        with transaction.atomic():
            send("keret", "signed-in", body, key="minta.ilona")
        session = client.session
        session["clerk"] = session["clerk"] | {"since": at.timestamp()}
        session.save()
    with serve("keret"):
        relay.deliver()


def test_who_signed_in_long_ago_is_listed_only_while_their_session_is_used(admin, browse, serve):
    records = browse("irat", "iktato")
    sign_in(serve, records, minutes_ago=45)
    assert "minta.ilona" not in text_of(admin.get("/keret/belepettek/")), "nothing was heard of it for 45 minutes"
    sign_in(serve, records, minutes_ago=35)
    assert "minta.ilona" in text_of(admin.get("/keret/belepettek/")), "may be in: sessions speak every 10 minutes"
    with serve("keret"):
        Presence.objects.all().delete()
    sign_in(serve, records, minutes_ago=39)
    assert [records.get("/irat/").status_code for _ in range(2)] == [200, 200]
    with serve("keret"):
        assert relay.deliver() == 1, "two requests are told of once"
        (presence,) = Presence.objects.all()
        assert timezone.now() - presence.seen_at < dt.timedelta(minutes=5)
        Presence.objects.update(began_at=timezone.now() - dt.timedelta(hours=2))
    page = text_of(admin.get("/keret/belepettek/"))
    assert "minta.ilona" in page and "Iratkezelő" in page
    with serve("keret"):
        Presence.objects.update(seen_at=timezone.now() - dt.timedelta(minutes=41))
    assert "minta.ilona" not in text_of(admin.get("/keret/belepettek/"))


def test_signing_out_of_the_framework_ends_the_sessions_of_every_system(browse, clerk):
    framework, records = browse("keret", "felhasznalo"), browse("irat", "iktato")
    assert records.get("/irat/").status_code == 200
    assert framework.post("/keret/kilepes").status_code == 302
    assert records.get("/irat/").status_code == 302


def test_a_substitute_has_the_colleagues_roles_until_the_last_day(admin, clerk, browse, serve):
    with serve("keret"):
        other = User.objects.create(username="mas.mihaly", name="Más Mihály", token_roles=["keret.felhasznalo"])
    helper = browse("irat", "nincs", username="mas.mihaly", name="Más Mihály")
    assert helper.get("/irat/uj").status_code == 403
    today = timezone.localdate()
    data = {"colleague": clerk.pk, "until": today.isoformat(), "reason": "szabadság"}
    assert admin.post(f"/keret/felhasznalok/{other.pk}/helyettesites", data).status_code == 302
    assert helper.get("/irat/uj").status_code == 200
    with serve("keret"):
        grant = Grant.objects.get(user=other)
        assert timezone.localtime(grant.until).date() == today + dt.timedelta(days=1)
        Grant.objects.update(since=timezone.now() - dt.timedelta(days=2), until=timezone.now() - dt.timedelta(days=1))
    assert helper.get("/irat/uj").status_code == 403, "its last day is over"


def test_a_temporary_permission_is_given_and_taken_back(admin, clerk, browse, serve):
    reader = browse("irat", "olvaso", username="olvaso.otto", name="Olvasó Ottó")
    with serve("keret"):
        user = User.objects.create(username="olvaso.otto", name="Olvasó Ottó", token_roles=["irat.olvaso"])
    assert reader.get("/irat/uj").status_code == 403
    data = {
        "role": "irat.iktato",
        "until": (timezone.localdate() + dt.timedelta(days=3)).isoformat(),
        "reason": "csúcs",
    }
    admin.post(f"/keret/felhasznalok/{user.pk}/engedely", data)
    assert reader.get("/irat/uj").status_code == 200
    with serve("keret"):
        grant = Grant.objects.get(user=user)
    admin.post(f"/keret/jogok/{grant.pk}/visszavonas")
    assert reader.get("/irat/uj").status_code == 403


@pytest.mark.parametrize(
    ("since", "until", "revoked", "holds"),
    [(-1, 1, False, True), (1, 2, False, False), (-2, -1, False, False), (-1, 1, True, False)],
)
def test_a_permission_opens_pages_from_its_beginning_to_its_end(clerk, serve, since, until, revoked, holds):
    now, day = timezone.now(), dt.timedelta(days=1)
    with serve("keret"):
        Grant.objects.create(
            user=clerk, kind="temporary", system="irat", role="vezeto", given_by="x", since=now + since * day,
            until=now + until * day, revoked_at=now if revoked else None,
        )  # fmt: skip
    with serve("irat"):
        assert ("irat.vezeto" in clerk_access.fetch(clerk.username).roles) is holds


def test_a_permanent_role_is_taken_back_on_the_page_of_roles_only(admin, principal, serve):
    """Else whoever stands in for the last administrator would leave the municipality without one."""
    with serve("keret"):
        User.objects.filter(pk=principal.pk).update(managed=True)
        role = Grant.objects.create(
            user=principal, kind="permanent", system="keret", role="adminisztrator", given_by="x"
        )
    assert admin.post(f"/keret/jogok/{role.pk}/visszavonas").status_code == 302
    assert "Állandó szerepkört a szerepkörök lapján lehet elvenni" in text_of(
        admin.get(f"/keret/felhasznalok/{principal.pk}/")
    )
    with serve("keret"):
        role.refresh_from_db()
        assert role.revoked_at is None
        assert list(User.objects.holding(ROLE)) == [principal]


def test_a_permission_that_is_over_is_not_listed(admin, clerk, serve):
    now, day = timezone.now(), dt.timedelta(days=1)
    grants = {
        "olvaso": {"since": now - 2 * day, "until": now - day},
        "iktato": {"since": now - day, "until": now + day},
        "ugyintezo": {"since": now - day, "until": now + day, "revoked_at": now, "revoked_by": "x"},
        "vezeto": {"since": now + day, "until": now + 2 * day},
    }
    with serve("keret"):
        for role, period in grants.items():
            Grant.objects.create(user=clerk, kind="temporary", system="irat", role=role, given_by="x", **period)
        assert [grant.role for grant in Grant.objects.active()] == ["iktato"]
        ends = grants["iktato"]["until"]
        assert not Grant.objects.filter(role="iktato").active(ends).exists(), "over at its very end"
        assert Grant.objects.filter(role="vezeto").active(grants["vezeto"]["since"]).exists()
    page = text_of(admin.get(f"/keret/felhasznalok/{clerk.pk}/"))
    assert page.count("/visszavonas") == 1


def test_nobody_is_listed_as_signed_in_for_longer_than_a_session_lasts(serve):
    now = timezone.now()
    with serve("keret"):
        for name, hours in (("uj", 11), ("regi", 13)):
            began = now - dt.timedelta(hours=hours)
            Presence.objects.create(username=name, system="irat", began_at=began, seen_at=now)
        assert [presence.username for presence in Presence.objects.inside(now)] == ["uj"]


@pytest.mark.parametrize("until", ["", "2020-01-01", "2999-01-01", "holnap"])
def test_a_permission_without_a_sensible_end_is_refused(admin, clerk, serve, until):
    data = {"role": "irat.iktato", "until": until, "reason": "próba"}
    assert admin.post(f"/keret/felhasznalok/{clerk.pk}/engedely", data).status_code == 422
    with serve("keret"):
        assert not Grant.objects.exists()


def test_the_database_itself_refuses_senseless_grants(clerk, serve):
    now = timezone.now()
    with serve("keret"):
        for wrong in (
            {"kind": "substitution", "substitutes": clerk, "until": now + dt.timedelta(days=1)},
            {"kind": "temporary", "system": "irat", "role": "iktato"},
            {"kind": "permanent"},
        ):
            with pytest.raises(IntegrityError), transaction.atomic():
                Grant.objects.create(user=clerk, given_by="x", **wrong)


def test_the_log_is_found_by_who_what_where_and_when(admin, serve):
    with serve("keret"):
        for n, (name, system) in enumerate([("Minta Ilona", "irat"), ("Más Mihály", "ado")]):
            at = timezone.make_aware(dt.datetime(2026, 3, 1 + n, 12))
            Activity.objects.create(at=at, username="x", name=name, system=system, action="iktatás", subject=str(n))
    for query, subjects in {
        "ki=ilona": (True, False),
        "rendszer=ado": (False, True),
        "mit=IKTAT": (True, True),
        "tol=2026-03-02": (False, True),
        "ig=2026-03-01": (True, False),
        "tol=zagyva": (True, True),
    }.items():
        page = text_of(admin.get(f"/keret/naplo/?{query}"))
        assert ("Minta Ilona" in page, "Más Mihály" in page) == subjects, query


def test_another_municipality_knows_nothing_of_it(admin, clerk, browse, serve):
    elsewhere = browse("keret", "adminisztrator", ksh=THEIRS, username="admin.aranka")
    assert elsewhere.get(f"/keret/felhasznalok/{clerk.pk}/").status_code == 404
    with serve("keret", THEIRS):
        assert clerk_access.fetch(clerk.username) is None
    with serve("keret", OURS):
        assert clerk_access.fetch(clerk.username) is not None


@pytest.fixture
def joint(node):
    """Both municipalities belong to one joint office."""
    places = {
        ksh: {"ksh": ksh, "name": FACTS[ksh]["name"], "origin": f"https://{FACTS[ksh]['host']}"}
        for ksh in (OURS, THEIRS)
    }
    for ksh, other in ((OURS, THEIRS), (THEIRS, OURS)):
        data = FACTS[ksh] | {"office": OURS, "origin": places[ksh]["origin"], "others": [places[other]]}
        with node.superuser(f"t{ksh}") as session:
            session.execute(psycopg.sql.SQL("COMMENT ON SCHEMA chain IS {}").format(json.dumps(data)))
    facts._cache.clear()
    yield
    facts._cache.clear()


def test_a_joint_offices_substitution_is_given_at_its_other_municipality_too(joint, admin, clerk, browse, serve):
    there = browse("keret", "felhasznalo", "adminisztrator", ksh=THEIRS, **ADMINISTRATOR)
    with serve("keret"):
        other = User.objects.create(username="mas.mihaly", name="Más Mihály", token_roles=[])
    today = timezone.localdate()
    data = {"colleague": clerk.pk, "until": today.isoformat(), "reason": "szabadság"}
    assert admin.post(f"/keret/felhasznalok/{other.pk}/helyettesites", data).status_code == 302
    page = text_of(admin.get(f"/keret/felhasznalok/{other.pk}/"))
    (address,) = re.findall(r'<a href="https://malyinka\.asp\.test(/keret/helyettesites[^"]*)">Mályinka</a>', page)
    address = html.unescape(address)
    assert "szabads" not in address, "why somebody is away stays where it was written"

    refusal = there.get(address)
    assert refusal.headers["Location"] == "/keret/felhasznalok/"
    assert "Mályinka felhasználói között nincs: mas.mihaly, minta.ilona" in text_of(there.get("/keret/felhasznalok/"))
    with serve("keret", THEIRS):
        User.objects.create(username="nem.erintett", name="Nem Érintett")  # numbers differ from ours
        whom = User.objects.create(username="minta.ilona", name="Minta Ilona", token_roles=["irat.iktato"])
        who = User.objects.create(username="mas.mihaly", name="Más Mihály", token_roles=[])
    helper = browse("irat", "nincs", ksh=THEIRS, username="mas.mihaly", name="Más Mihály")
    assert helper.get("/irat/uj").status_code == 403
    location = there.get(address).headers["Location"]
    form = text_of(there.get(location))
    assert location.startswith(f"/keret/felhasznalok/{who.pk}/helyettesites?")
    assert f'<option value="{whom.pk}" selected>' in form and f'value="{today.isoformat()}"' in form
    assert helper.get("/irat/uj").status_code == 403, "looking at the form gives nothing yet"
    form_data = {"colleague": whom.pk, "until": today.isoformat(), "reason": "szabadság"}
    assert there.post(location, form_data).status_code == 302
    assert helper.get("/irat/uj").status_code == 200


def test_a_joint_offices_clerk_is_offered_its_other_municipalities(joint, browse):
    page = text_of(browse("keret", "felhasznalo").get("/keret/"))
    assert re.findall(r'<a href="(https://[^"]+)">([^<]+)</a>', page) == [
        ("https://malyinka.asp.test/keret/", "Mályinka")
    ]


def test_an_own_offices_clerk_is_offered_no_other_municipality(browse):
    page = text_of(browse("keret", "felhasznalo").get("/keret/"))
    assert "közös hivatal" not in page and "https://" not in page


def test_who_is_no_administrator_there_carries_nothing_over(joint, browse):
    clerk = browse("keret", "felhasznalo", ksh=THEIRS, **ADMINISTRATOR)
    assert clerk.get("/keret/helyettesites?ki=mas.mihaly&kit=minta.ilona").status_code == 403


def test_a_municipality_with_an_office_of_its_own_has_nowhere_to_carry_it(admin, clerk, serve):
    with serve("keret"):
        other = User.objects.create(username="mas.mihaly", name="Más Mihály")
    data = {"colleague": clerk.pk, "until": timezone.localdate().isoformat(), "reason": "szabadság"}
    admin.post(f"/keret/felhasznalok/{other.pk}/helyettesites", data)
    page = text_of(admin.get(f"/keret/felhasznalok/{other.pk}/"))
    assert "helyettesíti: Minta Ilona" in page and "közös hivatal" not in page
