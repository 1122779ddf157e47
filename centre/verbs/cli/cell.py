"""Verbs over a cell, and over the whole country."""

from __future__ import annotations

import argparse
from pathlib import Path

from centre.verbs.cli.municipality import PLAYBOOK
from centre.verbs.cli.verb import Parsers, add


def add_all(verbs: Parsers[argparse.ArgumentParser]) -> None:
    restore = add(
        verbs,
        "restore-cell",
        "centre.verbs.plays:restore_cell",
        "bring a whole cell back out of its backups, every municipality in it",
        examples=["restore-cell baz1 --check", "restore-cell baz1 --confirm baz1 --at '2026-11-23 14:00:00'"],
        passes=PLAYBOOK,
    )
    restore.add_argument("cell", metavar="CELL", help="id of a cell of the register, such as baz1")
    restore.add_argument("--confirm", metavar="CELL", help="the cell's id again; without it nothing is touched")
    restore.add_argument("--at", metavar="TIME", help="a moment (default: as far as the archive reaches)")
    restore.add_argument("--repository", type=int, choices=[1, 2], help="2: the encrypted repository")
    restore.add_argument("--forget", metavar="FOLDER", help="remove what the volume held before")
    failover = add(
        verbs,
        "failover",
        "centre.verbs.plays:failover",
        "hand a cell's leadership over, before work on its node",
        examples=["failover baz1 --check", "failover baz1 --node asp-dev-baz1-postgres-2"],
        passes=PLAYBOOK,
    )
    failover.add_argument("cell", metavar="CELL", help="id of a cell of three nodes")
    failover.add_argument("--node", metavar="SERVICE", help="only if this node leads")
    publish = add(
        verbs,
        "publish",
        "centre.verbs.plays:publish",
        "publish one day's totals over all municipalities for the Treasury",
        examples=["publish --check", "publish --day 2026-11-22"],
        passes=PLAYBOOK,
    )
    publish.add_argument("--day", help="the day, as 2026-11-22 (default: yesterday)")
    publish.add_argument("--out", type=Path, metavar="DIR", help="folder (default: the environment's, treasury/<day>)")
    publish.add_argument("--incomplete", action="store_true", help="without the feeds that are missing, for good")
    publish.add_argument("--with-connecting", action="store_true", help="a trial: count those being connected as well")
