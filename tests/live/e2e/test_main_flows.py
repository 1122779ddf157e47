"""Each system's main flow, by a clerk at a workstation's own browser, from the empty form to what comes of it.

The framework's first page is in `test_first_day` too, a citizen's forms in `test_citizen`.
"""

import base64
import csv
import datetime as dt
import hashlib
import io
import json
import random
import string
import uuid
import zipfile
from contextlib import contextmanager

import pytest

from centre.sandbox import fill
from systems.core import people
from systems.irat import krx
from systems.shared import parts
from systems.training import exercises
from tests.support import feeds
from tests.support.browser import browser
from tests.support.clerk import Clerk, every_role, permit
from tests.support.polling import poll
from tests.support.workstation import Workstation

STATION, KSH, USERNAME = "sajoszentpeter-1", "16054", "minta.iktato"
TODAY = dt.date.today()


@pytest.fixture(scope="module")
def clerk(register, runtime):
    """Minta Ilona at her workstation, for an hour with every role."""
    municipality = register.municipality(KSH)
    fill.fill(register, runtime, KSH)
    permit(runtime, register, municipality, USERNAME, every_role(register))
    try:
        with browser(register, STATION) as driver:
            yield Clerk(driver, register, municipality)
    finally:
        permit(runtime, register, municipality, USERNAME, [])


@pytest.fixture
def person():
    """A person who is nobody, new in every run."""
    return people.person(random.Random(), "Sajószentpéter", TODAY)


@contextmanager
def on_the_desk(register, content, ending):
    """A file at the workstation while the block runs; its path there."""
    with Workstation(register, STATION) as station:
        place = station.as_clerk("mktemp", f"--suffix={ending}").strip()
        station.as_clerk("sh", "-c", f"base64 -d > {place}", stdin=base64.b64encode(content).decode())
        try:
            yield place
        finally:
            station.as_clerk("rm", place)


def test_a_letter_from_the_arrival_book_to_the_archive(clerk, register):
    subject = f"Próba beadvány {random.randrange(10**9)}"
    clerk.open("/irat/erkeztetes/")
    clerk.follow("Küldemény érkeztetése")
    clerk.fill({"Küldő neve": "Próba Kft.", "Tárgy": subject, "Érkezés napja": TODAY.isoformat()})
    clerk.press("Érkeztetés")
    row = f"//main//tr[contains(., '{subject}')]"
    clerk.follow("Iktatás", within=row)
    clerk.press("Iktatás")
    document = clerk.heading
    clerk.follow("Csatolmány hozzáadása")
    with on_the_desk(register, b"%PDF-1.4 beolvasott", ".pdf") as place:
        clerk.fill({"Csatolmány": place})
        clerk.press("Csatolás")
    assert place.rsplit("/", 1)[1] in clerk.text
    clerk.picture("flow-irat-document")
    clerk.follow(document.rsplit("-", 1)[0])
    case = clerk.driver.current_url
    clerk.follow("Szignálás")
    clerk.fill({"Ügyintéző": clerk.choices("Ügyintéző")[0], "Utasítás": "Próba."})
    clerk.press("Szignálás")
    clerk.follow("Kiadmánytervezet készítése")
    clerk.fill({"Szöveg": "Tisztelt Ügyfelünk!\nPróba válasz."})
    clerk.press("Kiadmánytervezet készítése")
    clerk.follow(f"Válasz: {subject}")
    clerk.picture("flow-irat-draft")
    clerk.press("Kiadmányozás")
    answer = clerk.heading
    clerk.open("/irat/expedialas/?oldal=9999")  # the newest stand on the last page
    clerk.follow("Expediálás", within=f"//main//tr[contains(., '{answer}')]")
    clerk.press("Expediálás")
    clerk.driver.get(case)
    clerk.follow("Elintézés")
    clerk.fill({"Elintézés módja": "válaszlevéllel"})
    clerk.press("Elintézés")
    clerk.follow("Irattárba helyezés")
    clerk.fill({"Irattári tétel": clerk.choices("Irattári tétel")[-1]})
    clerk.press("Irattárba helyezés")
    assert clerk.value("Állapot") == "irattárban"
    clerk.picture("flow-irat-case")


