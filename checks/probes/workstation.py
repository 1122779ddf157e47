"""A municipal workstation, asked over SSH with one script in one session."""

from __future__ import annotations

import base64
import contextlib
import hashlib
import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import paramiko
from cryptography import x509
from testinfra.backend.paramiko import ParamikoBackend

from centre.reach.runtime import RuntimeFault, Unreachable
from checks.probes.certificates import described, fingerprint, revoked, subject
from checks.probes.https import EDGE_ADDRESS
from inventory import paths
from inventory.models import Municipality, Workstation
from inventory.register import Register
from inventory.vault.vault import Secrets
from inventory.workstations import NSS_STORES, POLICY_FILES, SYSTEM_BUNDLE, Seat, differences, seat

SECONDS = 25
ADMINISTRATOR = "asp-admin"  # municipal IT's account on workstations, as Ansible uses it (inventory/hosts.py)
REMOTE = Path(__file__).with_name("remote.py")


def probe(register: Register, secrets: Secrets, municipality: Municipality, station: Workstation) -> dict[str, Any]:
    """Facts of one workstation as its clerk's work for one municipality needs them."""
    place = seat(register, station.name)
    offset, answer = _ask(register, station, question(place, municipality))
    root = fingerprint(x509.load_pem_x509_certificate(secrets.root_ca.certificate.encode()))
    stores = answer.pop("stores")
    system = answer.pop("system_store")
    return {
        **{key: value for key, value in answer.items() if key not in ("certificate_pem", "crl", "policies")},
        "clock": {"offset_seconds": round(offset, 3)},
        "certificate": _part(answer["certificate_pem"], certificate),
        "revoked": _part(answer["crl"], lambda crl: revoked(base64.b64decode(crl))["serials"]),
        "stores": {
            name: _part(store, lambda content: {"personal": content["personal"]}) for name, store in stores.items()
        },
        "authorities": {
            "system": _part(system, lambda digests: _authorities(digests, root)),
            **{
                name: _part(store, lambda content: _authorities(content["authorities"], root))
                for name, store in stores.items()
            },
        },
        "policies": {
            browser: text if isinstance(text, dict) else policy(place, browser, text)
            for browser, text in answer["policies"].items()
        },
    }


def question(place: Seat, municipality: Municipality) -> dict[str, Any]:
    """What the remote script is asked: hosts, files and programs, none of them secret."""
    register, environment = place.register, place.register.environment
    own = {tenant.ksh for tenant in place.tenants}
    others = [other for other in register.joined() if other.ksh not in own]
    return {
        "own": municipality.host,
        "foreign": others[0].host if others else None,
        "authority": environment.pki_host,
        "hosts": [municipality.host, environment.identity_host],
        "port": environment.ports.https,
        "certificate": place.certificate(municipality),
        "key": place.key(municipality),
        "bundle": SYSTEM_BUNDLE,
        "nss": NSS_STORES,
        "policies": POLICY_FILES,
        "browsers": {"chromium": ["chromium", "--version"], "firefox": ["firefox-esr", "--version"]},
    }


def policy(place: Seat, browser: str, text: str | None) -> dict[str, Any]:
    """A browser's policy file (its text; None: there is none) against what the register wants."""
    return {
        "present": text is not None,
        "different": differences(text, browser, place.policies(browser)),
        "sha256": hashlib.sha256(text.encode()).hexdigest() if text is not None else None,
    }


def _part(value: Any, convert: Callable[[Any], Any]) -> Any:
    """`convert` applied to what the workstation answered; its fault is passed on, its nothing stays nothing."""
    if value is None or (isinstance(value, dict) and "fault" in value):
        return value
    try:
        return convert(value)
    except (LookupError, TypeError, ValueError) as error:
        return {"fault": " ".join(str(error).split())[:300]}


def _authorities(digests: list[str], root: str) -> dict[str, Any]:
    """How many authorities a store trusts, and whether the environment's root is one of them."""
    return {"trusted": len(digests), "central_root": root in digests}


def certificate(pem: str) -> dict[str, Any]:
    """Subject, end, serial number and digest of a certificate (PEM; of a chain, the first)."""
    first = x509.load_pem_x509_certificates(pem.encode())[0]
    return {"subject": subject(first), **described(first)}


def payload(questions: dict[str, Any]) -> str:
    """The script with its question, ready for `python3 -`."""
    return REMOTE.read_text(encoding="utf-8") + f"\n\nmain(json.loads({json.dumps(json.dumps(questions))}))\n"


def _ask(register: Register, station: Workstation, questions: dict[str, Any]) -> tuple[float, dict[str, Any]]:
    """(workstation's clock minus ours in seconds, everything else). Unreachable when SSH does not get in."""
    with _session(register, station) as client:
        stdin, stdout, stderr = client.exec_command("sudo -n python3 -", timeout=SECONDS)
        stdin.write(payload(questions))
        stdin.channel.shutdown_write()
        first = stdout.readline()
        arrived = time.time()
        rest = stdout.readline()
        _finished(station, stdout, stderr)
        return json.loads(first)["now"] - arrived, json.loads(rest)


def shell(register: Register, station: Workstation, command: str, stdin: str = "") -> str:
    """Run one command as the administrator; what it printed. RuntimeFault when it fails."""
    with _session(register, station) as client:
        pipe, stdout, stderr = client.exec_command(command, timeout=SECONDS)
        pipe.write(stdin)
        pipe.channel.shutdown_write()
        printed = stdout.read().decode()
        _finished(station, stdout, stderr)
        return printed


def _finished(station: Workstation, stdout: paramiko.ChannelFile, stderr: paramiko.ChannelFile) -> None:
    code = stdout.channel.recv_exit_status()
    if code != 0:
        message = " ".join(stderr.read().decode(errors="replace").split())[-300:]
        raise RuntimeFault(f"workstation {station.name}: the command ended with {code}: {message}")


@contextlib.contextmanager
def _session(register: Register, station: Workstation) -> Iterator[paramiko.SSHClient]:
    backend = _Verified(register, station)
    try:
        yield backend.client
    except (OSError, EOFError, paramiko.SSHException) as error:
        place = f"{EDGE_ADDRESS}:{register.ssh_port(station)}"
        raise Unreachable(f"SSH {place}: {str(error) or type(error).__name__}") from error
    finally:
        backend.close()


class _Verified(ParamikoBackend):
    """testinfra's backend, but only for a host that shows the key which the vault gave it."""

    def __init__(self, register: Register, station: Workstation):
        self._port = register.ssh_port(station)
        super().__init__(f"{ADMINISTRATOR}@{EDGE_ADDRESS}:{self._port}", timeout=10)
        self._folder = paths.environment_dir(register.environment.id) / "ssh"
        self._client: paramiko.SSHClient | None = None

    @property
    def client(self) -> paramiko.SSHClient:
        if self._client is None:
            self._client = paramiko.SSHClient()
            self._client.load_host_keys(str(self._folder / "known_hosts"))
            self._client.set_missing_host_key_policy(paramiko.RejectPolicy())
            self._client.connect(
                self.host.name,
                self._port,
                self.host.user,
                key_filename=str(self._folder / "id_ed25519"),
                timeout=self.timeout,
                banner_timeout=self.timeout,
                auth_timeout=self.timeout,
                allow_agent=False,
                look_for_keys=False,
            )
        return self._client

    def close(self) -> None:
        """End the session, if there is one."""
        if self._client is not None:
            self._client.close()
