"""What a node does beside Patroni: settings after a change of leader, restarts in order, a clone when it is stuck."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import threading
import time
from collections.abc import Mapping
from typing import Any

from asp_service.files import read_json, write_json
from asp_service.log import Changes

from asp_node import patroni_api, places, recovery
from asp_node.places import log

TICK_SECONDS = 1.0
FIRST_TICK_SECONDS = 0.3  # until it is ready: only then has it a name, by which others ask it who may lead
STUCK_SECONDS = 45  # of one and the same fault of a standby
NO_START = "PostgreSQL does not start"
RESTART_SECONDS = 60
SERVING = ("running", "streaming")
FOLLOWERS_FIRST = {"replica": 0, "quorum_standby": 1, "leader": 2}
# What a look at Patroni raises while it has no answer, or not the whole one.
NOT_YET = (OSError, RuntimeError, LookupError, TypeError, ValueError, AttributeError, subprocess.SubprocessError)


class Keeper:
    """What must follow whoever leads: the cluster's settings and the bootstrap SQL, applied once a leadership."""

    def __init__(self) -> None:
        self.shared = json.loads(places.SHARED.read_text(encoding="utf-8"))
        self.applied = False
        self.fault: str | None = None
        self.since = 0.0
        self.name = socket.gethostname()  # the service's, which is the member's

    def tick(self) -> None:
        """Look at Patroni once and do what is due. NOT_YET when it has no whole answer."""
        status, own = patroni_api.call("GET", "/patroni")
        places.ALIVE.touch()
        state = own.get("state")
        self.unstick(state)
        if state not in SERVING:
            return
        leads = status == 200 and own.get("role") == "primary" and patroni_api.call("GET", "/primary")[0] == 200
        if leads and not self.applied:
            self.apply()
        self.applied = leads
        standby = own.get("replication_state") == "streaming" or state == "streaming"
        if own.get("pending_restart"):
            self.restart(own["pending_restart_reason"])
        else:
            places.RESTARTED.unlink(missing_ok=True)
        if (leads or standby) and not places.READY.exists():
            places.READY.touch()
            log.info("ready as leader" if leads else "ready as standby")

    def unstick(self, state: str | None) -> None:
        """Clone a standby anew that waits for WAL nobody has or that is nowhere, or that cannot start at all.

        Seen when the leader died in the middle of a rewind: half of the files were the new leader's, and Patroni tried
        to start what was left forever. Only while another node leads, so what is thrown away is the last of nothing.
        """
        fault = self._fault(state)
        if fault != self.fault:
            self.fault, self.since = fault, time.monotonic()
        if fault is None or time.monotonic() - self.since < STUCK_SECONDS:
            return
        members = patroni_api.call("GET", "/cluster")[1]["members"]
        if any(m["role"] == "leader" and m["state"] == "running" and m["name"] != self.name for m in members):
            log.warning(f"{fault}, for {STUCK_SECONDS} s: cloning the leader anew")
            status, answer = patroni_api.call("POST", "/reinitialize", {"force": True})
            log.info(f"reinitialize: {status} {answer}")
        self.fault = None

    def _fault(self, state: str | None) -> str | None:
        if state == "start failed" or (state != "running" and self.fault == NO_START):
            return NO_START
        # Asked first: such a one streams again and again, and ends again and again.
        if state == "starting" and (reason := recovery.unreachable()):
            return reason
        segment = recovery.missing_wal(state == "starting")
        return f"waits for WAL {segment}, and nothing streams" if segment else None

    def restart(self, reason: Mapping[str, Any]) -> None:
        """Take a changed setting into use, one node after the other, and once only: the leader last.

        But first where it has less of something than before: Patroni starts a standby with as much as the WAL says
        that the leader has, so that a standby's restart before the leader's is in vain. Once also where a leader was
        fenced meanwhile, because its restart took long: another one would fare alike, and the next again.
        """
        if read_json(places.RESTARTED) == reason or self._first_to_restart(reason) != self.name:
            return
        log.info(f"restarting PostgreSQL for a changed setting: {reason}")
        write_json(places.RESTARTED, reason)
        # Without a time of its own, a leader that is not up at Patroni's next look hands over.
        order = {"restart_pending": True, "timeout": RESTART_SECONDS}
        status, answer = patroni_api.call("POST", "/restart", order, timeout=2 * RESTART_SECONDS)
        log.info(f"restarted: {status} {answer}")
        if status != 200:
            places.RESTARTED.unlink()

    @staticmethod
    def _first_to_restart(reason: Mapping[str, Any]) -> str | None:
        members = patroni_api.call("GET", "/cluster")[1]["members"]
        if recovery.lowered(reason, recovery.controldata()):
            waiting = [(0, member["name"]) for member in members if member["role"] == "leader"]
        else:
            waiting = [
                (FOLLOWERS_FIRST.get(member["role"], 0), member["name"])
                for member in members
                if member.get("pending_restart") or member["state"] not in SERVING
            ]
        return min(waiting)[1] if waiting else None

    def apply(self) -> None:
        """Bootstrap SQL and the cluster's settings, on the node that leads. NOT_YET when one of them is refused."""
        # No standby streams before its role exists, and no commit that waits for a standby returns before one streams.
        environment = {**os.environ, "PGOPTIONS": "-c synchronous_commit=local"}
        psql = ["psql", "-XAtq", "--set=ON_ERROR_STOP=1", "--username=postgres", "--dbname=postgres"]
        subprocess.run(
            [*psql, f"--file={places.BOOTSTRAP}"], env=environment, check=True, timeout=120, stdout=subprocess.DEVNULL
        )
        status, present = patroni_api.call("GET", "/config")
        if status != 200 or present != self.shared:
            status, answer = patroni_api.call("PUT", "/config", self.shared)
            if status != 200:
                raise RuntimeError(f"settings of the cluster refused with {status}: {answer}")
            log.info("settings of the cluster applied")


def keep(keeper: Keeper, stopped: threading.Event) -> None:
    """Tick until told to stop; a look that had no answer is said once."""
    faults = Changes(log)
    while not stopped.wait(TICK_SECONDS if places.READY.exists() else FIRST_TICK_SECONDS):
        try:
            keeper.tick()
            faults.over()
        except NOT_YET as error:
            faults.say(f"not yet: {error!r:.300}")
