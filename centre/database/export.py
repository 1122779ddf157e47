"""Handing a tenant's data out: a dump that PostgreSQL restores, a CSV file a table, and a manifest with hashes."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import tarfile
import tempfile
import threading
import time
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from pathlib import Path

from centre.reach.psql import CellSql
from centre.reach.runtime import RuntimeFault, client_of, exit_code, frames, send
from centre.reach.transfer import LIMIT, TAIL, running
from stacks.configs.postgres import OWNER, PROVISIONER
from stacks.configs.sql import identifier, literal

MANIFEST = "manifest.json"

_TABLES = """\
SELECT json_build_array(n.nspname, c.relname,
         (SELECT string_agg(quote_ident(a.attname), ', ' ORDER BY k.place)
            FROM pg_index i, unnest(i.indkey::int2[]) WITH ORDINALITY k(number, place)
            JOIN pg_attribute a ON a.attnum = k.number
            WHERE a.attrelid = c.oid AND i.indrelid = c.oid AND i.indisprimary))
  FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
  WHERE c.relkind IN ('r', 'p') AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
  ORDER BY 1::text;
"""


class ExportFault(Exception):
    """An export was not finished; nothing is left under its final name."""


def export(cell: CellSql, tenant: str, folder: Path) -> Path:
    """Write `<folder>/<tenant>-<UTC time>/`; its path. All files are of one snapshot of the database.

    Files: `<tenant>.dump` (pg_dump custom format), `<schema>.<table>.csv` (UTF-8, header, in the order of the primary
    key), `manifest.json` (bytes and sha256 of each). It appears under its name only when it is complete.
    """
    moment = datetime.now(UTC)
    tables = [(schema, table, order) for schema, table, order in cell.rows(_TABLES, database=tenant)]
    folder.mkdir(parents=True, exist_ok=True)
    target = folder / f"{tenant}-{moment:%Y%m%dT%H%M%SZ}"
    work = Path(tempfile.mkdtemp(prefix=f".{tenant}.", dir=folder))
    try:
        _receive(_stream(cell, tenant, _script(tenant, tables)), work)
        migrations = json.loads((work / "migrations.json").read_text())
        (work / "migrations.json").unlink()
        manifest = {
            "tenant": tenant,
            "taken_at": moment.isoformat(timespec="seconds"),
            "cell": cell.cell_id,
            "migrations": migrations,
            "files": [_described(file) for file in sorted(work.iterdir())],
        }
        expected = {f"{tenant}.dump", *(f"{schema}.{table}.csv" for schema, table, _ in tables)}
        if (actual := {entry["name"] for entry in manifest["files"]}) != expected:
            raise ExportFault(f"tenant {tenant}: wanted files {sorted(expected)}, seen {sorted(actual)}")
        (work / MANIFEST).write_text(json.dumps(manifest, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
        os.chmod(work, 0o700)
        os.replace(work, target)
    except BaseException:
        shutil.rmtree(work, ignore_errors=True)
        raise
    return target


def verify(folder: Path) -> list[str]:
    """Faults of an export against its manifest (empty: every file is there and unchanged)."""
    manifest = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
    faults = []
    for entry in manifest["files"]:
        file = folder / entry["name"]
        if not file.is_file():
            faults.append(f"{entry['name']}: missing")
        elif _sha256(file) != entry["sha256"]:
            faults.append(f"{entry['name']}: sha256 differs from the manifest")
    return faults


def _script(tenant: str, tables: Iterable[tuple[str, str, str | None]]) -> str:
    """Script for psql that writes dump and CSV files of one exported snapshot into the folder it runs in."""
    copies = []
    for schema, table, order in tables:
        source = f"{identifier(schema)}.{identifier(table)}"
        query = f"SELECT * FROM {source}" + (f" ORDER BY {order}" if order else "")
        copies.append(f"\\copy ({query}) TO {literal(f'{schema}.{table}.csv')} WITH (FORMAT csv, HEADER true)")
    migrations = "SELECT json_agg(json_build_array(system, version) ORDER BY 1::text) FROM asp_meta.migrations"
    dump = f"pg_dump -U {PROVISIONER} --role={OWNER} -Fc --snapshot=$SNAPSHOT -f {tenant}.dump {tenant}"
    return "\n".join(
        [
            f"SET ROLE {OWNER};",
            "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY;",
            "SELECT pg_export_snapshot() AS snapshot \\gset",
            "\\setenv SNAPSHOT :snapshot",
            f"\\! {dump} || touch failed",
            f"\\copy ({migrations}) TO 'migrations.json'",
            *copies,
            "COMMIT;",
            "",
        ]
    )


def _stream(cell: CellSql, tenant: str, script: str) -> Iterator[bytes]:
    """The archive of an export (`asp-export` in image postgres), piece by piece."""
    container, errors = cell.runtime.container(cell.node), b""
    command = ["asp-export", tenant, PROVISIONER]
    with running(container, command, LIMIT, stdin=True) as (handle, raw):
        threading.Thread(target=send, args=(raw, script.encode()), daemon=True).start()
        for kind, piece in frames(raw, time.monotonic() + LIMIT, f"{cell.node}: export"):
            if kind == 1:
                yield piece
            else:
                errors = (errors + piece)[-TAIL:]
    if (code := exit_code(client_of(container), handle)) != 0:
        raise RuntimeFault(f"{cell.node}: export exited with {code}: {errors.decode(errors='replace').strip()}")


def _receive(pieces: Iterator[bytes], work: Path) -> None:
    """Unpack a tar stream of plain files into `work`."""
    with tempfile.TemporaryFile(dir=work.parent) as archive:
        for piece in pieces:
            archive.write(piece)
        archive.seek(0)
        with tarfile.open(fileobj=archive) as bundle:
            bundle.extractall(work, filter="data")


def _described(file: Path) -> dict[str, str | int]:
    return {"name": file.name, "bytes": file.stat().st_size, "sha256": _sha256(file)}


def _sha256(file: Path) -> str:
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
