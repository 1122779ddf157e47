"""Bring an environment to what the register says.

The steps follow the data's way – register, secrets, images, stacks, playbooks, checks – and can be killed at any point:
each is idempotent, so the next run completes what this one left.
"""

from __future__ import annotations

import argparse
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from functools import partial

from centre.database.upgrade import upgrade
from centre.edge.withdrawal import Withdrawals
from centre.faults import OK
from centre.reach.runtime import Runtime
from centre.verbs import addresses, lock, plays, preconditions, provision, starting, summaries
from centre.verbs.progress import StepFailed, Steps
from inventory import paths
from inventory.models import Municipality
from inventory.register import Register, load
from inventory.vault import vault
from stacks import order
from stacks.order import Stack

IMAGES_SECONDS = 3000


def run(options: argparse.Namespace) -> int:
    """`asp up`."""
    register = load(options.env)
    with lock.hold(options.env, "up"):
        up(register)
    return OK


def up(register: Register) -> None:
    """All steps, in order."""
    env = register.environment.id
    started = time.monotonic()
    steps = Steps(paths.environment_dir(env) / "logs")
    preconditions.one_machine(register)
    preconditions.keeps_its_nodes(register)
    addresses.keeps_its_subnets(register)
    steps.run("Register and secrets", lambda: _counted(vault.ensure(register)[1], "created"))
    steps.run("Published ports", lambda: preconditions.ports(register))
    steps.run("Images", lambda: images(steps))
    await_services(steps, register)
    environ = provision.environment(register)
    for number, wave in enumerate(order.waves(register)):
        if number == order.APP_WAVE:  # an older schema would meet newer app servers
            steps.run("Schemas of existing tenants", lambda: _counted(upgrade(register), "changed"))
        with ThreadPoolExecutor(max_workers=len(wave)) as pool:
            futures = [
                pool.submit(steps.run, title(stack), partial(provision.bring_up, steps, stack, environ))
                for stack in wave
            ]
        for future in futures:
            future.result()
    plays.step(steps, env, "join", "Municipalities join", municipality="all")
    steps.run("Revocations", lambda: revocations(register))
    plays.step(steps, env, "endpoints", "Workstations")
    plays.step(steps, env, "drill", "Restore drill")
    for municipality in register.joined():
        if municipality.phase == "live":
            steps.run(f"Readiness of {municipality.name}", partial(readiness, steps, env, municipality))
            print((steps.logs / f"{_log(municipality)}.log").read_text(encoding="utf-8"))
    print(
        f"Environment {env} is up after {time.monotonic() - started:.0f} s: {steps.verdict()}.\n"
        f"Addresses and workstations: asp status {env}. In your own browser: asp browse --env {env}"
    )


def await_services(steps: Steps, register: Register) -> None:
    """Wait for what starts by itself, as after the loss of power; it changes nothing."""
    name, notes = "Services that start", list[str]()
    steps.run(name, lambda: notes.append(starting.wait(register, partial(steps.say, name))))
    if note := notes[0]:
        print(f"  note: {note}", flush=True)


def title(stack: Stack) -> str:
    return f"Stack {stack.project} {stack.name}"


def revocations(register: Register) -> str:
    """Revoke again what step-ca's list lacks, as after the loss of its volume."""
    outcome = Withdrawals(register, vault.load(register)).reapply(Runtime(register))
    return "; ".join(outcome.lines) if outcome.changed else ""


def images(steps: Steps) -> str:
    """Build the images that are missing."""
    summary = steps.logs / "images.summary.json"
    summary.unlink(missing_ok=True)
    builder = [sys.executable, "-m", "stacks.images.build", "--summary", str(summary)]
    steps.command("images", builder, limit=IMAGES_SECONDS)
    return summaries.of_images(summary)


def readiness(steps: Steps, env: str, municipality: Municipality) -> None:
    """Check one municipality: it changes nothing. A failure says with which command to look again."""
    command = [sys.executable, "-m", "checks", "--env", env, "--tenant", municipality.ksh]
    try:
        steps.command(_log(municipality), command)
    except StepFailed as failure:
        following = f"asp check {municipality.ksh} --env {env}"
        raise StepFailed(f"{failure}\nWhen the cause is gone, look again: {following}") from failure


def _log(municipality: Municipality) -> str:
    return f"checks-{municipality.ksh}"


def _counted(changes: list[str], noun: str) -> str:
    return f"{len(changes)} {noun}" if changes else ""
