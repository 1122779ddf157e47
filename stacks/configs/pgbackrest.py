"""pgBackRest's configuration: a cell's repository host and its nodes, each the other's TLS client and server."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from inventory.names import Port
from stacks.configs.places import CERTIFICATE_FILE, KEY_FILE, ROOT_FILE
from stacks.configs.postgres import DATA

# Two repositories, each encrypted with a key of its own: the first for every day, the second for the day on which the
# first is lost as well.
DAILY, VAULT = 1, 2
PLACES = {DAILY: "/data", VAULT: "/vault"}  # where their volumes are mounted
# Where each lies on its volume, with what its keeper writes beside it. A repository's cipher cannot be changed: the
# daily one, which was in clear at the volume's own root before 2026-12, begins anew in a folder of its own.
FOLDERS = {DAILY: "encrypted/", VAULT: ""}
KEYS = {DAILY: "backup_daily", VAULT: "backup_vault"}  # names in the environment's vault
CIPHER = "aes-256-cbc"
INCLUDED = "/run/secrets/pgbackrest"  # folder of the configuration that is secret


def repository_conf(stanza: str, nodes: Sequence[str], retention_full: int) -> str:
    """`pgbackrest.conf` of the repository host. `nodes`: service names of the PostgreSQL nodes."""
    stanza_section: dict[str, str | int] = {}
    for number, node in enumerate(nodes, start=1):
        stanza_section |= _remote(f"pg{number}", node)
        stanza_section |= {f"pg{number}-path": DATA, f"pg{number}-socket-path": "/run/asp"}
    main = {
        **_common(),
        **repository(DAILY),
        **repository(VAULT),
        **{f"repo{number}-retention-full": retention_full for number in PLACES},
        # An empty database is 299 files: without bundles each is one in the repository.
        **{f"repo{number}-{feature}": "y" for number in PLACES for feature in ("bundle", "block")},
        "start-fast": "y",
        "log-level-console": "info",
        "process-max": 2,
        **_server(),
    }
    clients = [("tls-server-auth", f"{node}={stanza}") for node in nodes]
    return _ini([("global", main, clients), (stanza, stanza_section, [])])


def repository(number: int) -> dict[str, str | int]:
    """Where a repository is, and how it is read."""
    return {f"repo{number}-path": f"{folder(number)}/repo", f"repo{number}-cipher-type": CIPHER}


def folder(number: int, mounted: str | None = None) -> str:
    """Folder that holds a repository as `repo`. `mounted`: where its volume is, if not where its service has it."""
    return f"{mounted or PLACES[number]}/{FOLDERS[number]}".rstrip("/")


def keys_conf(keys: Mapping[int, str]) -> str:
    """The part of the configuration that opens the repositories: number → key."""
    return _ini([("global", {f"repo{number}-cipher-pass": key for number, key in keys.items()}, [])])


def node_conf(stanza: str, backup: str) -> str:
    """`pgbackrest.conf` of a PostgreSQL node. `backup`: service name of the repository host."""
    main = {
        **_common(),
        **_remote("repo1", backup),
        **_remote("repo2", backup),  # WAL goes to both at once
        "archive-async": "y",
        # A node that rejoins archives what it had not, segment by segment: each may hold it up for so long.
        "archive-timeout": 20,
        "log-level-console": "warn",  # else three lines for each WAL segment
        "spool-path": "/run/asp/spool",
        **_server(),
    }
    section = {"pg1-path": DATA, "pg1-socket-path": "/run/asp"}
    return _ini([("global", main, [("tls-server-auth", f"{backup}={stanza}")]), (stanza, section, [])])


def _common() -> dict[str, str | int]:
    return {
        "log-level-file": "off",  # the container's log is the only one
        "lock-path": "/run/asp/lock",
        "compress-type": "zst",
    }


def _server() -> dict[str, str | int]:
    return {
        "tls-server-address": "*",
        "tls-server-port": Port.BACKUP.value,
        "tls-server-cert-file": CERTIFICATE_FILE,
        "tls-server-key-file": KEY_FILE,
        "tls-server-ca-file": ROOT_FILE,
    }


def _remote(prefix: str, host: str) -> dict[str, str | int]:
    return {
        f"{prefix}-host": host,
        f"{prefix}-host-type": "tls",
        f"{prefix}-host-port": Port.BACKUP.value,
        f"{prefix}-host-cert-file": CERTIFICATE_FILE,
        f"{prefix}-host-key-file": KEY_FILE,
        f"{prefix}-host-ca-file": ROOT_FILE,
    }


def _ini(sections: Sequence[tuple[str, Mapping[str, str | int], Sequence[tuple[str, str]]]]) -> str:
    lines = []
    for name, values, repeated in sections:
        lines += [f"[{name}]", *(f"{key}={value}" for key, value in [*values.items(), *repeated]), ""]
    return "\n".join(lines)
