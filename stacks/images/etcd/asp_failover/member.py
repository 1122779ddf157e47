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

from asp_service.log import Log
from asp_service.places import CERTIFICATE, KEY, ROOT

from asp_failover.etcd import Etcd, EtcdFault
from asp_failover.logins import CLIENT, PATIENCE, keep_logins, read_logins

WAL = Path("/data/etcd/member/wal")
JOINING = Path("/data/joining")  # this member may have taken itself out: it is no first member any more
# Of this container (see asp-member-healthy): when it started, and that it waits for no leader any more.
STARTED, JOINED = Path("/tmp/started"), Path("/tmp/joined")
PEER, HEALTH = 2380, 2381

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
        entries = etcd.call("/v3/cluster/member/list", {"linearizable": True})["members"]
    except EtcdFault as fault:
        if JOINING.exists():
            raise
        log.info(f"no cluster is there yet ({fault})")
        return "new"
    url = f"https://{member}:{PEER}"
    own = next((entry for entry in entries if url in entry["peerURLs"]), None)
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
        threading.Thread(target=keep_logins, args=(stopped,), daemon=True).start()
    code = etcd.wait()
    log.info(f"etcd ended with {code}")
    return 0 if stopped.is_set() else 1
