"""How a clerk signs in at Keycloak, as plain data: a certificate first, then the register's second factor.

One description serves the import file, the running realm (`centre.identity.flows`) and the readiness check, so that
the three cannot differ.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from inventory.models import SecondFactor

CERTIFICATE = "auth-x509-client-username-form"
PASSWORD = "auth-password-form"  # a password alone: the user is known already, from the certificate
ONE_TIME_CODE = "auth-otp-form"
DENY = "deny-access-authenticator"
# Two names that take turns: a flow in use cannot be changed in one step, so its successor is built beside it.
BROWSER_FLOWS = ("asp sign-in A", "asp sign-in B")
NO_DIRECT_GRANT = ("asp no direct grant A", "asp no direct grant B")

_CERTIFICATE_CONFIG = {
    "x509-cert-auth.mapping-source-selection": "Subject's Common Name",
    "x509-cert-auth.mapper-selection": "Username or Email",
    "x509-cert-auth.extendedkeyusage": "1.3.6.1.5.5.7.3.2",  # clientAuth
    "x509-cert-auth.timestamp-validation-enabled": "true",
    "x509-cert-auth.revalidate-certificate-enabled": "true",  # against the environment's root
    "x509-cert-auth.confirmation-page-disallowed": "true",
    # Revocation is decided at the edge, which passes on no certificate that is revoked or unchecked.
    "x509-cert-auth.crl-checking-enabled": "false",
    "x509-cert-auth.ocsp-checking-enabled": "false",
}


@dataclass(frozen=True)
class Step:
    """One authenticator of Keycloak's with its requirement and its settings."""

    authenticator: str
    requirement: str = "REQUIRED"
    config: Mapping[str, str] = field(default_factory=dict)


SESSION_SECONDS = 12 * 3600  # a working day: nobody stays signed in overnight
_ONCE_A_SESSION = Step(
    "conditional-level-of-authentication", config={"loa-condition-level": "1", "loa-max-age": str(SESSION_SECONDS)}
)


@dataclass(frozen=True)
class Group:
    """Steps that count as one. Its name in Keycloak begins with its flow's, because names are unique in a realm."""

    name: str
    steps: tuple[Step | Group, ...]
    requirement: str = "REQUIRED"


@dataclass(frozen=True)
class Flow:
    """A whole flow."""

    name: str
    steps: tuple[Step | Group, ...]


def browser(factor: SecondFactor, name: str = BROWSER_FLOWS[0]) -> Flow:
    """The flow of realm asp: certificate, then second factor. Nothing asks for a user name, and without the certificate
    no step asks for anything.

    Systems ask in an organization's scope, where Keycloak lets no session through by its cookie alone: the certificate
    answers each time, so that a stolen cookie is of no use to another certificate. The cookie still tells which level
    the session has, and whoever has one is not asked for the second factor again.
    """
    steps: tuple[Step | Group, ...] = (Step(CERTIFICATE, config=_CERTIFICATE_CONFIG), *_second(factor))
    return Flow(name, (Step("auth-cookie", "ALTERNATIVE"), Group("clerk", steps, "ALTERNATIVE")))


def _second(factor: SecondFactor) -> tuple[Step | Group, ...]:
    match factor:
        case SecondFactor.PASSWORD:
            return (Group("second factor", (_ONCE_A_SESSION, *_password()), "CONDITIONAL"),)
        case SecondFactor.TOTP:
            # Keycloak itself has whoever lacks it set it up.
            return (Group("second factor", (_ONCE_A_SESSION, Step(ONE_TIME_CODE)), "CONDITIONAL"),)
        case SecondFactor.NONE:
            return ()


def _password() -> tuple[Group, ...]:
    return (
        Group("password", (Step("conditional-user-configured"), Step(PASSWORD)), "CONDITIONAL"),
        # Whoever has no password was not asked for one: they choose it now, before they are signed in. This hangs on
        # the steps that ran, not on an action that somebody set or removed at the user.
        Group(
            "first password",
            (
                Step("conditional-credential", config={"credentials": "password", "included": "false"}),
                Step("reset-password"),
            ),
            "CONDITIONAL",
        ),
    )


def no_direct_grant(name: str = NO_DIRECT_GRANT[0]) -> Flow:
    """The flow of password grants: refused, whatever a client is set to."""
    return Flow(name, (Step(DENY),))


def import_file(*flows: Flow) -> dict[str, Any]:
    """Flows as they stand in a realm's import file."""
    entries: list[dict[str, Any]] = []
    configs: list[dict[str, Any]] = []
    for flow in flows:
        entries += _entries(flow.name, flow.name, flow.steps, True, configs)
    return {"authenticationFlows": entries, "authenticatorConfig": configs}


def _entries(
    flow: str, alias: str, steps: tuple[Step | Group, ...], top: bool, configs: list[dict[str, Any]]
) -> list[dict[str, Any]]:
    executions: list[dict[str, Any]] = []
    below: list[dict[str, Any]] = []
    for number, step in enumerate(steps, 1):
        execution: dict[str, Any] = {"requirement": step.requirement, "priority": number * 10}
        if isinstance(step, Group):
            execution |= {"flowAlias": group_name(flow, step), "authenticatorFlow": True}
            below += _entries(flow, group_name(flow, step), step.steps, False, configs)
        else:
            execution |= {"authenticator": step.authenticator, "authenticatorFlow": False}
            if step.config:
                execution["authenticatorConfig"] = config_name(flow, step)
                configs.append({"alias": config_name(flow, step), "config": dict(step.config)})
        executions.append(execution)
    own = {"alias": alias, "providerId": "basic-flow", "topLevel": top, "builtIn": False}
    return [own | {"authenticationExecutions": executions}, *below]


def group_name(flow: str, group: Group) -> str:
    """A group's name in Keycloak."""
    return f"{flow} {group.name}"


def config_name(flow: str, step: Step) -> str:
    """The name of a step's settings in Keycloak."""
    return f"{flow} {step.authenticator}"


@dataclass(frozen=True)
class Line:
    """One line of a flow as Keycloak lists it; `what`: the authenticator, or `group`."""

    level: int
    what: str
    requirement: str
    config: tuple[tuple[str, str], ...] = ()


def lines(steps: tuple[Step | Group, ...], level: int = 0) -> Iterator[Line]:
    """Steps as Keycloak lists them: depth first."""
    for step in steps:
        if isinstance(step, Group):
            yield Line(level, "group", step.requirement)
            yield from lines(step.steps, level + 1)
        else:
            yield Line(level, step.authenticator, step.requirement, tuple(sorted(step.config.items())))
