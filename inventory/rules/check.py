"""Checks that need more than one file: references, collisions, capacities, agreement with the list of settlements.

Each module of `inventory.rules` looks after one kind of file; a rule is a function from `Written` to faults.
"""

from __future__ import annotations

from inventory.errors import Fault
from inventory.rules import addresses, caps, catalogue, environment, machines, municipalities, offices, unchangeable
from inventory.rules.written import Written

MODULES = (catalogue, environment, machines, addresses, municipalities, caps, offices, unchangeable)


def cross_check(written: Written) -> list[Fault]:
    """Every fault between files of one environment; empty when the register is sound."""
    return [fault for module in MODULES for rule in module.RULES for fault in rule(written)]
