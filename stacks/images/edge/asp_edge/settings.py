"""Where things lie in the edge's container, and the one kind of error that its operator is shown."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path

from asp_service import places


class EdgeFault(Exception):
    """Something foreseeable went wrong; the message says what was seen, what was wanted and what to do."""


@dataclass(frozen=True)
class Settings:
    """Paths and addresses. `data` is a volume, `run` is memory; the rest comes with the service."""

    data: Path = Path("/data")
    run: Path = Path("/run/asp")
    config: Path = Path("/etc/asp/haproxy.cfg")
    root: Path = Path(places.ROOT)
    client_ca: Path = Path("/etc/asp/client-ca.crt")
    leaf: Path = Path(places.CERTIFICATE)
    leaf_key: Path = Path(places.KEY)
    pki: str = field(default_factory=lambda: os.environ.get("ASP_PKI", ""))  # https://host:port
    body_seconds: float = field(default_factory=lambda: float(os.environ.get("ASP_BODY_SECONDS", "10")))
    upload_rate: float = field(default_factory=lambda: float(os.environ.get("ASP_UPLOAD_RATE", "8192")))  # bytes/s
    crl_seconds: float = field(default_factory=lambda: float(os.environ.get("ASP_CRL_SECONDS", "10")))

    @property
    def certificates(self) -> Path:
        return self.data / "certs"

    @property
    def tenants(self) -> Path:
        return self.data / "maps" / "tenants.map"

    @property
    def revoked(self) -> Path:
        return self.data / "crl" / "revoked.lst"

    @property
    def crl_until(self) -> Path:
        return self.data / "crl" / "until.map"

    @property
    def lock(self) -> Path:
        return self.data / "lock"

    @property
    def unloaded(self) -> Path:
        """There while files say more than HAProxy was told."""
        return self.run / "unloaded"

    @property
    def combined_leaf(self) -> Path:
        return self.run / "tls.pem"

    @property
    def master_socket(self) -> Path:
        return self.run / "master.sock"

    @property
    def worker_socket(self) -> Path:
        return self.run / "worker.sock"

    def certificate(self, host: str) -> Path:
        """Key and chain of one tenant's host."""
        return self.certificates / f"{host}.pem"
