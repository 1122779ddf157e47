"""Hosts, groups and variables for Ansible, derived from the register. Plain data, importable without Ansible."""

from __future__ import annotations

import shlex
import sys
from dataclasses import dataclass, field
from typing import Any

from inventory import paths
from inventory.models import Clerk, Municipality, Office, Workstation
from inventory.register import Register

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
        "asp_root": str(paths.ROOT),
        "asp_env_dir": str(paths.environment_dir(environment.id)),
        "asp_domain": environment.domain,
        "asp_https_port": environment.ports.https,
        "asp_identity_host": environment.identity_host,
        "asp_identity_origin": environment.origin(environment.identity_host),
        "asp_pki_host": environment.pki_host,
        "asp_pki_origin": environment.origin(environment.pki_host),
        "asp_pki": environment.pki.model_dump(),
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
    known_hosts = paths.environment_dir(register.environment.id) / "ssh" / "known_hosts"
    clerk = next(clerk for clerk in office.clerks if clerk.username == station.clerk)
    variables = {
        "ansible_host": STAND_IN_ADDRESS,
        "ansible_port": register.ssh_port(station),
        "ansible_user": "asp-admin",
        "ansible_python_interpreter": "/usr/bin/python3",
        "ansible_ssh_private_key_file": str(known_hosts.with_name("id_ed25519")),
        "ansible_ssh_common_args": shlex.join(
            ["-o", f'UserKnownHostsFile="{known_hosts}"', "-o", "StrictHostKeyChecking=yes", "-o", "IdentitiesOnly=yes"]
        ),
        "asp_workstation": station.name,
        "asp_service": register.names.workstation(station.name),
        "asp_office": {"seat": office.seat, "name": office.name, "kind": office.kind},
        "asp_clerk": _clerk(clerk),
        "asp_tenants": [_tenant(register, m) for m in register.members(office) if m.joined],
    }
    return Host(station.name, [WORKSTATIONS, f"office_{office.seat}"], variables)


def _clerk(clerk: Clerk) -> dict[str, Any]:
    return clerk.model_dump(mode="json") | {"full_name": clerk.full_name, "email": clerk.email}


def _tenant(register: Register, municipality: Municipality) -> dict[str, Any]:
    return {
        "ksh": municipality.ksh,
        "tenant": municipality.tenant,
        "name": municipality.name,
        "host": municipality.host,
        "origin": municipality.origin,
        "url": municipality.url(),
        "systems": [system for system in municipality.systems if system in register.installed_systems],
    }
