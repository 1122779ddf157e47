"""Let a clerk set up the second factor of their sign-in anew; who did it and why is recorded first.

Until the clerk has done so, their certificate alone is enough to choose it: do it while they wait at their workstation.
"""

from __future__ import annotations

import argparse
import datetime as dt
import getpass
import json
import sys
from collections.abc import Callable

from centre.faults import OK, UsageFault
from centre.identity.second_factor import reset
from centre.reach.keycloak import Keycloak
from centre.reach.runtime import Runtime
from inventory import paths
from inventory.register import Register, load
from inventory.vault import vault

RECORD = "second-factor.jsonl"
REASONS = {
    "forgotten": "the clerk does not know it any more",
    "lost": "the phone with the codes is gone",
    "suspected": "somebody else may know it",
}


def run(options: argparse.Namespace) -> int:
    """`asp second-factor`."""
    register = load(options.env)
    require_clerk(register, options.clerk)
    confirm(options.clerk, options.confirm, input)
    record(options.env, options.clerk, options.reason)
    with Keycloak(Runtime(register), vault.load(register)) as keycloak:
        kinds = reset(keycloak, options.clerk)
    removed = ", ".join(kinds) or "none was set up"
    print(
        f"{options.clerk}: removed ({removed}), sessions ended. The next sign-in sets up a new one: have it done now."
    )
    return OK


def require_clerk(register: Register, username: str) -> None:
    """UsageFault for somebody who is no clerk of the register."""
    clerks = {clerk.username for office in register.offices.values() for clerk in office.clerks}
    if username not in clerks:
        raise UsageFault(
            f"clerk {username}: seen in no office of the register, wanted one of: {', '.join(sorted(clerks))}"
        )


def confirm(username: str, confirmation: str | None, ask: Callable[[str], str]) -> None:
    """The clerk's username, given or typed; UsageFault otherwise."""
    if confirmation is None and sys.stdin.isatty():
        confirmation = ask(f"Until {username} signs in, the certificate alone is enough. Type the username: ")
    if confirmation != username:
        raise UsageFault(f"nothing removed: seen {confirmation or 'no confirmation'}, wanted --confirm {username}")


def record(env: str, username: str, reason: str) -> None:
    """A line about what is about to be done; written before it is."""
    now = dt.datetime.now(dt.UTC).isoformat(timespec="seconds")
    entry = {"at": now, "operator": getpass.getuser(), "clerk": username, "reason": reason}
    with (paths.environment_dir(env) / RECORD).open("a", encoding="utf-8") as stream:
        stream.write(json.dumps(entry, ensure_ascii=False) + "\n")
