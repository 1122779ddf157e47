"""The warehouse: whole feeds count once, wrong ones are shown but do not count, late and missing ones are noticed."""

import datetime as dt
import io
import zipfile
from dataclasses import replace
from unittest import mock

import pytest
from django.conf import settings
from django.db import transaction
from django.utils import timezone

from systems.adattar import views
from systems.adattar.models import Feed, Figure
from systems.chain import relay, send, sent_last
from systems.exchange import feeding
from systems.shared import parts
from tests.systems.support import OURS, SYSTEMS, THEIRS

ROWS = [
    {"measure": "iktatott irat", "dimension": "bejövő", "kind": "count", "value": 12},
    {"measure": "iktatott irat", "dimension": "kimenő", "kind": "count", "value": 3},
]


def feed(serve, rows=ROWS, source="irat", days_ago=1, **changes):
    day = timezone.localdate() - dt.timedelta(days=days_ago)
    body = {"day": day, "dataset": source, "rows": rows, "count": len(rows), "sha256": feeding.checksum(rows)}
    with serve(source), transaction.atomic():
        send("adattar", "feed", body | changes, key=f"{source}/{day}")


@pytest.fixture
def reader(browse):
    return browse("adattar", "olvaso")


def test_a_whole_feed_is_kept_and_shown(serve, deliver, reader):
    feed(serve)
    deliver()
    with serve("adattar"):
        assert list(Figure.objects.values_list("dimension", "value")) == [("bejövő", 12), ("kimenő", 3)]
    assert reader.get("/adattar/").status_code == 200


@pytest.mark.parametrize(
    ("changes", "cause"),
    [
        ({"count": 3}, "a kísérőjegyzék szerint 3 sor, a küldeményben 2"),
        ({"sha256": "0" * 64}, "az ellenőrző összeg nem egyezik"),
        ({"dataset": "ado"}, "más rendszer adatát küldte: ado"),
    ],
)
def test_a_feed_that_disagrees_with_its_manifest_is_shown_as_wrong(serve, deliver, reader, changes, cause):
    feed(serve)
    feed(serve, **changes)
    deliver()
    with serve("adattar"):
        assert Feed.objects.filter(status="wrong").count() == 1
        assert Figure.objects.count() == 2, "what came whole before is still there"
    assert cause in reader.get("/adattar/").content.decode()


def test_a_feed_that_comes_again_replaces_the_first(serve, deliver):
    feed(serve)
    feed(serve, rows=[ROWS[0] | {"value": 40}])
    deliver()
    with serve("adattar"):
        assert list(Figure.objects.values_list("value", flat=True)) == [40]


def test_the_night_brings_every_systems_feed_once(serve, deliver, monkeypatch):
    night = timezone.make_aware(dt.datetime(2026, 3, 3, 2))
    monkeypatch.setattr(relay.timezone, "localtime", lambda: night)
    delivering = [system for system in SYSTEMS if parts.delivers(system)]
    for _ in range(2):
        for system in delivering:
            with serve(system):
                relay.run_jobs()
    deliver()
    with serve("adattar"):
        feeds = Feed.objects.order_by("system").values_list("system", "day", "status")
        assert list(feeds) == [(system, dt.date(2026, 3, 2), "whole") for system in sorted(delivering)]
    assert len(delivering) >= 10 and "helpdesk" in delivering


def test_days_that_were_missed_are_made_up_for_and_marked(serve, deliver, reader):
    """With the last feed six days ago, five more are sent, and all but yesterday's are marked."""
    today = timezone.localdate()
    for day in (today - dt.timedelta(days=5), today, today):
        with serve("keret"), transaction.atomic():
            feeding.deliver("keret", day)
        deliver()
    with serve("adattar"):
        result = {(today - feed.day).days: feed.late for feed in Feed.objects.all()}
        assert result == {6: False, 5: True, 4: True, 3: True, 2: True, 1: False}
    assert reader.get("/adattar/").content.decode().count('title="utólag készült"') == 4
    assert f"{today - dt.timedelta(days=2):%Y. %m. %d.}</p>" in reader.get("/adattar/keret/").content.decode()
    with zipfile.ZipFile(io.BytesIO(reader.get("/adattar/keret/tabla").content)) as book:
        assert b"<t>igen</t>" in book.read("xl/sharedStrings.xml")


