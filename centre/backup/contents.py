"""What a database holds, table by table, as numbers that two databases can be compared by."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass

# One JSON array for each table, [name, rows, sum of the rows' hashes], and each sequence, [name, last value, ""].
# The sum does not depend on the order of rows; the settings make a value's text the same on every server.
TABLES = r"""
SET datestyle = 'ISO, YMD'; SET timezone = 'UTC'; SET bytea_output = 'hex'; SET extra_float_digits = 1;
SET intervalstyle = 'iso_8601'; SET search_path = pg_catalog; SET row_security = off;
BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY;
SELECT format('SELECT json_build_array(%L, count(*), coalesce(sum(hashtextextended(t::text, 0)::numeric), 0)::text)'
              ' FROM ONLY %I.%I t', nspname || '.' || relname, nspname, relname)
  FROM pg_class c JOIN pg_namespace n ON n.oid = relnamespace
  WHERE relkind IN ('r', 'm') AND nspname !~ '^pg_' AND nspname <> 'information_schema' ORDER BY 1
\gexec
SELECT json_build_array(schemaname || '.' || sequencename, coalesce(last_value, 0), '')
  FROM pg_sequences WHERE schemaname !~ '^pg_' ORDER BY 1::text;
COMMIT;
"""


@dataclass(frozen=True)
class Difference:
    """A table or sequence that two databases hold differently; rows are None where it does not exist."""

    name: str
    before: int | None
    after: int | None

    def __str__(self) -> str:
        if self.before == self.after:
            return f"{self.name}: {self.after} rows, others"
        words = ["absent" if rows is None else str(rows) for rows in (self.before, self.after)]
        return f"{self.name}: {words[0]} → {words[1]}"


Contents = Mapping[str, tuple[int, str]]


def read(run: Callable[[str], str]) -> Contents:
    """Table or sequence → (rows or last value, hash). `run`: gives what psql prints for a script."""
    rows = [json.loads(line) for line in run(TABLES).splitlines() if line.strip()]
    return {name: (count, digest) for name, count, digest in rows}


def differences(before: Contents, after: Contents, sequences: bool = True) -> list[Difference]:
    """What two databases hold differently, by name.

    `sequences`: whether they count; after a replay they stand up to 32 numbers ahead, as PostgreSQL logs them.
    """
    absent = (None, "")
    names = sorted(name for name in before.keys() | after.keys() if before.get(name) != after.get(name))
    if not sequences:
        names = [name for name in names if before.get(name, absent)[1] or after.get(name, absent)[1]]
    return [Difference(name, before.get(name, absent)[0], after.get(name, absent)[0]) for name in names]
