"""What a notification needs before it can be registered, and what a clerk should check."""

from __future__ import annotations

import re
from dataclasses import dataclass

from django.utils import timezone

from systems.iparker.models import Entry, Kind, Notification, ProductGroup, Trade

_TIME = re.compile(r"\b([01]?\d|2[0-4])(?:[:.]([0-5]\d))?\s*(?:[-–]|-?t[óő]l)\s*([01]?\d|2[0-4])(?:[:.]([0-5]\d))?\b")


@dataclass(frozen=True)
class Finding:
    """One remark in Hungarian; a `blocking` one prevents registration."""

    text: str
    blocking: bool = True


def kind_of(products: list[str]) -> Kind:
    """What a trade with these product groups needs: a licence as soon as one of them does."""
    licensed = ProductGroup.objects.filter(code__in=products, licensed=True).exists()
    return Kind.LICENCE if licensed else Kind.NOTIFICATION


def findings(trade: Trade) -> list[Finding]:
    """Findings about a notification, or about an entry with its new data."""
    findings = [*_site(trade), *_products(trade)]
    if isinstance(trade, Notification):
        findings += _circumstances(trade)
    return findings


def _site(trade: Trade) -> list[Finding]:
    if trade.form != Trade.Form.SHOP:
        return [] if trade.site.strip() else [Finding("Hiányzik a tevékenység helye vagy útvonala.")]
    findings = []
    if not trade.site.strip():
        findings.append(Finding("Hiányzik az üzlet címe."))
    if not trade.shop_name.strip():
        findings.append(Finding("Hiányzik az üzlet elnevezése."))
    if not trade.floor_area:
        findings.append(Finding("Hiányzik az üzlet alapterülete."))
    if not trade.opening_hours.strip():
        findings.append(Finding("Hiányzik az üzlet nyitvatartása."))
    elif not hours(trade.opening_hours):
        findings.append(Finding("A nyitvatartásból nem derül ki, mettől meddig tart nyitva az üzlet.", blocking=False))
    return findings


def hours(text: str) -> list[tuple[int, int]]:
    """Time spans in a text of opening hours, in minutes from midnight: `H–P 8.00–16.30` gives [(480, 990)]."""
    spans = [
        (int(h) * 60 + int(m or 0), int(k) * 60 + int(n or 0))
        for h, m, k, n in (s.groups() for s in _TIME.finditer(text))
    ]
    return [(begin, end) for begin, end in spans if begin < end <= 24 * 60]


def _products(trade: Trade) -> list[Finding]:
    groups = {group.code: group for group in ProductGroup.objects.filter(code__in=trade.products)}
    if not groups:
        return [Finding("Nincs megadva, mely termékköröket forgalmazza a kereskedő.")]
    findings = []
    licence_groups = [group.name for group in groups.values() if group.licensed]
    if licence_groups and trade.form != Trade.Form.SHOP:
        findings.append(Finding(f"Csak üzletben, működési engedéllyel forgalmazható: {', '.join(licence_groups)}."))
    if trade.alcohol and not any(code.startswith("1.") for code in groups):
        findings.append(Finding("Szeszes italt árusít, de élelmiszer-termékköre nincs."))
    return findings


def _circumstances(notification: Notification) -> list[Finding]:
    findings = []
    duplicate = Entry.objects.filter(
        trader_identifier=notification.trader_identifier, site__iexact=notification.site.strip(), until=None
    ).first()
    if duplicate:
        findings.append(Finding(f"Ezen a helyen ennek a kereskedőnek már van élő bejegyzése: {duplicate.number}."))
    if notification.since < notification.received_on:
        text = "A tevékenység kezdete korábbi a bejelentésnél; az előzőleg bejelentés nélkül folytatott tevékenység."
        findings.append(Finding(text, blocking=False))
    if (notification.since - timezone.localdate()).days > 365:
        findings.append(Finding("A tevékenység egy évnél később kezdődne.", blocking=False))
    return findings