def test_a_package_of_another_office_becomes_a_case(clerk, register):
    subject = f"Próba áttétel {random.randrange(10**9)}"
    day, scan = TODAY, krx.File("kérelem.pdf", "application/pdf", b"%PDF-1.4 kerelem")
    letters = [
        krx.Letter("X/1-1", "Próba Kft.", "", subject, day, "próba", [scan]),
        krx.Letter("X/1-2", "Próba Kft.", "", f"{subject}: pótlás", day, "", [scan]),
    ]
    office, here = krx.Office("Próba Hivatal"), krx.Office("Sajószentpéter", KSH)
    package = krx.Package(uuid.uuid4(), dt.datetime.now().astimezone(), office, here, letters)
    clerk.open("/irat/erkeztetes/")
    clerk.follow("KRX-csomag érkeztetése")
    with on_the_desk(register, krx.pack(package), ".krx") as place:
        clerk.fill({"KRX-csomag": place})
        clerk.press("Érkeztetés")
    assert f"{subject}: pótlás" in clerk.text and "kérelem.pdf" in clerk.text
    clerk.picture("flow-irat-package")
    clerk.follow("Iktatás")
    clerk.press("Iktatás")
    number = clerk.heading.rsplit("-", 1)[0]
    clerk.follow(number)
    assert f"{number}-2" in clerk.text
    clerk.follow("KRX-csomag készítése")
    clerk.picture("flow-irat-package-out")


def test_earlier_registers_from_the_package_to_the_minutes(clerk, register, runtime):
    prefix = "".join(random.choices(string.ascii_uppercase, k=8))
    cases = [{"foszam": f"{prefix}/2019/1", "targy": "Próba", "allapot": "szignálásra vár"}]
    documents = [
        {"iktatoszam": f"{prefix}/2019/1-1", "irany": "bejövő", "kuldo": "Próba Kft.", "targy": f"Próba {prefix}"}
        | {"erkezett": "2019-04-01", "iktatva": "2019-04-01", "iktatta": "próba"}
    ]
    totals = {"ügyirat": 1, "irat": 1, "folyamatban lévő ügyirat": 1}
    package = _package({"ugyiratok.csv": (CASES, cases), "iratok.csv": (DOCUMENTS, documents)}, totals)
    clerk.open("/migration/")
    clerk.follow("Csomag feltöltése")
    with on_the_desk(register, package, ".zip") as place:
        clerk.fill({"Migrációs csomag": place})
        clerk.press("Feltöltés és ellenőrzés")
    address = clerk.driver.current_url
    poll(lambda: _again(clerk, address), lambda heading: "Átvehető" in heading, 60, "the verdict on the package")
    clerk.picture("flow-migration-clean")
    clerk.press("Átvétel jóváhagyása")
    assert "Az átvételt másnak kell jóváhagynia" in clerk.driver.find_element("tag name", "body").text
    _another_takes_over(register, runtime, int(address.rstrip("/").rsplit("/", 1)[1]))
    poll(lambda: _again(clerk, address), lambda heading: "Átvéve" in heading, 60, "the taking over")
    clerk.picture("flow-migration-applied")
    clerk.open(f"/irat/?q={prefix}")
    assert f"{prefix}/2019/1-1" in clerk.text


CASES = [
    "foszam",
    "targy",
    "allapot",
    "ugyintezo",
    "hatarido",
    "elintezes_modja",
    "elintezve",
    "tetelszam",
    "irattarba",
]
DOCUMENTS = [
    "iktatoszam",
    "irany",
    "kuldo",
    "cimzett",
    "targy",
    "erkezett",
    "iktatva",
    "iktatta",
    "kiadmanyozta",
    "expedialva",
    "megjegyzes",
]


def _package(files, totals):
    """A migration package for the records system."""
    buffer, entries = io.BytesIO(), {}
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, (columns, rows) in files.items():
            text = io.StringIO()
            writer = csv.DictWriter(text, columns, restval="", delimiter=";")
            writer.writeheader()
            writer.writerows(rows)
            content = text.getvalue().encode()
            entries[f"irat/{name}"] = {"rows": len(rows), "sha256": hashlib.sha256(content).hexdigest()}
            archive.writestr(f"irat/{name}", content)
        manifest = {"format": "asp-migracio/1", "municipality": KSH, "files": entries, "balances": {"irat": totals}}
        archive.writestr("manifest.json", json.dumps(manifest))
    return buffer.getvalue()


def _again(clerk, address):
    clerk.driver.get(address)
    return clerk.heading


