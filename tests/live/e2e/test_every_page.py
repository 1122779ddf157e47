"""Every page that a clerk can reach by links: accessible by axe's rules, Hungarian, one heading, no dead link.

The municipality is filled with invented data first, so that lists are lists and details have something in them.
"""

from __future__ import annotations

import re
from urllib.parse import urldefrag, urlsplit

import pytest
from selenium.webdriver.common.by import By

from centre.sandbox import fill
from tests.support import accessible
from tests.support.browser import browser, screenshot
from tests.support.clerk import every_role, permit

STATION, KSH, CLERK = "sajoszentpeter-1", "16054", "minta.iktato"
# Pages of one system that are looked at; links are followed breadth first, one for each kind of address.
LEAST, PAGES, ALL_PAGES = 2, 8, 80


@pytest.fixture(scope="module")
def clerk(register, runtime):
    """The workstation's browser, signed in, at a municipality with data in every system."""
    municipality = register.municipality(KSH)
    fill.fill(register, runtime, KSH)
    try:
        permit(runtime, register, municipality, CLERK, every_role(register))
        with browser(register, STATION) as driver:
            driver.get(municipality.url())
            yield driver
    finally:
        permit(runtime, register, municipality, CLERK, [])


def kind(url: str) -> str:
    """What pages of one kind share: the path with its numbers and keys left out."""
    path = urlsplit(url).path
    return "/".join("#" if part.isdigit() or KEY.fullmatch(part) else part for part in path.split("/"))


def links(driver, system: str, origin: str) -> list[str]:
    urls = []
    for anchor in driver.find_elements(By.CSS_SELECTOR, "main a[href]"):
        url = urldefrag(anchor.get_attribute("href") or "")[0]
        if url.startswith(f"{origin}/{system}/") and anchor.get_dom_attribute("download") is None:
            urls.append(url)
    return urls


KEY = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
DOWNLOADS = ("/tabla", "/fajl", "/pdf", ".pdf", ".xlsx", ".zip", "/csomag", "/letoltes", "/xlsx", "/krx")


def test_pages_of_every_system(register, clerk, pytestconfig):
    most = ALL_PAGES if pytestconfig.option.long else PAGES
    municipality = register.municipality(KSH)
    faults, seen_pages = [], {}
    for system in municipality.systems:
        if system not in register.installed_systems:
            continue
        waiting, kinds = [f"{municipality.origin}/{system}/"], set()
        while waiting and len(kinds) < most:
            url = waiting.pop(0)
            if kind(url) in kinds or urlsplit(url).path.endswith(DOWNLOADS):
                continue
            kinds.add(kind(url))
            clerk.get(url)
            faults += accessible.faults(clerk)
            headings = [heading.text for heading in clerk.find_elements(By.CSS_SELECTOR, "h1")]
            if len(headings) != 1 or not headings[0].strip():
                faults.append(f"{url}: headings {headings}, wanted one")
            if clerk.find_element(By.TAG_NAME, "html").get_attribute("lang") != "hu":
                faults.append(f"{url}: not marked as Hungarian")
            if any(word in headings[0] for word in ("Hiba történt", "nem található", "Hibás kérés")):
                faults.append(f"{url}: {headings[0]}")
            screenshot(clerk, register, f"{system}-{len(kinds):02d}")
            waiting += links(clerk, system, municipality.origin)
        seen_pages[system] = len(kinds)
    assert faults == [], "\n".join(faults)
    assert all(count >= LEAST for count in seen_pages.values()), seen_pages
