"""The words of the register about machines: what each is there for, what it has, and how operators reach it."""

from __future__ import annotations

import ipaddress
from enum import StrEnum
from typing import Annotated

from pydantic import Field, field_validator

from inventory.model import Identifier, Model
from inventory.names import LOCAL_MACHINE, machine_labels


class MachineRole(StrEnum):
    """What a machine is there for; one machine may be there for everything."""

    MANAGER = "manager"
    """Decides with the other managers what runs where; a majority of them must live."""
    DATA = "data"
    """Holds databases and their backups: what runs here is never moved."""
    APPS = "apps"
    """Runs app servers, which keep nothing and run on any of these machines."""
    EDGE = "edge"
    """Publishes the environment's ports."""
    VAULT = "vault"
    """Holds the second, encrypted copy of backups."""
    MONITORING = "monitoring"
    """Holds measurements."""


class Capacity(Model):
    """What a machine has: memory in MiB, disk for Docker in GiB."""

    memory: int = Field(ge=1024, description="MiB")
    processors: int = Field(ge=1)
    disk: int = Field(ge=12, description="GiB, where Docker keeps images and volumes")


class Machine(Model):
    """A machine of the hosting, reached by SSH. `domain`: what fails together, as a room or a power supply.

    `host_key` is written down from the machine's own console; no other key is ever trusted. The machine that the suite
    itself runs on has none, nor a capacity: `make host` prepares it, and whoever runs that sees what it has.
    """

    id: Identifier
    address: str
    host_key: Annotated[str, Field(pattern=r"^(ssh-ed25519|ssh-rsa|ecdsa-sha2-\S+) [A-Za-z0-9+/]+=*$")] | None = None
    roles: list[Annotated[MachineRole, Field(strict=False)]] = Field(min_length=1)  # YAML has no enumerations
    domain: Identifier
    capacity: Capacity | None = None
    leaving: bool = Field(False, description="being emptied, to be removed: counts for nothing any more")

    @field_validator("address")
    @classmethod
    def _an_ipv4_address(cls, value: str) -> str:
        try:
            return str(ipaddress.IPv4Address(value))
        except ValueError:
            raise ValueError("an IPv4 address, such as 10.1.2.3") from None

    @property
    def local(self) -> bool:
        """Whether it is the machine that the suite itself runs on."""
        return ipaddress.IPv4Address(self.address).is_loopback

    @property
    def labels(self) -> dict[str, str]:
        """Labels of its node in the Swarm, by which services find their place."""
        return machine_labels(self.id, self.domain, [role.value for role in self.roles])


ONE_MACHINE = Machine(id=LOCAL_MACHINE, address="127.0.0.1", roles=list(MachineRole), domain=LOCAL_MACHINE)


class Administration(Model):
    """How operators reach machines: as whom, from which networks (no other gets to SSH), and whose time all keep."""

    user: Annotated[str, Field(pattern=r"^[a-z_][a-z0-9_-]{0,31}$")] = "root"
    networks: list[str] = []
    time_servers: list[str] = []

    @field_validator("networks")
    @classmethod
    def _ipv4_networks(cls, value: list[str]) -> list[str]:
        try:
            return [str(ipaddress.IPv4Network(network)) for network in value]
        except ValueError as error:
            raise ValueError(f"IPv4 networks, such as 10.1.0.0/24 ({error})") from None