def _another_takes_over(register, runtime, pk):
    """What the colleague who approves does at their own machine."""
    program = f"""
import systems.wsgi
from systems import tenancy
from systems.migration import flow
with tenancy.serving(tenancy.Tenant({KSH!r}, None)):
    assert flow.approve({pk}, "proba.kolleganoje", "Próba Kolléganője")
"""
    app = register.cell(register.municipality(KSH).cell).app("migration")
    runtime.check(app, ["python", "-"], stdin=program, timeout=60)


def test_tax_from_the_paper_return_to_the_settled_account(clerk, person):
    clerk.open("/ado/adozok/")
    clerk.follow("Új adózó")
    clerk.fill({"Adóazonosító": person.identifier, "Név": person.name, "Cím": person.address})
    clerk.press("Mentés")
    assert clerk.heading == person.name and clerk.value("Befizetett") == "0 Ft"
    clerk.follow("Bevallás rögzítése")
    # The business tax of the year before last is due on any day of this one.
    clerk.fill({"Adónem": "Helyi iparűzési adó", "Adóév": str(TODAY.year - 2), "Adóalap": "5 000 000"})
    clerk.picture("flow-ado-return")
    clerk.press("Mentés")
    assert " ".join(clerk.heading.split()) == f"Bevallás: {person.name} elbírálásra vár"
    tax = clerk.value("Számított adó")
    clerk.press("Elfogadás és az adó kivetése")
    clerk.open("/ado/adozok/")
    clerk.fill({"Keresés": person.identifier})
    clerk.press("Keresés")
    clerk.follow(person.name)
    assert clerk.value("Esedékes") == tax and "tartozás" in clerk.text
    clerk.follow("Befizetés rögzítése")
    owed = tax.removesuffix(" Ft")
    clerk.fill({"Értéknap": TODAY.isoformat(), "Összeg": owed, "Banki hivatkozás": f"PROBA-{person.identifier}"})
    clerk.press("Mentés")
    assert clerk.value("Befizetett") == tax
    clerk.picture("flow-ado-account")


def test_money_from_the_commitment_to_the_paid_invoice(clerk, register, runtime):
    firm, number = people.firm(random.Random(), "Sajószentpéter"), f"SZ-{random.randrange(10**9)}"
    clerk.open("/gazd/partnerek/")
    clerk.follow("Új partner")
    clerk.fill({"Név": firm.name, "Adószám": firm.identifier, "Cím": firm.address})
    clerk.press("Mentés")
    clerk.open("/gazd/")
    clerk.picture("flow-gazd-budget")
    clerk.follow(clerk.driver.find_element("partial link text", "K3 ").text)
    clerk.follow("Kötelezettségvállalás")
    partner = f"{firm.name} ({firm.identifier})"
    clerk.fill({"Partner": partner, "Tárgy": "Próba papír", "Bruttó összeg": "127 000"})
    clerk.press("Mentés")
    clerk.follow(clerk.driver.find_element("xpath", f"//main//tr[contains(., '{firm.name}')]//a").text)
    assert clerk.value("Számlázható").replace("\u00a0", " ") == "127 000 Ft"
    assert "A kötelezettséget Ön vállalta, ezért másnak kell ellenjegyeznie." in clerk.text
    commitment = clerk.driver.current_url
    _others_sign(register, runtime, f"bookkeeping.countersign({_pk(commitment)}, 'proba.ellenjegyzo')")
    clerk.driver.get(commitment)
    clerk.follow("Számla rögzítése")
    days = {"Kelte": TODAY, "Teljesítés": TODAY, "Fizetési határidő": TODAY + dt.timedelta(days=8)}
    clerk.fill({"Számla száma": number, **{label: day.isoformat() for label, day in days.items()}})
    for name, value in (("text", "papír"), ("net", "100 000"), ("rate", "27 %")):
        clerk.driver.find_element("css selector", f"main [name$='-0-{name}']").send_keys(value)
    clerk.press("Mentés")
    clerk.follow(number)
    assert clerk.value("Bruttó").replace("\u00a0", " ") == "127 000 Ft"
    assert "A számlát Ön rögzítette, ezért másnak kell elbírálnia." in clerk.text
    clerk.picture("flow-gazd-invoice")
    invoice = clerk.driver.current_url
    _others_sign(
        register,
        runtime,
        f"bookkeeping.validate({_pk(invoice)}, 'proba.ellenjegyzo')",
        f"bookkeeping.approve({_pk(invoice)}, timezone.localdate(), 'proba.kolleganoje')",
    )
    clerk.driver.get(invoice)
    clerk.fill({"Összeg": "27 000", "Honnan": clerk.choices("Honnan")[-1]})
    clerk.press("Részkifizetés")
    assert clerk.value("Hátralévő").replace("\u00a0", " ") == "100 000 Ft"
    clerk.picture("flow-gazd-part")
    clerk.open("/gazd/szamlak/fizetes")
    clerk.driver.find_element("css selector", f"main input[aria-label$='{number}']").click()
    clerk.fill({"Honnan": clerk.choices("Honnan")[-1]})
    clerk.press("A megjelöltek kifizetése")
    clerk.driver.get(invoice)
    assert "kifizetve" in clerk.heading.lower() and clerk.value("Kifizetve")
    clerk.open("/gazd/kimutatasok/")
    debit, credit = (clerk.driver.find_element("id", name).text for name in ("tartozik", "kovetel"))
    assert debit == credit != "0"
    clerk.picture("flow-gazd-reports")


