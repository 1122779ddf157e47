"""Invented citizens' forms: some drafts, most submitted, with the course of their cases. No other system gets them."""

from __future__ import annotations

import datetime as dt
import uuid
from random import Random

from django.utils import timezone

from systems.core import facts, people
from systems.elugy import catalogue
from systems.elugy.definition import Definition, Field, Kind
from systems.elugy.models import ArrivalBook, Event, Status, Submission

PEOPLE_TO_A_FORM = 60  # inhabitants
DAYS = 300  # over which forms came in
COURSES = (  # how far a case went, and how often
    ((Status.SUBMITTED,), 1),
    ((Status.SUBMITTED, Status.REGISTERED), 2),
    ((Status.SUBMITTED, Status.REGISTERED, Status.IN_PROGRESS), 3),
    ((Status.SUBMITTED, Status.REGISTERED, Status.IN_PROGRESS, Status.DECIDED), 8),
    ((Status.SUBMITTED, Status.REGISTERED, Status.IN_PROGRESS, Status.REJECTED), 1),
)


def fill(random: Random, population: int) -> None:
    """About one form for each sixty inhabitants. Case numbers begin with SZINT, so that none looks real."""
    town, now = facts.of_tenant().name, timezone.now()
    times = sorted(
        now - dt.timedelta(minutes=random.randrange(DAYS * 24 * 60)) for _ in range(3 + population // PEOPLE_TO_A_FORM)
    )
    for count, at in enumerate(times, 1):
        person, form = people.person(random, town, now.date()), random.choice(catalogue.current())
        submission = Submission(
            id=uuid.UUID(int=random.getrandbits(128), version=4),
            form=form.code,
            version=form.version,
            identifier=person.identifier,
            name=person.name,
            email=person.email,
            data=answers(random, form, person, town, at.date()),
            created_at=at,
            updated_at=at,
        )
        if random.random() < 0.1:
            submission.save()
            continue
        course = random.choices([c for c, _ in COURSES], [weight for _, weight in COURSES])[0]
        submission.arrival_number = ArrivalBook.next_number(at.year)
        submission.submitted_at, submission.status = at, course[-1]
        submission.case_number = f"SZINT/{at.year}/{count}" if len(course) > 1 else ""
        submission.save()
        moment = at
        for status in course:
            Event.objects.create(
                submission=submission,
                status=status,
                at=moment,
                number=submission.arrival_number if status == Status.SUBMITTED else submission.case_number,
            )
            moment = min(now, moment + dt.timedelta(minutes=random.randrange(5, 4 * 24 * 60)))


def answers(random: Random, form: Definition, person: people.Person, town: str, day: dt.date) -> dict:
    """Complete and valid answers to a form."""
    data: dict = {}
    for step in form.steps:
        for question in step.applicable(data):
            data[question.name] = _answer(random, question, person, town, day)
        if "tax_base" in data:
            data |= {"net_revenue": 9_000_000, "cost_of_goods": 2_000_000, "material_cost": 500_000}
            data |= {"subcontracting": 0, "research_cost": 0, "tax_base": 6_500_000}
    if form.code == "hipa":
        year = day.year - 1
        data |= {"year": year, "period_from": f"{year}-01-01", "period_until": f"{year}-12-31"}
    if "deceased_born" in data:
        data["deceased_born"] = "1940-05-06"
    return form.applicable_answers(data)


def _answer(random: Random, question: Field, person: people.Person, town: str, day: dt.date):
    match question.kind:
        case Kind.CHOICE:
            return random.choice(question.choices)[0]
        case Kind.YES_NO:
            return random.random() < 0.3
        case Kind.STATEMENT:
            return True
        case Kind.IDENTIFIER:
            return people.firm(random, town).identifier
        case Kind.TAX_SIGN:
            return people.person(random, town, day).identifier
        case Kind.DAY:
            return (day - dt.timedelta(days=random.randrange(1, 90))).isoformat()
        case Kind.YEAR:
            return day.year - 1
        case Kind.WHOLE | Kind.MONEY:
            return min(question.most or 10**6, random.randrange(10, 900) * 1000)
    if "address" in question.name:
        return people.address(random, town)
    if "name" in question.name:
        return people.person(random, town, day).name
    return f"Szintetikus válasz: {question.label}."[: question.length]
