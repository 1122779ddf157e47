"""Who works during a soak: clerks of several municipalities with their certificates, citizens, and passers-by."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from centre.reach.runtime import Runtime, RuntimeFault
from inventory.models import Municipality
from inventory.register import Register
from inventory.vault.vault import Secrets
from tests.soak.journal import Journal
from tests.soak.page import NotThere
from tests.soak.tasks import books, citizens, records, registers, support, taxes
from tests.soak.visitor import Desk, Interrupted, Visitor
from tests.support.clerk import every_role, permit
from tests.support.edge_client import EdgeClient, enrol
from tests.support.polling import poll

Task = Callable[[Visitor], None]
# A clerk's tasks by the system that they need, as often as they stand here.
ALONE: dict[str, Sequence[Task]] = {
    "irat": [records.letter, records.letter, records.at_the_counter, records.search],
    "ado": [taxes.declaration, taxes.declaration, taxes.payments, taxes.statement, taxes.look],
    "gazd": [books.receipt, books.receipt, books.look],
    "ivk": [registers.parcel],
    "iparker": [registers.trade],
    "hagyatek": [registers.estate],
    "helpdesk": [support.ticket],
    "keret": [support.user],
    "portal": [support.news],
    "elugy": [support.arrived],
    "adattar": [support.figures],
    "training": [support.exercises],
}
TOGETHER: dict[str, Sequence[Task]] = {  # what two clerks of one office do between them
    "gazd": [books.order, books.invoice, books.invoice, books.approve, books.approve],
    "migration": [support.earlier_data],
}
DECIDING = taxes.decide  # of one clerk in each municipality: two would take the same return
FORMS: Sequence[Task] = (
    citizens.request, citizens.request, citizens.tax_return, citizens.tax_return, citizens.trade, citizens.estate,
    citizens.follow_up,
)  # fmt: skip
PAIR = ("16054", ("minta.iktato", "minta.admin"))  # an office with two clerks
SINGLE = "proba.kozos"  # serves the members of a joint office, one certificate each
STROLLERS = 2
AGAIN = 2.0, 6.0  # seconds until somebody whose page failed begins something else


@dataclass
class Worker(threading.Thread):
    """Does one task after the other until the day is over."""

    visitor: Visitor
    tasks: Sequence[Task]
    prepare: Task | None = None  # before a task, such as signing in

    def __post_init__(self) -> None:
        super().__init__(name=self.visitor.who, daemon=True)

    def __hash__(self) -> int:
        return id(self)

    def run(self) -> None:
        while not self.visitor.over.is_set():
            task = self.visitor.chance.choice(self.tasks)
            name = f"{task.__module__.rsplit('.', 1)[1]}.{task.__name__}"
            try:
                if self.prepare:
                    self.prepare(self.visitor)
                task(self.visitor)
            except Interrupted:
                self.visitor.over.wait(self.visitor.chance.uniform(*AGAIN))
                continue
            except (NotThere, LookupError, OSError, AssertionError) as error:
                if not self.visitor.over.is_set():
                    self.visitor.journal.gave_up(f"{self.visitor.who}, {name}: {type(error).__name__}: {error}")
                self.visitor.over.wait(1)
                continue
            self.visitor.journal.done(name)


class Crew:
    """Everybody, with what they need: certificates, permissions for an hour, browsers."""

    def __init__(self, register: Register, runtime: Runtime, secrets: Secrets, folder: Path, seed: int):
        self._register, self._runtime, self._secrets = register, runtime, secrets
        self._folder, self._seed = folder, seed
        self.journal, self.over = Journal(), threading.Event()
        self.workers: list[Worker] = []
        self._papers: list[Path] = []
        self._permitted: list[tuple[Municipality, str]] = []

    def hire(self) -> None:
        """Enrol and permit everybody. Signing in comes first for each: their very first sets the second factor."""
        ksh, pair = PAIR
        desk = Desk()
        for index, username in enumerate(pair):
            self._clerk(self._register.municipality(ksh), username, desk, deciding=not index, together=True)
        for municipality in self._register.municipalities.values():
            if municipality.ksh != ksh and municipality.joined:
                self._clerk(municipality, SINGLE, Desk(), deciding=True, together=False)
        towns = [m for m in self._register.municipalities.values() if m.joined and "elugy" in m.systems]
        towns.sort(key=lambda municipality: municipality.ksh != ksh)
        for person, town in zip(self._register.environment.citizens, towns, strict=False):
            password = self._secrets.citizen_password(person)
            visitor = self._visitor(EdgeClient(self._register, self._secrets), town, person.username)
            prepare = partial(citizens.sign_in, person=person, password=password)
            self.workers.append(Worker(visitor, FORMS, prepare))
        for index in range(STROLLERS):
            client = EdgeClient(self._register, self._secrets)
            self.workers.append(Worker(self._visitor(client, towns[index], f"járókelő {index}"), [citizens.stroll]))

    def inspector(self) -> EdgeClient:
        """A new browser with the first clerk's certificate, which must sign in before it sees a page."""
        return EdgeClient(self._register, self._secrets, self._papers[0])

    def dismiss(self) -> None:
        """Take every permission back, in an environment that may still be recovering."""
        for municipality, username in self._permitted:
            self._permit(municipality, username, [])

    def _permit(self, municipality: Municipality, username: str, roles: list[str]) -> None:
        def refusal() -> str:
            try:
                permit(self._runtime, self._register, municipality, username, roles)
            except RuntimeFault as fault:
                return str(fault)[-300:]
            return ""

        poll(refusal, lambda trouble: not trouble, 180, f"permissions of {username} in {municipality.name}", 5)

    def _clerk(self, municipality: Municipality, username: str, desk: Desk, deciding: bool, together: bool) -> None:
        bare = EdgeClient(self._register, self._secrets)
        paper = enrol(bare, self._secrets, self._folder, username, municipality.ksh)
        self._papers.append(paper)
        client = EdgeClient(self._register, self._secrets, paper)
        _come_in(client, municipality)
        systems = self._register.systems_of(municipality)
        roles = [role for role in every_role(self._register) if role.split(".")[0] in systems]
        self._permit(municipality, username, roles)
        self._permitted.append((municipality, username))
        tasks = [task for system in systems for task in ALONE.get(system, ())]
        if together:
            tasks += [task for system in systems for task in TOGETHER.get(system, ())]
        if deciding and "ado" in systems:
            tasks += [DECIDING, DECIDING]
        self.workers.append(Worker(self._visitor(client, municipality, username, desk), tasks))

    def _visitor(self, client: EdgeClient, municipality: Municipality, who: str, desk: Desk | None = None) -> Visitor:
        who = f"{who} {municipality.ksh}"
        # What they write differs from run to run: an environment that was soaked before holds the names of then.
        chance = random.Random(f"{self._seed} {who} {time.time_ns()}")
        return Visitor(client, municipality, self.journal, who, chance, self.over, desk or Desk())


def _come_in(client: EdgeClient, municipality: Municipality) -> None:
    """A first sign-in, which an identity provider that has just started may take its time for."""

    def page() -> str:
        try:
            reply = client.follow(municipality.url("keret"))
        except OSError as error:
            return str(error)
        return "" if reply.url.startswith(municipality.origin) else f"{reply.status} at {reply.url}"

    poll(page, lambda trouble: not trouble, 120, f"a sign-in of {municipality.name}")
