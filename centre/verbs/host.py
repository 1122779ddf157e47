"""Prepare a bare Debian machine: packages, Docker Engine, Swarm, the Python environment. Standard library only.

    python3 -m centre host                            everything
    python3 -m centre host --advertise-addr 10.1.2.3  the same, with the address that other machines join at
    python3 -m centre host --no-docker                the Python environment alone (unit tests)

Installs only what is missing and says so; a second run changes nothing.
"""

from __future__ import annotations

import argparse
import hashlib
import http.client
import ipaddress
import json
import os
import shutil
import socket
import subprocess
import sys
import time
import venv
from collections.abc import Callable
from pathlib import Path
from typing import Any

from centre.faults import OK
from centre.verbs.progress import StepFailed, Steps

ROOT = Path(__file__).resolve().parents[2]
LOCAL = ROOT / ".asp"
SOCKET = "/var/run/docker.sock"
PID_FILE = Path("/var/run/docker.pid")
DISK_GIB = 12  # images 5, databases and backups 3, caches 2, and room to work
START_SECONDS = 90
PACKAGES = {  # a command that is needed → Debian packages that bring it
    "mmdebstrap": ["mmdebstrap"],
    "mvn": ["maven", "default-jre-headless"],
    "iptables": ["iptables"],
    "make": ["make"],
    "ssh": ["openssh-client"],
    "hunspell": ["hunspell", "hunspell-hu"],  # tests of the pages' wording
}
FONT = Path("/usr/share/fonts/truetype/dejavu/DejaVuSans.ttf")  # the systems' documents, made here by tests


def run(options: argparse.Namespace) -> int:
    """`asp host`: exit 0 when the machine is ready; StepFailed when it cannot be made so."""
    steps = Steps(LOCAL / "logs")
    preflight()
    if not options.no_docker:
        steps.run("Packages", lambda: packages(steps))
        steps.run("Docker Engine", lambda: engine(steps))
        steps.run("Swarm", lambda: swarm(options.advertise_addr))
        if note := cannot_grow():
            print(note)
    steps.run("Python environment", lambda: environment(steps))
    return OK


def preflight() -> None:
    """What cannot be mended from here is said before anything is touched."""
    if sys.version_info < (3, 11):  # noqa: UP036 - the one place that runs on whatever Python the machine has
        version = ".".join(str(part) for part in sys.version_info[:3])
        raise StepFailed(f"Python: seen {version}, wanted 3.11 or newer. Use Debian 12 or 13")
    free = shutil.disk_usage(ROOT).free / 2**30
    if free < DISK_GIB and not (LOCAL / "venv").exists():
        raise StepFailed(f"disk: seen {free:.1f} GiB free at {ROOT}, wanted {DISK_GIB}. Make room, or clone elsewhere")


def packages(steps: Steps) -> str | None:
    """Debian packages for the commands that are missing."""
    missing = [name for command, names in PACKAGES.items() if not shutil.which(command) for name in names]
    if not docker("GET", "/_ping") and not shutil.which("dockerd"):
        missing += ["docker.io"]
    client = not shutil.which("docker")  # testinfra and operators use it; the package that has it differs
    if not _ensurepip():
        missing += ["python3-venv"]
    if not FONT.exists():
        missing += ["fonts-dejavu-core"]
    if not missing and not client:
        return None
    lack = f"packages missing: {' '.join(missing) or 'docker client'}"
    if os.geteuid() != 0:
        raise StepFailed(f"{lack}; seen user id {os.geteuid()}, wanted root to install them")
    if not shutil.which("apt-get"):
        raise StepFailed(f"{lack}; no apt-get here. Install them, then run make up again")
    quiet = {"DEBIAN_FRONTEND": "noninteractive"}
    try:
        steps.command("apt-update", ["apt-get", "update", "-q"], quiet, limit=600)
        if client:
            missing.append("docker-cli" if _available("docker-cli") else "docker.io")
        missing = list(dict.fromkeys(missing))
        steps.command("apt-install", ["apt-get", "install", "-qy", "--no-install-recommends", *missing], quiet)
    except StepFailed as failure:
        raise StepFailed(f"{failure}\n{lack}. Is the package source reachable?") from failure
    return f"installed {' '.join(missing)}"


