"""Fill one municipality's part of this system with invented data, in proportion to its inhabitants.

`python -m systems.synthetic 16054 [--seed 1]`, inside an app server: what each system makes is in its `synthetic.py`. A
municipality is filled once; a second run says so and changes nothing. All of it is synthetic and looks so.
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
    """Fill the current system for one municipality, whole or not at all; False when it was filled before."""
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
            # Each system has its own numbers: what one makes does not depend on another's.
            importlib.import_module(f"systems.{system}.synthetic").fill(Random(f"{ksh}/{system}/{seed}"), population)
    return True


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m systems.synthetic", description=__doc__.split("\n")[0])
    parser.add_argument("ksh", help="KSH code of the municipality, five digits")
    parser.add_argument("--seed", type=int, default=1, help="another number makes other people (default 1)")
    chosen = parser.parse_args()
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "systems.settings")
    import django

    django.setup()
    from django.conf import settings

    if not importlib.util.find_spec(f"systems.{settings.ASP.system}.synthetic"):
        print(f"{settings.ASP.system}: has nothing to invent")
        return 0
    begun = time.monotonic()
    done = fill(chosen.ksh, chosen.seed)
    said = f"filled in {time.monotonic() - begun:.1f} s" if done else "was filled before, nothing changed"
    print(f"{settings.ASP.system} of {chosen.ksh}: {said}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
