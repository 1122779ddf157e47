"""Invented taxpayers with last year's assessments; most have paid, some late, some not at all."""

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
        payer = people.firm(random, town) if firm else people.person(random, town, today)
        taxpayer, is_new = Taxpayer.objects.get_or_create(
            identifier=payer.identifier, defaults={"name": f"{payer.name} (szintetikus)", "address": payer.address}
        )
        if is_new:
            base = random.randrange(1, 400) * 100_000 if firm else random.randrange(40, 300) * 1_000
            _account(random, taxpayer, business if firm else building, base, today, number)
    _statement(random, today)


def _statement(random: Random, today: dt.date) -> None:
    """A bank statement with one recognised and one unknown transfer."""
    taxpayer = Taxpayer.objects.order_by("pk").first()
    if not taxpayer or Statement.objects.exists():
        return
    lines = [
        f"{today};{random.randrange(10, 90) * 1000};SZINT-BANK-1;{taxpayer.name};helyi adó {taxpayer.identifier}",
        f"{today};{random.randrange(10, 90) * 1000};SZINT-BANK-2;Ismeretlen befizető (szintetikus);adó",
    ]
    content = "\n".join([";".join(statements.COLUMNS), *lines]).encode()
    statement = statements.take(content, "szintetikus-kivonat.csv", "Szintetikus adat")
    statements.book(statement.pk, "Szintetikus adat")


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
        pay_day = due + dt.timedelta(days=random.choice([-3, 0, 0, 5, 40]))
        if part and pay_day <= today and random.random() < 0.85:
            payment = Payment(
                taxpayer=taxpayer,
                day=pay_day,
                amount=part,
                reference=f"SZINT-{year}-{number}-{index}",
                recorded_by="Szintetikus adat",
            )
            payments.receive([payment], tax)
