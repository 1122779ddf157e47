"""The systems' schema migrations, as the Django project prints them: plain SQL, one text a system and version."""

from __future__ import annotations

import hashlib
import json
import re
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field

from inventory import paths
from inventory.files import write_whole
from stacks.configs.postgres import OWNER
from stacks.configs.sql import identifier, literal


class MigrationFault(Exception):
    """The systems' migrations cannot be read or are not fit to be applied."""


@dataclass(frozen=True)
class Migration:
    """One step of one system's schema. `sql` runs in a transaction of ours, as the owner, in schema `system`."""

    system: str
    version: str
    sql: str = field(repr=False)

    @property
    def key(self) -> tuple[str, str]:
        return self.system, self.version

    def script(self) -> str:
        """Apply and record, whole or not at all. A second one at the same time ends on the primary key."""
        key = f"{literal(self.system)}, {literal(self.version)}"
        return (
            f"BEGIN;\nSET LOCAL ROLE {OWNER};\n"
            f"CREATE SCHEMA IF NOT EXISTS {identifier(self.system)} AUTHORIZATION {OWNER};\n"
            f"INSERT INTO asp_meta.migrations (system, version) VALUES ({key});\n"
            f"SET LOCAL search_path = {identifier(self.system)};\n{self.sql}\n;COMMIT;\n"
        )


_TRANSACTION = re.compile(r"^\s*(BEGIN|COMMIT|ROLLBACK|START\s+TRANSACTION)\s*;", re.IGNORECASE | re.MULTILINE)


def parse(text: str) -> list[Migration]:
    """Migrations out of what `python -m systems.schema` prints: a JSON list of {system, version, sql}, in order."""
    try:
        migrations = [Migration(entry["system"], entry["version"], entry["sql"]) for entry in json.loads(text)]
    except (ValueError, KeyError, TypeError) as error:
        expectation = "wanted a JSON list of {system, version, sql}"
        raise MigrationFault(f"python -m systems.schema: {expectation}, seen {text[:80]!r} ({error!r})") from error
    if not migrations:
        raise MigrationFault("python -m systems.schema printed no migration; wanted those of the installed systems")
    keys = [migration.key for migration in migrations]
    if len(set(keys)) != len(keys):
        raise MigrationFault(f"python -m systems.schema: a version comes twice: {sorted(keys)}")
    for migration in migrations:
        if statement := _TRANSACTION.search(migration.sql):
            raise MigrationFault(
                f"migration {migration.system} {migration.version}: {statement.group(0).strip()!r} in it; "
                "wanted none, each one runs in a transaction with its record"
            )
    return migrations


def installed() -> Sequence[Migration]:
    """Migrations of the systems of this release. A process of its own: Django is configured once a process.

    What it printed is kept by the content of `systems/`: asking again took 0.7 s, most of a join with nothing to do.
    """
    cache = paths.LOCAL / "cache" / "migrations" / f"{_fingerprint()}.json"
    if cache.is_file():
        return parse(cache.read_text(encoding="utf-8"))
    text = _printed()
    migrations = parse(text)
    cache.parent.mkdir(parents=True, exist_ok=True)
    write_whole(cache, text)
    return migrations


def _fingerprint() -> str:
    """Of everything that the migrations follow from: code and settings of the systems, the register's catalogue, the
    exact versions of what they use."""
    digest = hashlib.sha256(sys.version.encode())
    files = [
        *(paths.ROOT / "systems").rglob("*.py"),
        *(paths.REGISTER / paths.CATALOGUE).glob("*.yaml"),
        paths.ROOT / "requirements.lock",
    ]
    for file in sorted(files):
        content = file.read_bytes()
        digest.update(f"{file.relative_to(paths.ROOT)} {len(content)}\n".encode() + content)
    return digest.hexdigest()[:32]


def _printed() -> str:
    command = [sys.executable, "-m", "systems.schema"]
    try:
        process = subprocess.run(command, cwd=paths.ROOT, capture_output=True, text=True, timeout=60, check=False)
    except subprocess.TimeoutExpired as error:
        raise MigrationFault("python -m systems.schema: no answer in 60 s") from error
    if process.returncode:
        raise MigrationFault(
            f"python -m systems.schema exited with {process.returncode}: {process.stderr.strip()[-500:]}"
        )
    return process.stdout
