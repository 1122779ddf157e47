"""A citizen's form in a real browser: found on the public site, signed in for, filled in, sent, and followed."""

import random
import re

import pytest
from selenium.webdriver.common.by import By
from selenium.webdriver.support.select import Select

from inventory.vault import vault
from tests.support import accessible
from tests.support.browser import browser, find, go, screenshot

STATION, KSH = "sajoszentpeter-1", "16054"


@pytest.fixture(scope="module")
def citizen(register):
    """A browser; that a clerk's certificate is in it changes nothing for a citizen."""
    with browser(register, STATION) as driver:
        yield driver


def test_a_request_is_found_filled_in_sent_and_followed(register, citizen):
    municipality, person = register.municipality(KSH), register.environment.citizens[0]
    barriers = []

    def look(name):
        screenshot(citizen, register, name)
        barriers.extend(accessible.faults(citizen))

    citizen.get(municipality.url("portal"))
    assert find(citizen, ".municipality").text == municipality.name
    look("portal")
    go(citizen, "#ugyintezes")
    go(citizen, "#urlap-altalanos")
    go(citizen, "#belepes")

    find(citizen, "#username").send_keys(person.username)
    find(citizen, "#password").send_keys(vault.load(register).citizen_password(person))
    screenshot(citizen, register, "elugy-belepes")
    go(citizen, "#kc-login")
    assert find(citizen, ".who").text == person.full_name
    look("elugy-urlap")
    go(citizen, "#kitoltes")

    find(citizen, "#id_address").send_keys("3770 Sajószentpéter, Minta utca 1.")
    go(citizen, "#tovabb")
    subject = f"Árvíztűrő kérelem {random.randrange(10**9)}"
    find(citizen, "#id_subject").send_keys(subject)
    find(citizen, "#id_text").send_keys("Kérem a fa gallyazását.")
    look("elugy-kerelem")
    go(citizen, "#tovabb")
    look("elugy-mellekletek")
    go(citizen, "#tovabb")  # no attachments
    look("elugy-ellenorzes")
    go(citizen, "#bekuldes")
    assert find(citizen, "#nyugta")
    number = re.search(r"EU/\d{4}/[1-9]\d*", find(citizen, "main").text)[0]
    look("elugy-ugy")

    citizen.get(municipality.url("elugy") + "ugyeim/")
    assert number in find(citizen, "main").text
    look("elugy-ugyeim")
    citizen.get(municipality.url("elugy") + "urlap/hipa")
    if citizen.find_elements(By.CSS_SELECTOR, "#kitoltes"):  # where the tax system is installed
        go(citizen, "#kitoltes")
        find(citizen, "#id_address").send_keys("3770 Sajószentpéter, Minta utca 1.")
        go(citizen, "#tovabb")
        Select(find(citizen, "#id_taxpayer_kind")).select_by_value("firm")
        find(citizen, "#id_taxpayer_identifier").send_keys("12345675-1-05")
        go(citizen, "#tovabb")
        assert "ellenőrző számjegye hibás" in find(citizen, ".summary").text
        look("elugy-hiba")
        citizen.get(municipality.url("elugy") + "ugyeim/")
        go(citizen, "table a")
        go(citizen, ".danger")

    citizen.get(municipality.url("elugy") + "adoegyenleg")
    look("elugy-egyenleg")
    assert barriers == [], "\n".join(barriers)
    go(citizen, "header form button")
    assert "Sikeresen kilépett" in find(citizen, "h1").text
    citizen.get(municipality.url("elugy") + "ugyeim/")
    assert find(citizen, "#username"), "the session of the realm is over too"
