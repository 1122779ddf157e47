"""Taking over data: nothing is written before everything is right and somebody else approved; then all of it, once."""

import hashlib
import importlib
import io
import json
import re
import zipfile

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from inventory import paths
from systems.core import importing
from systems.keret.models import User
from systems.migration import packages
from systems.migration.models import Package
from tests.systems.support import SYSTEMS

HEAD = "felhasznalonev;nev;munkakor;email\r\n"
LISTED = "keret/felhasznalok.csv"
GOOD = HEAD + "uj.ubul;Új Ubul;iktató;ubul@pelda.test\r\nuj.ella;Új Ella;;\r\n"


def package(files=None, ksh="16054", balances=None, drop=(), changes=None):
    files = {"keret/felhasznalok.csv": GOOD} if files is None else files
    contents = {path: text.encode() for path, text in files.items()}
    manifest = {
        "format": "asp-migracio/1",
        "municipality": ksh,
        "files": {
            path: {"rows": max(0, len(data.decode().splitlines()) - 1), "sha256": hashlib.sha256(data).hexdigest()}
            for path, data in contents.items()
        },
        "balances": {"keret": {"felhasználó": 2}} if balances is None else balances,
    } | (changes or {})
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("manifest.json", json.dumps(manifest))
        for path, data in contents.items():
            if path not in drop:
                archive.writestr(path, data)
    return buffer.getvalue()


@pytest.fixture
def clerk(browse):
    return browse("migration", "ugyintezo")


@pytest.fixture
def approver(browse):
    return browse("migration", "jovahagyo", "ugyintezo", username="fonok.flora", name="Főnök Flóra")


def upload(client, content, name="atadas.zip"):
    return client.post("/migration/uj", {"package": SimpleUploadedFile(name, content)})


def shown(page):
    return re.sub(r"\s+", " ", page.content.decode())


def users(serve):
    with serve("keret"):
        return sorted(User.objects.filter(username__startswith="uj.").values_list("username", flat=True))


def test_a_clean_package_is_taken_over_after_somebody_else_approved(clerk, approver, serve, deliver):
    place = upload(clerk, package())["Location"]
    assert "Ellenőrzés folyamatban" in shown(clerk.get(place))
    deliver()
    assert "Átvehető" in shown(clerk.get(place))
    assert users(serve) == [], "a check writes nothing"
    assert approver.post(f"{place}atvetel").status_code == 302
    deliver()
    assert users(serve) == ["uj.ella", "uj.ubul"]
    page = shown(approver.get(place))
    assert "Átvéve" in page and "Főnök Flóra" in page
    pdf = clerk.get(f"{place}jegyzokonyv.pdf")
    assert pdf.content.startswith(b"%PDF-") and len(pdf.content) > 5000


def test_nobody_approves_their_own_package_and_not_without_the_role(approver, clerk, serve, deliver):
    own = upload(approver, package())["Location"]
    deliver()
    approver.post(f"{own}atvetel")
    assert clerk.post(f"{own}atvetel").status_code == 403
    deliver()
    assert users(serve) == []


def test_the_same_content_is_taken_over_once(clerk, approver, serve, deliver):
    first, second = (upload(clerk, package())["Location"] for _ in range(2))
    deliver()
    for place in (first, second):
        approver.post(f"{place}atvetel")
    deliver()
    assert users(serve) == ["uj.ella", "uj.ubul"]
    with serve("migration"):
        assert sorted(Package.objects.values_list("state", flat=True)) == ["applied", "clean"]


FAULTY = {
    HEAD + "UJ;Név;;\r\nuj.ella;Új Ella;;\r\n": "kisbetűs név",
    HEAD + "uj.ella;Új Ella;;\r\nuj.ella;Új Ella;;\r\n": "olyan, amely még nincs",
    HEAD + "uj.ella;;;\r\nuj.ubul;Új;;\r\n": "legfeljebb 120 betűs név",
    HEAD + "uj.ella;Új Ella;;nem-cim\r\nuj.ubul;Új;;\r\n": "e-mail-cím vagy semmi",
    "felhasznalonev;nev;munkakor\r\na.b;A;B\r\nc.d;C;D\r\n": "ezek az oszlopok",
}


@pytest.mark.parametrize("text", FAULTY)
def test_faulty_rows_are_listed_and_nothing_can_be_taken_over(clerk, approver, serve, deliver, text):
    place = upload(clerk, package({"keret/felhasznalok.csv": text}))["Location"]
    deliver()
    page = shown(clerk.get(place))
    assert "Hibás" in page and FAULTY[text] in page
    approver.post(f"{place}atvetel")
    deliver()
    assert users(serve) == []


@pytest.mark.parametrize("balances", [{"keret": {"felhasználó": 3}}, {}, {"keret": {"felhasználó": 2, "más": 1}}])
def test_balances_must_agree(clerk, deliver, balances):
    place = upload(clerk, package(balances=balances))["Location"]
    deliver()
    assert "Egyenlegeltérés" in shown(clerk.get(place))


def test_what_changed_since_the_check_stops_the_taking_over(clerk, approver, serve, deliver):
    place = upload(clerk, package())["Location"]
    deliver()
    with serve("keret"):
        User.objects.create(username="uj.ella", name="Már Itt")
    approver.post(f"{place}atvetel")
    deliver()
    assert "Az átvétel megszakadt" in shown(clerk.get(place))
    assert users(serve) == ["uj.ella"], "whole or not at all"


REFUSED = {
    "not a zip": (b"zip", "nem ép ZIP"),
    "cut": (package()[:-30], "nem ép ZIP"),
    "another municipality": (package(ksh="14915"), "a(z) 14915 KSH-kódú önkormányzaté"),
    "another format": (package(changes={"format": "x/9"}), "formátuma"),
    "missing file": (package(drop=("keret/felhasznalok.csv",)), "nincs a csomagban"),
    "unlisted file": (package(changes={"files": {}}), "a jegyzékben nincs"),
    "no such system": (package({"nincs/x.csv": "a\r\n"}), "ezek a rendszerek"),
    "wrong sum": (package(changes={"files": {LISTED: {"rows": 2, "sha256": "0"}}}), "ellenőrző összeg"),
    "ragged": (package({"keret/felhasznalok.csv": HEAD + "a;b\r\n"}), "nem annyi oszlop"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_no_package_is_refused_at_once(clerk, serve, name):
    content, cause = REFUSED[name]
    page = upload(clerk, content)
    assert (page.status_code, cause in shown(page)) == (422, True), shown(page)
    with serve("migration"):
        assert not Package.objects.exists()


def test_a_bomb_is_not_unpacked():
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("manifest.json", b"0" * (3 * 2**20))
    with pytest.raises(packages.PackageFault, match="nagyobb, mint 2 MiB"):
        packages.read(buffer.getvalue(), "16054", {"keret"}, 2 * 2**20)


def test_every_file_that_can_be_taken_over_is_documented():
    text = (paths.ROOT / "docs/migration-format.md").read_text(encoding="utf-8")
    for system in filter(importing.imports, SYSTEMS):
        for name, columns in importlib.import_module(f"systems.{system}.importing").FILES.items():
            row = f"| {system} | `{name}` | {', '.join(f'`{column}`' for column in columns)} |"
            assert row in text, row
