"""Packages of earlier data: uploaded, checked by every system concerned, approved, checked again, and imported."""

from __future__ import annotations

from django.db import models
from django.utils import timezone


class Package(models.Model):
    """One zip with a manifest, imported at most once. `FAILED`: nothing of it was written anywhere.

    `uploader`, `approver`: usernames, never the same. View `import_approval` shows the importing systems what they may
    write.
    """

    class State(models.TextChoices):
        CHECKING = "checking", "Ellenőrzés folyamatban"
        FAULTY = "faulty", "Hibás"
        CLEAN = "clean", "Átvehető"
        APPROVED = "approved", "Jóváhagyva, ismételt ellenőrzés folyamatban"
        APPLYING = "applying", "Átvétel folyamatban"
        APPLIED = "applied", "Átvéve"
        PARTIAL = "partial", "Részben átvéve"
        FAILED = "failed", "Az átvétel elmaradt"

    name = models.CharField("fájl neve", max_length=200)
    sha256 = models.CharField(max_length=64)
    content = models.BinaryField()
    balances = models.JSONField(default=dict)
    state = models.CharField(max_length=8, choices=State, default=State.CHECKING)
    uploaded_at = models.DateTimeField(default=timezone.now)
    uploaded_by = models.CharField(max_length=120)
    uploader = models.CharField(max_length=60)
    applied_at = models.DateTimeField(null=True)
    applied_by = models.CharField(max_length=120, blank=True)
    approver = models.CharField(max_length=120, blank=True)

    class Meta:
        db_table = "package"
        ordering = ["-uploaded_at", "-id"]
        constraints = [
            models.UniqueConstraint(
                name="content_taken_over_once",
                fields=["sha256"],
                condition=models.Q(state__in=["approved", "applying", "applied", "partial"]),
            ),
            models.CheckConstraint(
                name="approved_by_another",
                condition=~models.Q(state__in=["approved", "applying", "applied", "partial"])
                | (~models.Q(approver="") & ~models.Q(approver=models.F("uploader"))),
            ),
        ]


class Part(models.Model):
    """One system's last report on its files, from a check or the import. Without a report, it is still awaited."""

    package = models.ForeignKey(Package, on_delete=models.CASCADE, related_name="parts")
    system = models.CharField(max_length=20)
    report = models.JSONField(null=True)
    balance_faults = models.JSONField(default=list)
    applied = models.BooleanField(default=False)

    class Meta:
        db_table = "part"
        ordering = ["system"]
        constraints = [models.UniqueConstraint(name="part_once", fields=["package", "system"])]

    @property
    def clean(self) -> bool:
        return self.report is not None and not self.report["faults_count"] and not self.balance_faults
