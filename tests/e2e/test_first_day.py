"""A clerk's first day: from the workstation's own browser, with the enrolled certificate, to a registered document.

And the two walls between municipalities, each by its own message: the edge's, and PostgreSQL's.
"""

import random
import re

import pytest
from selenium.webdriver.common.by import By
from selenium.webdriver.support import expected_conditions as seen
from selenium.webdriver.support.wait import WebDriverWait

from inventory import secrets as vault
from stacks.cell import signin
from stacks.cell.psql import CellSql
from tests.support.browser import browser, screenshot
from tests.support.polling import PATIENCE

STATION, KSH, FOREIGN = "sajoszentpeter-1", "16054", "14915"
JOINT_STATION, LACKING = "malyinka-1", "25159"  # a joint office's workstation; a member without one of the systems
WAIT = 30 * PATIENCE  # seconds for a page, the first one signs in


@pytest.fixture(scope="module")
def clerk(register):
    """The workstation's Chromium; one for the day, as a clerk has it."""
    with browser(register, STATION) as driver:
        yield driver


def text(driver, selector):
    return WebDriverWait(driver, WAIT).until(seen.visibility_of_element_located((By.CSS_SELECTOR, selector))).text


def click(driver, selector):
    WebDriverWait(driver, WAIT).until(seen.element_to_be_clickable((By.CSS_SELECTOR, selector))).click()


def test_signs_in_registers_a_document_and_finds_it_again(register, clerk):
    municipality = register.municipality(KSH)
    clerk.get(municipality.url())
    assert "Minta Ilona" in text(clerk, "h1")
    assert text(clerk, ".municipality") == municipality.name
    tiles = [tile.get_attribute("id") for tile in clerk.find_elements(By.CSS_SELECTOR, ".tile")]
    assert tiles == ["csempe-irat"]
    screenshot(clerk, register, "keret")

    click(clerk, "#csempe-irat")
    click(clerk, "#uj-irat")
    subject = f"Árvíztűrő kérelem {random.randrange(10**9)}"
    WebDriverWait(clerk, WAIT).until(seen.visibility_of_element_located((By.ID, "id_sender"))).send_keys("Minta Kft.")
    clerk.find_element(By.ID, "id_subject").send_keys(subject)
    screenshot(clerk, register, "irat-new")
    click(clerk, "#iktatas")
    number = text(clerk, "#iktatoszam")
    assert re.fullmatch(r"IKT/\d{4}/[1-9]\d*-1", number)
    screenshot(clerk, register, "irat-document")

    clerk.get(municipality.url("irat"))
    WebDriverWait(clerk, WAIT).until(seen.visibility_of_element_located((By.ID, "q"))).send_keys(
        subject.replace("Árvíztűrő", "arvizturo")
    )
    click(clerk, "form[role=search] button")
    WebDriverWait(clerk, WAIT).until(seen.url_contains("q="))
    rows = [row.text for row in clerk.find_elements(By.CSS_SELECTOR, "tbody tr")]
    assert len(rows) == 1 and number in rows[0] and subject in rows[0]
    screenshot(clerk, register, "irat-found")


def test_a_system_that_a_municipality_lacks_says_so_honestly(register):
    lacking = register.municipality(LACKING)
    absent = next(system for system in register.systems if system not in lacking.systems)
    with browser(register, JOINT_STATION) as driver:
        driver.get(lacking.url(absent))
        assert "nincs telepítve" in text(driver, "h1")
        assert text(driver, ".municipality") == lacking.name
        screenshot(driver, register, "not-installed")


def test_signs_out_everywhere(register, clerk):
    clerk.get(register.municipality(KSH).url())
    click(clerk, "header form button")
    assert text(clerk, "h1") == "Sikeresen kijelentkezett"
    assert clerk.current_url == f"{register.municipality(KSH).origin}/keret/kijelentkezve"
    names = {cookie["name"] for cookie in clerk.get_cookies()}
    assert not names & {"asp_keret", "asp_irat"}
    screenshot(clerk, register, "signed-out")


def test_the_same_certificate_is_refused_at_another_municipality(register):
    foreign = register.municipality(FOREIGN)
    own = register.municipality(KSH)
    with browser(register, STATION, [f"--host-resolver-rules=MAP {foreign.host} {own.host}"]) as driver:
        driver.get(foreign.url())
        assert "ASP-EDGE-TENANT-MISMATCH" in text(driver, "body")
        screenshot(driver, register, "refused-at-the-edge")


def test_another_municipalitys_database_role_is_refused_by_postgresql(register, runtime):
    secrets = vault.load(register)
    here, foreign = register.municipality(KSH), register.municipality(FOREIGN)
    cell = CellSql(runtime, here.cell)
    role, password = foreign.role("irat"), secrets.role_password(foreign, "irat")
    home = signin.sign_in(cell, foreign.tenant, role, password)
    assert (home.user, home.database) == (role, foreign.tenant), home.message
    refused = signin.sign_in(cell, here.tenant, role, password)
    assert refused.user == ""
    assert re.search(r"no pg_hba\.conf entry|permission denied for database", refused.message), refused.message
