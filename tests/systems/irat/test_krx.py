"""KRX packages: what one office sends arrives unchanged at another, once, and nothing else gets in."""

from __future__ import annotations

import datetime as dt
import hashlib
import io
import re
import uuid
import zipfile

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.utils import timezone
from hypothesis import given, settings
from hypothesis import strategies as some

from systems.irat import handling, krx
from systems.irat.models import Attachment, Case, CaseEvent, Document, Incoming, KrxPackage
from tests.systems.support import OURS, THEIRS

PDF = krx.File('Kérelem "1".pdf', "application/pdf", b"%PDF-1.4 a")
PICTURE = krx.File("rajz.png", "image/png", b"\x89PNG")


def letter(**changes):
    data = {"number": "X/2026/1-1", "sender": "Minta Kft.", "addressee": "Mályinka", "subject": "Fakivágási kérelem"}
    return krx.Letter(**(data | {"day": dt.date(2026, 11, 20), "note": "sürgős", "files": [PDF]} | changes))


def package(*letters, to=OURS, **changes):
    data = {"identifier": uuid.uuid4(), "made_at": timezone.localtime().replace(microsecond=0)}
    data |= {"sender": krx.Office("Mályinka", THEIRS), "addressee": krx.Office("Sajószentpéter", to)}
    return krx.Package(**(data | {"letters": list(letters) or [letter()]} | changes))


TEXT = some.text(some.characters(codec="utf-8", exclude_categories=["Cc", "Cs"]), min_size=1, max_size=40).filter(
    lambda text: text == text.strip() and not krx.UNWRITABLE.search(text)
)
LETTERS = some.builds(
    krx.Letter, number=TEXT, sender=TEXT, addressee=some.just("") | TEXT, subject=TEXT, day=some.dates(),
    note=some.just("") | some.lists(TEXT, min_size=1, max_size=3).map("\n".join),
    files=some.lists(some.builds(krx.File, TEXT, TEXT, some.binary(max_size=50)), max_size=3),
)  # fmt: skip


@settings(max_examples=60, deadline=None)
@given(some.lists(LETTERS, min_size=1, max_size=3))
def test_what_is_packed_is_unpacked_the_same(letters):
    original = package(*letters)
    assert krx.unpack(krx.pack(original)) == original


def envelope(content, text=None, **parts):
    """The package with changes in its envelope, or with other entries."""
    source = zipfile.ZipFile(io.BytesIO(content))
    entries = {name: source.read(name) for name in source.namelist()}
    for old, new in text or ():
        assert old in entries["boritek.xml"], entries["boritek.xml"]
        entries["boritek.xml"] = entries["boritek.xml"].replace(old, new)
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in (entries | parts).items():
            if data is not None:
                archive.writestr(name, data)
    return buffer.getvalue()


GOOD = krx.pack(package())
SUM = hashlib.sha256(PDF.content).hexdigest().encode()
PLACE = next(name for name in zipfile.ZipFile(io.BytesIO(GOOD)).namelist() if name.startswith("irat-"))
BOMB = b'<!DOCTYPE a [<!ENTITY x "xxxxxxxxxx"><!ENTITY y "&x;&x;">]><csomag>&y;</csomag>'
REFUSED = {
    "no zip": (b"krx", "nem ép ZIP"),
    "cut": (GOOD[:-40], "nem ép ZIP"),
    "no envelope": (envelope(GOOD, **{"boritek.xml": None}), "nincs boritek.xml"),
    "no XML": (envelope(GOOD, **{"boritek.xml": b"<csomag>"}), "nem olvasható XML"),
    "entities": (envelope(GOOD, **{"boritek.xml": BOMB}), "nem olvasható XML"),
    "another format": (envelope(GOOD, [(b"asp-krx/1", b"krx/9")]), "formátuma"),
    "no documents": (krx.pack(package(letters=[])), "1–50 irat"),
    "unlisted": (envelope(GOOD, **{"b.exe": b"x"}), "nem sorolja fel: b.exe"),
    "missing": (envelope(GOOD, **{PLACE: None}), "nincs a csomagban"),
    "wrong sum": (envelope(GOOD, **{PLACE: b"changed"}), "ellenőrző összeg"),
    "listed twice": (
        envelope(krx.pack(package(letter(files=[PDF, PICTURE]))), [(b"irat-1/2-rajz.png", PLACE.encode())]),
        "többször",
    ),
    "no identifier": (envelope(GOOD, [(b'azonosito="', b'azonosito="x')]), "azonosítója"),
    "no subject": (envelope(GOOD, [(b"targy>", b"tema>")]), "irat/targy"),
    "no day": (envelope(GOOD, [(b"2026-11-20", b"tegnap")]), "2026-01-31 kellene"),
    "for somebody else": (krx.pack(package(to=THEIRS)), "nem ez az önkormányzat"),
}


@pytest.fixture
def clerk(browse):
    return browse("irat", "iktato", "ugyintezo", username="irat.iren", name="Irat Irén")


def upload(client, content, name="csomag.krx"):
    return client.post("/irat/erkeztetes/krx", {"package": SimpleUploadedFile(name, content)})


