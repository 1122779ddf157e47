"""What an app server is told by its environment, read once at start and refused with one clear message when wrong."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from systems.shared.operations import Maintenance, OpenDays, Operations


class ConfigurationError(Exception):
    """A variable or file is missing or wrong; the message names it, what was seen and what is wanted."""


@dataclass(frozen=True)
class CatalogueEntry:
    """One system as the register's catalogue has it."""

    id: str
    name: str
    summary: str
    public: bool
    installed: bool
    roles: Mapping[str, str] = field(default_factory=dict)  # role → its name
    absent_at: tuple[str, ...] = ()  # KSH codes of the cell's municipalities that do not have it though it is installed

    def serves(self, ksh: str) -> bool:
        """Whether a municipality can use it."""
        return self.installed and ksh not in self.absent_at


@dataclass(frozen=True)
class Configuration:
    """Settings of one app server. Hosts are names inside the hosting, the issuer is what browsers see.

    `edge`: name in the certificate of the one service that may hand over requests; `first_tenant`: KSH code of one
    municipality of the cell, None when it has none yet; `outage_minutes`: of opening hours that an outage may last;
    `training`: KSH codes of the cell's municipalities that are for training and hold invented data; `message_days`:
    days after which a message that was handled is emptied; `replicas`: tasks of this service.
    """

    system: str
    domain: str
    edge: str
    database_host: str
    database_port: int
    issuer: str
    back_channel: str
    root_certificate: str
    idle_minutes: int
    message_days: int
    system_key: str
    oidc_key: str
    django_key: str
    catalogue: tuple[CatalogueEntry, ...]
    first_tenant: str | None = None
    opening_hours: OpenDays = field(default_factory=dict)
    outage_minutes: int = 0
    maintenance: tuple[Maintenance, ...] = ()
    training: tuple[str, ...] = ()
    replicas: int = 1

    @property
    def entry(self) -> CatalogueEntry:
        return next(entry for entry in self.catalogue if entry.id == self.system)

    def name_of(self, system: str) -> str:
        """What people call a system; the id of one that the catalogue does not have (any more)."""
        return next((entry.name for entry in self.catalogue if entry.id == system), system)


def read(environment: Mapping[str, str] = os.environ) -> Configuration:
    """The configuration of this process."""
    variables = _Variables(environment)
    catalogue, operations = _catalogue(variables), _operations(variables)
    configuration = Configuration(
        system=variables.text("ASP_SYSTEM"),
        domain=variables.text("ASP_DOMAIN"),
        edge=variables.text("ASP_EDGE"),
        database_host=variables.text("ASP_DB_HOST"),
        database_port=variables.number("ASP_DB_PORT"),
        issuer=variables.matching("ASP_OIDC_ISSUER", r"https://[^/]+/realms/[^/]+", "https://<host>/realms/<realm>"),
        back_channel=variables.matching("ASP_OIDC_BACKCHANNEL", r"https://[^/]+", "https://<host>:<port>"),
        root_certificate=variables.file("ASP_ROOT_FILE"),
        idle_minutes=variables.number("ASP_IDLE_MINUTES"),
        system_key=variables.content("ASP_SYSTEM_KEY_FILE"),
        oidc_key=variables.content("ASP_OIDC_KEY_FILE"),
        django_key=variables.content("ASP_DJANGO_KEY_FILE"),
        catalogue=catalogue,
        first_tenant=environment.get("ASP_FIRST_TENANT") or None,
        opening_hours=operations.opening_hours,
        outage_minutes=operations.outage_minutes,
        maintenance=operations.maintenance,
        training=operations.training,
        message_days=operations.message_days,
        replicas=variables.replicas(),
    )
    installed = [entry.id for entry in catalogue if entry.installed]
    if configuration.system not in installed:
        expected = ", ".join(installed) or "no system is installed"
        raise ConfigurationError(f"ASP_SYSTEM: seen {configuration.system!r}, wanted one of: {expected}")
    return configuration


@dataclass(frozen=True)
class _Variables:
    """Variables of a process, each refused by its name when it is missing or wrong."""

    environment: Mapping[str, str]

    def text(self, name: str) -> str:
        value = self.environment.get(name, "")
        if not value:
            raise ConfigurationError(f"{name}: seen nothing, wanted a value; stacks/appservers sets it")
        return value

    def number(self, name: str) -> int:
        value = self.text(name)
        if not value.isdigit():
            raise ConfigurationError(f"{name}: seen {value!r}, wanted a whole number")
        return int(value)

    def replicas(self) -> int:
        """Tasks of this service: one, unless it is said."""
        if "ASP_REPLICAS" not in self.environment:
            return 1
        return int(self.matching("ASP_REPLICAS", r"[1-9]\d*", "how many tasks the service has"))

    def matching(self, name: str, pattern: str, expected: str) -> str:
        value = self.text(name)
        if not re.fullmatch(pattern, value):
            raise ConfigurationError(f"{name}: seen {value!r}, wanted {expected}")
        return value

    def content(self, name: str) -> str:
        """What the file that a variable names holds."""
        path = Path(self.text(name))
        try:
            value = path.read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError) as error:
            raise ConfigurationError(f"{name}: {path} cannot be read: {error}") from error
        if not value:
            raise ConfigurationError(f"{name}: {path} is empty, wanted its content; stacks/appservers mounts it")
        return value

    def file(self, name: str) -> str:
        """The path of a file that can be read and is not empty."""
        self.content(name)
        return self.text(name)


def _catalogue(variables: _Variables) -> tuple[CatalogueEntry, ...]:
    name = "ASP_SYSTEMS_FILE"
    try:
        return tuple(CatalogueEntry(**entry) for entry in json.loads(variables.content(name)))
    except (TypeError, ValueError, AttributeError) as error:
        raise ConfigurationError(f"{name}: wanted a JSON list of systems: {error}") from error


def _operations(variables: _Variables) -> Operations:
    name = "ASP_OPERATIONS_FILE"
    try:
        return Operations.from_json(variables.content(name))
    except ValueError as error:
        raise ConfigurationError(f"{name}: {error}") from error
