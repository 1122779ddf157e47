"""How large the body of a request may be, by route: one table for the edge, which refuses more, and the app servers.

What a page promises ("at most 3 MB") is `file`; the fields and the framing around it come on top. A municipality's
parameter may promise less than this table, never more.
"""

from __future__ import annotations

import re
from typing import NamedTuple

KIB, MIB = 2**10, 2**20
# Around one file: its form's other fields (helpdesk: 4,000 characters of 6 bytes each as `%C5%91`) and the framing.
AROUND_A_FILE = 64 * KIB
# A form without files: irat's draft has 20,000 characters, 120,000 bytes when each of them is accented.
WITHOUT_A_FILE = 256 * KIB


# Largest files of pages.
STATEMENT = 2 * MIB  # a bank statement
SCAN = 3 * MIB  # a citizen's attachment
REPORTED = 5 * MIB  # a screenshot for the helpdesk
LETTER = 10 * MIB  # a document's attachment
KRX = 25 * MIB
PACKAGE = 64 * MIB  # earlier data of a municipality
DECREE = 2 * MIB  # with its annexes: a text and no file, but long


class Upload(NamedTuple):
    """A route that takes more than a form: its system, its whole path, and the bytes that it promises.

    `path` means the same to HAProxy (PCRE) and Python: no backslashes, no flags.
    """

    system: str
    path: str
    file: int

    @property
    def largest(self) -> int:
        """Bytes of the largest body."""
        return self.file + AROUND_A_FILE


UPLOADS = (
    Upload("ado", "^/ado/kivonatok/uj$", STATEMENT),
    Upload("elugy", "^/elugy/kitoltes/[0-9a-f-]+/mellekletek/uj$", SCAN),
    Upload("helpdesk", "^/helpdesk/uj$", REPORTED),
    Upload("irat", "^/irat/irat/[0-9]+/csatolmany$", LETTER),
    Upload("irat", "^/irat/erkeztetes/krx$", KRX),
    Upload("migration", "^/migration/uj$", PACKAGE),
    Upload("portal", "^/portal/szerkesztes/[a-z-]+/(uj|[0-9]+)$", DECREE),
)


def upload(path: str) -> Upload | None:
    """The row of the table for a path; None for all others."""
    return next((row for row in UPLOADS if re.search(row.path, path)), None)


def largest(path: str) -> int:
    """Bytes that the body of a request to this path may have."""
    row = upload(path)
    return row.largest if row else WITHOUT_A_FILE
