"""Verbs over a whole environment."""

from __future__ import annotations

import argparse
import os

from centre.verbs.cli.verb import Parsers, add, json_option


def add_all(verbs: Parsers[argparse.ArgumentParser]) -> None:
    host = add(
        verbs,
        "host",
        "centre.verbs.host:run",
        "prepare this machine: packages, Docker, Swarm, Python environment",
        details="Installs only what is missing; a second run changes nothing.",
        examples=["host", "host --advertise-addr 10.1.2.3", "host --no-docker"],
    )
    host.add_argument("--no-docker", action="store_true", help="only the Python environment")
    host.add_argument(
        "--advertise-addr",
        metavar="ADDRESS",
        default=os.environ.get("ASP_ADVERTISE_ADDR"),
        help="IPv4 address at which other machines reach this one's Swarm, when it is made; 127.0.0.1: none ever will "
        "(default: ASP_ADVERTISE_ADDR, else the address of the default route)",
    )
    add(
        verbs,
        "up",
        "centre.verbs.up:run",
        "bring an environment to what the register says, from images to readiness",
        details="It can be killed at any point and run again; a second run changes nothing.",
        examples=["up", "up test"],
        env=True,
    )
    status = add(
        verbs,
        "status",
        "centre.verbs.status:run",
        "show what runs, the addresses, the workstations and the last readiness",
        details="It only reads, and answers while another verb is under way.",
        examples=["status", "status test --json"],
        env=True,
    )
    json_option(status)
    plan = add(
        verbs,
        "plan",
        "centre.verbs.plan:run",
        "show what `asp up` would change in every stack of an environment",
        details="Exit code 3: at least one stack could not be previewed.",
        examples=["plan", "plan dev --expect-no-changes", "plan test --json"],
        env=True,
    )
    json_option(plan)
    plan.add_argument("--expect-no-changes", action="store_true", help="exit with 1 when anything would change")
    plan.add_argument(
        "--no-refresh", dest="refresh", action="store_false", help="compare with the state, do not ask the daemon"
    )
    stack = add(
        verbs,
        "stack",
        "centre.verbs.stack:stack",
        "run the engine on one stack, with its state and passphrase",
        details="The exit code is the engine's (PULUMI names the engine, by default the embedded one).",
        examples=["stack edge preview --diff", "stack databases --cell baz1 up --yes", "stack network stack output"],
        passes="the engine",
    )
    stack.add_argument("project", metavar="PROJECT", help="folder under stacks/, such as edge")
    stack.add_argument("words", nargs="*", metavar="VERB", help="the engine's verb, such as preview")
    stack.add_argument("--cell", help="cell of a project with a stack a cell (default: the only one)")
    env = add(
        verbs,
        "env",
        "centre.verbs.stack:env",
        "print shell exports with which pulumi works in every folder of stacks/",
        details="The passphrase is written into a file that only its owner reads, and is not printed.",
        examples=["env", "env dev --cell baz1"],
        env=True,
    )
    env.add_argument("--cell", help="select this cell's stack, for projects with a stack a cell")
    add(
        verbs,
        "down",
        "centre.verbs.down:run",
        "stop everything of an environment and keep the data",
        examples=["down", "down test"],
        env=True,
    )
    clean = add(
        verbs,
        "clean",
        "centre.verbs.clean:run",
        "remove an environment with all its data, for good",
        details="Asks for the environment's name; YES=1 in the environment of the process confirms it.",
        examples=["clean test", "clean --all"],
        env=True,
    )
    clean.add_argument("--all", action="store_true", help="every environment of the register, and our images")
