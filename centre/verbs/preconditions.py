"""What is looked at before `up` touches anything: values that may not change, ports that must be free."""

from __future__ import annotations

import socket

from centre.reach.runtime import Runtime
from centre.verbs.progress import StepFailed
from inventory.machines import MachineRole
from inventory.register import Register
from inventory.rules.unchangeable import fewer_nodes


def one_machine(register: Register) -> None:
    """Stacks of several machines are planned and not yet brought up: images are still those of one machine's daemon."""
    environment = register.environment
    if environment.several_machines:
        names = ", ".join(machine.id for machine in environment.machines)
        raise StepFailed(
            f"environment {environment.id}: seen {len(environment.machines)} machines ({names}), wanted one: several "
            "can be prepared (playbooks/machines.yml) and reached, but this release brings up services on one only. "
            "Nothing was touched"
        )


def keeps_its_nodes(register: Register) -> None:
    """No cell has more nodes on the daemon than in the register, whatever this machine remembers of it."""
    volumes = {volume.name for daemon in Runtime(register).daemons() for volume in daemon.volumes.list()}
    file = f"inventory/environments/{register.environment.id}/environment.yaml"
    for index, cell in enumerate(register.environment.cells):
        second = f"{register.cell(cell.id).prefix}-postgres-2"
        if cell.nodes == 1 and second in volumes:
            fault = fewer_nodes(file, index, cell, f"has 3 already (volume {second})", 3)
            raise StepFailed(f"{fault} Nothing was touched")


def ports(register: Register) -> None:
    """Published ports are free or already ours, where this machine is one that publishes them."""
    if not any(machine.local for machine in register.environment.staying(MachineRole.EDGE)):
        return
    runtime = Runtime(register)
    own_ports = {
        port.get("PublishedPort")
        for service in runtime.client.services.list(filters={"label": f"asp.env={register.environment.id}"})
        for port in service.attrs["Spec"].get("EndpointSpec", {}).get("Ports", [])
    }
    published = {"https": register.environment.ports.https, "http": register.environment.ports.http}
    published |= {f"SSH of {station.name}": register.ssh_port(station) for _, station in register.workstations()}
    for purpose, port in published.items():
        if port in own_ports:
            continue
        with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("0.0.0.0", port))
            except OSError as error:
                file = f"inventory/environments/{register.environment.id}/environment.yaml"
                raise StepFailed(
                    f"port {port} ({purpose}): seen taken by another program ({error.strerror}), wanted free. "
                    f"Stop it (ss -ltnp 'sport = :{port}' names it) or change ports in {file}"
                ) from error
