"""The logins of etcd: `/run/secrets/etcd.json`, as stacks/components/etcd.py writes it, made and then required."""

from __future__ import annotations

import json
import threading
from pathlib import Path
from typing import Any

from asp_service.log import Changes, Log
from asp_service.places import ROOT

from asp_failover.etcd import Etcd, EtcdFault, encode, end_of

FILE = Path("/run/secrets/etcd.json")
CLIENT = 2379
# Seconds. A password is hashed at each call that bears one: with 2 s, at a load of 15 a core, logins were begun anew
# for four minutes.
PATIENCE = 20.0

log = Log("asp-etcd")


def read_logins() -> dict[str, Any]:
    """`root` (password) and `users` {name: {password, read, write}}: lists of keys, or of prefixes with a slash."""
    logins: dict[str, Any] = json.loads(FILE.read_text(encoding="utf-8"))
    return logins


def require_logins(etcd: Etcd, settings: dict[str, Any]) -> None:
    """Make role and user of each entry. `etcd`: root once logins are required, nobody before."""
    for name, entry in {"root": {"password": settings["root"]}, **settings["users"]}.items():
        _present(etcd, "role", {"name": name})
        _present(etcd, "user", {"name": name, "password": entry["password"]})
        etcd.call("/v3/auth/user/changepw", {"name": name, "password": entry["password"]})
        etcd.call("/v3/auth/user/grant", {"user": name, "role": name})
        for kind, right in (("read", "READ"), ("write", "READWRITE")):
            for place in entry.get(kind, []):
                permission = {"permType": right, "key": encode(place)}
                if place.endswith("/"):
                    permission["range_end"] = encode(end_of(place))
                etcd.call("/v3/auth/role/grant", {"name": name, "perm": permission})


def required(anonymous: Etcd) -> bool:
    """Whether the cluster wants logins: once it does, it tells nobody who has none."""
    try:
        return bool(anonymous.call("/v3/auth/status", {}).get("enabled"))
    except EtcdFault as fault:
        if "user name is empty" in str(fault):
            return True
        raise


def accepted(hosts: list[str], user: str, password: str) -> bool:
    """Whether a login works."""
    try:
        Etcd(hosts, ROOT, user, password, PATIENCE).call("/v3/auth/status", {})
    except EtcdFault as fault:
        if f"login of {user} refused" in str(fault):
            return False
        if "permission denied" not in str(fault):  # logged in, and no root
            raise
    return True


def _present(etcd: Etcd, kind: str, body: dict[str, Any]) -> None:
    try:
        etcd.call(f"/v3/auth/{kind}/add", body)
    except EtcdFault as error:
        if "already exists" not in str(error):
            raise


def keep_logins(stopped: threading.Event) -> None:
    """Until it worked once: the cluster has no leader before two members run."""
    settings = read_logins()
    faults = Changes(log)
    while not stopped.wait(0.5):
        try:
            host = [f"localhost:{CLIENT}"]
            anonymous = Etcd(host, ROOT, timeout=PATIENCE)
            on = required(anonymous)
            # Any change of logins ends every session: none without need.
            if on and all(accepted(host, name, user["password"]) for name, user in settings["users"].items()):
                return
            root = Etcd(host, ROOT, "root", settings["root"], PATIENCE)
            require_logins(root if on else anonymous, settings)
            if not on:
                anonymous.call("/v3/auth/enable", {})
            log.info("logins made; every client needs one")
            return
        except EtcdFault as error:
            faults.say(f"not yet: {error}")
