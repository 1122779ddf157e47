#!/usr/bin/python
"""Documentation of the action asp.centre.publish: one day's totals of the country for the Treasury."""

from __future__ import annotations

DOCUMENTATION = r"""
module: publish
short_description: One day's totals over all municipalities, for the Treasury
description:
  - Reads each municipality's warehouse as its own login, adds up, keeps back what would show one municipality or few
    persons, and writes page, CSV and JSON. A day is published once.
  - In check mode it says which municipalities lack feeds, and writes nothing.
notes:
  - Runs in ansible-playbook on the control node, as an action of the same name. Supports check mode.
options:
  asp_environment: {type: str, required: true, description: Environment of the register.}
  day: {type: str, description: "The day, as 2026-11-22; yesterday when it is left out."}
  folder: {type: path, description: Where to write; the environment's folder treasury/<day> when it is left out.}
  incomplete: {type: bool, default: false, description: "Publish without the feeds that are missing, for good."}
  with_connecting: {type: bool, default: false, description: A trial; municipalities being connected count as well.}
author: [ASP operations]
"""

EXAMPLES = r"""
- name: Publish yesterday
  asp.centre.publish:
    asp_environment: dev
"""

RETURN = r"""
day: {type: str, returned: always, description: The day.}
lines: {type: list, elements: str, returned: always, description: "Files written; in check mode, what is missing."}
"""