def _available(package: str) -> bool:
    if not shutil.which("apt-cache"):
        return False
    return bool(subprocess.run(["apt-cache", "show", package], capture_output=True).stdout)


def _ensurepip() -> bool:
    return subprocess.run([sys.executable, "-c", "import ensurepip"], capture_output=True).returncode == 0


def engine(steps: Steps) -> str | None:
    """A Docker daemon that answers: used where it runs, started where it does not."""
    if docker("GET", "/_ping"):
        return None
    if Path(SOCKET).exists() and not os.access(SOCKET, os.W_OK):
        raise StepFailed(f"may not use {SOCKET}: run as root, or join group docker and sign in again")
    if os.geteuid() != 0:
        raise StepFailed(f"Docker: nothing answers at {SOCKET}; wanted a running daemon, or root to start one")
    if service_manager():
        steps.command("docker-start", ["systemctl", "start", "docker"], limit=120)
        await_daemon("journalctl -u docker")
    else:
        start_daemon(["dockerd"], steps.logs / "dockerd.log")
    return "started"


def service_manager() -> bool:
    """Whether systemd runs here, and so the daemon."""
    return Path("/run/systemd/system").is_dir()


def await_daemon(log: str, keep: Callable[[], None] = lambda: None) -> None:
    """Return once the daemon answers; `keep` is called between two looks. `log`: where to look when it never does."""
    deadline = time.monotonic() + START_SECONDS
    while not docker("GET", "/_ping"):
        if time.monotonic() > deadline:
            raise StepFailed(f"Docker: no answer {START_SECONDS} s after its start. See {log}")
        keep()
        time.sleep(0.3)  # nobody says when it listens


def start_daemon(command: list[str], log: Path) -> None:
    """Start a daemon where no service manager does, which outlives this command; returns once it answers.

    One that gives up is started again, as a service manager would do: a killed daemon's containerd is about to end too,
    and the next dockerd takes it for one to go on with, waits for 15 s and ends ("containerd is still running").
    """
    process: subprocess.Popen[bytes] | None = None

    def keep() -> None:
        nonlocal process
        if process is None or process.poll() is not None:
            forget_dead_daemon()
            with log.open("ab") as stream:
                process = subprocess.Popen(
                    command, stdin=subprocess.DEVNULL, stdout=stream, stderr=stream, start_new_session=True
                )

    await_daemon(str(log), keep)


def forget_dead_daemon(file: Path = PID_FILE) -> None:
    """Remove the process file of a daemon that was killed: a new one refuses to start while that number is in use."""
    if file.is_file():
        pid = file.read_text().strip()
        name = Path("/proc", pid, "comm")
        if not runs(pid) or name.read_text().strip() != "dockerd":
            file.unlink()


