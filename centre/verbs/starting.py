"""Waiting for services that start by themselves, as all of them do at once after the loss of the machine's power.

Until they have, a stack would be compared with what is not there yet, and a database asked that does not listen.
"""

from __future__ import annotations

import time
from collections.abc import Callable

from docker.errors import APIError

from centre.reach.faults import Unreachable
from centre.reach.runtime import Runtime
from centre.verbs.services import health, services
from inventory.register import Register

SECONDS = 180  # a Keycloak and 30 other containers at once take 60 on two processors
PAUSE = 0.5  # seconds between two looks, each of which asks for the tasks of every service


def wait(register: Register, say: Callable[[str], None], seconds: float = SECONDS) -> str:
    """Wait until every service that should run does; nothing to wait for is the usual case.

    `say` is told how many are left. After `seconds` it goes on, since the run under way may be what mends them:
    returns a sentence that names them, else "".
    """
    deadline = time.monotonic() + seconds
    runtime = Runtime(register)
    while away := away_now(runtime):
        if time.monotonic() > deadline:
            return f"after {seconds:.0f} s these do not run yet, going on: {', '.join(away)}"
        say(f"{len(away)} still to come: {', '.join(away)}")
        time.sleep(PAUSE)
    return ""


def away_now(runtime: Runtime) -> list[str]:
    """Services of the environment with fewer running tasks than they should have."""
    try:
        every = [health(service) for service in services(runtime)]
    except APIError as error:
        if error.status_code == 503:  # "The swarm does not have a leader": for some seconds after the daemon's start
            return ["the Swarm"]
        raise
    except Unreachable:
        if runtime.register.environment.several_machines:  # their managers find one another first
            return ["the Swarm"]
        raise
    return [item.name for item in every if item.running < item.replicas]
