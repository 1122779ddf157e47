"""The municipality's part of the warehouse: every night's feed of every system, and the figures in it."""

from __future__ import annotations

from django.db import models

from systems.core import parameters


class Feed(models.Model):
    """One feed as it arrived. A whole one has figures; a wrong one only says what is wrong.

    `received_at`: when the day's first whole one came. `late`: sent later than on the next day, so figures of states in
    it are not the day's own.
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


class Parameter(parameters.Parameter):
    """Thresholds of the warehouse, such as the hour by which feeds are due."""
