"""Stop every service of an environment and keep all data."""

from __future__ import annotations

import argparse

from docker.types import ServiceMode

from centre.faults import OK
from centre.reach.runtime import Runtime
from centre.verbs import lock
from centre.verbs.services import containers, services, until
from inventory.register import Register, load


def run(options: argparse.Namespace) -> int:
    """`asp down`."""
    register = load(options.env)
    with lock.hold(options.env, "down"):
        stopped = down(register)
    print(f"{stopped} services stopped, data kept. To bring them back: asp up {options.env}")
    return OK


def down(register: Register) -> int:
    """Stop what runs and wait until it has ended; how many services that were."""
    runtime = Runtime(register)
    stopped = 0
    for service in services(runtime):
        if service.attrs["Spec"]["Mode"].get("Replicated", {}).get("Replicas"):
            service.update(mode=ServiceMode("replicated", replicas=0), fetch_current_spec=True)
            stopped += 1
    until(lambda: not containers(runtime), "tasks to stop")
    return stopped