def test_a_municipality_without_the_warehouse_sends_it_nothing(serve):
    today, without = timezone.localdate(), []
    with serve("keret"), transaction.atomic():
        for entry in settings.ASP.catalogue:
            without.append(replace(entry, absent_at=(OURS,)) if entry.id == "adattar" else entry)
        with mock.patch.object(settings, "ASP", replace(settings.ASP, catalogue=tuple(without))):
            feeding.deliver("keret", today)
        assert sent_last("adattar", "feed") is None
        feeding.deliver("keret", today)
        assert sent_last("adattar", "feed") is not None


def test_no_more_than_two_weeks_are_made_up_for(serve):
    today = timezone.localdate()
    with serve("keret"), transaction.atomic():
        assert feeding._days_to_send("keret", today) == [today], "a system that never sent owes nothing of before"
        feeding.deliver("keret", today - dt.timedelta(days=40))
        days = feeding._days_to_send("keret", today)
    assert (len(days), days[0], days[-1]) == (14, today - dt.timedelta(days=13), today)


def test_a_feed_that_came_in_time_and_again_is_not_late(serve, deliver):
    feed(serve)
    deliver()
    with serve("adattar"):
        Feed.objects.update(received_at=timezone.now() - dt.timedelta(days=3))
        first = Feed.objects.get().received_at
    feed(serve, rows=ROWS[:1])
    deliver()
    with serve("adattar"):
        second_feed = Feed.objects.get()
        assert (second_feed.received_at, second_feed.count, second_feed.late) == (first, 1, False)


@pytest.mark.parametrize(
    ("hour", "minute", "words"),
    [(1, 30, "megjött"), (6, 0, "megjött"), (6, 1, "megjött, későn"), (23, 59, "megjött, későn")],
)
def test_a_feed_after_the_hour_is_late_on_that_very_day(hour, minute, words):
    day = dt.date(2026, 3, 2)
    at = timezone.make_aware(dt.datetime.combine(day + dt.timedelta(days=1), dt.time(hour, minute)))
    assert views._state(Feed(received_at=at, status=Feed.Status.WHOLE), day, 6, day)[1] == words


def test_late_and_missing_feeds_are_seen(serve, deliver, reader):
    """Days before the very first feed are not missing: the warehouse may have begun in the middle of the list."""
    missing = []
    for days_ago in (1, 13):
        feed(serve, source="keret", rows=[], days_ago=days_ago)
        deliver()
        with serve("adattar"):
            Feed.objects.update(received_at=timezone.now() + dt.timedelta(days=2))
        page = reader.get("/adattar/").content.decode()
        assert "megjött, későn" in page
        missing.append(page.count("hiányzik"))
    assert missing[0] < missing[1] and missing[1] >= 12


@pytest.mark.parametrize(
    "row",
    [{"kind": "percent"}, {"value": 1.5}, {"value": True}, {"name": "Minta Ilona"}],
)
def test_rows_without_the_proper_form_are_not_sent(row):
    assert feeding.fault([ROWS[0] | row])
    assert feeding.fault([ROWS[0], ROWS[0]]) == "row 1: iktatott irat / bejövő comes twice"
    assert feeding.fault(ROWS) is None


def test_figures_can_be_taken_away_as_a_sheet(serve, deliver, reader):
    feed(serve, source="keret", rows=ROWS)
    deliver()
    page = reader.get("/adattar/keret/")
    assert ("12" in page.content.decode(), page.status_code) == (True, 200)
    sheet = reader.get("/adattar/keret/tabla")
    assert sheet["Content-Disposition"] == 'attachment; filename="adattar-keret.xlsx"'
    assert "xl/worksheets/sheet1.xml" in zipfile.ZipFile(io.BytesIO(sheet.content)).namelist()
    assert reader.get("/adattar/nincs/").status_code == 404


def test_the_neighbour_has_its_own_warehouse(serve, deliver):
    feed(serve)
    deliver()
    with serve("adattar", THEIRS):
        assert not Feed.objects.exists()
