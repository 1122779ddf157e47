"""A clerk's course: their exercises, whether they have done them, and the certificate at the end.

What was done is read from the framework's granted view `keret.clerk_deed`, and from no other system's data.
"""

from __future__ import annotations

import datetime as dt

from django.conf import settings
from django.db import connection, transaction

from systems import tenancy
from systems.core.clerk import Clerk
from systems.training.exercises import EXERCISES, Exercise
from systems.training.models import Certificate, Pass


def of_clerk(clerk: Clerk) -> list[Exercise]:
    """Exercises in the municipality's systems for which the clerk has a role."""
    ksh = tenancy.current().ksh
    systems = {entry.id for entry in settings.ASP.catalogue if entry.serves(ksh)}
    return [
        exercise
        for exercise in EXERCISES
        if exercise.system in systems and exercise.roles & clerk.roles_in(exercise.system)
    ]


def deeds(username: str, exercise: Exercise) -> dict[str, dt.datetime]:
    """The actions of an exercise that the clerk has done, with the time of the first."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT action, min(at) FROM keret.clerk_deed "
            "WHERE username = %s AND system = %s AND action = ANY (%s) GROUP BY action",
            [username, exercise.system, list(exercise.actions)],
        )
        return dict(cursor.fetchall())


def starters() -> dict[str, str]:
    """Names of the clerks who have signed in to the training system since it was filled, by user name."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT username, max(name) FROM keret.clerk_deed WHERE system = %s GROUP BY username",
            [settings.ASP.system],
        )
        return dict(cursor.fetchall())


@transaction.atomic
def check(clerk: Clerk, exercise: Exercise) -> list[str]:
    """Actions still to be done. If none, the exercise is passed; the last one of the course brings the certificate."""
    dates = deeds(clerk.username, exercise)
    if missing := [action for action in exercise.actions if action not in dates]:
        return missing
    Pass.objects.get_or_create(
        username=clerk.username, exercise=exercise.code, defaults={"name": clerk.name, "done_at": max(dates.values())}
    )
    codes = [lesson.code for lesson in of_clerk(clerk)]
    if set(codes) <= passed_codes(clerk.username):
        Certificate.objects.get_or_create(username=clerk.username, exercises=codes, defaults={"name": clerk.name})
    return []


def passed_codes(username: str) -> set[str]:
    """Codes of the exercises that a clerk has passed."""
    return set(Pass.objects.filter(username=username).values_list("exercise", flat=True))
