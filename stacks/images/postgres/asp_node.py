#!/usr/bin/python3
"""Runs one of a cell's three nodes: Patroni with PostgreSQL under it, pgBackRest's TLS server beside it.

Needs: volume /data; tmpfs /run/asp; /run/secrets/patroni.yml; /etc/asp/dcs.json (what the cluster as a whole is set to)
and /run/secrets/bootstrap.sql (idempotent): whichever node leads applies both, at every change of leader.
optional: /etc/asp/pgbackrest.conf. ASP_FOUNDER=1 on the one node that may make a new cluster.

A cluster is made here, aside and renamed, and then adopted by Patroni, instead of by Patroni's own bootstrap: killed in
the middle of that one, the cell waits for ever for somebody to finish it. The same path turns a single node into a cell
of three: its data directory is there already.

Ready (see asp-node-healthy) means: PostgreSQL has once served in this container, as leader or as standby, and Patroni
still answers. A node that clones or replays for hours is not ended by its health check.
"""

import contextlib
import fcntl
import http.client
import json
import os
import signal
import socket
import ssl
import subprocess
import sys
import threading
import time

DATA = "/data/pgdata"
SETTINGS = "/run/secrets/patroni.yml"
SHARED = "/etc/asp/dcs.json"
BOOTSTRAP = "/run/secrets/bootstrap.sql"
READY = "/run/asp/ready"
ALIVE = "/run/asp/alive"  # touched whenever Patroni answers
CERTIFICATE, KEY, ROOT = "/run/secrets/tls.crt", "/run/secrets/tls.key", "/etc/asp/ca.crt"
REST_PORT = 8008
TICK_SECONDS = 1.0
FIRST_TICK_SECONDS = 0.3  # until it is ready: only then has it a name, by which others ask it who may lead
STUCK_SECONDS = 45  # of one and the same fault of a standby
NO_START = "PostgreSQL does not start"
LOCK_SECONDS = 60
RESTART_SECONDS = 60
RESTARTED = "/data/restarted"  # for which changes of settings PostgreSQL was restarted last
# Settings of which a standby needs as much as the WAL says that its leader has, and how pg_controldata calls them.
AS_THE_LEADER = {
    "max_connections": "max_connections setting",
    "max_worker_processes": "max_worker_processes setting",
    "max_wal_senders": "max_wal_senders setting",
    "max_prepared_transactions": "max_prepared_xacts setting",
    "max_locks_per_transaction": "max_locks_per_xact setting",
}
# What a look at Patroni raises while it has no answer, or not the whole one.
NOT_YET = (OSError, RuntimeError, LookupError, TypeError, ValueError, AttributeError, subprocess.SubprocessError)
INITDB = [
    *("initdb", "--username=postgres", "--auth=reject", "--data-checksums", "--encoding=UTF8"),
    *("--locale=C.UTF-8", "--locale-provider=icu", "--icu-locale=hu-HU", "--sync-method=syncfs"),
]


def say(text):
    print(f"asp-node: {text}", file=sys.stderr, flush=True)


def rest(method, path, body=None, host="localhost", timeout=5.0):
    """(status, decoded body) of a Patroni's REST interface, both sides showing their certificates."""
    context = ssl.create_default_context(cafile=ROOT)
    context.load_cert_chain(CERTIFICATE, KEY)
    connection = http.client.HTTPSConnection(host, REST_PORT, timeout=timeout, context=context)
    try:
        connection.request(method, path, body=None if body is None else json.dumps(body))
        answer = connection.getresponse()
        text = answer.read().decode()
    finally:
        connection.close()
    try:
        return answer.status, json.loads(text)
    except ValueError:
        return answer.status, text


def touch(path):
    with open(path, "a", encoding="utf-8"):
        os.utime(path)


