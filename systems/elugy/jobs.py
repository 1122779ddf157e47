"""What runs by itself: drafts that nobody goes on with are removed."""

from __future__ import annotations

import datetime as dt

from django.utils import timezone

from systems.chain import job
from systems.elugy.models import Parameter, Submission


@job(at="03:10")
def remove_old_drafts(today: dt.date) -> None:
    """Drafts older than parameter `draft_days`, with their files."""
    since = timezone.now() - dt.timedelta(days=Parameter.of("draft_days"))
    Submission.objects.filter(arrival_number=None, updated_at__lt=since).delete()
