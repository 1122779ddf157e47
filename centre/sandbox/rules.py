"""Where invented data may go, and what must be said before it goes there."""

from __future__ import annotations

from inventory.models import Municipality, Phase
from inventory.register import Register


class SandboxFault(Exception):
    """What was asked for is not done; the message says what was seen and what is needed. Nothing was touched."""


def may_fill(register: Register, ksh: str) -> Municipality:
    """The municipality of a KSH code, if invented data may be put beside what it has; SandboxFault otherwise."""
    municipality = _joined(register, ksh)
    if municipality.phase == Phase.LIVE and not register.environment.demonstration:
        raise SandboxFault(
            f"{municipality.name} ({ksh}) is live: invented data never meets real data. Fill a sandbox (training: "
            f"true), or write demonstration: true in environment {register.environment.id} if nobody works there"
        )
    return municipality


def may_refill(register: Register, ksh: str) -> Municipality:
    """The municipality of a KSH code, if it may be emptied; SandboxFault otherwise."""
    municipality = register.municipality(ksh)
    if not municipality.training:
        raise SandboxFault(
            f"{municipality.name} ({ksh}) is not marked training: true in the register; only a sandbox is ever emptied"
        )
    return _joined(register, ksh)


def confirm(municipality: Municipality, name: str) -> None:
    """SandboxFault unless `name` is the municipality's."""
    if name != municipality.name:
        raise SandboxFault(
            f"not confirmed: seen {name or '(none)'}, expected the municipality's name. "
            f"Run it again with -e confirm={municipality.name}"
        )


def _joined(register: Register, ksh: str) -> Municipality:
    municipality = register.municipality(ksh)
    if not municipality.joined:
        raise SandboxFault(
            f"{municipality.name} ({ksh}) has no tenant in phase {municipality.phase}. "
            "Write phase: connection and run playbooks/join.yml first"
        )
    return municipality
