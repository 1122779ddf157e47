"""Jobs: removing abandoned drafts."""

from __future__ import annotations

import datetime as dt

from django.utils import timezone

from systems.chain import job
from systems.elugy.models import Parameter, Submission


@job(at="03:10")
def remove_old_drafts(today: dt.date) -> None:
    """Delete drafts that were last saved more than `draft_days` (a parameter) ago, with their files."""
    since = timezone.now() - dt.timedelta(days=Parameter.value_of("draft_days"))
    Submission.objects.filter(arrival_number=None, updated_at__lt=since).delete()
