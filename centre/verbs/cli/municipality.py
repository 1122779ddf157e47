"""Verbs over municipalities and their workstations."""

from __future__ import annotations

import argparse

from centre.verbs.cli.verb import Parsers, add, json_option, municipality

PLAYBOOK = "ansible-playbook"


def add_all(verbs: Parsers[argparse.ArgumentParser]) -> None:
    join = add(
        verbs,
        "join",
        "centre.verbs.plays:join",
        "move a municipality in: database, identity, backup, edge",
        examples=["join 16054", "join 16054 --check --diff", "join --all"],
        passes=PLAYBOOK,
    )
    municipality(join)
    join.add_argument("--all", action="store_true", help="every municipality that the register says has joined")
    leave = add(
        verbs,
        "leave",
        "centre.verbs.plays:leave",
        "move a municipality out, after an export of its data",
        examples=["leave 16054 --check", "leave 16054 --confirm Sajószentpéter"],
        passes=PLAYBOOK,
    )
    municipality(leave)
    leave.add_argument("--confirm", metavar="NAME", help="the municipality's name; without it nothing is touched")
    check = add(
        verbs,
        "check",
        "centre.verbs.programs:check",
        "judge a municipality's readiness and write its report",
        details="Exit code: 0 ready, 1 not ready, 2 usage or register fault, 3 could not be measured.",
        examples=["check 16054", "check 16054 --json", "check --list"],
        passes="python -m checks (its --help lists them)",
    )
    municipality(check)
    json_option(check)
    add(
        verbs,
        "endpoints",
        "centre.verbs.plays:endpoints",
        "set up the workstations of the register",
        examples=["endpoints", "endpoints --limit sajoszentpeter-1 --check --diff"],
        passes=PLAYBOOK,
    )
    restore = add(
        verbs,
        "restore",
        "centre.verbs.plays:restore",
        "bring one municipality's database back to a moment, beside the others",
        examples=[
            "restore 16054 --at '2026-11-23 14:00:00' --look",
            "restore 16054 --at '2026-11-23 14:00:00'",
            "restore 16054 --undo t16054_before_20261123t130000z",
        ],
        passes=PLAYBOOK,
    )
    municipality(restore)
    restore.add_argument("--at", metavar="TIME", help="the moment, as '2026-11-23 14:00:00'")
    restore.add_argument("--look", action="store_true", help="restore beside and compare, exchange nothing yet")
    restore.add_argument("--repository", type=int, choices=[1, 2], help="2: the encrypted repository")
    restore.add_argument("--undo", metavar="DATABASE", help="exchange again with a database that was kept")
    restore.add_argument("--forget", metavar="DATABASE", help="remove a database that was kept")
    drill = add(
        verbs,
        "drill",
        "centre.verbs.plays:drill",
        "prove that municipalities come back out of the backups",
        details="Without a code those that are due today are proven.",
        examples=["drill", "drill 16054 14915", "drill --check"],
        passes=PLAYBOOK,
    )
    drill.add_argument("ksh", nargs="*", metavar="KSH", help="KSH codes, due or not")
    fill = add(
        verbs,
        "fill",
        "centre.verbs.plays:fill",
        "fill a municipality with invented data in every system",
        details="Refused for a live municipality, unless the environment is marked as a demonstration.",
        examples=["fill 29188 --check", "fill 29188 --confirm Nagybarca"],
        passes=PLAYBOOK,
    )
    municipality(fill)
    _invented(fill)
    refill = add(
        verbs,
        "refill",
        "centre.verbs.plays:refill",
        "empty a sandbox municipality and fill it anew",
        examples=["refill 29188 --check", "refill 29188 --confirm Nagybarca"],
        passes=PLAYBOOK,
    )
    municipality(refill)
    _invented(refill)
    browse = add(
        verbs,
        "browse",
        "centre.verbs.browse:run",
        "see the product in the browser of your own desk, as a clerk or a citizen",
        details="Enrols a certificate of the clerk's and writes it, the root certificate and instructions to "
        ".asp/<env>/browse/. Asks for the clerk's name, since whoever has the certificate is the clerk.",
        examples=[
            "browse",
            "browse --clerk minta.admin --municipality 16054",
            "browse --station sajoszentpeter-1 --screenshot /keret/",
            "browse --end",
        ],
    )
    browse.add_argument("--station", metavar="NAME", help="as the clerk of this workstation")
    browse.add_argument("--clerk", metavar="USERNAME", help="as this clerk (together with --municipality)")
    browse.add_argument("--municipality", metavar="KSH", help="at this municipality")
    browse.add_argument("--confirm", metavar="USERNAME", help="the clerk's username; asked for when it is not given")
    browse.add_argument("--address", help="the centre's address as your computer reaches it (default: this machine's)")
    browse.add_argument("--end", action="store_true", help="revoke the certificates taken so far, remove the files")
    browse.add_argument(
        "--screenshot", metavar="PATH", help="only a picture, taken by the workstation's own browser, such as /keret/"
    )
    factor = add(
        verbs,
        "second-factor",
        "centre.verbs.second_factor:run",
        "let a clerk set up the second factor of their sign-in anew",
        details="Removes the clerk's password or one-time code, ends their sessions and records who did it and why. "
        "Until a new one is set up the certificate alone is enough: do it while the clerk waits.",
        examples=["second-factor minta.iktato --reason forgotten --confirm minta.iktato"],
    )
    factor.add_argument("clerk", metavar="USERNAME", help="the clerk's username")
    factor.add_argument("--reason", required=True, choices=("forgotten", "lost", "suspected"), help="why it is done")
    factor.add_argument("--confirm", metavar="USERNAME", help="the clerk's username; asked for when it is not given")


def _invented(verb: argparse.ArgumentParser) -> None:
    verb.add_argument("--confirm", metavar="NAME", help="the municipality's name; without it nothing is touched")
    verb.add_argument("--seed", type=int, metavar="N", help="another number makes other people")
