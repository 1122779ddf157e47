"""Every name, port and network of an environment, derived from the register: nothing downstream invents one."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from enum import IntEnum

from inventory import addresses
from inventory.addresses import Place


def slugify(name: str) -> str:
    """ASCII name of a settlement as used in host names: `Sajószentpéter` → `sajoszentpeter`."""
    ascii_name = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    return re.sub(r"[^a-z0-9]+", "-", ascii_name).strip("-")


class Port(IntEnum):
    """Ports inside the hosting's own networks (published ones are a setting of the environment)."""

    POSTGRES = 5432
    LEADER = 5000  # HAProxy of a cell: always the writable node
    POOLER = 6432
    BACKUP = 8432  # pgBackRest's TLS server
    BACKUP_METRICS = 8433
    PATRONI = 8008  # REST interface of a node of three
    ETCD = 2379
    FENCER = 8010  # metrics of a cell's fencer
    IDENTITY = 8443
    IDENTITY_LOCAL = 8444  # Keycloak itself, on its container's loopback: administration, and what its door lets pass
    IDENTITY_MANAGEMENT = 9000  # on its container's loopback too
    PKI = 9000
    APP = 8443
    EDGE_HTTPS = 8443
    EDGE_HTTP = 8080
    EDGE_STATUS = 8404
    SSH = 22


LOCAL_MACHINE = "local"  # the one machine of an environment that names none


def machine_labels(machine: str, domain: str, roles: Iterable[str]) -> dict[str, str]:
    """Labels of a machine's node in the Swarm: `asp.machine`, `asp.domain`, and `asp.role.<role>` for each role."""
    return {"asp.machine": machine, "asp.domain": domain, **{f"asp.role.{role}": "true" for role in sorted(roles)}}


@dataclass(frozen=True)
class NetworkName:
    """A network's name on the daemon with its IPv4 subnet and gateway (CIDR and address, text)."""

    name: str
    subnet: str
    gateway: str


@dataclass(frozen=True)
class CellNames:
    """Names of one cell's services, volumes and networks."""

    prefix: str
    nodes: int
    systems: tuple[str, ...]
    apps_network: NetworkName  # app servers → proxy
    data_network: NetworkName  # proxy → nodes, nodes ↔ backup

    @property
    def postgres(self) -> list[str]:
        """Service names of the PostgreSQL nodes; the volume of each has the same name."""
        return [f"{self.prefix}-postgres-{n}" for n in range(1, self.nodes + 1)]

    @property
    def etcd(self) -> list[str]:
        """Members of the etcd cluster that decides who leads; none where there is one node. Each has its volume."""
        return [f"{self.prefix}-etcd-{n}" for n in range(1, self.nodes + 1)] if self.nodes > 1 else []

    @property
    def etcd_cluster(self) -> str:
        """The name that every member's certificate carries beside its own, and by which members know each other."""
        return f"{self.prefix}-etcd"

    @property
    def fencer(self) -> list[str]:
        """The service that fences a dead leader; none where there is one node."""
        return [f"{self.prefix}-fencer"] if self.nodes > 1 else []

    @property
    def gate(self) -> list[str]:
        """The service that lets the fencer's few calls through to the engine; none where there is no fencer."""
        return [f"{fencer}-gate" for fencer in self.fencer]

    @property
    def databases(self) -> list[str]:
        """Every service of the cell's database half but the backup and the gate: those that speak TLS to each other."""
        return [*self.etcd, *self.postgres, *self.fencer, self.proxy]

    @property
    def proxy(self) -> str:
        """PgBouncer and HAProxy in one service."""
        return f"{self.prefix}-proxy"

    @property
    def backup(self) -> str:
        """pgBackRest repository host; its volume has the same name."""
        return f"{self.prefix}-backup"

    @property
    def vault(self) -> str:
        """Volume of the second, encrypted repository; it stands in for one at another place."""
        return f"{self.prefix}-backup-vault"

    def app(self, system: str) -> str:
        """App server of one system."""
        return f"{self.prefix}-{system}"


@dataclass(frozen=True)
class Names:
    """Names of an environment's shared services, each also its DNS name inside the hosting's networks."""

    env: str
    subnet: str

    def daemon_name(self, *parts: str) -> str:
        """`asp-<env>-<part>-…`: the only way that a name on the daemon is made."""
        return "-".join(("asp", self.env, *parts))

    @property
    def edge(self) -> str:
        return self.daemon_name("edge")

    @property
    def identity(self) -> str:
        return self.daemon_name("identity")

    @property
    def identity_db(self) -> str:
        return self.daemon_name("identity-db")

    @property
    def pki(self) -> str:
        return self.daemon_name("pki")

    def workstation(self, name: str) -> str:
        return self.daemon_name("ws", name)

    def _network(self, label: str, place: Place) -> NetworkName:
        block = place.subnet(self.subnet)
        return NetworkName(self.daemon_name(label), str(block), str(block.network_address + 1))

    def network(self, label: str) -> NetworkName:
        """A shared network by its label in `addresses.SHARED`."""
        return self._network(label, addresses.SHARED[label])

    def cell(self, cell_id: str, index: int, nodes: int, systems: tuple[str, ...]) -> CellNames:
        """Names of the cell that stands at `index` (from 0) in the environment's list of cells."""
        return CellNames(
            prefix=self.daemon_name(cell_id),
            nodes=nodes,
            systems=systems,
            apps_network=self._network(f"{cell_id}-apps", addresses.cell_apps(index)),
            data_network=self._network(f"{cell_id}-data", addresses.cell_data(index)),
        )
