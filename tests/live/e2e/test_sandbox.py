"""Training: the sandbox is emptied and filled, a joint office's clerk practises in it and gets the certificate."""

from __future__ import annotations

import datetime as dt
import random

import pytest

from centre.sandbox import refill, rules
from tests.support.browser import browser
from tests.support.clerk import Clerk, permit
from tests.support.polling import poll

STATION, USERNAME = "malyinka-1", "proba.kozos"
ROLES = ["training.tanulo", "helpdesk.bejelento", "adattar.olvaso"]
REPORTING, LOOKING, BOOKING = (
    "Hiba bejelentése",
    "Az önkormányzat mutatói",
    "Küldemény érkeztetése és irat iktatása",  # of the role that the register gives
)
SUBJECT = f"Próba gyakorlat {random.randrange(10**9)}"
SECONDS = 60  # until the framework's log has what was done: the relay brings it


@pytest.fixture(scope="module")
def sandbox(register, runtime):
    """The sandbox, just filled with invented data."""
    (municipality,) = (m for m in register.joined() if m.training)
    steps = refill.run(register, runtime, rules.may_refill(register, municipality.ksh), seed=7)
    assert steps[0] == f"{municipality.name} emptied" and len(steps) > len(register.installed_systems), steps
    return municipality


@pytest.fixture(scope="module")
def clerk(register, runtime, sandbox):
    """The clerk, who has not practised yet: a refill keeps what was passed."""
    forget = f"""
import systems.wsgi
from systems import tenancy
from systems.training.models import Certificate, Pass
with tenancy.serving(tenancy.Tenant({sandbox.ksh!r}, None)):
    Certificate.objects.filter(username={USERNAME!r}).delete()
    Pass.objects.filter(username={USERNAME!r}).delete()
"""
    runtime.check(register.cell(sandbox.cell).app("training"), ["python", "-"], stdin=forget, timeout=60)
    permit(runtime, register, sandbox, USERNAME, ROLES)
    try:
        with browser(register, STATION) as driver:
            yield Clerk(driver, register, sandbox)
    finally:
        permit(runtime, register, sandbox, USERNAME, [])


def exercise(clerk, title):
    """Whether the exercise is passed, after asking to have it looked at."""
    clerk.open("/training/")
    clerk.follow(title)
    if "elvégezve" not in clerk.heading:
        clerk.press("Ellenőrzés")
    return clerk.heading


def test_a_clerk_practises_until_the_certificate(clerk, sandbox):
    clerk.open("/training/")
    assert "OKTATÁSI KÖRNYEZET" in clerk.driver.find_element("tag name", "body").text
    clerk.picture("flow-training-course")
    assert "elvégezve" not in exercise(clerk, REPORTING) and "Még hiányzik: bejelentés" in clerk.text
    clerk.follow("Megnyitás: Hibabejelentő")
    clerk.follow("Új bejelentés")
    report = {"Melyik rendszerben": "Oktatás", "Mi történt": "GYAKORLAT: próba.", "Elérhetőség": "06 48 000 000"}
    clerk.fill(report)
    clerk.press("Bejelentés")
    assert "Beérkezett" in clerk.heading and "GYAKORLAT" in clerk.text
    clerk.open("/adattar/")
    clerk.open("/irat/erkeztetes/")
    clerk.follow("Küldemény érkeztetése")
    clerk.fill({"Küldő neve": "GYAKORLAT Kft.", "Tárgy": SUBJECT, "Érkezés napja": dt.date.today().isoformat()})
    clerk.press("Érkeztetés")
    clerk.follow("Iktatás", within=f"//main//tr[contains(., '{SUBJECT}')]")
    clerk.press("Iktatás")
    for title in (REPORTING, LOOKING, BOOKING):
        poll(lambda t=title: exercise(clerk, t), lambda heading: "elvégezve" in heading, SECONDS, f"{title} passed")
    clerk.picture("flow-training-exercise")
    clerk.open("/training/")
    assert "Igazolások" in clerk.text and "Elvégezve: 3/3" in clerk.text
    clerk.picture("flow-training-certificate")
