"""Handing a tenant's data out: a dump that PostgreSQL restores, a CSV file a table, and a manifest with hashes."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import tarfile
import tempfile
import time
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from pathlib import Path

from centre.reach.psql import CellSql
from centre.reach.runtime import RuntimeFault, exit_code, frames
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


# Each export works in a folder of its own, which it locks; one that nobody locks was left by a killed node.
_PLACE = """\
set -euo pipefail
exec 8>/tmp/asp-export.lock
flock 8
for left in /data/export.*; do
  [ ! -d "$left" ] || flock --nonblock "$left" rm -rf "$left" || true
done
place=$(mktemp -d /data/export.XXXXXX)
trap 'rm -rf "$place"' EXIT
exec 9<"$place"
flock 9
exec 8>&-
cd "$place"
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
        _receive(_stream(cell, _script(tenant, tables)), work)
        migrations = json.loads((work / "migrations.json").read_text())
        (work / "migrations.json").unlink()
        manifest = {
            "tenant": tenant,
            "taken_at": moment.isoformat(timespec="seconds"),
            "cell": cell.cell_id,
            "migrations": migrations,
            "files": [_described(file) for file in sorted(work.iterdir())],
        }
        wanted = {f"{tenant}.dump", *(f"{schema}.{table}.csv" for schema, table, _ in tables)}
        if (seen := {entry["name"] for entry in manifest["files"]}) != wanted:
            raise ExportFault(f"tenant {tenant}: wanted files {sorted(wanted)}, seen {sorted(seen)}")
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
    """Shell script, run in the node, that prints a tar archive: dump and CSV files of one exported snapshot."""
    copies = []
    for schema, table, order in tables:
        source = f"{identifier(schema)}.{identifier(table)}"
        query = f"SELECT * FROM {source}" + (f" ORDER BY {order}" if order else "")
        copies.append(f"\\copy ({query}) TO {literal(f'{schema}.{table}.csv')} WITH (FORMAT csv, HEADER true)")
    migrations = "SELECT json_agg(json_build_array(system, version) ORDER BY 1::text) FROM asp_meta.migrations"
    dump = f"pg_dump -U {PROVISIONER} --role={OWNER} -Fc --snapshot=$SNAPSHOT -f {tenant}.dump {tenant}"
    sql = "\n".join(
        [
            f"SET ROLE {OWNER};",
            "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY;",
            "SELECT pg_export_snapshot() AS snapshot \\gset",
            "\\setenv SNAPSHOT :snapshot",
            f"\\! {dump} || touch failed",
            f"\\copy ({migrations}) TO 'migrations.json'",
            *copies,
            "COMMIT;",
        ]
    )
    return _PLACE + (
        f"psql -XAtq --set=ON_ERROR_STOP=1 -U {PROVISIONER} -d {tenant} -f - >&2 <<'ASP_SQL_END'\n{sql}\nASP_SQL_END\n"
        "[ ! -e failed ] || { echo 'pg_dump failed' >&2; exit 1; }\ntar -cf - -- *\n"
    )


def _stream(cell: CellSql, script: str) -> Iterator[bytes]:
    """Standard output of a script in the node, piece by piece. The script is free of secrets, so it is an argument."""
    container, errors = cell.runtime.container(cell.node), b""
    with running(container, ["bash", "-c", script], LIMIT) as (handle, raw):
        for kind, piece in frames(raw, time.monotonic() + LIMIT, f"{cell.node}: export"):
            if kind == 1:
                yield piece
            else:
                errors = (errors + piece)[-TAIL:]
    if (code := exit_code(cell.runtime.client, handle)) != 0:
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
