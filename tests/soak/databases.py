"""Asking the municipalities' databases, past the systems, what a soak left in them."""

from __future__ import annotations

import time
from typing import Any

from centre.reach.psql import CellSql
from centre.reach.runtime import Runtime
from inventory.models import Municipality
from tests.soak import accounts, written
from tests.soak.journal import Write
from tests.soak.verdict import Verdict


class Databases:
    """What the municipalities' databases say, past the systems."""

    def __init__(self, runtime: Runtime, municipalities: list[Municipality]):
        self._runtime, self.municipalities = runtime, municipalities

    def rows(self, municipality: Municipality, sql: str) -> list[Any]:
        cell = CellSql(self._runtime, municipality.cell)
        return cell.rows(sql, database=municipality.tenant, role="postgres")

    def rules(self, rules: tuple[accounts.Rule, ...]) -> dict[tuple[str, accounts.Rule], Any]:
        answers = {}
        for municipality in self.municipalities:
            own = [rule for rule in rules if rule.system in municipality.systems]
            rows = self.rows(municipality, "\n".join(rule.query for rule in own)) if own else []
            answers.update({(municipality.ksh, rule): row for rule, row in zip(own, rows, strict=True)})
        return answers

    def counts(self, writes: list[Write]) -> dict[tuple[str, str, str], int]:
        counts = {}
        for municipality in self.municipalities:
            for kind in written.KINDS:
                keys = sorted({w.key for w in writes if (w.ksh, w.kind) == (municipality.ksh, kind)})
                if keys:
                    for key, count in self.rows(municipality, written.query(kind, keys)):
                        counts[municipality.ksh, kind, key] = count
        return counts

    def waiting(self) -> list[tuple[str, str, float]]:
        return [
            (municipality.ksh, row["label"], row["seconds"])
            for municipality in self.municipalities
            for row in self.rows(municipality, accounts.WAITING)
        ]

    def chains(self, since: float) -> Verdict:
        """Judged once nothing waits, at the latest when what waits is late."""
        deadline = time.time() + accounts.CHAIN_MINUTES * 60 + 5
        while (waiting := self.waiting()) and time.time() < deadline:
            time.sleep(3)  # relays look into a municipality every few seconds
        handled, dead = 0, []
        for municipality in self.municipalities:
            handled += sum(self.rows(municipality, accounts.HANDLED.format(since=since)))
            rows = self.rows(municipality, accounts.DEAD.format(since=since))
            dead += [(municipality.ksh, row["label"]) for row in rows]
        return accounts.chains(handled, waiting, dead, accounts.CHAIN_MINUTES)
