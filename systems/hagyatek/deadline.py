"""The deadline for handing an inventory over to the notary."""

from __future__ import annotations

import datetime as dt

from systems.hagyatek.models import Parameter
from systems.shared import workdays

NAME = "handover_days"


def handover_day(received_on: dt.date) -> dt.date:
    """Calendar days after the day of notice (not counted); the next working day if the last is none."""
    days = Parameter.value_of(NAME)
    return workdays.after(received_on + dt.timedelta(days=days), 0)
