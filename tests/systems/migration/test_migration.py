"""Importing data: nothing is written before everything is right and somebody else approved; then all of it, once."""

import hashlib
import importlib
import io
import json
import re
import zipfile
from contextlib import nullcontext

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import IntegrityError, transaction

from inventory import paths
from systems.ado import importing as tax_importing
from systems.ado.models import Taxpayer
from systems.chain import relay
from systems.core.pdf import Pdf
from systems.core.room import ROOM
from systems.exchange import importing
from systems.keret.models import User
from systems.migration import packages
from systems.migration.models import Package
from systems.shared import parts
from tests.systems.ado.test_tax import FIRM
from tests.systems.support import SYSTEMS

HEAD = "felhasznalonev;nev;munkakor;email\r\n"
LISTED = "keret/felhasznalok.csv"
GOOD = HEAD + "uj.ubul;Új Ubul;iktató;ubul@pelda.test\r\nuj.ella;Új Ella;;\r\n"
TWO = {LISTED: GOOD, "ado/adozok.csv": f"adoazonosito;nev;cim\r\n{FIRM};Régi Kft.;Miskolc\r\n"}
TAXES = {"adózó": 1, "kivetett adó": 0, "befizetett adó": 0, "egyenleg": 0}
BALANCES = {"keret": {"felhasználó": 2}, "ado": TAXES}


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


def listing(rows):
    """What a manifest says of the usual file, with another number of rows."""
    return {LISTED: {"rows": rows, "sha256": hashlib.sha256(GOOD.encode()).hexdigest()}}


