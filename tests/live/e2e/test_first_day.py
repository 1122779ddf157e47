"""A clerk's first day: from the workstation's own browser, with the enrolled certificate, to a registered document.

And the two walls between municipalities, each by its own message: the edge's, and PostgreSQL's.
"""

import random
import re

import pytest
from selenium.webdriver.common.by import By

from centre.isolation import signin
from centre.reach.psql import CellSql
from inventory.vault import vault
from tests.support.browser import browser, find, go, screenshot

STATION, KSH, FOREIGN = "sajoszentpeter-1", "16054", "14915"
JOINT_STATION, LACKING = "malyinka-1", "25159"  # a joint office's workstation; a member without one of the systems


@pytest.fixture(scope="module")
def clerk(register):
    """The workstation's Chromium; one for the day, as a clerk has it."""
    with browser(register, STATION) as driver:
        yield driver


def test_signs_in_registers_a_document_and_finds_it_again(register, clerk):
    municipality = register.municipality(KSH)
    clerk.get(municipality.url())
    assert "Minta Ilona" in find(clerk, "h1").text
    assert find(clerk, ".municipality").text == municipality.name
    tiles = [tile.get_attribute("id") for tile in clerk.find_elements(By.CSS_SELECTOR, ".tile")]
    assert tiles == ["csempe-irat"]
    screenshot(clerk, register, "keret")

    go(clerk, "#csempe-irat")
    go(clerk, "#uj-irat")
    subject = f"Árvíztűrő kérelem {random.randrange(10**9)}"
    find(clerk, "#id_sender").send_keys("Minta Kft.")
    clerk.find_element(By.ID, "id_subject").send_keys(subject)
    screenshot(clerk, register, "irat-new")
    go(clerk, "#iktatas")
    number = find(clerk, "#iktatoszam").text
    assert re.fullmatch(r"IKT/\d{4}/[1-9]\d*-1", number)
    screenshot(clerk, register, "irat-document")

    clerk.get(municipality.url("irat"))
    find(clerk, "#q").send_keys(subject.replace("Árvíztűrő", "arvizturo"))
    go(clerk, "form[role=search] button")
    assert "q=" in clerk.current_url
    rows = [row.text for row in clerk.find_elements(By.CSS_SELECTOR, "tbody tr")]
    assert len(rows) == 1 and number in rows[0] and subject in rows[0]
    screenshot(clerk, register, "irat-found")


def test_a_system_that_a_municipality_lacks_says_so_honestly(register):
    lacking = register.municipality(LACKING)
    absent = next(system for system in register.systems if system not in lacking.systems)
    with browser(register, JOINT_STATION) as driver:
        driver.get(lacking.url(absent))
        assert "nincs telepítve" in find(driver, "h1").text
        assert find(driver, ".municipality").text == lacking.name
        screenshot(driver, register, "not-installed")


def test_signs_out_everywhere(register, clerk):
    clerk.get(register.municipality(KSH).url())
    go(clerk, "header form button")
    assert find(clerk, "h1").text == "Sikeresen kijelentkezett"
    assert clerk.current_url == f"{register.municipality(KSH).origin}/keret/kijelentkezve"
    names = {cookie["name"] for cookie in clerk.get_cookies()}
    assert not names & {"asp_keret", "asp_irat"}
    screenshot(clerk, register, "signed-out")


def test_the_same_certificate_is_refused_at_another_municipality(register):
    foreign = register.municipality(FOREIGN)
    own = register.municipality(KSH)
    with browser(register, STATION, [f"--host-resolver-rules=MAP {foreign.host} {own.host}"]) as driver:
        driver.get(foreign.url())
        assert "ASP-EDGE-TENANT-MISMATCH" in find(driver, "body").text
        screenshot(driver, register, "refused-at-the-edge")


def test_another_municipalitys_database_role_is_refused_by_postgresql(register, runtime):
    secrets = vault.load(register)
    here, foreign = register.municipality(KSH), register.municipality(FOREIGN)
    cell = CellSql(runtime, here.cell)
    role, password = foreign.role("irat"), secrets.role_password(foreign, "irat")
    home = signin.sign_in(cell, foreign.tenant, role, password)
    assert (home.user, home.database) == (role, foreign.tenant), home.message
    attempt = signin.sign_in(cell, here.tenant, role, password)
    assert attempt.user == ""
    assert re.search(r"no pg_hba\.conf entry|permission denied for database", attempt.message), attempt.message