def _pk(address):
    return int(address.rstrip("/").rsplit("/", 1)[1])


def _others_sign(register, runtime, *steps):
    """What colleagues who may sign what this clerk may not do at their own machines."""
    program = f"""
import systems.wsgi
from django.utils import timezone
from systems import tenancy
from systems.gazd import bookkeeping
with tenancy.serving(tenancy.Tenant({KSH!r}, None)):
    {"; ".join(steps)}
"""
    app = register.cell(register.municipality(KSH).cell).app("gazd")
    runtime.check(app, ["python", "-"], stdin=program, timeout=60)


def test_a_bank_statement_from_the_file_to_the_account(clerk, register, person):
    clerk.open("/ado/adozok/uj")
    clerk.fill({"Adóazonosító": person.identifier, "Név": person.name, "Cím": person.address})
    clerk.press("Mentés")
    account = clerk.driver.current_url
    reference = f"BANK-{random.randrange(10**9)}"
    lines = [
        "értéknap;összeg;hivatkozás;befizető;közlemény",
        f"{TODAY};12 500;{reference}-1;{person.name};adó {person.identifier}",
        f"{TODAY};900;{reference}-2;Ismeretlen;adó",
    ]
    clerk.open("/ado/kivonatok/")
    clerk.follow("Bankkivonat beolvasása")
    with on_the_desk(register, "\n".join(lines).encode(), ".csv") as place:
        clerk.fill({"Bankkivonat": place})
        clerk.press("Beolvasás")
    assert "1 tétel, 12 500 Ft" in clerk.text.replace("\u00a0", " ") and "könyvelésre vár" in clerk.heading
    clerk.picture("flow-ado-statement")
    clerk.press("Könyvelés")
    assert "lekönyvelve" in clerk.heading
    clerk.driver.get(account)
    assert clerk.value("Befizetett").replace("\u00a0", " ") == "12 500 Ft"
    clerk.open("/ado/tisztazatlan/")
    clerk.follow(f"{reference}-2")
    clerk.picture("flow-ado-unclear")
    clerk.fill({"Megjegyzés": "próba", "Visszautalás napja": TODAY.isoformat()})
    clerk.press("Visszautalás feljegyzése")
    assert reference not in clerk.text


def test_an_administrator_gives_rights_and_sees_it_in_the_log(clerk):
    username = "proba." + "".join(random.choices("abcdefghijklmnopqrstuvwxyz", k=12))
    clerk.open("/keret/felhasznalok/")
    clerk.follow("Új felhasználó")
    clerk.fill({"Felhasználónév": username, "Név": "Próba Kolléga", "Munkakör": "iktató"})
    clerk.press("Mentés")
    clerk.follow("Szerepkörök beállítása")
    clerk.fill({"Iktató": True})
    clerk.picture("flow-keret-roles")
    clerk.press("Mentés")
    assert "Iratkezelő: Iktató" in clerk.text
    clerk.follow("Helyettesítés")
    last = (TODAY + dt.timedelta(days=3)).isoformat()
    clerk.fill({"Akit helyettesít": clerk.choices("Akit helyettesít")[1], "Utolsó nap": last, "Indok": "próba"})
    clerk.press("Mentés")
    assert "helyettesíti:" in clerk.text
    clerk.fill({"Indok": "próba"})
    clerk.press("Zárolás és kiléptetés")
    assert "zárolt" in clerk.heading
    clerk.picture("flow-keret-user")
    poll(lambda: _log(clerk), lambda text: f"zárolás {username}" in text, 30, "the lock in the business log")
    clerk.picture("flow-keret-log")


