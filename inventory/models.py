"""The words of the register: typed models of what its files say. What must hold between files: `inventory.rules`."""

from __future__ import annotations

import ipaddress
from datetime import date
from enum import StrEnum
from typing import Annotated, Literal

from pydantic import AwareDatetime, Field, PrivateAttr, ValidationInfo, field_validator

from inventory.addresses import ENVIRONMENT_PREFIX
from inventory.gazetteer import Settlement, settlements
from inventory.machines import ONE_MACHINE, Administration, Machine, MachineRole
from inventory.model import Identifier, Model
from inventory.names import Names, slugify
from systems.shared import identifiers

Ksh = Annotated[str, Field(pattern=r"^\d{5}$", description="5-digit KSH code, as text")]


SystemId = Annotated[str, Field(pattern=r"^[a-z]+$")]


Days = Annotated[str, Field(pattern=r"^(mon|tue|wed|thu|fri|sat|sun)(-(mon|tue|wed|thu|fri|sat|sun))?$")]


Hours = Annotated[str, Field(pattern=r"^([01]\d|2[0-3]):[0-5]\d-([01]\d|2[0-3]):[0-5]\d$")]


Cron = Annotated[str, Field(pattern=r"^(\S+\s+){4}\S+$", description="five-field cron expression, local time")]


class Phase(StrEnum):
    """Where a municipality stands on its way in: decision and contract, connection, live service."""

    PREPARATION = "preparation"
    """Decision, contract, equipment, clean-up: nothing of it exists at the centre yet."""
    CONNECTION = "connection"
    """Technical set-up, training, user testing, migration: its tenant exists, its work is not yet official."""
    LIVE = "live"
    """Under contract and SLA."""


class SizeClass(StrEnum):
    """Size class by population: S below 3,000, M to 10,000, L above."""

    S = "S"
    M = "M"
    L = "L"

    @classmethod
    def for_population(cls, population: int) -> SizeClass:
        return cls.S if population < 3000 else cls.M if population <= 10000 else cls.L


class System(Model):
    """One entry of the catalogue of systems."""

    id: SystemId
    kind: Literal["framework", "specialised", "support", "warehouse"]
    public: bool
    installed: bool
    name: str
    summary: str
    roles: dict[str, str]
    shares: dict[str, list[SystemId]] = {}

    @property
    def path(self) -> str:
        """Path under a tenant's host, with both slashes: `/irat/`."""
        return f"/{self.id}/"


class Clause(Model):
    """One SLA clause: a threshold with the source it has and whether a contract says so."""

    id: Identifier
    title: str
    value: float
    unit: str
    status: Literal["assumed", "contract"]
    source: str = Field(min_length=10)


class Statistics(Model):
    """What may be published of sums over municipalities: `centre.statistics.disclosure` and `.protection`."""

    smallest_count: int = Field(ge=3, description="the least count above zero that is told")
    remainder_percent: float = Field(gt=0, le=100, description="what is left without the two largest, of the largest")
    count_step: int = Field(ge=5, description="what a municipality's counts are rounded by, at least")
    forint_step: int = Field(ge=1000, description="what a municipality's amounts are rounded by, at least")
    status: Literal["assumed", "contract"]
    source: str = Field(min_length=10)


class Retention(Model):
    """How long what is only needed on the way is kept."""

    message_days: int = Field(ge=30, le=3650, description="after a message between systems was handled")
    status: Literal["assumed", "contract"]
    source: str = Field(min_length=10)


class Limit(Model):
    """The most that the edge lets somebody take of something, with its unit and why it is this much."""

    id: Identifier
    value: int = Field(ge=1)
    unit: str
    status: Literal["assumed", "contract"]
    reason: str = Field(min_length=10)


class Ports(Model):
    """Ports published on the machine (host mode)."""

    https: int = Field(ge=1, le=65535)
    http: int = Field(ge=1, le=65535)
    ssh_base: int = Field(ge=1, le=65000)


