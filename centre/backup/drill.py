"""Proving that a tenant comes back: restored aside to a moment just passed, and compared with the running one."""

from __future__ import annotations

import time
from datetime import UTC, datetime

from centre.backup import contents, ledger
from centre.backup.restore import archive_up_to_now
from centre.backup.scratch import restored
from centre.ledger import Entry
from centre.reach.psql import CellSql
from centre.reach.runtime import RuntimeFault
from inventory.models import Municipality
from inventory.vault.vault import Secrets
from stacks.configs.pgbackrest import DAILY, VAULT


def prove(cell: CellSql, secrets: Secrets, municipality: Municipality) -> Entry:
    """Restore the municipality's tenant, compare every table, and sign that in the ledger; the line written.

    The repositories take turns. Tables that changed while the moment was chosen cannot be compared exactly; they are
    counted apart. RuntimeFault when it does not come back as it was.
    """
    register, tenant = cell.runtime.register, municipality.tenant
    last = ledger.newest(ledger.read(register, secrets)).get(municipality.ksh)
    repository = VAULT if last and last["repository"] == DAILY else DAILY
    began = time.monotonic()
    before = _contents(cell, tenant)
    (text,) = cell.rows("SELECT to_json(clock_timestamp());")
    moment = datetime.fromisoformat(text)
    archive_up_to_now(cell)
    after = _contents(cell, tenant)
    with restored(cell, tenant, moment, repository=repository) as scratch:
        copy = contents.read(scratch.script)
    still = {name: content for name, content in before.items() if content[1] and after.get(name) == content}
    if not still:
        raise RuntimeFault(
            f"{tenant}: nothing was proven: of {len(before)} tables and sequences none could be compared; wanted: one "
            "that nobody changes meanwhile. See that the database has its tables, drill again when it is quiet"
        )
    wrong = contents.differences(still, {name: copy[name] for name in still if name in copy})
    if wrong:
        raise RuntimeFault(
            f"{tenant} does not come back out of repository {repository} as it was at {moment.isoformat()}: "
            f"{'; '.join(map(str, wrong))}. Wanted: the same rows. See runbook backup, A drill fails"
        )
    return ledger.append(
        register,
        secrets,
        {
            "at": datetime.now(UTC).isoformat(timespec="seconds"),
            "municipality": municipality.ksh,
            "moment": moment.astimezone(UTC).isoformat(timespec="milliseconds"),
            "repository": repository,
            "tables": len(still),
            "rows": sum(rows for rows, _ in still.values()),
            "moving": sum(1 for _, digest in before.values() if digest) - len(still),
            "seconds": round(time.monotonic() - began, 1),
        },
    )


def _contents(cell: CellSql, tenant: str) -> contents.Contents:
    return contents.read(lambda sql: cell.script(sql, tenant, "postgres"))
