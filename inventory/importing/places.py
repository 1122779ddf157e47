"""A subnet and ports for a new environment: those that are required, else the first that no neighbour has."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, fields

from inventory import addresses
from inventory.errors import Fault, RegisterError
from inventory.models import Environment

STATIONS = 499  # the highest number of a workstation: its SSH port is ssh_base + number
OFFSETS = (0, *range(10_000, 64_000, 1_000))
SUBNETS = tuple(f"10.{number}.0.0/16" for number in (*range(61, 256), *range(1, 61)))


@dataclass(frozen=True)
class Places:
    """What an environment has for itself on its machine; None: to be chosen."""

    subnet: str | None = None
    https: int | None = None
    http: int | None = None
    ssh_base: int | None = None

    @classmethod
    def from_environment(cls, environment: Environment) -> Places:
        ports = environment.ports
        return cls(environment.subnet, ports.https, ports.http, ports.ssh_base)

    @property
    def named(self) -> list[str]:
        return [field.name for field in fields(self) if getattr(self, field.name) is not None]

    def __str__(self) -> str:
        return f"subnet {self.subnet}, ports {self.https} (https), {self.http} (http), {self.ssh_base} and up (SSH)"


def choose(required: Places, template: Environment, neighbours: Iterable[Environment]) -> Places:
    """All four: what is required, else the template's where it is free, else the first that is.

    RegisterError when nothing is free. What is required is not judged here: the register's rules do.
    """
    others = list(neighbours)
    ports = template.ports
    return Places(
        required.subnet or _subnet(template, others),
        *_ports((required.https, required.http, required.ssh_base), (ports.https, ports.http, ports.ssh_base), others),
    )


def _subnet(template: Environment, neighbours: list[Environment]) -> str:
    networks = [ipaddress.IPv4Network(neighbour.subnet) for neighbour in neighbours]
    for subnet in (template.subnet, *SUBNETS):
        network = ipaddress.IPv4Network(subnet)
        if not any(network.overlaps(other) for other in networks) and not addresses.dockers_own(subnet):
            return subnet
    raise RegisterError(
        [_nothing_free("subnet", f"10.1.0.0/16 to 10.255.0.0/16 ({len(networks)} neighbours)", "--subnet")]
    )


def _ports(
    required: tuple[int | None, int | None, int | None], ordinary: tuple[int, int, int], neighbours: list[Environment]
) -> tuple[int, int, int]:
    used_ports = {port for neighbour in neighbours for port in published(neighbour)}
    for offset in OFFSETS:
        https, http, ssh = (fixed or usual + offset for fixed, usual in zip(required, ordinary, strict=True))
        groups = [[https], [http], range(ssh + 1, ssh + STATIONS + 1)]
        ports = [port for group in groups for port in group]
        new_ports = [port for fixed, group in zip(required, groups, strict=True) if fixed is None for port in group]
        if max(ports) < 2**16 and len(set(ports)) == len(ports) and used_ports.isdisjoint(new_ports):
            return https, http, ssh
    remedy = "--https-port, --http-port and --ssh-base"
    raise RegisterError([_nothing_free("ports", f"{ordinary} and up to {OFFSETS[-1]} above", remedy)])


def published(environment: Environment) -> Iterator[int]:
    """Ports that an environment publishes, or may publish when it has more workstations."""
    ports = environment.ports
    yield from (ports.https, ports.http)
    yield from range(ports.ssh_base + 1, ports.ssh_base + STATIONS + 1)


def _nothing_free(field: str, value: str, options: str) -> Fault:
    return Fault("inventory/environments", field, value, "nothing is free", f"Say which, with {options}")


LINES = {"subnet": r"^(subnet:)[^#\n]*", "https": r"^(\s+https:)[^#\n]*", "http": r"^(\s+http:)[^#\n]*",
         "ssh_base": r"^(\s+ssh_base:)[^#\n]*"}  # fmt: skip


def write(text: str, places: Places) -> str:
    """An environment.yaml with these places; comments stay."""
    for name, pattern in LINES.items():
        text = re.sub(pattern, rf"\g<1> {getattr(places, name)} ", text, flags=re.MULTILINE)
    return re.sub(r"[ \t]+$", "", text, flags=re.MULTILINE)
