"""Numbers that a law, a contract or a decision gives, as rows that a municipality can correct."""

from __future__ import annotations

from django.db import models


class Parameter(models.Model):
    """A number with its source; `status` is `assumed` until a law, contract or decree is known to say it.

    Each system that has such numbers makes this its own table `parameter`.
    """

    name = models.CharField(max_length=40, primary_key=True)
    value = models.IntegerField()
    unit = models.CharField(max_length=20)
    source = models.CharField(max_length=200)
    status = models.CharField(max_length=10, default="assumed")

    class Meta:
        abstract = True
        db_table = "parameter"

    @classmethod
    def value_of(cls, name: str) -> int:
        """The value of one parameter; DoesNotExist when the system's migrations never gave it one."""
        return cls.objects.values_list("value", flat=True).get(pk=name)