def awaited(starting):
    """The WAL segment at which recovery stands while no stream brings any; None when it does not wait.

    `starting`: PostgreSQL lets nobody in yet. One that was told of no leader looks into its own folder for ever, under
    the title of one that replays; how long it has worked tells the two apart, and is part of the answer.
    """
    titles, worked = [], 0
    for entry in os.listdir("/proc"):
        with contextlib.suppress(OSError):
            if entry.isdigit():
                with open(f"/proc/{entry}/cmdline", "rb") as stream:
                    titles.append(stream.read().replace(b"\0", b" ").decode(errors="replace").strip())
                if " startup recovering " in titles[-1]:
                    with open(f"/proc/{entry}/stat", encoding="ascii", errors="replace") as stream:
                        worked = sum(map(int, stream.read().rpartition(")")[2].split()[11:13]))
    if any("walreceiver" in title and "streaming" in title for title in titles):
        return None
    for title in titles:
        segment = title.rsplit(" ", 1)[-1]
        if title.startswith("postgres:") and " startup waiting for " in title:
            return segment
        if starting and title.startswith("postgres:") and " startup recovering " in title:
            return f"{segment} ({worked // os.sysconf('SC_CLK_TCK')} s of replay)"
    return None


def controldata():
    """What pg_controldata says of this node: title → value."""
    told = subprocess.run(["pg_controldata", DATA], check=True, capture_output=True, text=True, timeout=30).stdout
    return {title: value.strip() for title, _, value in (line.partition(":") for line in told.splitlines())}


def unreachable():
    """Why a standby that has not begun to serve never will: it wants WAL behind the end of a former timeline.

    Seen after a rewind from a leader that died before its last WAL, of which nothing was acknowledged, had reached
    another node: what was copied is newer than the end that the next leader gave to that timeline.
    """
    histories = sorted(name for name in os.listdir(f"{DATA}/pg_wal") if name.endswith(".history"))
    if not histories:
        return None
    known = controldata()
    wanted, timeline = known["Minimum recovery ending location"], known["Min recovery ending loc's timeline"]
    with open(f"{DATA}/pg_wal/{histories[-1]}", encoding="utf-8") as stream:
        ends = dict(line.split()[:2] for line in stream if line.strip() and not line.startswith("#"))
    if timeline in ends and position(wanted) > position(ends[timeline]):
        return f"must replay to {wanted}, but timeline {timeline} ended at {ends[timeline]}"
    return None


def position(lsn):
    """A place in the WAL, as `0/11076AF0`, as something that compares."""
    return [int(half, 16) for half in lsn.split("/")]


def crashed():
    """Whether PostgreSQL's first process is gone without having ended: its end would have removed its file."""
    try:
        with open(f"{DATA}/postmaster.pid", encoding="utf-8") as stream:
            number = abs(int(stream.readline()))  # of a server of one user it is written below zero
    except (FileNotFoundError, ValueError):
        return False
    try:
        with open(f"/proc/{number}/stat", encoding="ascii", errors="replace") as stream:
            return stream.read().rpartition(")")[2].split()[0] == "Z"
    except (FileNotFoundError, ProcessLookupError):
        return True


def lowered(reason, present):
    """Whether the WAL asks for more of a setting than is wanted now. `reason`: Patroni's, setting → old and new."""
    return any(
        int(change["new_value"]) < int(present[AS_THE_LEADER[name]])
        for name, change in reason.items()
        if name in AS_THE_LEADER
    )


def found(stopped):
    """On the founder, where no cluster was ever made under this name: its settings and, without data, the cluster.

    Data is there when a single node becomes three, and after a restore of the whole cell: Patroni adopts it.
    """
    from patroni.config import Config
    from patroni.dcs import get_dcs

    dcs = None
    while not stopped.is_set():
        try:
            dcs = dcs or get_dcs(Config(SETTINGS).copy())
            cluster = dcs.get_cluster()
            break
        except Exception as error:  # Patroni's client raises many kinds; all mean: not yet
            say(f"etcd does not answer yet: {error!r:.200}")
            stopped.wait(1)
    if stopped.is_set() or cluster.initialize is not None:
        return
    with open(SHARED, encoding="utf-8") as stream:
        dcs.set_config_value(json.dumps(json.load(stream)))
    if os.path.isdir(DATA):
        say("the cell adopts the database cluster on this node's volume")
        return
    say("first start of the cell: making the database cluster")
    aside = f"{DATA}.new"
    # Whole or not at all: a kill at any point leaves either nothing or a whole cluster.
    subprocess.run(["rm", "-rf", aside], check=True)
    subprocess.run([*INITDB, f"--pgdata={aside}"], check=True, stdout=subprocess.DEVNULL)
    os.rename(aside, DATA)
    subprocess.run(["sync", "-f", "/data"], check=True)


