"""An invented budget for this year in proportion to the population, with orders, invoices, payments and receipts."""

from __future__ import annotations

import datetime as dt
from random import Random

from django.utils import timezone

from systems.core import facts, people
from systems.gazd import bookkeeping, years
from systems.gazd.bookkeeping import Line
from systems.gazd.models import Item, Partner, VatRate, Voucher

PER_HEAD = {"K1": 90_000, "K2": 12_000, "K3": 80_000, "K351": 6_000, "K4": 5_000, "K5": 15_000,
            "K6": 40_000, "K7": 20_000, "B1": 150_000, "B3": 60_000, "B4": 52_000}  # fmt: skip
PEOPLE_TO_AN_ORDER = 100
ORDERED = ("K3", "K3", "K3", "K6", "K7")
RECORDER, APPROVER = "szintetikus.rogzito", "szintetikus.jovahagyo"
COUNTERSIGNER = "szintetikus.ellenjegyzo"
SUBJECTS = ("Irodaszer", "Karbantartás", "Útjavítás", "Tűzifa", "Számítógép", "Parkgondozás", "Közvilágítás")


def fill(random: Random, population: int) -> None:
    """A year's books: about one order for each hundred inhabitants."""
    today, town = timezone.localdate(), facts.of_tenant().name
    first = dt.date(today.year, 1, 1)
    year = years.open_year(today.year, RECORDER)
    heads = max(population, 200)
    plans = {
        code: bookkeeping.appropriate(year, Item.objects.get(pk=code), heads * amount)
        for code, amount in PER_HEAD.items()
    }
    opening = heads * 100_000
    lines = [Line("33", debit=opening), Line("12", debit=9 * opening), Line("41", credit=10 * opening)]
    bookkeeping.post(Voucher.Kind.OPENING, first, "Nyitó tételek (szintetikus)", lines, RECORDER)
    for code in ("B1", "B3", "B4"):
        amount = heads * PER_HEAD[code] // 2
        bookkeeping.receive(plans[code].item, amount, first, "33", "Szintetikus bevétel", RECORDER)
    partners = [_partner(random, town) for _ in range(3 + population // 800)]
    rates = list(VatRate.objects.all())
    for number in range(4 + population // PEOPLE_TO_AN_ORDER):
        day = first + dt.timedelta(days=random.randint(0, (today - first).days))
        _order(random, plans[random.choice(ORDERED)], random.choice(partners), random.choice(rates), day, number)


def _partner(random: Random, town: str) -> Partner:
    firm = people.firm(random, town)
    partner, _ = Partner.objects.get_or_create(
        tax_number=firm.identifier, defaults={"name": f"{firm.name} (szintetikus)", "address": firm.address}
    )
    return partner


def _order(random: Random, plan, partner: Partner, rate: VatRate, day: dt.date, number: int) -> None:
    """An order; mostly invoiced, and often validated, approved and paid."""
    subject, net = random.choice(SUBJECTS), random.randrange(5, 300) * 1_000
    gross = net + bookkeeping.vat_of(net, rate.percent)
    commitment = bookkeeping.commit(plan, partner, f"{subject} (szintetikus)", day, gross, RECORDER)
    bookkeeping.countersign(commitment.pk, COUNTERSIGNER)
    if random.random() < 0.1:
        return
    days = (day, day, day + dt.timedelta(days=30))
    line = (subject, net, rate, plan.item_id == "K3" and random.random() < 0.2)
    invoice = bookkeeping.record_invoice(commitment, f"SZINT-{number}", days, [line], RECORDER)
    if random.random() < 0.05:
        return
    bookkeeping.validate(invoice.pk, COUNTERSIGNER)
    if random.random() < 0.9:
        bookkeeping.approve(invoice.pk, day, APPROVER)
        if random.random() < 0.8:
            bookkeeping.pay([invoice.pk], day, "33", RECORDER)
