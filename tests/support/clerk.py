"""A clerk at a workstation's browser, who knows pages by what is written on them: labels, buttons, links, headings."""

from __future__ import annotations

from selenium import webdriver
from selenium.webdriver.common.by import By
from selenium.webdriver.remote.webelement import WebElement
from selenium.webdriver.support.select import Select

from centre.reach.runtime import Runtime
from inventory.models import Municipality
from inventory.register import Register
from tests.support.browser import find, go, screenshot

UNSUITED_TO_KEYS = ("date", "datetime-local")  # what keys mean there depends on the browser's language


def permit(runtime: Runtime, register: Register, municipality: Municipality, username: str, roles: list[str]) -> None:
    """What an administrator does in the framework: temporary permissions of a clerk, exactly these, for an hour."""
    program = f"""
import systems.wsgi, datetime as dt
from django.utils import timezone
from systems import tenancy
from systems.keret.models import Grant, User
with tenancy.serving(tenancy.Tenant({municipality.ksh!r}, None)):
    user, _ = User.objects.get_or_create(username={username!r}, defaults=dict(name={username!r}))
    now = timezone.now()
    user.grants.filter(revoked_at=None, kind="temporary").update(revoked_at=now, revoked_by="teszt")
    for role in {roles!r}:
        system, name = role.split(".")
        Grant.objects.create(user=user, kind="temporary", system=system, role=name, since=now,
                             until=now + dt.timedelta(hours=1), given_by="teszt", reason="próba")
"""
    runtime.check(register.cell(municipality.cell).app("keret"), ["python", "-"], stdin=program, timeout=60)


def every_role(register: Register) -> list[str]:
    """All roles of all systems, as `<system>.<role>`."""
    return [f"{system.id}.{role}" for system in register.systems.values() for role in system.roles]


class Clerk:
    """Works in one municipality's systems through a real browser."""

    def __init__(self, driver: webdriver.Remote, register: Register, municipality: Municipality):
        self.driver, self._register, self._origin = driver, register, municipality.origin

    def open(self, path: str) -> None:
        """Open a page by its address, as from a tile or a bookmark."""
        self.driver.get(f"{self._origin}{path}")
        self._find("main h1")

    def follow(self, words: str, within: str = "//main") -> None:
        """Click the link of the page, or of a part of it, whose words these are."""
        self._go(f"{within}//a[normalize-space()={_quoted(words)}]")

    def press(self, words: str) -> None:
        """Press the button of the page whose words these are."""
        self._go(f"//main//button[normalize-space()={_quoted(words)}]")

    def fill(self, values: dict[str, str | bool], within: str = "//main") -> None:
        """Fill in fields, each by its label; text of a choice is the choice's words, a day is ISO text."""
        for label, value in values.items():
            self._fill(self._field(label, within), value)

    def choices(self, label: str) -> list[str]:
        """What can be chosen in a field, in its order."""
        return [option.text for option in Select(self._field(label, "//main")).options]

    @property
    def heading(self) -> str:
        return self._find("main h1").text

    @property
    def text(self) -> str:
        """What stands on the page."""
        return self._find("main").text

    def value(self, words: str) -> str:
        """What stands beside a term of the page's list of data."""
        return self.driver.find_element(
            By.XPATH, f"//main//dt[normalize-space()={_quoted(words)}]/following::dd[1]"
        ).text

    def picture(self, name: str) -> None:
        screenshot(self.driver, self._register, name)

    def _find(self, selector: str) -> WebElement:
        return find(self.driver, selector)

    def _go(self, path: str) -> None:
        go(self.driver, path, By.XPATH)
        self._find("main h1")

    def _field(self, label: str, within: str) -> WebElement:
        labels = self.driver.find_elements(By.XPATH, f"{within}//label")
        texts = [item.text.replace("(nem kötelező)", "").strip() for item in labels]
        assert texts.count(label) == 1, f"fields called {label!r}: {texts.count(label)} of {texts}"
        return self.driver.find_element(By.ID, labels[texts.index(label)].get_attribute("for"))

    def _fill(self, field: WebElement, value: str | bool) -> None:
        kind = field.get_attribute("type")
        if field.tag_name == "select":
            Select(field).select_by_visible_text(value)
        elif kind == "checkbox":
            if field.is_selected() != value:
                field.click()
        elif kind == "file":
            field.send_keys(value)
        elif kind in UNSUITED_TO_KEYS:
            self.driver.execute_script("arguments[0].value = arguments[1]", field, value)
        else:
            field.clear()
            field.send_keys(value)


def _quoted(words: str) -> str:
    """A string of XPath."""
    return f'"{words}"' if '"' not in words else f"'{words}'"