class Keeper:
    """What must follow whoever leads: the cluster's settings and the bootstrap SQL, applied once a leadership."""

    def __init__(self):
        with open(SHARED, encoding="utf-8") as stream:
            self.wanted = json.load(stream)
        self.applied = False
        self.fault, self.since = None, 0.0
        self.name = socket.gethostname()  # the service's, which is the member's

    def tick(self):
        status, seen = rest("GET", "/patroni")
        touch(ALIVE)
        state = seen.get("state")
        self.unstick(state)
        if state not in ("running", "streaming"):
            return
        leads = status == 200 and seen.get("role") == "primary" and rest("GET", "/primary")[0] == 200
        if leads and not self.applied:
            self.apply()
        self.applied = leads
        standby = seen.get("replication_state") == "streaming" or state == "streaming"
        if seen.get("pending_restart"):
            self.restart(seen["pending_restart_reason"])
        else:
            with contextlib.suppress(FileNotFoundError):
                os.unlink(RESTARTED)
        if (leads or standby) and not os.path.exists(READY):
            touch(READY)
            say("ready as leader" if leads else "ready as standby")

    def unstick(self, state):
        """Clone a standby anew that waits for WAL nobody has or that is nowhere, or that cannot start at all.

        Seen when the leader died in the middle of a rewind: half of the files were the new leader's, and Patroni tried
        to start what was left for ever. Only while another node leads, so what is thrown away is the last of nothing.
        """
        fault = (waits := awaited(state == "starting")) and f"waits for WAL {waits}, and nothing streams"
        if state == "starting":  # asked first: such a one streams again and again, and ends again and again
            fault = unreachable() or fault
        if state == "start failed" or (state != "running" and self.fault == NO_START):
            fault = NO_START
        if fault != self.fault:
            self.fault, self.since = fault, time.monotonic()
        if fault is None or time.monotonic() - self.since < STUCK_SECONDS:
            return
        found = rest("GET", "/cluster")[1]["members"]
        if any(m["role"] == "leader" and m["state"] == "running" and m["name"] != self.name for m in found):
            say(f"{fault}, for {STUCK_SECONDS} s: cloning the leader anew")
            status, answer = rest("POST", "/reinitialize", {"force": True})
            say(f"reinitialize: {status} {answer}")
        self.fault = None

    def restart(self, reason):
        """Take a changed setting into use, one node after the other, and once only: the leader last.

        But first where it has less of something than before: Patroni starts a standby with as much as the WAL says
        that the leader has, so that a standby's restart before the leader's is in vain. Once also where a leader was
        fenced meanwhile, because its restart took long: another one would fare alike, and the next again.
        """
        with contextlib.suppress(FileNotFoundError, ValueError), open(RESTARTED, encoding="utf-8") as stream:
            if json.load(stream) == reason:
                return
        members = rest("GET", "/cluster")[1]["members"]
        if lowered(reason, controldata()):
            waiting = [(0, member["name"]) for member in members if member["role"] == "leader"]
        else:
            order = {"replica": 0, "quorum_standby": 1, "leader": 2}
            waiting = [
                (order.get(member["role"], 0), member["name"])
                for member in members
                if member.get("pending_restart") or member["state"] not in ("running", "streaming")
            ]
        if waiting and min(waiting)[1] == self.name:
            say(f"restarting PostgreSQL for a changed setting: {reason}")
            with open(RESTARTED, "w", encoding="utf-8") as stream:
                json.dump(reason, stream)
            # Without a time of its own, a leader that is not up at Patroni's next look hands over.
            wanted = {"restart_pending": True, "timeout": RESTART_SECONDS}
            status, answer = rest("POST", "/restart", wanted, timeout=2 * RESTART_SECONDS)
            say(f"restarted: {status} {answer}")
            if status != 200:
                os.unlink(RESTARTED)

    def apply(self):
        # No standby streams before its role exists, and no commit that waits for a standby returns before one streams.
        environment = {**os.environ, "PGOPTIONS": "-c synchronous_commit=local"}
        psql = ["psql", "-XAtq", "--set=ON_ERROR_STOP=1", "--username=postgres", "--dbname=postgres"]
        subprocess.run(
            [*psql, f"--file={BOOTSTRAP}"], env=environment, check=True, timeout=120, stdout=subprocess.DEVNULL
        )
        status, present = rest("GET", "/config")
        if status != 200 or present != self.wanted:
            status, answer = rest("PUT", "/config", self.wanted)
            if status != 200:
                raise RuntimeError(f"settings of the cluster refused with {status}: {answer}")
            say("settings of the cluster applied")


