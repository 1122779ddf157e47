"""The vault of an environment: one ansible-vault file, made on first use and completed on every later one.

`ensure(register)` makes what is missing (never changes what is there, but re-issues internal certificates near their
end) and writes the SSH files that Ansible needs; `load(register)` only reads. Passwords that exist per tenant are
derived, not stored (docs/architecture.md).
"""

from __future__ import annotations

import fcntl
import secrets as random
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ed25519

from inventory import paths
from inventory.errors import Fault, RegisterError
from inventory.files import write_whole
from inventory.models import Citizen, Municipality
from inventory.reader import FastLoader
from inventory.register import Register
from inventory.vault import certificates
from inventory.vault.certificates import Pair
from systems.shared.credentials import derive
from systems.shared.realms import REALM_OF_CITIZENS

if TYPE_CHECKING:
    from ansible.parsing.vault import VaultLib

# Random values: name → what it opens. A line added here is added to every vault by the next `make up`.
PASSWORDS = {
    "pulumi_passphrase": "secrets in Pulumi's state files",
    "postgres_pooler": "PgBouncer's own role, may only ask for tenant roles' verifiers",
    "etcd_root": "logins of the etcd clusters",
    "etcd_patroni": "Patroni's keys in its cell's etcd cluster",
    "etcd_fencer": "may read its cell's keys and delete the leader's",
    "backup_daily": "encrypts the first backup repository; without it that one is worth nothing",
    "backup_vault": "encrypts the second backup repository; without it that one is worth nothing",
    "identity_db": "Keycloak's role on its own database",
    "identity_admin": "Keycloak's first administrator",
    "citizens_key": "passwords of the synthetic citizens are derived from it",
    "statistics_key": "how figures are rounded follows from it; another one would round them a second time (ADR 0040)",
}


class Secrets:
    """Everything secret of one environment. Values are text unless said otherwise; `repr` shows none of them."""

    def __init__(self, register: Register, data: dict[str, Any]):
        self._register = register
        self._data = data

    def __repr__(self) -> str:
        return f"Secrets({self._register.environment.id})"

    def _text(self, name: str) -> str:
        text: str = self._data[name]
        return text

    def _section(self, name: str) -> dict[str, str]:
        section: dict[str, str] = self._data[name]
        return section

    def password(self, name: str) -> str:
        """A random 256-bit value by its name in PASSWORDS."""
        return self._section("passwords")[name]

    def system_key(self, system: str) -> str:
        """Key from which one system's database passwords are derived; its app server holds only this one."""
        return self._section("system_keys")[system]

    def django_key(self, system: str) -> str:
        return self._section("django_keys")[system]

    def role_password(self, municipality: Municipality, system: str, version: int = 1) -> str:
        """Password of the login role `t<ksh>_<system>`."""
        return derive(self.system_key(system).encode(), municipality.tenant, system, version)

    def oidc_key(self, system: str) -> str:
        """Key from which one system's OIDC clients' secrets are derived; its app server holds only this one."""
        return self._section("oidc_keys")[system]

    def oidc_secret(self, municipality: Municipality, system: str) -> str:
        """Secret of the OIDC client `t<ksh>-<system>` in the clerks' realm."""
        return derive(self.oidc_key(system).encode(), municipality.tenant, "oidc")

    def citizens_oidc_secret(self, municipality: Municipality, system: str) -> str:
        """Secret of the OIDC client `t<ksh>-<system>` in the citizens' realm."""
        return derive(self.oidc_key(system).encode(), municipality.tenant, REALM_OF_CITIZENS)

    def citizen_password(self, citizen: Citizen) -> str:
        """What a synthetic citizen signs in with."""
        return derive(self.password("citizens_key").encode(), citizen.username, "sign-in")

    @property
    def root_ca(self) -> Pair:
        return Pair(**self._section("root_ca"))

    @property
    def pki_ca(self) -> Pair:
        """step-ca's intermediate."""
        return Pair(**self._section("pki_ca"))

    @property
    def enrol_key(self) -> str:
        """EC private key (PEM) that signs one-time enrolment tokens for workstations."""
        return self._text("enrol_key")

    @property
    def server_key(self) -> str:
        """EC private key (PEM) that signs tokens for tenant hosts' server certificates."""
        return self._text("server_key")

    @property
    def ledger_key(self) -> str:
        """EC private key (PEM) that signs the ledger of restore drills."""
        return self._text("ledger_key")

    def tls(self, service: str) -> Pair:
        """Leaf certificate of one internal service, by its name from `inventory.names`."""
        return Pair(**self._data["tls"][service])

    @property
    def ssh_key(self) -> tuple[str, str]:
        """Private key (OpenSSH PEM) and public line that administer workstations."""
        return self._section("ssh_key")["private"], self._section("ssh_key")["public"]

    @property
    def ssh_host_key(self) -> tuple[str, str]:
        """Host key of the workstation stand-ins: private (OpenSSH PEM) and public line."""
        return self._section("ssh_host_key")["private"], self._section("ssh_host_key")["public"]


def tls_hosts(register: Register) -> dict[str, list[str]]:
    """Every internal service that needs a leaf, with the extra DNS names it answers to."""
    names = register.names
    hosts: dict[str, list[str]] = {
        names.edge: [register.environment.identity_host, register.environment.pki_host],
        names.identity: [],
        names.identity_db: [],
        names.pki: [],
    }
    for cell in register.environment.cells:
        cell_names = register.cell(cell.id)
        for service in [*cell_names.databases, cell_names.backup]:
            hosts[service] = [cell_names.etcd_cluster] if service in cell_names.etcd else []
        for system in register.installed_systems:
            hosts[cell_names.app(system)] = []
    return hosts


