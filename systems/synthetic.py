"""Fill this system with invented data for one municipality, in proportion to its inhabitants.

`python -m systems.synthetic 16054 [--seed 1]` runs inside an app server; each system's data is in its `synthetic.py`. A
municipality is filled once; a second run says so and changes nothing. All data is marked as synthetic.
"""

from __future__ import annotations

import argparse
import importlib
import importlib.util
import os
import sys
import time
from random import Random


def fill(ksh: str, seed: int) -> bool:
    """Fill the current system for one municipality in one transaction; False when it was filled before."""
    from django.conf import settings
    from django.db import transaction

    from systems import tenancy
    from systems.chain import messages
    from systems.core import facts

    system = settings.ASP.system
    with tenancy.serving(tenancy.Tenant(ksh, None)):
        population = facts.of_tenant().population
        with transaction.atomic():
            if not messages.begin_run("synthetic", "once"):
                return False
            # Each system has its own random numbers, independent of the others.
            importlib.import_module(f"systems.{system}.synthetic").fill(Random(f"{ksh}/{system}/{seed}"), population)
    return True


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m systems.synthetic", description=__doc__.split("\n")[0])
    parser.add_argument("ksh", help="KSH code of the municipality, five digits")
    parser.add_argument("--seed", type=int, default=1, help="a different seed invents different people (default 1)")
    arguments = parser.parse_args()
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "systems.settings")
    import django

    django.setup()
    from django.conf import settings

    if not importlib.util.find_spec(f"systems.{settings.ASP.system}.synthetic"):
        print(f"{settings.ASP.system}: this system has no synthetic data")
        return 0
    start = time.monotonic()
    is_new = fill(arguments.ksh, arguments.seed)
    outcome = f"filled in {time.monotonic() - start:.1f} s" if is_new else "filled before, nothing changed"
    print(f"{settings.ASP.system} of {arguments.ksh}: {outcome}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
