"""A citizen who is signed in and fills in forms."""

import re
import time

from tests.systems.support import OURS, browser, serving

IDENTIFIER, OTHER = "8345671233", "8287650984"  # invented, with valid check digits
GENERAL = [
    ("ugyfel", {"address": "3770 Sajószentpéter, Minta utca 1."}),
    ("kerelem", {"subject": "Fa", "text": "Kidőlt."}),
]


def citizen(identifier=IDENTIFIER, ksh=OURS, name="Próba Piroska"):
    """A test client in which a citizen is signed in to elugy."""
    client = browser("elugy", ksh=ksh)
    with serving("elugy", ksh):
        session = client.session
        session["citizen"] = {
            "identifier": identifier,
            "name": name,
            "email": "proba@pelda.test",
            "id_token": "id-token",
            "until": time.time() + 600,
        }
        session.save()
        client.cookies["asp_elugy"] = session.session_key
    return client


def begin(client, code="altalanos"):
    """Begin a draft; returns its address, `/elugy/kitoltes/<uuid>`."""
    page = client.post(f"/elugy/urlap/{code}/kitoltes")
    assert page.status_code == 302, page.content.decode()
    return page["Location"].partition("/lepes/")[0]


def fill(client, draft, steps):
    """Send steps as a browser does, with the revision of their pages; returns where the last one leads."""
    page = None
    for slug, answers in steps:
        shown = client.get(f"{draft}/lepes/{slug}")
        assert shown.status_code == 200, (slug, shown.status_code)
        revision = re.search(r'name="revision" value="(\d+)"', shown.content.decode())[1]
        page = client.post(f"{draft}/lepes/{slug}", {**answers, "revision": revision})
        assert page.status_code == 302, (slug, re.findall(r"<li>.*", page.content.decode()))
    return page["Location"]


def submit(client, code="altalanos", steps=GENERAL):
    """Fill in and submit a form; returns the address of its case."""
    draft = begin(client, code)
    fill(client, draft, steps)
    page = client.post(f"{draft}/ellenorzes")
    assert page.status_code == 302
    return page["Location"]