def load(register: Register) -> Secrets:
    """Read the vault; RegisterError when it was never made or cannot be opened."""
    env = register.environment.id
    data = _read(env)
    if data is None:
        raise RegisterError([Fault(_vault(env).name, "vault", env, "was not made yet", "Run make up first")])
    return Secrets(register, data)


def ensure(register: Register) -> tuple[Secrets, list[str]]:
    """Make or complete the vault and the SSH files; the secrets and the names of what was made (empty: no change)."""
    env = register.environment.id
    folder = paths.environment_dir(env)
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    with (folder / "vault.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        data = _read(env) or {}
        created = _complete(register, data)
        if not _password_file(env).is_file():
            write_whole(_password_file(env), random.token_urlsafe(32) + "\n")
        if created:
            write_whole(_vault(env), _codec(env).encrypt(yaml.safe_dump(data)).decode())
        secrets = Secrets(register, data)
        created += _write_ssh_files(register, secrets)
    return secrets, created


def _complete(register: Register, data: dict[str, Any]) -> list[str]:
    created: list[str] = []

    def need(section: str, name: str, make: Callable[[], object]) -> None:
        values = data.setdefault(section, {})
        if name not in values:
            values[name] = make()
            created.append(f"{section}.{name}")

    for name in PASSWORDS:
        need("passwords", name, lambda: random.token_urlsafe(32))
    for system in register.systems:
        need("system_keys", system, lambda: random.token_urlsafe(32))
        need("django_keys", system, lambda: random.token_urlsafe(48))
        need("oidc_keys", system, lambda: random.token_urlsafe(32))
    env = register.environment.id
    if "root_ca" not in data:
        authority = certificates.root(env)
        data["root_ca"] = vars(authority)
        data["pki_ca"] = vars(certificates.intermediate(env, "issuing", authority))
        data["internal_ca"] = vars(certificates.intermediate(env, "internal", authority))
        created.append("certificate authorities")
    for name in ("enrol_key", "server_key", "ledger_key"):
        if name not in data:
            data[name] = certificates.signing_key()
            created.append(name)
    internal = Pair(**data["internal_ca"])
    leaves = data.setdefault("tls", {})
    for service, hosts in tls_hosts(register).items():
        present = Pair(**leaves[service]) if service in leaves else None
        if (
            present
            and present.hosts() >= {service, *hosts}
            and not present.expires_within(certificates.RENEW_BEFORE_DAYS)
        ):
            continue
        leaves[service] = vars(certificates.leaf(service, hosts, internal))
        created.append(f"tls.{service}")
    for name in ("ssh_key", "ssh_host_key"):
        if name not in data:
            data[name] = _ssh_pair(f"asp-{env}")
            created.append(name)
    return created


def _ssh_pair(comment: str) -> dict[str, str]:
    key = ed25519.Ed25519PrivateKey.generate()
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.OpenSSH, serialization.NoEncryption()
    )
    public = key.public_key().public_bytes(serialization.Encoding.OpenSSH, serialization.PublicFormat.OpenSSH)
    return {"private": private.decode(), "public": f"{public.decode()} {comment}"}


def _write_ssh_files(register: Register, secrets: Secrets) -> list[str]:
    """`ssh/id_ed25519` and `ssh/known_hosts` of the environment, for Ansible and the checks."""
    folder = paths.environment_dir(register.environment.id) / "ssh"
    folder.mkdir(exist_ok=True, mode=0o700)
    host_key = " ".join(secrets.ssh_host_key[1].split()[:2])
    host_keys = "".join(
        f"[127.0.0.1]:{register.ssh_port(station)} {host_key}\n" for _, station in register.workstations()
    )
    created = []
    for name, content in (("id_ed25519", secrets.ssh_key[0]), ("known_hosts", host_keys)):
        file = folder / name
        if not file.is_file() or file.read_text() != content:
            write_whole(file, content)
            created.append(f"ssh/{name}")
    return created


def _vault(env: str) -> Path:
    return paths.environment_dir(env) / "vault.yml"


def _password_file(env: str) -> Path:
    return paths.environment_dir(env) / "vault-password"


def _codec(env: str) -> VaultLib:
    """Ansible's own reader and writer of vault files: imported here, since it takes a third of a second."""
    from ansible.constants import DEFAULT_VAULT_ID_MATCH
    from ansible.parsing.vault import VaultLib, VaultSecret

    return VaultLib([(DEFAULT_VAULT_ID_MATCH, VaultSecret(_password_file(env).read_bytes().strip()))])


def _read(env: str) -> dict[str, Any] | None:
    vault = _vault(env)
    if not vault.is_file():
        return None
    from ansible.errors import AnsibleError

    try:
        data: dict[str, Any] = yaml.load(_codec(env).decrypt(vault.read_bytes()), Loader=FastLoader)  # a safe one too
        return data
    except (OSError, AnsibleError) as error:
        remedy = f"Put the right password into {vault.with_name('vault-password').name} beside it"
        raise RegisterError([Fault(vault.name, "vault", env, f"cannot be opened ({error})", remedy)]) from error
