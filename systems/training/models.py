"""Who has done which exercise, and the certificates. Both stay when the sandbox is refilled (docs/systems.md)."""

from __future__ import annotations

from django.db import models
from django.utils import timezone


class Pass(models.Model):
    """An exercise that a clerk has done; `done_at`: when the last of its steps was logged."""

    username = models.CharField(max_length=60)
    name = models.CharField(max_length=120)
    exercise = models.CharField(max_length=20)
    done_at = models.DateTimeField()
    checked_at = models.DateTimeField(default=timezone.now)

    class Meta:
        db_table = "pass"
        ordering = ["name", "username", "done_at"]
        constraints = [models.UniqueConstraint(name="passed_once", fields=["username", "exercise"])]


class Certificate(models.Model):
    """The certificate of a whole course: `exercises` are their codes in order. A wider course gives another one."""

    username = models.CharField(max_length=60)
    name = models.CharField(max_length=120)
    exercises = models.JSONField()
    issued_at = models.DateTimeField(default=timezone.now)

    class Meta:
        db_table = "certificate"
        ordering = ["-issued_at", "-id"]
        constraints = [models.UniqueConstraint(name="certified_once", fields=["username", "exercises"])]

    @property
    def number(self) -> str:
        return f"OKT/{timezone.localtime(self.issued_at).year}/{self.pk}"