def _log(clerk):
    clerk.open("/keret/naplo/")
    return clerk.text


def test_trade_from_the_notification_to_the_public_list(clerk, person):
    shop = f"Próba bolt {random.randrange(10**6)}"
    clerk.open("/iparker/")
    clerk.follow("Papíron érkezett bejelentés")
    clerk.fill(
        {
            "Iktatószám": "IKT/2026/1-1",
            "Bejelentő": person.name,
            "Kereskedő neve": shop,
            "Adószám vagy adóazonosító jel": person.identifier,
            "Székhely": person.address,
            "Tevékenység": "kiskereskedelem",
            "Tevékenység módja": "üzletben",
            "Üzlet elnevezése": shop,
            "Tevékenység helye": person.address,
            "Alapterület (m²)": "40",
            "Nyitvatartás": "H–P 8.00–16.30",
            "Tevékenység kezdete": TODAY.isoformat(),
        }
    )
    clerk.driver.find_element("css selector", "input[name=products]").click()
    clerk.press("Mentés")
    assert shop in clerk.heading and "pótolni kell" not in clerk.text
    clerk.picture("flow-iparker-notification")
    clerk.press("Nyilvántartásba vétel")
    assert "nyilvántartásba vettük" in clerk.text and "működik" in clerk.heading
    clerk.open("/portal/uzletek")
    clerk.fill({"Keresés": shop})
    clerk.press("Keresés")
    assert shop in clerk.text and person.identifier not in clerk.text
    clerk.picture("flow-portal-trades")


def test_an_estate_from_the_statement_to_the_notary(clerk, person):
    notary = f"Dr. Próba Közjegyző {random.randrange(10**6)}"
    clerk.open("/hagyatek/kozjegyzok/uj")
    clerk.fill({"Név": notary, "Székhely": "Kazincbarcika", "Iroda címe": "3700 Kazincbarcika, Próba tér 1."})
    clerk.press("Mentés")
    clerk.open("/hagyatek/")
    clerk.follow("Új leltár")
    clerk.fill(
        {
            "Iktatószám": "IKT/2026/2-1",
            "Nyilatkozó": "Próba Hozzátartozó",
            "Az örökhagyó neve": person.name,
            "Születési neve": person.name,
            "Anyja neve": "Próba Anna",
            "Születési helye": "Sajószentpéter",
            "Születésének napja": "1940-02-03",
            "Halálának napja": (TODAY - dt.timedelta(days=20)).isoformat(),
            "Halálának helye": "Sajószentpéter",
            "Utolsó lakóhelye": person.address,
            "A tudomásszerzés napja": (TODAY - dt.timedelta(days=5)).isoformat(),
            "Családi állapota": "özvegy",
        }
    )
    clerk.press("Mentés")
    clerk.follow("Új örökös")
    heir = {"Név": "Próba Örökös", "Lakcím": person.address, "Rokonsági kapcsolat": "gyermek"}
    clerk.fill({**heir, "Születés napja": "1970-05-06", "Örökrész számlálója": "1", "Örökrész nevezője": "1"})
    clerk.press("Mentés")
    clerk.follow("Új vagyontárgy")
    asset = {"Fajta": "ingatlan", "Megnevezés": "lakóház", "Település, pénzintézet vagy cég": "Sajószentpéter"}
    clerk.fill({**asset, "Azonosító": "123/4", "Az örökhagyó hányadának értéke (Ft)": "12 000 000"})
    clerk.press("Mentés")
    clerk.follow("Új teher")
    clerk.fill({"Jogosult": "Próba Bank", "Jogcím": "kölcsön", "Összeg (Ft)": "2 000 000"})
    clerk.press("Mentés")
    assert clerk.value("Tiszta érték") == "10\u00a0000\u00a0000 Ft".replace("\u00a0", " ")
    clerk.picture("flow-hagyatek-inventory")
    clerk.follow("Átadás a közjegyzőnek")
    clerk.fill({"Közjegyző": f"{notary} (Kazincbarcika)", "Átadás módja": "személyesen", "Megjegyzés": "próba"})
    clerk.press("Átadás")
    assert "átadva a közjegyzőnek" in clerk.text and len(clerk.value("A csomag SHA-256 lenyomata")) == 64
    clerk.picture("flow-hagyatek-handed")


