"""T2: the whole country registered, checked and rendered.

``python -m tests.bench T2``. A register with every settlement of the statistical office's list is written and loaded
(every rule runs), all of its tenants are taken as joined, and what the cells and Ansible would be given is made: the
SQL of every tenant with its roles and rights, the poolers' configurations, the inventory. Verifiers of passwords are
timed apart: their 4,096 iterations each are most of it and are spread over the joins. Nothing is provisioned.
"""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
import time
from pathlib import Path

from centre.database import plan
from centre.database.plan import TenantDatabase
from centre.database.reading import Shared
from inventory import hosts, paths, register
from inventory.importing.importer import import_settlements
from stacks.configs import dbproxy
from stacks.configs.scram import verifier

TARGET = 10.0


def main() -> int:
    """Exit 1 when the register of the country is not sound."""
    with tempfile.TemporaryDirectory(prefix="asp-country-") as place:
        root = Path(place) / "inventory"
        (root / "environments").mkdir(parents=True)
        shutil.copytree(paths.REGISTER / paths.CATALOGUE, root / paths.CATALOGUE)
        began = time.monotonic()
        template = paths.ENVIRONMENTS / "dev" / "environment.yaml"
        outcome = import_settlements(root / "environments" / "land", template, None)
        after_writing = time.monotonic()
        land = register.load("land", root)
        after_loading = time.monotonic()
        size = sum(len(text) for text in rendered(land))
        ready = time.monotonic()
    count, cells = len(land.municipalities), len(land.environment.cells)
    print(f"{outcome.balance()}; {count} tenants in {cells} cells; load of the machine {os.getloadavg()[0]:.0f}")
    print(f"written {after_writing - began:.2f} s, loaded and checked {after_loading - after_writing:.2f} s, "
          f"rendered {ready - after_loading:.2f} s ({size >> 20} MiB)")  # fmt: skip
    total = ready - began
    print(f"in all {total:.2f} s, target {TARGET:.0f} s, ratio {total / TARGET:.2f}")
    began = time.monotonic()
    for number in range(100):
        verifier("x" * 43, f"t{10000 + number}_irat")
    each = (time.monotonic() - began) / 100
    logins = count * len(land.installed_systems)
    print(f"verifiers: {1000 * each:.2f} ms each; {logins} of them would take {each * logins:.0f} s on one processor")
    return 0


def rendered(land: register.Register):
    """What would be given to PostgreSQL, to the poolers and to Ansible, text by text."""
    for cell in land.environment.cells:
        caps = land.environment.caps_of(cell.id)
        members = [m for m in land.municipalities.values() if m.cell == cell.id]
        tenants = [TenantDatabase(m.tenant, dict.fromkeys(land.installed_systems, "x"), caps=m.limits) for m in members]
        yield plan.script(plan.present_steps(tenants, Shared({}, {}), {}, []))
        yield dbproxy.pgbouncer_ini(caps, {m.tenant: m.limits for m in members if m.limits != caps})
    yield repr(hosts.shared(land)) + repr(hosts.hosts(land))


if __name__ == "__main__":
    sys.exit(main())
