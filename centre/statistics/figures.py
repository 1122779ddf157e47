"""Reading the figures of one day out of every municipality's warehouse.

Each is read as the municipality's own login of `adattar`, which reaches the warehouse's figures and no other system's
rows: there is no role that could read two municipalities, and none that reaches a person (ADR 0027).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass

from centre.reach.psql import CellSql
from centre.statistics.disclosure import Kind
from inventory.models import Municipality, Phase
from inventory.register import Register
from stacks.configs.sql import identifier, literal

WAREHOUSE = "adattar"
SECONDS = 600  # for all municipalities of one cell

READ = """\
\\connect {database}
BEGIN READ ONLY;
SET LOCAL ROLE {login};
SELECT json_build_object('tenant', current_database(),
  'systems', (SELECT coalesce(json_agg(DISTINCT system), '[]') FROM adattar.feed
    WHERE day = {day} AND status = 'whole'),
  'figures', (SELECT coalesce(json_agg(json_build_array(system, measure, dimension, kind, value)), '[]')
    FROM adattar.treasury WHERE day = {day}));
COMMIT;
"""


@dataclass(frozen=True)
class Delivered:
    """What one municipality's warehouse has of the day. `figures`: (system, measure, dimension, kind, value)."""

    systems: Collection[str]
    figures: Sequence[tuple[str, str, str, Kind, int]]


def counted(register: Register, with_connecting: bool = False) -> list[Municipality]:
    """Municipalities whose figures count: live ones; if wanted those that are being connected too, never a sandbox."""
    phases = {Phase.LIVE, Phase.CONNECTION} if with_connecting else {Phase.LIVE}
    return [
        municipality
        for municipality in register.joined()
        if municipality.phase in phases and not municipality.training and WAREHOUSE in register.systems_of(municipality)
    ]


def read(cell: CellSql, municipalities: Sequence[Municipality], day: dt.date) -> dict[str, Delivered]:
    """KSH code → what is there, in one script for all municipalities of a cell; RuntimeFault when one has no tenant."""
    tenants = {municipality.tenant: municipality for municipality in municipalities}
    script = "".join(
        READ.format(
            database=identifier(name), login=identifier(municipality.role(WAREHOUSE)), day=literal(day.isoformat())
        )
        for name, municipality in tenants.items()
    )
    rows = cell.rows(script, database="postgres", role="postgres", timeout=SECONDS) if tenants else []
    return {
        tenants[row["tenant"]].ksh: Delivered(row["systems"], [tuple(figure) for figure in row["figures"]])
        for row in rows
    }


def missing(
    municipalities: Sequence[Municipality], delivering: Collection[str], delivered: Mapping[str, Delivered]
) -> Iterator[tuple[Municipality, list[str]]]:
    """Municipalities whose warehouse lacks a whole feed of the day, with the systems that it lacks."""
    for municipality in municipalities:
        due = [system for system in municipality.systems if system in delivering]
        if systems := [system for system in due if system not in delivered[municipality.ksh].systems]:
            yield municipality, systems
