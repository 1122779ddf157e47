"""Invented taxpayers with last year's assessments; most paid, some late, some not."""

from __future__ import annotations

import datetime as dt
from random import Random

from django.utils import timezone

from systems.ado import payments, statements
from systems.ado.assessing import instalments, tax_of
from systems.ado.models import Assessment, Instalment, Payment, Statement, Tax, Taxpayer
from systems.core import facts, people

PEOPLE_TO_A_TAXPAYER = 25  # inhabitants


def fill(random: Random, population: int) -> None:
    """About one taxpayer for each twenty-five inhabitants."""
    town, today = facts.of_tenant().name, timezone.localdate()
    business, building = Tax.objects.get(code="hipa"), Tax.objects.get(code="epitmeny")
    for number in range(5 + population // PEOPLE_TO_A_TAXPAYER):
        firm = random.random() < 0.4
        who = people.firm(random, town) if firm else people.person(random, town, today)
        taxpayer, made = Taxpayer.objects.get_or_create(
            identifier=who.identifier, defaults={"name": f"{who.name} (szintetikus)", "address": who.address}
        )
        if made:
            base = random.randrange(1, 400) * 100_000 if firm else random.randrange(40, 300) * 1_000
            _account(random, taxpayer, business if firm else building, base, today, number)
    _statement(random, today)


def _statement(random: Random, today: dt.date) -> None:
    """A bank statement of which one transfer is recognised and one is nobody's yet."""
    taxpayer = Taxpayer.objects.order_by("pk").first()
    if not taxpayer or Statement.objects.exists():
        return
    lines = [
        f"{today};{random.randrange(10, 90) * 1000};SZINT-BANK-1;{taxpayer.name};helyi adó {taxpayer.identifier}",
        f"{today};{random.randrange(10, 90) * 1000};SZINT-BANK-2;Ismeretlen befizető (szintetikus);adó",
    ]
    content = "\n".join([";".join(statements.COLUMNS), *lines]).encode()
    made = statements.take(content, "szintetikus-kivonat.csv", "Szintetikus adat")
    statements.book(made.pk, "Szintetikus adat")


def _account(random: Random, taxpayer: Taxpayer, tax: Tax, base: int, today: dt.date, number: int) -> None:
    year, amount = today.year - 1, tax_of(base, tax.per_mille)
    assessment = Assessment.objects.create(
        taxpayer=taxpayer,
        tax=tax,
        year=year,
        base=base,
        per_mille=tax.per_mille,
        amount=amount,
        made_by="Szintetikus adat",
    )
    for index, (due, part) in enumerate(instalments(tax, amount, year)):
        Instalment.objects.create(assessment=assessment, due=due, amount=part)
        paid = due + dt.timedelta(days=random.choice([-3, 0, 0, 5, 40]))
        if part and paid <= today and random.random() < 0.85:
            made = Payment(
                taxpayer=taxpayer,
                day=paid,
                amount=part,
                reference=f"SZINT-{year}-{number}-{index}",
                recorded_by="Szintetikus adat",
            )
            payments.receive([made], tax)