def manifest_of(content):
    """A package with nothing but a manifest: a value, or text as it is."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("manifest.json", content if isinstance(content, str) else json.dumps(content))
    return buffer.getvalue()


@pytest.fixture
def clerk(browse):
    return browse("migration", "ugyintezo")


@pytest.fixture
def approver(browse):
    return browse("migration", "jovahagyo", "ugyintezo", username="fonok.flora", name="Főnök Flóra")


def upload(client, content, name="atadas.zip"):
    return client.post("/migration/uj", {"package": SimpleUploadedFile(name, content)})


def text_of(page):
    return re.sub(r"\s+", " ", page.content.decode())


def users(serve):
    with serve("keret"):
        return sorted(User.objects.filter(username__startswith="uj.").values_list("username", flat=True))


def test_a_clean_package_is_taken_over_after_somebody_else_approved(clerk, approver, serve, deliver):
    place = upload(clerk, package())["Location"]
    assert "Ellenőrzés folyamatban" in text_of(clerk.get(place))
    deliver()
    assert "Átvehető" in text_of(clerk.get(place))
    assert users(serve) == [], "a check writes nothing"
    assert approver.post(f"{place}atvetel").status_code == 302
    deliver()
    assert users(serve) == ["uj.ella", "uj.ubul"]
    page = text_of(approver.get(place))
    assert "Átvéve" in page and "Főnök Flóra" in page
    pdf = clerk.get(f"{place}jegyzokonyv.pdf")
    assert pdf.content.startswith(b"%PDF-") and len(pdf.content) > 5000


@pytest.fixture
def minutes(monkeypatch):
    """`minutes(client, place)`: the texts in the minutes of a package, in order."""
    texts = []
    content = Pdf.content
    monkeypatch.setattr(Pdf, "content", lambda pdf: texts.extend(words(pdf.flow)) or content(pdf))

    def words(flow):
        for piece in flow:
            if rows := getattr(piece, "_cellvalues", None):
                yield from (" | ".join(cell.getPlainText() for cell in row) for row in rows)
            elif hasattr(piece, "getPlainText"):
                yield piece.getPlainText()

    def read(client, place):
        texts.clear()
        assert client.get(f"{place}jegyzokonyv.pdf").content.startswith(b"%PDF-")
        return texts

    return read


def test_the_minutes_say_who_approved_and_what_came(clerk, approver, deliver, minutes):
    place = upload(clerk, package())["Location"]
    deliver()
    before = minutes(clerk, place)
    assert "Állapot | Átvehető" in before and "Jóváhagyta | " in before and "Feltöltötte | Minta Ilona" in str(before)
    approver.post(f"{place}atvetel")
    deliver()
    after = minutes(clerk, place)
    assert {"Csomag | atadas.zip", "Állapot | Átvéve", "Jóváhagyta | Főnök Flóra"} <= set(after)
    assert {"Keretrendszer: átvéve", "felhasznalok.csv | 2", "felhasználó | 2"} <= set(after)


def test_the_minutes_and_the_list_have_the_faulty_rows(clerk, deliver, minutes, monkeypatch):
    rows = "".join(f"uj.ella{n};;;\r\n" for n in range(60))
    text = HEAD + rows
    place = upload(clerk, package({LISTED: text}, balances={"keret": {"felhasználó": 60}}))["Location"]
    deliver()
    ending = " |  | legfeljebb 120 betűs név"
    result = [line for line in minutes(clerk, place) if line.endswith(ending)]
    assert result[0] == f"felhasznalok.csv | 2 | nev{ending}" and len(result) == 50
    monkeypatch.setattr("systems.migration.views.ON_PAGE", 10)
    page = text_of(clerk.get(place))
    assert "Hibák soronként (60, itt az első 10)" in page and page.count("legfeljebb 120 betűs név") == 10
    sheet = clerk.get(f"{place}hibajegyzek.xlsx").content
    with zipfile.ZipFile(io.BytesIO(sheet)) as book:
        lines = book.read("xl/worksheets/sheet1.xml").decode().count("<row ")
        texts = book.read("xl/sharedStrings.xml").decode()
    assert lines == 61 and "Keretrendszer" in texts and "felhasznalok.csv" in texts


def test_a_report_lists_more_faults_than_a_page_and_says_how_many_there_are():
    report = importing.Report()
    for number in range(importing.MOST_FAULTS + 5):
        report.fault("x.csv", number, "nev", "", "név")
    body = report.as_dict()
    assert (len(body["faults"]), body["faults_count"]) == (importing.MOST_FAULTS, importing.MOST_FAULTS + 5)
    assert importing.MOST_FAULTS > 1000


def test_nobody_approves_their_own_package_and_not_without_the_role(approver, clerk, serve, deliver):
    own = upload(approver, package())["Location"]
    deliver()
    assert "másnak kell jóváhagynia" in text_of(approver.post(f"{own}atvetel", follow=True))
    assert clerk.post(f"{own}atvetel").status_code == 403
    deliver()
    assert users(serve) == []


def test_the_same_content_is_taken_over_once(clerk, approver, serve, deliver):
    content = package()  # a zip has its time in it
    first, second = (upload(clerk, content)["Location"] for _ in range(2))
    deliver()
    for place in (first, second):
        approver.post(f"{place}atvetel")
    deliver()
    assert users(serve) == ["uj.ella", "uj.ubul"]
    with serve("migration"):
        assert sorted(Package.objects.values_list("state", flat=True)) == ["applied", "clean"]


@pytest.mark.parametrize("state", ["approved", "applying", "applied", "partial"])
def test_content_that_is_being_taken_over_is_not_approved_again(serve, state):
    with serve("migration"):
        row = {"name": "a.zip", "sha256": "0" * 64, "content": b"", "uploader": "egy"}
        Package.objects.create(**row, state=state, approver="ketto")
        second = Package.objects.create(**row, state="clean")
        with pytest.raises(IntegrityError, match="content_taken_over_once"):
            Package.objects.filter(pk=second.pk).update(state="approved", approver="ketto")


def test_who_uploaded_a_package_is_never_who_approved_it_not_even_by_a_statement(serve):
    with serve("migration"):
        package = Package.objects.create(name="a.zip", sha256="0" * 64, content=b"", uploader="egy", state="clean")
        for approver in ("", "egy"):
            with pytest.raises(IntegrityError, match="approved_by_another"), transaction.atomic():
                Package.objects.filter(pk=package.pk).update(state="approved", approver=approver)
        assert Package.objects.filter(pk=package.pk).update(state="approved", approver="ketto") == 1


@pytest.mark.parametrize(
    ("state", "system", "applied", "may"),
    [
        ("applying", "keret", False, True),
        ("approved", "keret", False, False),  # the other systems have not confirmed yet
        ("clean", "keret", False, False),
        ("applied", "keret", False, False),
        ("applying", "keret", True, False),  # it has written its part
        ("applying", "ado", False, False),  # it has no part for the framework
    ],
)
def test_a_system_may_write_its_part_once_and_only_when_all_have_confirmed(serve, state, system, applied, may):
    with serve("migration"):
        package = Package.objects.create(
            name="a.zip", sha256="0" * 64, content=b"", uploader="egy", approver="ketto", state=state
        )
        package.parts.create(system=system, applied=applied)
    with serve("keret"):
        assert importing._approved(package.pk) is may


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
    page = text_of(clerk.get(place))
    assert "Hibás" in page and FAULTY[text] in page
    approver.post(f"{place}atvetel")
    deliver()
    assert users(serve) == []


def states(serve):
    with serve("migration"):
        return sorted(Package.objects.values_list("state", flat=True))


@pytest.mark.parametrize(
    ("balances", "message"),
    [
        ({"keret": {"felhasználó": 3}}, "Egyenlegeltérés: felhasználó: a jegyzék szerint 3, az adatok összege 2"),
        ({}, "felhasználó: a jegyzék szerint nincs, az adatok összege 2"),
        ({"keret": {"felhasználó": 2, "más": 1}}, "más: a jegyzék szerint 1, az adatok összege nincs"),
        ({"keret": {"felhasználó": 2}, "ado": TAXES}, "Hibás"),  # of a system that gets no rows
    ],
)
def test_a_package_whose_balances_disagree_is_faulty_and_approving_it_changes_nothing(
    clerk, approver, serve, deliver, balances, message
):
    place = upload(clerk, package(balances=balances))["Location"]
    deliver()
    assert message in text_of(clerk.get(place))
    assert states(serve) == ["faulty"]
    assert "A csomag most nem vehető át" in text_of(approver.post(f"{place}atvetel", follow=True))
    assert (states(serve), deliver(), users(serve)) == (["faulty"], 0, []), "no system is asked again"


def test_what_changed_since_the_check_stops_the_taking_over(clerk, approver, serve, deliver):
    place = upload(clerk, package())["Location"]
    deliver()
    with serve("keret"):
        User.objects.create(username="uj.ella", name="Már Itt")
    approver.post(f"{place}atvetel")
    deliver()
    assert "Az átvétel elmaradt" in text_of(clerk.get(place))
    assert users(serve) == ["uj.ella"], "whole or not at all"


def taxpayers(serve):
    with serve("ado"):
        return list(Taxpayer.objects.values_list("name", flat=True))


def relay_systems(serve, *systems):
    for system in systems:
        with serve(system):
            relay.deliver()


@pytest.fixture
def package_of_two(clerk, deliver):
    """Upload a clean package for two systems; returns the address of its page."""
    place = upload(clerk, package(TWO, balances=BALANCES))["Location"]
    deliver()
    assert "Átvehető" in text_of(clerk.get(place))
    return place


def test_two_systems_take_over_together(approver, package_of_two, serve, deliver):
    approver.post(f"{package_of_two}atvetel")
    deliver()
    assert "Átvéve" in text_of(approver.get(package_of_two))
    assert (users(serve), taxpayers(serve)) == (["uj.ella", "uj.ubul"], ["Régi Kft."])


def test_no_system_writes_when_one_refuses_at_the_second_check(approver, package_of_two, serve, deliver):
    with serve("ado"):
        Taxpayer.objects.create(identifier=FIRM, name="Már Itt Kft.")
    approver.post(f"{package_of_two}atvetel")
    relay_systems(serve, "keret", "migration", "keret")
    assert users(serve) == [], "the first one waits for what the second says"
    deliver()
    page = text_of(approver.get(package_of_two))
    assert "Az átvétel elmaradt" in page and "Egyik rendszer sem írt semmit" in page
    assert (users(serve), taxpayers(serve)) == ([], ["Már Itt Kft."])


def test_a_system_that_dies_after_the_other_wrote_completes_it_by_itself(
    approver, package_of_two, serve, deliver, node, monkeypatch
):
    def die(files):
        raise RuntimeError("killed")

    approver.post(f"{package_of_two}atvetel")
    with monkeypatch.context() as patch:
        patch.setattr(tax_importing, "apply", die)
        deliver(failures=True)
    assert (users(serve), taxpayers(serve)) == (["uj.ella", "uj.ubul"], [])
    assert "Átvétel folyamatban" in text_of(approver.get(package_of_two)), "it is not done, and it is not given up"
    with node.superuser("t16054") as session:
        session.execute("UPDATE chain.failure SET at = at - interval '2 minutes'")
    deliver(failures=True)
    assert "Átvéve" in text_of(approver.get(package_of_two))
    assert (users(serve), taxpayers(serve)) == (["uj.ella", "uj.ubul"], ["Régi Kft."]), "and nothing twice"


def test_a_package_that_one_system_refused_at_the_last_moment_is_completed(
    clerk, approver, package_of_two, serve, deliver
):
    approver.post(f"{package_of_two}atvetel")
    relay_systems(serve, "keret", "ado", "migration")
    with serve("ado"):
        between = Taxpayer.objects.create(identifier=FIRM, name="Közben Kft.").pk
    deliver()
    page = text_of(approver.get(package_of_two))
    assert "Részben átvéve" in page and "olyan, amely még nincs" in page
    assert (users(serve), taxpayers(serve)) == (["uj.ella", "uj.ubul"], ["Közben Kft."])

    approver.post(f"{package_of_two}befejezes")
    deliver()
    assert "Részben átvéve" in text_of(approver.get(package_of_two)), "the cause is still there"
    with serve("ado"):
        Taxpayer.objects.filter(pk=between).delete()
    assert clerk.post(f"{package_of_two}befejezes").status_code == 403
    approver.post(f"{package_of_two}befejezes")
    deliver()
    assert "Átvéve" in text_of(approver.get(package_of_two))
    assert (users(serve), taxpayers(serve)) == (["uj.ella", "uj.ubul"], ["Régi Kft."])
    approver.post(f"{package_of_two}befejezes")
    assert "A csomag most nem vehető át" in text_of(approver.get(package_of_two))


def test_two_who_approve_at_once_have_it_taken_over_once(clerk, approver, browse, serve, deliver, node, monkeypatch):
    """At two app servers: within one, large work is done one at a time anyhow."""
    monkeypatch.setattr(ROOM, "work", nullcontext)
    place = upload(clerk, package())["Location"]
    deliver()
    other = browse("migration", "jovahagyo", username="masik.mate", name="Másik Máté")
    approve = [lambda client=client: client.post(f"{place}atvetel").status_code for client in (approver, other)]
    with serve("migration"):
        assert node.at_once("SELECT FROM migration.package FOR UPDATE", *approve) == [302, 302]
    message = sorted("Az átvételt jóváhagyta" in text_of(c.get(place)) for c in (approver, other))
    assert message == [False, True]
    deliver()
    assert users(serve) == ["uj.ella", "uj.ubul"]
    with node.superuser("t16054") as session:
        requests = session.execute("SELECT topic FROM chain.message WHERE source = 'migration' AND target = 'keret'")
        topics = sorted(topic for (topic,) in requests)
    assert topics == ["activity", "activity", "import-apply", "import-check", "import-check"]


REFUSED = {
    "not a zip": (b"zip", "nem ép ZIP"),
    "cut": (package()[:-30], "nem ép ZIP"),
    "another municipality": (package(ksh="14915"), "a(z) 14915 KSH-kódú önkormányzaté"),
    "another format": (package(changes={"format": "x/9"}), "formátuma"),
    "missing file": (package(drop=("keret/felhasznalok.csv",)), "nincs a csomagban"),
    "unlisted file": (package(changes={"files": {}}), "a jegyzékben nincs"),
    "fewer rows than promised": (package(changes={"files": listing(rows=3)}), "2 sor van benne, a jegyzék szerint 3"),
    "more rows than promised": (package(changes={"files": listing(rows=1)}), "2 sor van benne, a jegyzék szerint 1"),
    "a system that takes nothing over": (package({"portal/x.csv": "a\r\n"}), "portal/x.csv: adatot ezek"),
    "no such system": (package({"nincs/x.csv": "a\r\n"}), "ezek a rendszerek"),
    "wrong sum": (package(changes={"files": {LISTED: {"rows": 2, "sha256": "0"}}}), "ellenőrző összeg"),
    "promised is no table": (package(changes={"files": {LISTED: "x"}}), "a sorok száma és"),
    "rows are a word": (package(changes={"files": {LISTED: {"rows": "2", "sha256": "0"}}}), "a sorok száma és"),
    "balances are a list": (package(balances={"keret": [1]}), "név és egész szám párjai"),
    "a balance is a word": (package(balances={"keret": {"felhasználó": "2"}}), "név és egész szám párjai"),
    "a balance is no number": (package(balances={"keret": {"felhasználó": float("nan")}}), "név és egész szám párjai"),
    "the manifest is a list": (manifest_of([]), "név és érték párjaiból"),
    "files are a list": (package(changes={"files": [LISTED]}), "része név és érték"),
    "the format is a list": (package(changes={"format": []}), "nincs benne szövegként"),
    "NUL in the manifest": (package(balances={"keret": {"a\0": 1}}), "nem írásjel"),
    "half a pair in the manifest": (package(balances={"keret": {"\ud800": 1}}), "nem írásjel"),
    "deep": (manifest_of("[" * 100_000), "nem olvasható"),
    "NUL in a cell": (package({LISTED: HEAD + "a;b\0;;\r\n"}, balances={}), "NUL karakter"),
    "one system too large": (package({LISTED: HEAD + "a" * (17 * 2**20)}), "legfeljebb 16 MiB"),
    "ragged": (package({"keret/felhasznalok.csv": HEAD + "a;b\r\n"}), "nem annyi oszlop"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_no_package_is_refused_at_once(clerk, serve, name):
    content, cause = REFUSED[name]
    page = upload(clerk, content)
    assert (page.status_code, cause in text_of(page)) == (422, True), text_of(page)
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
    for system in filter(parts.imports, SYSTEMS):
        for name, columns in importlib.import_module(f"systems.{system}.importing").FILES.items():
            row = f"| {system} | `{name}` | {', '.join(f'`{column}`' for column in columns)} |"
            assert row in text, row
