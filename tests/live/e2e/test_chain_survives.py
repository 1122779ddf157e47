"""The chain in services that are killed again and again: every form arrives, once, and so does every answer.

A citizen and a clerk come through the edge; elugy, irat and ado die by SIGKILL at any step, Swarm starts them again.
"""

from __future__ import annotations

import random
import re
import threading

import docker.errors
import pytest

from centre.reach.psql import CellSql
from inventory.vault import vault
from systems.core import people
from tests.support.clerk import permit
from tests.support.edge_client import EdgeClient, enrol, form_action, hidden
from tests.support.polling import poll

KSH, CLERK = "16054", "minta.iktato"
FORMS, MOST = 10, 60  # sent: at least, and at most until enough has died
CHAIN = ("elugy", "irat", "ado")
AWAY = (502, 503, 504)
ACCEPTED = "A bevallást elfogadtuk"
KILLS, ENOUGH = 15, 5


def tax_return(firm: people.Firm) -> list[tuple[str, dict[str, str]]]:
    """A firm's local business tax return, page by page."""
    owner = {"taxpayer_name": firm.name, "taxpayer_identifier": firm.identifier, "taxpayer_address": firm.address}
    amounts = {"net_revenue": "12000000", "cost_of_goods": "1500000", "material_cost": "500000"}
    amounts |= {"subcontracting": "0", "research_cost": "0", "tax_base": "10000000"}
    return [
        ("ugyfel", {"address": "3770 Sajószentpéter, Minta utca 1."}),
        ("adozo", {"taxpayer_kind": "firm", **owner}),
        ("kepviselet", {"represents_as": "ügyvezető"}),
        ("idoszak", {"year": "2025", "period_from": "2025-01-01", "period_until": "2025-12-31"}),
        ("adoalap", amounts),
        ("nyilatkozat", {"truth": "on"}),
    ]


class Visitor:
    """Somebody at a browser who, when a service is away, tries the same again."""

    def __init__(self, client: EdgeClient, origin: str):
        self.client, self.origin = client, origin
        self.met = 0  # pages that said that the service is away

    def get(self, path: str):
        return self._patiently(lambda: self.client.follow(self.origin + path))

    def send(self, path: str, form: dict[str, str]):
        return self._patiently(lambda: self.client.send(self.origin + path, form))

    def _patiently(self, act):
        def attempt():
            try:
                reply = act()
            except OSError:  # the connection was cut with the service
                reply = None
            self.met += reply is None or reply.status in AWAY
            return reply

        return poll(attempt, lambda reply: reply and reply.status not in AWAY, 60, "a service that is there")


@pytest.fixture(scope="module")
def citizen(register):
    """A citizen, signed in at their own realm."""
    secrets, person = vault.load(register), register.environment.citizens[0]
    client, origin = EdgeClient(register, secrets), register.municipality(KSH).origin
    page = client.follow(f"{origin}/elugy/ugyfel/belepes")
    answer = {"username": person.username, "password": secrets.citizen_password(person), "credentialId": ""}
    back = client.post(form_action(page.body), answer)
    assert back.status == 302, back.body[:800]
    home = client.follow(back.headers["location"])
    assert person.full_name in home.body
    return Visitor(client, origin)


@pytest.fixture(scope="module")
def clerk(register, runtime, tmp_path_factory):
    """A clerk who may deal with taxes for an hour."""
    secrets, municipality = vault.load(register), register.municipality(KSH)
    client = EdgeClient(register, secrets)
    paper = enrol(client, secrets, tmp_path_factory.mktemp("clerk"), CLERK, KSH)
    visitor = Visitor(EdgeClient(register, secrets, paper), municipality.origin)
    assert visitor.get("/keret/").status == 200
    permit(runtime, register, municipality, CLERK, ["ado.ugyintezo"])
    yield visitor
    permit(runtime, register, municipality, CLERK, [])


class Killer(threading.Thread):
    """Kills one of the chain's services every few seconds, `KILLS` times at most, until told to stop."""

    def __init__(self, register, runtime, seed: int):
        super().__init__(daemon=True)
        self.kills: list[str] = []
        self._over = threading.Event()
        self._chance = random.Random(seed)
        self._client = runtime.client
        self._cell = register.cell(register.municipality(KSH).cell)

    def run(self):
        while len(self.kills) < KILLS and not self._over.wait(self._chance.uniform(0.2, 2)):
            system = self._chance.choice(CHAIN)
            label = {"label": f"com.docker.swarm.service.name={self._cell.app(system)}"}
            for container in self._client.containers.list(filters=label):
                try:
                    container.kill("SIGKILL")
                    self.kills.append(system)
                except docker.errors.APIError:
                    continue  # it had ended already

    def stop(self):
        self._over.set()
        self.join()


