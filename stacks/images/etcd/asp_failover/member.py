"""Runs one etcd member; the first of them also makes the logins and then requires them of every client.

A member that lost its volume takes itself out of the cluster and joins it anew, with the login `root`.

Environment: ASP_MEMBER (this service's name), ASP_MEMBERS (comma-separated), ASP_CLUSTER (token and the name that every
member's certificate carries), and the logins (`asp_failover.logins`). Health asks this member alone.
"""

from __future__ import annotations

import os
import signal
import subprocess
import threading
from pathlib import Path
from typing import Any

from asp_service.log import Changes, Log
from asp_service.places import CERTIFICATE, KEY, ROOT

from asp_failover.etcd import Etcd, EtcdFault, encode, end_of
from asp_failover.logins import read_logins

WAL = Path("/data/etcd/member/wal")
JOINING = Path("/data/joining")  # this member may have taken itself out: it is no first member any more
# Of this container (see asp-member-healthy): when it started, and that it waits for no leader any more.
STARTED, JOINED = Path("/tmp/started"), Path("/tmp/joined")
CLIENT, PEER, HEALTH = 2379, 2380, 2381
# Seconds. A password is hashed at each call that bears one: with 2 s, at a load of 15 a core, logins were begun anew
# for four minutes.
PATIENCE = 20.0

log = Log("asp-etcd")


def cluster_state(member: str, members: list[str], password: str) -> str:
    """What etcd is told of the cluster where its volume is empty: `new` at the first start, else `existing`.

    Of the two, `new` on a lost volume is refused by etcd ("already been bootstrapped") as long as the cluster still
    lists this member. EtcdFault when it may have been taken out and could not be added: then nothing may start.
    """
    if any(WAL.glob("*.wal")):
        JOINING.unlink(missing_ok=True)
        return "existing"
    etcd = Etcd([f"{name}:{CLIENT}" for name in members if name != member], ROOT, "root", password, PATIENCE)
    try:
        listed = etcd.call("/v3/cluster/member/list", {"linearizable": True})["members"]
    except EtcdFault as fault:
        if JOINING.exists():
            raise
        log.info(f"no cluster is there yet ({fault})")
        return "new"
    url = f"https://{member}:{PEER}"
    own = next((entry for entry in listed if url in entry["peerURLs"]), None)
    if own and own.get("name"):
        if not own.get("clientURLs"):
            return "new"  # one of the first members, which never ran
        JOINING.touch()
        log.warning("the volume is empty, and the cluster knows this member: it is taken out and joins anew")
        etcd.call("/v3/cluster/member/remove", {"ID": own["ID"]})
        own = None
    if own is None:
        JOINING.touch()
        etcd.call("/v3/cluster/member/add", {"peerURLs": [url]})
    return "existing"


def arguments(member: str, members: list[str], cluster: str, state: str) -> list[str]:
    """Command line of etcd: TLS both ways between members, TLS and a password for clients."""
    return [
        "etcd",
        f"--name={member}",
        "--data-dir=/data/etcd",
        f"--listen-client-urls=https://0.0.0.0:{CLIENT}",
        f"--advertise-client-urls=https://{member}:{CLIENT}",
        f"--listen-peer-urls=https://0.0.0.0:{PEER}",
        f"--initial-advertise-peer-urls=https://{member}:{PEER}",
        f"--initial-cluster={','.join(f'{name}=https://{name}:{PEER}' for name in members)}",
        f"--initial-cluster-token={cluster}",
        f"--initial-cluster-state={state}",
        f"--listen-metrics-urls=http://127.0.0.1:{HEALTH}",
        f"--cert-file={CERTIFICATE}",
        f"--key-file={KEY}",
        f"--peer-cert-file={CERTIFICATE}",
        f"--peer-key-file={KEY}",
        f"--peer-trusted-ca-file={ROOT}",
        "--peer-client-cert-auth=true",
        # A member is known by the name that only members' certificates carry. Its address says nothing: a task's name
        # resolves only once the task is healthy, so every peer would be refused at the first start.
        f"--peer-cert-allowed-hostname={cluster}",
        "--experimental-peer-skip-client-san-verification=true",
        "--auto-compaction-mode=periodic",
        "--auto-compaction-retention=1h",
        "--heartbeat-interval=100",
        "--election-timeout=1000",
        "--logger=zap",
        "--log-level=warn",
    ]


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


def keep_logins(member: str, stopped: threading.Event) -> None:
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


def run() -> int:
    """Run the member until it ends or a signal asks to stop (0)."""
    member, members = os.environ["ASP_MEMBER"], os.environ["ASP_MEMBERS"].split(",")
    STARTED.touch()
    password = read_logins()["root"]
    try:
        state = cluster_state(member, members, password)
    except EtcdFault as fault:
        log.error(f"cannot join the cluster yet: {fault}")
        return 1
    if state == "new":
        JOINED.touch()
    stopped = threading.Event()
    etcd = subprocess.Popen(arguments(member, members, os.environ["ASP_CLUSTER"], state))

    def stop(*_: object) -> None:
        stopped.set()
        etcd.terminate()

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, stop)
    if member == members[0]:
        threading.Thread(target=keep_logins, args=(member, stopped), daemon=True).start()
    code = etcd.wait()
    log.info(f"etcd ended with {code}")
    return 0 if stopped.is_set() else 1
