"""The municipality's part of the warehouse: every night's feed of every system, and the figures in it."""

from __future__ import annotations

from django.db import models


class Feed(models.Model):
    """One feed as it arrived. Whole ones have figures; wrong ones say what is wrong and count for nothing.

    `received_at`: when the day's first whole one came. `late`: made up for on a later day than the next, so states in
    it are not those of the day.
    """

    class Status(models.TextChoices):
        WHOLE = "whole", "ép"
        WRONG = "wrong", "hibás"

    system = models.CharField(max_length=20)
    day = models.DateField()
    received_at = models.DateTimeField()
    count = models.PositiveIntegerField()
    sha256 = models.CharField(max_length=64)
    status = models.CharField(max_length=5, choices=Status)
    fault = models.CharField(max_length=300, blank=True)
    late = models.BooleanField(default=False)

    class Meta:
        db_table = "feed"
        ordering = ["-day", "system"]
        constraints = [
            models.UniqueConstraint(
                name="one_whole_feed_a_day", fields=["system", "day"], condition=models.Q(status="whole")
            )
        ]


class Figure(models.Model):
    """One number of a whole feed. `kind`: count (of things) or forint."""

    feed = models.ForeignKey(Feed, on_delete=models.CASCADE, related_name="figures")
    measure = models.CharField(max_length=80)
    dimension = models.CharField(max_length=80, blank=True)
    kind = models.CharField(max_length=6)
    value = models.BigIntegerField()

    class Meta:
        db_table = "figure"
        ordering = ["measure", "dimension"]
        constraints = [models.UniqueConstraint(name="figure_once_a_feed", fields=["feed", "measure", "dimension"])]


class Parameter(models.Model):
    """A threshold with its source; `status` is assumed until a contract or decree says it."""

    name = models.CharField(max_length=40, primary_key=True)
    value = models.IntegerField()
    unit = models.CharField(max_length=20)
    source = models.CharField(max_length=200)
    status = models.CharField(max_length=10, default="assumed")

    class Meta:
        db_table = "parameter"
