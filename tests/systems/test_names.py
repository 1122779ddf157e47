"""Systems are shown by name, never by the ids that the code uses."""

import datetime as dt
import re

import pytest
from django.utils import timezone

from systems.adattar.models import Feed
from systems.core.pdf import Pdf
from systems.keret.models import Activity, Presence, User
from systems.migration.models import Package, Part
from tests.systems.support import SYSTEMS

NOW = timezone.now()
REPORT = {"rows": {"adozok.csv": 1}, "totals": {}, "faults": [], "faults_count": 0}


def bare(texts):
    """Ids of systems that stand alone in a text, or between commas and colons."""
    return {part.strip() for text in texts for part in re.split("[,:(]", text)} & set(SYSTEMS)


def text_of(client, path):
    page = client.get(path)
    assert page.status_code == 200, path
    text = page.content.decode()
    assert "Iratkezelő" in text or "Önkormányzati adó" in text, "the rows are there"
    return re.findall(r">([^<>]+)<", text)


@pytest.mark.parametrize("path", ["naplo/", "statisztika/", "belepettek/", "felhasznalok/{}/"])
def test_in_the_framework(browse, serve, path):
    with serve("keret"):
        user = User.objects.create(username="minta.ilona", name="Minta Ilona")
        body = {"username": user.username, "at": NOW, "name": user.name, "action": "iktatás"}
        Activity.objects.create(system="irat", **body)
        Presence.objects.create(username=user.username, system="irat", began_at=NOW)
    texts = text_of(browse("keret", "adminisztrator", username="admin.aranka"), f"/keret/{path.format(user.pk)}")
    assert not bare(texts)


def test_in_the_warehouse(browse, serve):
    day = timezone.localdate() - dt.timedelta(days=1)
    with serve("adattar"):
        Feed.objects.create(
            system="irat", day=day, received_at=NOW, count=1, sha256="0", status=Feed.Status.WRONG, fault="próba"
        )
    assert not bare(text_of(browse("adattar", "olvaso"), "/adattar/"))


def test_in_the_migration(browse, serve, monkeypatch):
    with serve("migration"):
        fields = {"sha256": "0" * 64, "content": b"", "uploader": "x", "uploaded_by": "x"}
        package = Package.objects.create(name="atadas.zip", **fields)
        Part.objects.create(package=package, system="ado", report=REPORT)
    clerk, titles = browse("migration", "ugyintezo"), []
    for path in ("", f"csomag/{package.pk}/"):
        assert not bare(text_of(clerk, f"/migration/{path}"))
    section = Pdf.section
    monkeypatch.setattr(Pdf, "section", lambda pdf, title: titles.append(title) or section(pdf, title))
    clerk.get(f"/migration/csomag/{package.pk}/jegyzokonyv.pdf")
    assert "Önkormányzati adó: nincs átvéve" in titles and not bare(titles)
