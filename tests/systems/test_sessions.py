"""A session and a row belong to one municipality: neither works at another one's address."""

import importlib
import json
import logging
from random import Random

import pytest
from django.apps import apps
from django.conf import settings

from systems.core import logs
from tests.systems.support import CATALOGUE, OURS, SYSTEMS, THEIRS, serving

# One page of each system that shows one row: model, and the page by the row's key. adattar shows no single rows.
PAGES = {
    "keret": ("user", "felhasznalok/{}/"),
    "irat": ("case", "ugyirat/{}"),
    "portal": ("news", "hirek/{}"),
    "elugy": ("submission", "ugyintezo/{}"),
    "gazd": ("voucher", "bizonylatok/{}/"),
    "ivk": ("parcel", "ingatlan/{}/"),
    "ado": ("taxpayer", "adozok/{}/"),
    "iparker": ("entry", "nyilvantartas/{}/"),
    "hagyatek": ("estate", "leltar/{}/"),
    "helpdesk": ("ticket", "bejelentes/{}/"),
    "training": ("certificate", "igazolasok/{}/igazolas.pdf"),
    "migration": ("package", "csomag/{}/"),
}
# Rows that no synthetic data contains.
MADE = {
    "training": {"username": "minta.ilona", "name": "Minta Ilona", "exercises": []},
    "migration": {"name": "atadas.zip", "sha256": "0" * 64, "content": b"", "uploader": "x", "uploaded_by": "x"},
}
CLERK_PAGES = {"portal": "szerkesztes/", "elugy": "ugyintezo/"}  # of systems whose first page is open to all


def roles(system):
    return next(entry["roles"] for entry in CATALOGUE if entry["id"] == system)


def fill_system(system):
    """Fill a system for Sajószentpéter; returns the key of one row."""
    with serving(system):
        model = apps.get_model(system, PAGES[system][0])
        if system in MADE:
            return model.objects.create(**MADE[system]).pk
        importlib.import_module(f"systems.{system}.synthetic").fill(Random(1), 400)
        return model.objects.last().pk


@pytest.mark.parametrize("system", PAGES)
def test_a_row_of_one_municipality_is_not_found_at_another(browse, system):
    path = f"/{system}/{PAGES[system][1].format(fill_system(system))}"
    assert browse(system, *roles(system)).get(path).status_code == 200
    assert browse(system, *roles(system), ksh=THEIRS).get(path).status_code == 404


def test_every_system_with_rows_is_looked_at():
    assert set(SYSTEMS) - set(PAGES) == {"adattar"} and len(SYSTEMS) == 13


@pytest.fixture
def warnings(caplog):
    """Warnings as the services log them."""
    caplog.handler.setFormatter(logs.JsonFormatter())
    return lambda: [line for line in map(json.loads, caplog.text.splitlines()) if line["level"] == "WARNING"]


@pytest.mark.parametrize("system", SYSTEMS)
def test_a_session_is_refused_at_another_municipality_and_it_is_logged(browse, warnings, system):
    page = f"/{system}/{CLERK_PAGES.get(system, '')}"
    ours, theirs = browse(system, *roles(system)), browse(system, *roles(system), ksh=THEIRS)
    assert ours.get(page).status_code == 200 and not warnings()
    name = f"asp_{system}"
    assert theirs.get(page).status_code == 200 and not warnings()
    theirs.cookies[name] = ours.cookies[name].value
    answer = theirs.get(page)
    assert (answer.status_code, answer["Location"].split("?")[0]) == (302, "/oidc/belepes")
    (line,) = warnings()
    assert line["message"] == "session refused: no session of this municipality has that key"
    assert (line["tenant"], line["request"]) == (THEIRS, "request-1")


def test_a_session_is_refused_with_another_clerks_certificate_and_it_is_logged(browse, warnings):
    ours, colleague = browse("irat", "olvaso"), browse("irat", "olvaso", username="mas.mihaly", name="Más Mihály")
    assert colleague.get("/irat/").status_code == 200
    colleague.cookies["asp_irat"] = ours.cookies["asp_irat"].value
    assert colleague.get("/irat/").status_code == 302
    (line,) = warnings()
    assert (line["message"], line["tenant"]) == ("session refused: it belongs to another certificate", OURS)
    assert "ilona" not in json.dumps(line) and "mihaly" not in json.dumps(line)


def test_a_visitor_without_a_cookie_and_one_who_just_signed_out_are_no_warning(browse, warnings, caplog):
    caplog.set_level(logging.INFO)
    clerk = browse("keret", "felhasznalo")
    assert clerk.post("/keret/kilepes").status_code == 302
    assert settings.SESSION_COOKIE_NAME == "asp_keret" and not clerk.cookies["asp_keret"].value
    assert clerk.get("/keret/").status_code == 302
    assert not warnings()
