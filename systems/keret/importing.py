"""Import of clerks: who they are, not what they may do."""

from __future__ import annotations

import re
from collections.abc import Mapping

from django.core.exceptions import ValidationError
from django.core.validators import validate_email

from systems.exchange.importing import Report, Rows
from systems.keret.models import User

FILE = "felhasznalok.csv"
FILES = {FILE: ("felhasznalonev", "nev", "munkakor", "email")}
USERNAME = re.compile(r"[a-z][a-z0-9.-]{1,58}[a-z0-9]")


def check(files: Mapping[str, Rows]) -> Report:
    """Usernames are well formed, new and unique; names are present; e-mail addresses are valid."""
    report, usernames = Report(), set(User.objects.values_list("username", flat=True))
    for number, row in enumerate(files.get(FILE, []), 2):
        username = row["felhasznalonev"]
        if not USERNAME.fullmatch(username):
            report.fault(FILE, number, "felhasznalonev", username, "kisbetűs név, például minta.ilona")
        elif username in usernames:
            report.fault(FILE, number, "felhasznalonev", username, "olyan, amely még nincs")
        usernames.add(username)
        if not 0 < len(row["nev"].strip()) <= 120:
            report.fault(FILE, number, "nev", row["nev"], "legfeljebb 120 betűs név")
        if len(row["munkakor"]) > 120:
            report.fault(FILE, number, "munkakor", row["munkakor"], "legfeljebb 120 betű")
        if row["email"]:
            try:
                validate_email(row["email"])
            except ValidationError:
                report.fault(FILE, number, "email", row["email"], "e-mail-cím vagy semmi")
    report.totals["felhasználó"] = len(files.get(FILE, []))
    return report


def apply(files: Mapping[str, Rows]) -> None:
    """Add all clerks, after a check without faults."""
    User.objects.bulk_create(
        User(username=row["felhasznalonev"], name=row["nev"].strip(), position=row["munkakor"], email=row["email"])
        for row in files.get(FILE, [])
    )