def keep(keeper, stopped):
    last = ""
    while not stopped.wait(TICK_SECONDS if os.path.exists(READY) else FIRST_TICK_SECONDS):
        try:
            keeper.tick()
            last = ""
        except NOT_YET as error:
            if repr(error) != last:
                say(f"not yet: {error!r:.300}")
            last = repr(error)


def serve_backups(stopped):
    """Backups must never take the database down: the server is started again alone when it dies."""
    while not stopped.is_set():
        code = subprocess.run(["pgbackrest", "server"], check=False).returncode
        if not stopped.wait(1):
            say(f"pgbackrest server ended with {code}, starting it again")


def alone():
    """Hold /data alone; every process started here inherits the lock, so it is free only once the last one is gone.

    Holding it, a postmaster.pid left by a kill is known to be stale; its number may meanwhile be another process's.
    """
    descriptor = os.open("/data/lock", os.O_RDWR | os.O_CREAT, 0o600)
    os.set_inheritable(descriptor, True)
    deadline = time.monotonic() + LOCK_SECONDS
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            break
        except BlockingIOError:
            if time.monotonic() > deadline:
                sys.exit(f"asp-node: /data is still in use by another container after {LOCK_SECONDS} s; stop that one")
            time.sleep(0.1)
    with contextlib.suppress(FileNotFoundError):
        os.unlink(f"{DATA}/postmaster.pid")
    return descriptor


def main():
    for path in (READY, ALIVE):
        with contextlib.suppress(FileNotFoundError):
            os.unlink(path)
    stopped = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopped.set())
    descriptor = alone()
    for folder in ("spool", "lock"):
        os.makedirs(f"/run/asp/{folder}", exist_ok=True)
    if os.environ.get("ASP_FOUNDER") == "1":
        found(stopped)
    patroni = subprocess.Popen(["asp-patroni", SETTINGS], pass_fds=(descriptor,))
    keeper = Keeper()
    threading.Thread(target=keep, args=(keeper, stopped), daemon=True).start()
    if os.path.isfile(os.environ.get("PGBACKREST_CONFIG", "")):
        threading.Thread(target=serve_backups, args=(stopped,), daemon=True).start()
    while patroni.poll() is None and not stopped.wait(0.2):
        if keeper.applied and crashed():
            # Patroni would see it at its next look, up to five seconds later, and answer no other node meanwhile. A
            # container that ends is proven dead at once: the fencer lets a standby take over.
            say("PostgreSQL crashed while it led: this node ends")
            patroni.kill()
            break
    if patroni.poll() is None:
        patroni.terminate()  # stops PostgreSQL cleanly and hands leadership over
    code = patroni.wait()
    say(f"Patroni ended with {code}")
    return code


if __name__ == "__main__":
    sys.exit(main())