def test_a_parcel_from_its_entry_to_its_parts(clerk):
    number = random.randrange(10**5, 10**6)
    clerk.open("/ivk/")
    clerk.follow("Új ingatlan")
    clerk.fill(
        {
            "Helyrajzi szám": f"{number}",
            "Fekvés": "belterület",
            "Művelési ág vagy használat": "kivett park",
            "Terület (m²)": "1000",
            "Bruttó érték": "10 000 000",
            "Értékcsökkenés": "1 000 000",
            "Forgalomképesség": "üzleti vagyon",
            "Ok, irat száma": "IKT/2026/3-1",
        }
    )
    clerk.press("Mentés")
    assert f"{number}" in clerk.heading and clerk.value("Nettó érték").replace("\u00a0", " ") == "9 000 000 Ft"
    clerk.follow("Megosztás")
    clerk.fill({"Ok, irat száma": "IKT/2026/4-1"})
    for n, (metres, gross, depreciation) in enumerate([("600", "6000000", "600000"), ("400", "4000000", "400000")]):
        values = {"lot": f"{number}/{n + 1}", "square_metres": metres, "gross": gross, "depreciation": depreciation}
        for name, value in values.items():
            clerk.driver.find_element("css selector", f"main [name$='-{n}-{name}']").send_keys(value)
    clerk.picture("flow-ivk-split")
    clerk.press("Megosztás")
    assert "Ebből lett" in clerk.text and "megszűnt" in clerk.heading
    clerk.picture("flow-ivk-parcel")


def test_a_fault_from_the_report_to_its_answer(clerk):
    clerk.open("/helpdesk/")
    clerk.follow("Új bejelentés")
    clerk.fill(
        {
            "Melyik rendszerben": "Iratkezelő",
            "Mi történt": "Próba: nem indul a keresés.",
            "Elérhetőség": "06 48 000 000",
        }
    )
    clerk.press("Bejelentés")
    number = clerk.heading.split()[0]
    assert "Beérkezett" in clerk.heading
    clerk.fill({"Állapot": "Megoldva", "Üzenet": "Próba: újraindítottuk."})
    clerk.press("Küldés")
    assert number in clerk.heading and "Megoldva" in clerk.heading and "újraindítottuk" in clerk.text
    clerk.picture("flow-helpdesk-ticket")


def test_news_from_the_editor_to_the_public_page(clerk):
    title = f"Próba hír {random.randrange(10**9)}"
    clerk.open("/portal/szerkesztes/hir/")
    clerk.follow("Új hír")
    clerk.fill(
        {"Cím": title, "Bevezető": "Kitalált hír, próbához.", "Szöveg": "Ez a hír **kitalált**.", "Közzétéve": True}
    )
    clerk.press("Mentés")
    clerk.open("/portal/hirek/")
    clerk.follow(title)
    assert clerk.heading == title and "kitalált" in clerk.text
    clerk.picture("flow-portal-news")


def test_the_warehouse_shows_the_feeds_of_every_system(clerk, register, runtime):
    feeds.deliver(runtime, register, ["keret"])
    poll(lambda: _figures_of(clerk, "keret"), lambda text: "felhasználó" in text, 90, "the feed's figures")
    clerk.open("/adattar/")
    states = _feeds_of(clerk)
    delivering = filter(parts.delivers, register.systems_of(register.municipality(KSH)))
    assert set(states) == {register.systems[system].name for system in delivering}
    assert states[register.systems["keret"].name][0] in ("megjött", "megjött, későn"), "yesterday's, whenever it came"
    clerk.picture("flow-adattar-feeds")
    clerk.follow("Keretrendszer")
    clerk.picture("flow-adattar-figures")


def _feeds_of(clerk):
    """Name of a system → what the warehouse's first page says of its last days, yesterday first."""
    return {
        row.find_element("tag name", "a").text: [
            badge.get_attribute("title") for badge in row.find_elements("css selector", ".badge")
        ]
        for row in clerk.driver.find_elements("css selector", "main tbody tr")
    }


def _figures_of(clerk, system):
    clerk.open(f"/adattar/{system}/")
    return clerk.text


def test_an_exercise_is_found_and_told_how(clerk):
    clerk.open("/training/")
    clerk.picture("flow-training")
    exercise = next(each for each in exercises.EXERCISES if each.system == "irat")
    clerk.follow(exercise.title)
    assert clerk.heading.startswith(exercise.title)
    assert exercise.steps and all(step in clerk.text for step in exercise.steps)