def runs(pid: str) -> bool:
    """Whether a process does anything still; one that has ended and waits to be asked for its exit code does not."""
    try:
        return Path("/proc", pid, "stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


def swarm(advertise: str | None = None) -> str | None:
    """Swarm mode with this machine as a manager. `advertise`: its address for others, never changed later."""
    deadline = time.monotonic() + START_SECONDS
    while (state := _swarm_state()).get("LocalNodeState") == "pending":  # a daemon just started finds its peers first
        if time.monotonic() > deadline:
            break
        time.sleep(0.3)
    if state.get("ControlAvailable"):
        if advertise and state.get("NodeAddr") not in (advertise, None):
            raise StepFailed(f"Swarm: advertises {state['NodeAddr']}, wanted {advertise}. {TO_CHANGE}")
        return None
    if state.get("LocalNodeState") not in ("inactive", None):
        node_state = state.get("LocalNodeState")
        raise StepFailed(
            f"Swarm: this node is {node_state} and no manager. Promote it (docker node promote) or let it leave"
        )
    address = _ipv4(advertise) if advertise else default_address()
    # Bound to all, a manager starts again after its own address has changed (tried with 20.10.24).
    listen = LOOPBACK if address == LOOPBACK else "0.0.0.0"
    body = {"ListenAddr": f"{listen}:2377", "AdvertiseAddr": address}
    status, text = docker("POST", "/swarm/init", body) or (0, "no answer")
    if status != 200:
        raise StepFailed(f"Swarm: docker swarm init answered {status}: {text.strip()}")
    return f"initialised, advertises {address}"


def cannot_grow() -> str | None:
    """A sentence when no other machine can ever join this one's Swarm."""
    if _swarm_state().get("NodeAddr") != LOOPBACK:
        return None
    return f"  note: the Swarm cannot grow: it advertises {LOOPBACK}. {TO_CHANGE}"


LOOPBACK = "127.0.0.1"
TO_CHANGE = (
    "To change it, remove every environment (make clean), let this node leave (docker swarm leave --force) and prepare "
    "the machine again (make host, with ASP_ADVERTISE_ADDR)"
)


def _ipv4(text: str) -> str:
    try:
        address = ipaddress.IPv4Address(text)
    except ValueError:
        raise StepFailed(
            f"--advertise-addr: seen {text!r}, wanted an IPv4 address of this machine, as 10.1.2.3"
        ) from None
    return str(address)


def default_address() -> str:
    """The address by which this machine reaches others; the loopback's where it has no route. Nothing is sent."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))  # of the block for documentation (RFC 5737): any way out answers for it
            return str(probe.getsockname()[0])
        except OSError:
            return LOOPBACK


def _swarm_state() -> dict[str, Any]:
    answer = docker("GET", "/info")
    return json.loads(answer[1])["Swarm"] if answer else {}


def docker(method: str, path: str, body: object = None) -> tuple[int, str] | None:
    """One request to the daemon's socket: (status, text), or None when nothing answers."""
    connection = http.client.HTTPConnection("localhost", timeout=60)
    connection.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    connection.sock.settimeout(60)
    try:
        connection.sock.connect(SOCKET)
        headers = {"Content-Type": "application/json"} if body is not None else {}
        connection.request(method, path, json.dumps(body) if body is not None else None, headers)
        answer = connection.getresponse()
        return answer.status, answer.read().decode(errors="replace")
    except (OSError, http.client.HTTPException):
        return None
    finally:
        connection.close()


def environment(steps: Steps) -> str | None:
    """`.asp/venv` exactly as requirements.lock says, and the project in editable mode."""
    folder, lock = LOCAL / "venv", ROOT / "requirements.lock"
    fingerprint = hashlib.sha256(lock.read_bytes() + (ROOT / "pyproject.toml").read_bytes()).hexdigest()
    stamp = folder / "installed"
    if stamp.is_file() and stamp.read_text() == f"{fingerprint} {sys.version}":
        return None
    stamp.unlink(missing_ok=True)
    underway = folder / "installing"  # stays when pip was killed: what it leaves half removed, it cannot mend
    if underway.exists() or not (folder / "bin" / "python").exists():
        venv.create(folder, with_pip=True, clear=True)
    pip = [str(folder / "bin" / "python"), "-m", "pip", "install", "-q", "--disable-pip-version-check"]
    underway.touch()
    try:
        steps.command("pip-lock", [*pip, "--require-hashes", "-r", str(lock)])
        steps.command("pip-project", [*pip, "--no-deps", "-e", str(ROOT)])
    except StepFailed as failure:
        underway.unlink()
        raise StepFailed(f"{failure}\nIs the Python package source reachable?") from failure
    underway.unlink()
    stamp.write_text(f"{fingerprint} {sys.version}")
    return "installed from requirements.lock"
