"""The HAProxy master process: started once, asked on its socket."""

from __future__ import annotations

import re
import signal
import socket
import subprocess
import time
from pathlib import Path

from asp_edge.settings import EdgeFault, Settings

RELOAD_SECONDS = 60
PAUSE_SECONDS = 0.2  # between two looks at what is under way, which HAProxy does not say by itself
WORKER = "@1"  # how the master is told which worker a command is for: the one that takes new connections


def start(settings: Settings) -> subprocess.Popen[bytes]:
    """Start master and worker in the foreground; the caller waits for the process."""
    validate(settings)
    return subprocess.Popen(
        ["haproxy", "-W", "-db", "-S", f"{settings.master_socket},mode,600", "-f", str(settings.config)]
    )


def validate(settings: Settings) -> None:
    """Raise EdgeFault with HAProxy's own words when it would not start with the files as they are."""
    result = subprocess.run(
        ["haproxy", "-c", "-f", str(settings.config)], capture_output=True, text=True, timeout=RELOAD_SECONDS
    )
    if result.returncode != 0:
        raise EdgeFault(f"HAProxy refuses the configuration: {(result.stderr or result.stdout).strip()[-1500:]}")


def command(address: Path, text: str) -> str:
    """Send one command to a socket of HAProxy's, the master's or the worker's, and return its whole answer.

    The end of sending is said: a master that hands a command to a worker otherwise waits for a next one, for ever.
    """
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
        connection.settimeout(RELOAD_SECONDS)
        try:
            connection.connect(str(address))
            connection.sendall(text.encode() + b"\n")
            connection.shutdown(socket.SHUT_WR)
            parts = []
            while piece := connection.recv(65536):
                parts.append(piece)
        except OSError as error:
            raise EdgeFault(f"HAProxy does not answer at {address}: {error}. See the service's log") from error
    return b"".join(parts).decode(errors="replace")


def end(settings: Settings, process: subprocess.Popen[bytes], seconds: float) -> None:
    """Take no new connection, and end once no request is under way, after `seconds` at the latest.

    HAProxy alone waits as well for connections on which nothing was asked: a new edge would have to wait for that.
    """
    process.send_signal(signal.SIGUSR1)
    deadline = time.monotonic() + seconds
    time.sleep(PAUSE_SECONDS)  # a request that comes just now is seen
    while process.poll() is None and time.monotonic() < deadline and _busy(settings):
        time.sleep(PAUSE_SECONDS)
    process.terminate()


def _busy(settings: Settings) -> bool:
    """Whether a request of a client is under way in any worker."""
    try:
        names = [WORKER, *(f"@!{number}" for number in old_workers(settings))]
        return any(" fe=http" in command(settings.master_socket, f"{name} show sess") for name in names)
    except EdgeFault:
        return False


def old_workers(settings: Settings) -> list[int]:
    """Processes that a reload replaced and that finish what they have."""
    answer = command(settings.master_socket, "show proc").partition("# old workers")[2]
    return [int(number) for number in re.findall(r"^(\d+)\s+worker\b", answer, re.MULTILINE)]


def reload(settings: Settings) -> None:
    """Load files anew in a new worker; the old one finishes what it has. EdgeFault when the new one did not start."""
    answer = command(settings.master_socket, "reload")
    if not answer.startswith("Success=1"):
        raise EdgeFault(f"HAProxy did not reload: {answer.strip()[-1500:]}")
