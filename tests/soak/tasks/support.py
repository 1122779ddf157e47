"""What everybody needs beside their own trade: tickets, users, news, figures, exercises, earlier data."""

from __future__ import annotations

import csv
import hashlib
import io
import json
import string
import zipfile

from tests.soak.visitor import Visitor

# What a package's files of the records system hold (docs/migration-format.md), written out as another maker of
# packages has it: taken from the importer, a column that it renames would not be noticed.
CASES, DOCUMENTS = "ugyiratok.csv", "iratok.csv"
FILES = {
    CASES: ("foszam", "targy", "allapot", "ugyintezo", "hatarido", "elintezes_modja", "elintezve", "tetelszam")
    + ("irattarba",),
    DOCUMENTS: ("iktatoszam", "irany", "kuldo", "cimzett", "targy", "erkezett", "iktatva", "iktatta")
    + ("kiadmanyozta", "expedialva", "megjegyzes"),
}


def ticket(visitor: Visitor) -> None:
    """A fault is reported and answered."""
    form = visitor.open("/helpdesk/uj")
    values = {"service": "irat", "description": visitor.word("Próba: lassú a keresés"), "contact": "06 48 000 000"}
    page = visitor.press(form, "Bejelentés", values, "ticket")
    page = visitor.press(page, "Küldés", {"state": "solved", "text": "Próba: újraindítottuk."})
    visitor.open("/helpdesk/")


def user(visitor: Visitor) -> None:
    """A colleague gets a user with a role."""
    name = "proba." + "".join(visitor.chance.choices(string.ascii_lowercase, k=12))
    values = {"username": name, "name": "Próba Kolléga", "position": "iktató"}
    page = visitor.press(visitor.open("/keret/felhasznalok/uj"), "Mentés", values, "user", name)
    form = visitor.follow(page, "Szerepkörök beállítása")
    visitor.press(form, "Mentés", {"irat": ["irat.iktato"]})
    visitor.open(visitor.chance.choice(("/keret/naplo/", "/keret/statisztika/", "/keret/belepettek/", "/keret/")))


def news(visitor: Visitor) -> None:
    """News are written and read on the public page."""
    title = visitor.word("Próba hír")
    values = {"title": title, "lead": "Kitalált hír.", "text": "Ez a hír **kitalált**.", "published": "on"}
    visitor.press(visitor.open("/portal/szerkesztes/hir/uj"), "Mentés", values, "news")
    visitor.follow(visitor.open("/portal/hirek/"), title)


def arrived(visitor: Visitor) -> None:
    """What citizens sent, as clerks see it."""
    addresses = visitor.open("/elugy/ugyintezo/").addresses("/elugy/ugyintezo/")
    cases = [address for address in addresses if address.count("-") == 4]
    if cases:
        visitor.open(visitor.chance.choice(cases))
    visitor.open("/elugy/ugyintezo/statisztika")


def figures(visitor: Visitor) -> None:
    visitor.open("/adattar/")
    visitor.open(f"/adattar/{visitor.chance.choice(('keret', 'irat', 'ado', 'gazd', 'ivk'))}/")


def exercises(visitor: Visitor) -> None:
    """The course; in the sandbox an exercise is checked too, which says what is missing."""
    course = visitor.open("/training/")
    visitor.open(visitor.chance.choice(course.addresses("/training/gyakorlatok/")))
    visitor.open("/training/attekintes/")


def earlier_data(visitor: Visitor) -> None:
    """A package of an earlier register is uploaded; a colleague imports one that was checked meanwhile."""
    if address := visitor.desk.take("package", visitor.who):
        page = visitor.open(address)
        if page.has("Átvétel jóváhagyása"):
            visitor.press(page, "Átvétel jóváhagyása", kind="import", key=page.path.rstrip("/").rsplit("/", 1)[1])
            return
    content = _package(visitor)
    form = visitor.open("/migration/uj")
    digest = hashlib.sha256(content).hexdigest()
    file = ("package", "csomag.zip", content)
    page = visitor.press(form, "Feltöltés és ellenőrzés", kind="package", key=digest, file=file)
    visitor.desk.put("package", visitor.who, page.path)


def _package(visitor: Visitor) -> bytes:
    """An earlier register with one case and one document."""
    prefix = "".join(visitor.chance.choices(string.ascii_uppercase, k=8))
    case = {"foszam": f"{prefix}/2019/1", "targy": "Próba", "allapot": "szignálásra vár"}
    letter = {"iktatoszam": f"{prefix}/2019/1-1", "irany": "bejövő", "kuldo": "Próba Kft.", "targy": f"Próba {prefix}"}
    letter |= {"erkezett": "2019-04-01", "iktatva": "2019-04-01", "iktatta": "próba"}
    totals = {"ügyirat": 1, "irat": 1, "folyamatban lévő ügyirat": 1}
    buffer, files = io.BytesIO(), {}
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, row in ((CASES, case), (DOCUMENTS, letter)):
            text = io.StringIO()
            writer = csv.DictWriter(text, FILES[name], restval="", delimiter=";")
            writer.writeheader()
            writer.writerow(row)
            content = text.getvalue().encode()
            files[f"irat/{name}"] = {"sha256": hashlib.sha256(content).hexdigest(), "rows": 1}
            archive.writestr(f"irat/{name}", content)
        manifest = {"format": "asp-migracio/1", "municipality": visitor.municipality.ksh, "files": files}
        archive.writestr("manifest.json", json.dumps(manifest | {"balances": {"irat": totals}}))
    return buffer.getvalue()
