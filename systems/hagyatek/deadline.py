"""Until when an inventory has to be with the notary."""

from __future__ import annotations

import datetime as dt

from systems.hagyatek.models import Parameter
from systems.shared import workdays

NAME = "handover_days"


def of(received_on: dt.date) -> dt.date:
    """Calendar days from the day of knowledge, which does not count; when the last is no working day, the next one."""
    days = Parameter.objects.get(pk=NAME).value
    return workdays.after(received_on + dt.timedelta(days=days), 0)
