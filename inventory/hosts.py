"""Hosts, groups and variables for Ansible, derived from the register. Plain data, importable without Ansible."""

from __future__ import annotations

import shlex
import sys
from dataclasses import dataclass, field
from typing import Any

from inventory import daemon, paths
from inventory.machines import Machine, MachineRole
from inventory.models import Office, Workstation
from inventory.register import Register
from inventory.workstations import BROWSERS, Seat

CENTRE = "centre"  # one host, so no group: Ansible warns of a group named like its host
WORKSTATIONS = "workstations"
MACHINES = "machines"
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
    """The centre, its machines in the register's order, and every workstation ordered by name.

    The machine that all of this runs on is no host of its own: `make host` prepares it.
    """
    stations = sorted(register.workstations(), key=lambda pair: pair[1].name)
    machines = [machine for machine in register.environment.machines if not machine.local]
    return [
        _centre(register),
        *(_machine(register, machine) for machine in machines),
        *(_workstation(register, office, station) for office, station in stations),
    ]


def _centre(register: Register) -> Host:
    variables = {
        "ansible_connection": "local",
        "ansible_python_interpreter": sys.executable,
        "ansible_remote_tmp": str(paths.LOCAL / "ansible" / "tmp"),
        "asp_joined": [municipality.ksh for municipality in register.joined()],
    }
    return Host(CENTRE, [], variables)


def _machine(register: Register, machine: Machine) -> Host:
    """Everything that playbooks/machines.yml needs to know of it; the operator's key is in ASP_MACHINE_KEY."""
    environment = register.environment
    ports = [environment.ports.https, environment.ports.http] if MachineRole.EDGE in machine.roles else []
    variables = {
        "ansible_host": machine.address,
        "ansible_connection": "asp.centre.pinned",
        "ansible_pinned_host_key": machine.host_key,
        "ansible_user": environment.administration.user,
        "ansible_python_interpreter": "/usr/bin/python3",
        "asp_machine_capacity": machine.capacity.model_dump() if machine.capacity else {},
        "asp_machine_labels": machine.labels,
        "asp_machine_leaving": machine.leaving,
        "asp_machine_manager": MachineRole.MANAGER in machine.roles,
        "asp_machine_ports": ports,
        "asp_machine_addresses": [other.address for other in environment.machines],
        "asp_machine_founder": environment.staying(MachineRole.MANAGER)[0].id,
        "asp_machine_leavers": [other.id for other in environment.machines if other.leaving],
        "asp_operator_networks": environment.administration.networks,
        "asp_time_servers": environment.administration.time_servers,
        "asp_daemon_settings": daemon.settings(),
    }
    return Host(machine.id, [MACHINES], variables)


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
