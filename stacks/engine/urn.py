"""URNs: `urn:pulumi:<stack>::<project>::<type$type>::<name>`."""

from __future__ import annotations

STACK_TYPE = "pulumi:pulumi:Stack"
REFERENCE_TYPE = "pulumi:pulumi:StackReference"
PROVIDER_PREFIX = "pulumi:providers:"


def make(stack: str, project: str, parent: str, kind: str, name: str) -> str:
    """URN of a resource. `parent`: URN or `""`; the root stack does not show in a child's qualified type."""
    qualified = kind
    if parent:
        above = qualified_type(parent)
        if above != STACK_TYPE:
            qualified = f"{above}${kind}"
    return f"urn:pulumi:{stack}::{project}::{qualified}::{name}"


def parts(urn: str) -> tuple[str, str, str, str]:
    """`(stack, project, qualified type, name)`; the name may itself contain `::`."""
    stack, project, qualified, name = urn.split("::", 3)
    return stack.removeprefix("urn:pulumi:"), project, qualified, name


def qualified_type(urn: str) -> str:
    """Type with the types of its parents, joined by `$`."""
    return parts(urn)[2]


def type_of(urn: str) -> str:
    """The resource's own type token."""
    return parts(urn)[2].rsplit("$", 1)[-1]


def name_of(urn: str) -> str:
    """The logical name."""
    return parts(urn)[3]


def provider_urn(reference: str) -> str:
    """URN part of a provider reference `<urn>::<id>`."""
    return reference.rsplit("::", 1)[0] if reference else ""


def is_provider(kind: str) -> bool:
    """Whether a type token names a provider."""
    return kind.startswith(PROVIDER_PREFIX)


def package_of(kind: str) -> str:
    """Package of a type or function token."""
    return kind.split(":", 1)[0]


def is_default_provider(urn: str) -> bool:
    """Whether the URN is of a provider that the engine made by itself."""
    return bool(urn) and is_provider(type_of(urn)) and name_of(urn).split("_", 1)[0] == "default"
