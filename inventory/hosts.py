"""Hosts, groups and variables for Ansible, derived from the register. Plain data, importable without Ansible."""

from __future__ import annotations

import shlex
import sys
from dataclasses import dataclass, field
from typing import Any

from inventory import paths
from inventory.models import Office, Workstation
from inventory.register import Register
from inventory.workstations import BROWSERS, Seat

CENTRE = "centre"  # one host, so no group: Ansible warns of a group named like its host
WORKSTATIONS = "workstations"
# A workstation's stand-in runs on this machine; a real one would have its own address in the register.
STAND_IN_ADDRESS = "127.0.0.1"


@dataclass(frozen=True)
class Host:
    """A host of the inventory: its groups and its own variables (what all hosts share is in `shared`)."""

    name: str
    groups: list[str]
    variables: dict[str, Any] = field(default_factory=dict)


def shared(register: Register) -> dict[str, Any]:
    """Variables of every host (group `all`)."""
    environment = register.environment
    return {
        "asp_env": environment.id,
        "asp_env_dir": str(paths.environment_dir(environment.id)),
        "asp_https_port": environment.ports.https,
        "asp_pki_host": environment.pki_host,
        "asp_renew_before_days": environment.pki.renew_before_days,
        "asp_clock_skew": register.sla["clock-skew"].value,
    }


def hosts(register: Register) -> list[Host]:
    """The centre, and every workstation of the environment, ordered by name."""
    stations = sorted(register.workstations(), key=lambda pair: pair[1].name)
    return [_centre(register), *(_workstation(register, office, station) for office, station in stations)]


def _centre(register: Register) -> Host:
    variables = {
        "ansible_connection": "local",
        "ansible_python_interpreter": sys.executable,
        "ansible_remote_tmp": str(paths.LOCAL / "ansible" / "tmp"),
        "asp_joined": [municipality.ksh for municipality in register.joined()],
    }
    return Host(CENTRE, [], variables)


def _workstation(register: Register, office: Office, station: Workstation) -> Host:
    """Everything that playbooks/endpoints.yml needs to know of it but the root certificate, which is in the vault."""
    environment, seat = register.environment, Seat(register, office, station)
    known_hosts = paths.environment_dir(environment.id) / "ssh" / "known_hosts"
    variables = {
        "ansible_host": STAND_IN_ADDRESS,
        "ansible_port": register.ssh_port(station),
        "ansible_user": "asp-admin",
        "ansible_python_interpreter": "/usr/bin/python3",
        "ansible_ssh_private_key_file": str(known_hosts.with_name("id_ed25519")),
        "ansible_ssh_common_args": shlex.join(
            ["-o", f'UserKnownHostsFile="{known_hosts}"', "-o", "StrictHostKeyChecking=yes", "-o", "IdentitiesOnly=yes"]
        ),
        "asp_clerk": seat.clerk.username,
        "asp_tenants": [{"ksh": m.ksh, "tenant": m.tenant, "organization": m.name} for m in seat.tenants],
        "asp_hosts": [*(m.host for m in seat.tenants), environment.identity_host, environment.pki_host],
        "asp_issuer": seat.issuer,
        "asp_policies": {browser: seat.policies(browser) for browser in BROWSERS},
        "asp_paths": seat.paths,
    }
    return Host(station.name, [WORKSTATIONS, f"office_{office.seat}"], variables)