class Caps(Model):
    """The most that one tenant may take of its cell. Whoever asks for more waits or is refused; neighbours go on.

    `connections`: server connections of its database through the pooler, all systems together; `clients`: connections
    of app servers to the pooler that ask for its database; `busy_milliseconds`: processor time after which a connection
    that keeps a processor busy lets everybody else go first; `temporary_mebibytes`: what one connection may spill to
    the server's disk, for sorting and the like.
    """

    connections: int = Field(4, ge=2, le=32)
    clients: int = Field(200, ge=10, le=2000)
    statement_seconds: int = Field(30, ge=1, le=3600)
    transaction_seconds: int = Field(300, ge=1, le=7200)
    idle_in_transaction_seconds: int = Field(30, ge=1, le=3600)
    lock_seconds: int = Field(10, ge=1, le=600)
    busy_milliseconds: int = Field(500, ge=100, le=60_000)
    temporary_mebibytes: int = Field(256, ge=16, le=16_384)

    @property
    def connections_of_system(self) -> int:
        """Server connections that one of its systems may hold: half, so that none ever keeps all from the others."""
        return max(1, self.connections // 2)


class CapsChange(Caps):
    """What differs from the caps of the wider circle: only the fields that are written count."""

    def over(self, caps: Caps) -> Caps:
        """`caps` with what this changes."""
        return caps.model_copy(update=self.model_dump(include=self.model_fields_set))


class TenantCaps(Model):
    """Caps of an environment's tenants: for all, and what is different by size class. A cell may differ again, and a
    municipality from both."""

    default: Caps = Caps()
    size: dict[Annotated[SizeClass, Field(strict=False)], CapsChange] = {}


class Cell(Model):
    """Unit of hosting and of failure: a county's tenants on one PostgreSQL cluster.

    `machines`: where its data lies: one, or three in different failure domains; none is written where there is one.
    """

    id: Annotated[str, Field(pattern=r"^[a-z][a-z0-9]{1,15}$")]
    county: str
    capacity: int = Field(ge=1, description="tenants; at most what inventory.cell_size derives")
    nodes: Literal[1, 3] = Field(description="PostgreSQL nodes: one, or three under Patroni (ADR 0015)")
    machines: list[Identifier] = []
    caps: CapsChange = CapsChange()


class Backup(Model):
    """When a cell is backed up, how many full backups are kept, and within how many days each tenant is proven."""

    full: Cron
    differential: Cron
    incremental: Cron = Field(description="keeps the WAL short that a restore replays")
    retention_full: int = Field(ge=1)
    drill_days: int = Field(ge=1, le=366)


class SecondFactor(StrEnum):
    """What a clerk's sign-in asks for beside the certificate, whose key is a file on a workstation."""

    PASSWORD = "password"  # chosen at the first sign-in
    TOTP = "totp"  # one-time code of an app on the clerk's phone, set up at the first sign-in
    NONE = "none"  # demonstrations only: whoever copies the key's file is the clerk


class Identity(Model):
    session_idle_minutes: int = Field(ge=5, le=720)
    second_factor: Annotated[SecondFactor, Field(strict=False)] = SecondFactor.PASSWORD  # YAML has no enumerations


class Person(Model):
    """Somebody who signs in. Everyone in this project's data is synthetic."""

    username: Annotated[str, Field(pattern=r"^[a-z]+(\.[a-z]+)+$", max_length=40)]
    family_name: str
    given_name: str

    @property
    def full_name(self) -> str:
        """Hungarian order: family name first."""
        return f"{self.family_name} {self.given_name}"

    @property
    def email(self) -> str:
        """Synthetic address under a reserved domain; identity providers want one."""
        return f"{self.username}@pelda.test"


class Citizen(Person):
    """A person who signs in to the public e-administration.

    `identifier`: the tax identification sign, by which everything of theirs is found.
    """

    identifier: str

    @field_validator("identifier")
    @classmethod
    def _a_tax_sign(cls, value: str) -> str:
        try:
            valid = identifiers.tax_sign(value) == value
        except ValueError:
            valid = False
        if not valid:
            raise ValueError("a tax identification sign: ten digits, the first an 8, the last the right check digit")
        return value


class Pki(Model):
    """Lifetimes of certificates (days) and how soon a revocation reaches the edge (seconds)."""

    client_certificate_days: int = Field(ge=1, le=825)
    server_certificate_days: int = Field(ge=1, le=398)
    renew_before_days: int = Field(ge=1)
    crl_refresh_seconds: int = Field(ge=2, le=3600)


class Maintenance(Model):
    """Work on the hosting, announced to every municipality; `emergency` says why when it comes without due notice."""

    announced: date
    since: AwareDatetime
    until: AwareDatetime
    text: Annotated[str, Field(min_length=10)]
    emergency: bool = False


class Environment(Model):
    """One installation of the whole suite, on one machine or on many; several live side by side."""

    id: Annotated[str, Field(pattern=r"^[a-z][a-z0-9]{1,11}$")]
    domain: Annotated[str, Field(pattern=r"^[a-z0-9]+(\.[a-z0-9]+)+$")]
    subnet: str
    ports: Ports
    opening_hours: dict[Days, Hours]
    machines: list[Machine] = Field([ONE_MACHINE], min_length=1)
    administration: Administration = Administration()
    cells: list[Cell] = Field(min_length=1)
    backup: Backup
    identity: Identity
    pki: Pki
    maintenance: list[Maintenance] = []
    citizens: list[Citizen] = []
    caps: TenantCaps = TenantCaps()
    demonstration: bool = False  # true: nobody works here for real, so even a live municipality may get invented data

    @property
    def open_days(self) -> dict[int, tuple[str, str]]:
        """Weekday (0 = Monday) → begin and end of the promised service."""
        names = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
        days_open: dict[int, tuple[str, str]] = {}
        for days, hours in self.opening_hours.items():
            first, _, last = days.partition("-")
            opens, _, closes = hours.partition("-")
            for day in range(names.index(first), names.index(last or first) + 1):
                days_open[day] = opens, closes
        return dict(sorted(days_open.items()))

    @field_validator("subnet")
    @classmethod
    def _a_16(cls, value: str) -> str:
        try:
            network: ipaddress.IPv4Network | None = ipaddress.IPv4Network(value)
        except ValueError:
            network = None
        if network is None or network.prefixlen != ENVIRONMENT_PREFIX or not network.is_private:
            raise ValueError("a private IPv4 /16, such as 10.61.0.0/16")
        return value

    @property
    def names(self) -> Names:
        return Names(self.id, self.subnet)

    @property
    def several_machines(self) -> bool:
        return len(self.machines) > 1

    def staying(self, role: MachineRole | None = None) -> list[Machine]:
        """Machines that are not leaving, of a role if given, in the register's order."""
        return [m for m in self.machines if not m.leaving and (role is None or role in m.roles)]

    def machines_of(self, cell: Cell) -> list[Machine]:
        """Machines that a cell's data lies on: the named ones, in the order of its nodes, else the only one."""
        if not cell.machines and not self.several_machines:
            return self.machines
        by_id = {machine.id: machine for machine in self.machines}
        return [by_id[machine_id] for machine_id in cell.machines if machine_id in by_id]

    def caps_of(self, cell_id: str, size: SizeClass | None = None, own: CapsChange | None = None) -> Caps:
        """Caps of a tenant in a cell: the environment's, its size's, the cell's, its own, each over the one before."""
        cell = next((cell.caps for cell in self.cells if cell.id == cell_id), None)
        caps = self.caps.default
        for change in (self.caps.size.get(size) if size else None, cell, own):
            caps = change.over(caps) if change else caps
        return caps

    def server_connections(self, cell: Cell) -> int:
        """Connections that a cell's server has for its tenants: a full cell at the ordinary cap, and a quarter more.

        The quarter is for those whose cap is higher: they need no restart of the server.
        """
        return cell.capacity * self.caps_of(cell.id).connections * 5 // 4

    def origin(self, host: str) -> str:
        """`https://host[:port]` as a browser writes it (no port when it is 443)."""
        return f"https://{host}" + ("" if self.ports.https == 443 else f":{self.ports.https}")

    @property
    def identity_host(self) -> str:
        return f"id.{self.domain}"

    @property
    def pki_host(self) -> str:
        return f"ca.{self.domain}"


class Contract(Model):
    number: str | None
    status: Literal["assumed", "contract"]


class Clerk(Person):
    """A person who works in an office's systems."""

    roles: dict[SystemId, list[str]]


class Workstation(Model):
    """A municipal computer. `number` gives its SSH port on this machine (ports.ssh_base + number)."""

    name: Identifier
    number: int = Field(ge=1, le=499)
    clerk: str


class Office(Model):
    """An office: a municipality's own, or a joint one whose clerks serve every member."""

    seat: Ksh
    name: str
    kind: Literal["own", "joint"]
    clerks: list[Clerk] = Field(description="none only while every member is in preparation")
    workstations: list[Workstation]


class Municipality(Model):
    """A municipality as its YAML file says, and the tenant that follows from it.

    Reading wants the context `installed`: the ids that `systems: all` stands for. What follows from its environment
    (host, caps) is there once `Register` holds it.
    """

    ksh: Ksh
    name: str
    office: Ksh
    cell: str
    join_mode: Literal["system", "interface"]
    systems: Annotated[list[SystemId], Field(min_length=1)]
    contract: Contract
    project: str | None = None
    training: bool = Field(False, description="the sandbox where clerks practise: holds invented data only, never live")
    phase: Annotated[Phase, Field(strict=False)]  # YAML has no enumerations
    evidence: dict[Literal["preparation", "connection", "live"], Annotated[str, Field(min_length=1)]] = {}
    caps: CapsChange | None = None
    host_slug: Identifier | None = Field(None, description="first label of its host, where two names fold to one")
    office_source: str | None = Field(None, min_length=10, description="why its office is not the one of the 2018 list")
    _environment: Environment | None = PrivateAttr(None)

    @field_validator("systems", mode="before")
    @classmethod
    def _all_installed(cls, value: object, info: ValidationInfo) -> object:
        return list(info.context["installed"]) if value == "all" and info.context else value

    def within(self, environment: Environment) -> Municipality:
        """This municipality as one of an environment."""
        self._environment = environment
        return self

    @property
    def environment(self) -> Environment:
        if self._environment is None:
            raise ValueError(f"municipality {self.ksh}: its environment is not known; wanted: one of a Register")
        return self._environment

    @property
    def settlement(self) -> Settlement:
        """Its row in the list of settlements."""
        return settlements()[self.ksh]

    @property
    def slug(self) -> str:
        return self.host_slug or slugify(self.name)

    @property
    def tenant(self) -> str:
        """`t16054`: database, NOLOGIN role, organization alias, OIDC client and certificate OU."""
        return f"t{self.ksh}"

    def role(self, system: str) -> str:
        """Login role of one system on this tenant's database: `t16054_irat`."""
        return f"{self.tenant}_{system}"

    @property
    def host(self) -> str:
        return f"{self.slug}.{self.environment.domain}"

    @property
    def origin(self) -> str:
        return self.environment.origin(self.host)

    def url(self, system: str = "keret") -> str:
        return f"{self.origin}/{system}/"

    @property
    def joined(self) -> bool:
        """Whether its tenant should exist at the centre."""
        return self.phase in (Phase.CONNECTION, Phase.LIVE)

    @property
    def size_class(self) -> SizeClass:
        return SizeClass.for_population(self.settlement.population)

    @property
    def limits(self) -> Caps:
        """What it may take of its cell at most."""
        return self.environment.caps_of(self.cell, self.size_class, self.caps)
