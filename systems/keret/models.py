"""What the framework itself keeps: who came and went (the beginning of its business log)."""

from django.db import models


class Event(models.Model):
    """One line of the business log. Nothing deletes or changes a line."""

    class Kind(models.TextChoices):
        SIGNED_OUT = "signed-out", "Kilépés"
        OPENED = "opened", "Kezdőlap megnyitása"

    at = models.DateTimeField(auto_now_add=True)
    username = models.CharField(max_length=60)
    kind = models.CharField(max_length=20, choices=Kind)

    class Meta:
        db_table = "event"
        ordering = ["-at", "-id"]
