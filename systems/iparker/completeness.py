"""What a notification lacks before it can be registered, and what a clerk should look at."""

from __future__ import annotations

import re
from dataclasses import dataclass

from django.utils import timezone

from systems.iparker.models import Entry, Kind, Notification, ProductGroup, Trade

_TIME = re.compile(r"\b([01]?\d|2[0-4])(?:[:.]([0-5]\d))?\s*(?:[-–]|-?t[óő]l)\s*([01]?\d|2[0-4])(?:[:.]([0-5]\d))?\b")


@dataclass(frozen=True)
class Finding:
    """One remark in Hungarian; with a `blocking` one nothing is registered."""

    text: str
    blocking: bool = True


def kind_of(products: list[str]) -> Kind:
    """A licence is needed as soon as one group of goods needs it."""
    licensed = ProductGroup.objects.filter(code__in=products, licensed=True).exists()
    return Kind.LICENCE if licensed else Kind.NOTIFICATION


def findings(trade: Trade) -> list[Finding]:
    """Of a notification, or of an entry as it would become."""
    found = [*_site(trade), *_products(trade)]
    if isinstance(trade, Notification):
        found += _other(trade)
    return found


def _site(trade: Trade) -> list[Finding]:
    if trade.form != Trade.Form.SHOP:
        return [] if trade.site.strip() else [Finding("Hiányzik a tevékenység helye vagy útvonala.")]
    found = []
    if not trade.site.strip():
        found.append(Finding("Hiányzik az üzlet címe."))
    if not trade.shop_name.strip():
        found.append(Finding("Hiányzik az üzlet elnevezése."))
    if not trade.floor_area:
        found.append(Finding("Hiányzik az üzlet alapterülete."))
    if not trade.opening_hours.strip():
        found.append(Finding("Hiányzik az üzlet nyitvatartása."))
    elif not hours(trade.opening_hours):
        found.append(Finding("A nyitvatartásból nem derül ki, mettől meddig tart nyitva az üzlet.", blocking=False))
    return found


def hours(text: str) -> list[tuple[int, int]]:
    """Spans of time in a text of opening hours, in minutes from midnight: `H–P 8.00–16.30` gives [(480, 990)]."""
    spans = [
        (int(h) * 60 + int(m or 0), int(k) * 60 + int(n or 0))
        for h, m, k, n in (s.groups() for s in _TIME.finditer(text))
    ]
    return [(begin, end) for begin, end in spans if begin < end <= 24 * 60]


def _products(trade: Trade) -> list[Finding]:
    known = {group.code: group for group in ProductGroup.objects.filter(code__in=trade.products)}
    if not known:
        return [Finding("Nincs megadva, mely termékköröket forgalmazza a kereskedő.")]
    found = []
    licensed = [group.name for group in known.values() if group.licensed]
    if licensed and trade.form != Trade.Form.SHOP:
        found.append(Finding(f"Csak üzletben, működési engedéllyel forgalmazható: {', '.join(licensed)}."))
    if trade.alcohol and not any(code.startswith("1.") for code in known):
        found.append(Finding("Szeszes italt árusít, de élelmiszer-termékköre nincs."))
    return found


def _other(notification: Notification) -> list[Finding]:
    found = []
    same = Entry.objects.filter(
        trader_identifier=notification.trader_identifier, site__iexact=notification.site.strip(), until=None
    ).first()
    if same:
        found.append(Finding(f"Ezen a helyen ennek a kereskedőnek már van élő bejegyzése: {same.number}."))
    if notification.since < notification.received_on:
        text = "A tevékenység kezdete korábbi a bejelentésnél; az előzőleg bejelentés nélkül folytatott tevékenység."
        found.append(Finding(text, blocking=False))
    if (notification.since - timezone.localdate()).days > 365:
        found.append(Finding("A tevékenység egy évnél később kezdődne.", blocking=False))
    return found
