"""What an app server is told by its environment, read once at start and refused with one clear message when wrong."""

from __future__ import annotations

import datetime as dt
import json
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path


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
class Maintenance:
    """Work on the hosting that the register announces. Times have a zone."""

    since: dt.datetime
    until: dt.datetime
    text: str
    emergency: bool


@dataclass(frozen=True)
class Configuration:
    """Settings of one app server. Hosts are names inside the hosting, the issuer is what browsers see.

    `edge`: name in the certificate of the one service that may hand over requests; `first_tenant`: KSH code of one
    municipality of the cell, None when it has none yet; `outage_minutes`: of opening hours that an outage may last;
    `training`: KSH codes of the cell's municipalities that are for training and hold invented data; `message_days`:
    days after which a message that was handled is emptied.
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
    opening_hours: Mapping[int, tuple[dt.time, dt.time]] = field(default_factory=dict)
    outage_minutes: int = 0
    maintenance: tuple[Maintenance, ...] = ()
    training: tuple[str, ...] = ()

    @property
    def entry(self) -> CatalogueEntry:
        return next(entry for entry in self.catalogue if entry.id == self.system)

    def name_of(self, system: str) -> str:
        """What people call a system; the id of one that the catalogue does not have (any more)."""
        return next((entry.name for entry in self.catalogue if entry.id == system), system)


def read(environment: Mapping[str, str] = os.environ) -> Configuration:
    """The configuration of this process."""

    def text(name: str) -> str:
        value = environment.get(name, "")
        if not value:
            raise ConfigurationError(f"{name}: seen nothing, wanted a value; stacks/appservers sets it")
        return value

    def number(name: str) -> int:
        value = text(name)
        if not value.isdigit():
            raise ConfigurationError(f"{name}: seen {value!r}, wanted a whole number")
        return int(value)

    def matching(name: str, pattern: str, wanted: str) -> str:
        value = text(name)
        if not re.fullmatch(pattern, value):
            raise ConfigurationError(f"{name}: seen {value!r}, wanted {wanted}")
        return value

    def content(name: str) -> str:
        path = Path(text(name))
        try:
            value = path.read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError) as error:
            raise ConfigurationError(f"{name}: {path} cannot be read: {error}") from error
        if not value:
            raise ConfigurationError(f"{name}: {path} is empty, wanted its content; stacks/appservers mounts it")
        return value

    def file(name: str) -> str:
        content(name)
        return text(name)

    try:
        catalogue = tuple(CatalogueEntry(**entry) for entry in json.loads(content("ASP_SYSTEMS_FILE")))
    except (TypeError, ValueError, AttributeError) as error:
        raise ConfigurationError(f"ASP_SYSTEMS_FILE: wanted a JSON list of systems: {error}") from error
    try:
        operations = json.loads(content("ASP_OPERATIONS_FILE"))
        hours = {
            int(day): (dt.time.fromisoformat(begin), dt.time.fromisoformat(end))
            for day, (begin, end) in operations["opening_hours"].items()
        }
        outage = int(operations["outage_minutes"])
        maintenance = tuple(
            Maintenance(
                dt.datetime.fromisoformat(entry["since"]),
                dt.datetime.fromisoformat(entry["until"]),
                entry["text"],
                entry["emergency"],
            )
            for entry in operations["maintenance"]
        )
        training = tuple(operations["training"])
        message_days = int(operations["message_days"])
    except (TypeError, ValueError, KeyError, AttributeError) as error:
        wanted = "wanted JSON with opening_hours, outage_minutes, maintenance, training and message_days"
        raise ConfigurationError(f"ASP_OPERATIONS_FILE: {wanted}: {error!r}") from error
    configuration = Configuration(
        system=text("ASP_SYSTEM"),
        domain=text("ASP_DOMAIN"),
        edge=text("ASP_EDGE"),
        database_host=text("ASP_DB_HOST"),
        database_port=number("ASP_DB_PORT"),
        issuer=matching("ASP_OIDC_ISSUER", r"https://[^/]+/realms/[^/]+", "https://<host>/realms/<realm>"),
        back_channel=matching("ASP_OIDC_BACKCHANNEL", r"https://[^/]+", "https://<host>:<port>"),
        root_certificate=file("ASP_ROOT_FILE"),
        idle_minutes=number("ASP_IDLE_MINUTES"),
        message_days=message_days,
        system_key=content("ASP_SYSTEM_KEY_FILE"),
        oidc_key=content("ASP_OIDC_KEY_FILE"),
        django_key=content("ASP_DJANGO_KEY_FILE"),
        catalogue=catalogue,
        opening_hours=hours,
        outage_minutes=outage,
        maintenance=maintenance,
        training=training,
        first_tenant=environment.get("ASP_FIRST_TENANT") or None,
    )
    installed = [entry.id for entry in catalogue if entry.installed]
    if configuration.system not in installed:
        wanted = ", ".join(installed) or "no system is installed"
        raise ConfigurationError(f"ASP_SYSTEM: seen {configuration.system!r}, wanted one of: {wanted}")
    return configuration
