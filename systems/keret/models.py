"""What the framework stores: clerks and their roles here, who is present, and the business log."""

from __future__ import annotations

import datetime as dt

from django.conf import settings
from django.db import models
from django.db.models import Exists, OuterRef, Q
from django.utils import timezone

from systems.core.clerk import LONGEST
from systems.shell import presence


class UserSet(models.QuerySet):
    def holding(self, key: str) -> UserSet:
        """Clerks who may work and have a role (`<system>.<role>`) permanently: not by substitution or permission."""
        system, role = key.split(".")
        grants = Grant.objects.active().filter(
            kind=Grant.Kind.PERMANENT, system=system, role=role, user_id=OuterRef("pk")
        )
        own = Q(managed=False, token_roles__contains=[key]) | Q(Exists(grants), managed=True)
        return self.filter(own, locked_at=None)


class User(models.Model):
    """A clerk of this municipality. The identity provider signs them in; what they may do here is decided here.

    `token_roles`: those of the last sign-in, as `<system>.<role>`; they apply until an administrator sets roles here
    (`managed`). `not_before`: sessions that began earlier are over, in every system.
    """

    username = models.CharField("felhasználónév", max_length=60, unique=True)
    name = models.CharField("név", max_length=120)
    position = models.CharField("munkakör", max_length=120, blank=True)
    email = models.EmailField("e-mail-cím", blank=True)
    phone = models.CharField("telefonszám", max_length=40, blank=True)
    managed = models.BooleanField(default=False)
    token_roles = models.JSONField(default=list)
    locked_at = models.DateTimeField(null=True)
    lock_reason = models.CharField(max_length=200, blank=True)
    not_before = models.DateTimeField(null=True)
    created_at = models.DateTimeField(auto_now_add=True)
    last_seen = models.DateTimeField(null=True)

    objects = UserSet.as_manager()

    class Meta:
        db_table = "clerk"
        ordering = ["name", "username"]

    def __str__(self) -> str:
        return f"{self.name} ({self.username})"

    def base_roles(self) -> set[str]:
        """The clerk's own roles, without substitutions and temporary permissions."""
        if not self.managed:
            return set(self.token_roles)
        return {grant.key for grant in self.grants.active().filter(kind=Grant.Kind.PERMANENT)}


class GrantSet(models.QuerySet):
    def active(self, at=None) -> GrantSet:
        """Grants that are in force at a moment (default: now)."""
        at = at or timezone.now()
        return self.filter(Q(until=None) | Q(until__gt=at), since__lte=at, revoked_at=None)


class Grant(models.Model):
    """A role in one system, or by substitution all roles of a colleague, for a period."""

    class Kind(models.TextChoices):
        PERMANENT = "permanent", "állandó"
        TEMPORARY = "temporary", "ideiglenes engedély"
        SUBSTITUTION = "substitution", "helyettesítés"

    user = models.ForeignKey(User, on_delete=models.PROTECT, related_name="grants")
    kind = models.CharField(max_length=12, choices=Kind)
    system = models.CharField(max_length=20, blank=True)
    role = models.CharField(max_length=40, blank=True)
    substitutes = models.ForeignKey(User, on_delete=models.PROTECT, related_name="substituted_by", null=True)
    since = models.DateTimeField(default=timezone.now)
    until = models.DateTimeField(null=True)
    reason = models.CharField(max_length=200, blank=True)
    given_by = models.CharField(max_length=120)
    revoked_at = models.DateTimeField(null=True)
    revoked_by = models.CharField(max_length=120, blank=True)

    objects = GrantSet.as_manager()

    class Meta:
        db_table = "role_grant"
        ordering = ["-since", "-id"]
        constraints = [
            models.CheckConstraint(
                name="role_or_colleague",
                condition=Q(kind="substitution", substitutes__isnull=False, role="")
                | (~Q(kind="substitution") & Q(substitutes=None) & ~Q(role="")),
            ),
            models.CheckConstraint(name="not_oneself", condition=~Q(substitutes=models.F("user"))),
            models.CheckConstraint(
                name="temporary_ends",
                condition=Q(kind="permanent") | Q(until__isnull=False, until__gt=models.F("since")),
            ),
            models.UniqueConstraint(
                name="permanent_role_once",
                fields=["user", "system", "role"],
                condition=Q(kind="permanent", revoked_at=None),
            ),
        ]

    @property
    def key(self) -> str:
        return f"{self.system}.{self.role}"


class PresenceSet(models.QuerySet):
    def inside(self, at) -> PresenceSet:
        """Those that were not ended and whose session can still be alive at a moment.

        A session in use is reported only every `presence.EVERY` seconds, so its end is noticed that much later.
        """
        idle = at - dt.timedelta(seconds=settings.SESSION_COOKIE_AGE + presence.EVERY)
        in_use = Q(seen_at__gt=idle) | Q(seen_at=None, began_at__gt=idle)
        return self.filter(in_use, ended_at=None, began_at__gt=at - dt.timedelta(seconds=LONGEST))


class Presence(models.Model):
    """One sign-in to one system, and when it ended by signing out. `seen_at`: when it was last in use."""

    username = models.CharField(max_length=60)
    system = models.CharField(max_length=20)
    began_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)
    seen_at = models.DateTimeField(null=True)

    objects = PresenceSet.as_manager()

    class Meta:
        db_table = "presence"
        ordering = ["-began_at"]
        indexes = [models.Index(fields=["username", "-began_at"], name="presence_of_clerk")]


class Activity(models.Model):
    """One line of the business log: who changed what, in which system, when. Lines are never changed or deleted."""

    at = models.DateTimeField(db_index=True)
    username = models.CharField(max_length=60)
    name = models.CharField(max_length=120)
    system = models.CharField(max_length=20)
    action = models.CharField(max_length=80)
    subject = models.CharField(max_length=200, blank=True)

    class Meta:
        db_table = "activity"
        ordering = ["-at", "-id"]