def send_form(citizen: Visitor, firm: people.Firm) -> str:
    """Fill in a tax return and send it; the path of its case."""
    about = citizen.get("/elugy/urlap/hipa")
    token = hidden(about.body, "csrfmiddlewaretoken")
    opening = citizen.send("/elugy/urlap/hipa/kitoltes", {"csrfmiddlewaretoken": token})
    draft = opening.headers["location"].partition("/lepes/")[0]
    for slug, answers in tax_return(firm):
        page = citizen.get(f"{draft}/lepes/{slug}")
        hidden_fields = {name: hidden(page.body, name) for name in ("csrfmiddlewaretoken", "revision")}
        reply = citizen.send(f"{draft}/lepes/{slug}", {**answers, **hidden_fields})
        assert reply.status == 302, (slug, re.findall(r"<li>.*", reply.body))
    page = citizen.get(f"{draft}/ellenorzes")
    reply = citizen.send(f"{draft}/ellenorzes", {"csrfmiddlewaretoken": hidden(page.body, "csrfmiddlewaretoken")})
    assert reply.status == 302, reply.body[:800]
    return "/elugy/ugyeim/" + draft.rpartition("/")[2]


def rows(cell: CellSql, tenant: str, sql: str) -> list[list]:
    """What a municipality's database holds, read past the services: they may be dead just now."""
    return cell.rows(sql, database=tenant, role="postgres")


RETURNS = "SELECT json_build_array(submission, id, number) FROM ado.tax_return"
DOCUMENTS = "SELECT json_build_array(number, direction) FROM irat.document ORDER BY id"


def test_every_form_arrives_and_is_answered_once_though_services_die(register, runtime, citizen, clerk):
    municipality = register.municipality(KSH)
    cell, tenant = CellSql(runtime, municipality.cell), municipality.tenant
    seed = random.randrange(10**9)
    before = len(rows(cell, tenant, DOCUMENTS))
    killer = Killer(register, runtime, seed)

    def enough() -> bool:
        return len(killer.kills) >= ENOUGH and citizen.met > 0

    cases: list[str] = []
    killer.start()
    try:
        while len(cases) < FORMS or (len(cases) < MOST and not enough()):
            firm = people.firm(random.Random(f"{seed}/{len(cases)}"), "Sajószentpéter")
            cases.append(send_form(citizen, firm))
        numbers = {case.rpartition("/")[2] for case in cases}
        tax_returns = poll(
            lambda: [entry for entry in rows(cell, tenant, RETURNS) if entry[0] in numbers],
            lambda rows_so_far: len(rows_so_far) >= len(cases), 240, f"seed {seed}: {len(cases)} returns in ado",
        )  # fmt: skip
        for _, pk, _ in tax_returns:
            page = clerk.get(f"/ado/bevallasok/{pk}/")
            token = hidden(page.body, "csrfmiddlewaretoken")
            reply = clerk.send(f"/ado/bevallasok/{pk}/elfogadas", {"csrfmiddlewaretoken": token})
            assert reply.status == 302, reply.body[:800]
    finally:
        killer.stop()
    for case in cases:
        what = f"seed {seed}, kills {killer.kills}: {case} to be answered"
        poll(lambda case=case: citizen.get(case).body, lambda page: ACCEPTED in page, 240, what)
        assert citizen.get(case).body.count(ACCEPTED) == 1
    entries = [entry for entry in rows(cell, tenant, RETURNS) if entry[0] in numbers]
    assert len(entries) == len(cases)
    documents = rows(cell, tenant, DOCUMENTS)[before:]
    mains = sorted(number.rsplit("-", 1)[0] for _, _, number in entries)
    assert sorted(d for d, way in documents if way == "in") == sorted(f"{main}-1" for main in mains)
    assert sorted(d for d, way in documents if way == "out") == sorted(f"{main}-2" for main in mains)
    assert enough(), "nobody was away: the test proved nothing"