def text(page):
    return re.sub(r"\s+", " ", page.content.decode())


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_no_package_for_us_is_refused_and_leaves_nothing(clerk, serve, name):
    content, cause = REFUSED[name]
    page = upload(clerk, content)
    assert (page.status_code, cause in text(page)) == (422, True), text(page)
    with serve("irat"):
        assert not Incoming.objects.exists() and not KrxPackage.objects.exists()


def test_a_bomb_is_not_unpacked():
    bomb = envelope(GOOD, **{"a": b"\0" * (krx.LARGEST + 1)})
    with pytest.raises(krx.KrxFault, match="nagyobb, mint 25 MiB"):
        krx.unpack(bomb)


def register(clerk, item, **changes):
    page = text(clerk.get(f"/irat/erkeztetes/{item.pk}/iktatas"))
    data = {"token": str(uuid.uuid4()), "arrival": "gateway", "received_on": timezone.localdate()}
    data |= {"sender": "Minta Kft.", "subject": "Fakivágási kérelem", "note": ""} | changes
    return page, clerk.post(f"/irat/erkeztetes/{item.pk}/iktatas", data)


def test_a_package_becomes_one_case_with_all_its_documents_and_files_and_nothing_is_kept_twice(clerk, serve):
    more = letter(subject="Helyszínrajz", note="", number="", files=[PICTURE, PDF])
    original = package(letter(), more)
    place = upload(clerk, krx.pack(original))["Location"]
    page = text(clerk.get(place))
    assert "Helyszínrajz" in page and "rajz.png" in page and str(original.identifier) in page and "14915" in page
    with serve("irat"):
        item = Incoming.objects.get()
        assert (item.sender, item.subject, item.arrival) == ("Mályinka", "Fakivágási kérelem", "gateway")
    form, response = register(clerk, item)
    assert "A küldő iktatószáma: X/2026/1-1" in form and response.status_code == 302
    with serve("irat"):
        first, second = Document.objects.order_by("sub")
        assert (second.number, second.subject) == (first.number.replace("-1", "-2"), "Helyszínrajz")
        files = Attachment.objects.order_by("id").values_list("document", "name", "content_type", "content")
        assert [(pk, name, kind, bytes(data)) for pk, name, kind, data in files] == [
            (document.pk, part.name, part.content_type, part.content)
            for document, part in ((first, PDF), (second, PICTURE), (second, PDF))
        ]
        assert KrxPackage.objects.get().content is None
    assert first.number in text(clerk.get(place))


def test_a_package_comes_once_and_one_that_is_sent_back_is_not_kept(clerk, serve):
    content = krx.pack(package())
    assert upload(clerk, content).status_code == 302
    with serve("irat"):
        item = Incoming.objects.get()
    assert f"már megérkezett: {item.number}" in text(upload(clerk, content))
    clerk.post(f"/irat/erkeztetes/{item.pk}/visszakuldes", {"reason": "nem ránk tartozik"})
    with serve("irat"):
        assert KrxPackage.objects.get().content is None
    assert "visszaküldve: nem ránk tartozik" in text(clerk.get(f"/irat/erkeztetes/{item.pk}/krx"))


def test_a_case_is_handed_to_another_municipality_and_arrives_there(clerk, browse, serve):
    with serve("irat"):
        documents = [
            Document(sender="Minta Kft.", subject=subject, received_on=timezone.localdate(), registered_by="teszt")
            for subject in ("Kérelem", "Kiegészítés", "Belső feljegyzés")
        ]
        documents[0].register()
        for document in documents[1:]:
            document.register(documents[0].case)
        handling.attach(documents[1], PDF.name, PDF.content_type, PDF.content)
        case, keys = documents[0].case_id, [document.pk for document in documents]
    page = clerk.get(f"/irat/ugyirat/{case}/krx")
    assert page.content.count(b"checked") == 3
    form = {"addressee": "Mályinka", "ksh": THEIRS, "documents": keys[:2]}
    answer = clerk.post(f"/irat/ugyirat/{case}/krx", form)
    assert answer["Content-Disposition"].endswith('.krx"')
    with serve("irat"):
        event = CaseEvent.objects.get(kind="packed")
        assert event.note == f"Mályinka: {documents[0].number}, {documents[1].number}"
    there = browse("irat", "iktato", ksh=THEIRS)
    arrival = text(there.get(upload(there, answer.content)["Location"]))
    assert "Sajószentpéter" in arrival and "Kiegészítés" in arrival and "Belső feljegyzés" not in arrival
    assert "nem ez az önkormányzat" in text(upload(clerk, answer.content))
    with serve("irat", THEIRS):
        item = Incoming.objects.get()
    register(there, item, subject="Kérelem")
    with serve("irat", THEIRS):
        assert bytes(Attachment.objects.get(document__subject="Kiegészítés").content) == PDF.content


def test_only_who_registers_books_packages_and_scrapped_cases_give_none(browse, clerk, serve):
    assert upload(browse("irat", "vezeto"), GOOD).status_code == 403
    with serve("irat"):
        document = Document(sender="M", subject="K", received_on=timezone.localdate(), registered_by="teszt")
        document.register()
        Case.objects.update(state="scrapped")
    form = {"addressee": "Mályinka", "documents": [document.pk]}
    page = clerk.post(f"/irat/ugyirat/{document.case_id}/krx", form)
    assert (page.status_code, "selejtezve" in text(page)) == (422, True)
