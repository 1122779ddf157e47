"""The register as Ansible sees it: groups, hosts and their variables (plain data, no secrets)."""

from __future__ import annotations

import sys
from typing import Any

from inventory import paths
from inventory.register import Municipality, Office, Register, Workstation

Hosts = dict[str, dict[str, Any]]


def groups(register: Register) -> dict[str, Hosts]:
    """`{group: {host: variables}}` of one environment."""
    stations = {station.name: _workstation(register, office, station) for office, station in register.workstations()}
    return {"hosting": {"centre": _centre(register)}, "workstations": stations}


def _centre(register: Register) -> dict[str, Any]:
    return {
        "ansible_connection": "local",
        "ansible_python_interpreter": sys.executable,
        "asp_environment": register.environment.id,
        "asp_joined": [municipality.ksh for municipality in register.joined()],
        "asp_municipalities": {m.ksh: _tenant(m) | {"phase": str(m.phase)} for m in register.municipalities.values()},
    }


def _workstation(register: Register, office: Office, station: Workstation) -> dict[str, Any]:
    environment = register.environment
    clerk = next(clerk for clerk in office.clerks if clerk.username == station.clerk)
    folder = paths.environment_dir(environment.id) / "ssh"
    return {
        "ansible_host": "127.0.0.1",
        "ansible_port": register.ssh_port(station),
        "ansible_user": "asp-admin",
        "ansible_ssh_private_key_file": str(folder / "id_ed25519"),
        "ansible_ssh_common_args": f"-o UserKnownHostsFile={folder / 'known_hosts'} -o StrictHostKeyChecking=yes",
        "asp_environment": environment.id,
        "asp_office": {"seat": office.seat, "name": office.name},
        "asp_clerk": {"username": clerk.username, "name": clerk.full_name},
        "asp_tenants": [_tenant(m) for m in register.members(office) if m.joined],
        "asp_domain": environment.domain,
        "asp_identity_host": environment.identity_host,
        "asp_pki_host": environment.pki_host,
        "asp_https_port": environment.ports.https,
        "asp_renew_before_days": environment.pki.renew_before_days,
        "asp_clock_skew_seconds": register.sla["clock-skew"].value,
    }


def _tenant(municipality: Municipality) -> dict[str, Any]:
    return {
        "ksh": municipality.ksh,
        "tenant": municipality.tenant,
        "name": municipality.name,
        "host": municipality.host,
        "origin": municipality.origin,
        "url": municipality.url(),
    }
