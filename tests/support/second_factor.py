"""What clerks' second factor is in tests: a password derived per environment, for synthetic clerks only."""

from __future__ import annotations

from inventory.register import Register
from inventory.vault.vault import Secrets
from systems.shared.credentials import derive

NEW, CURRENT = 'name="password-new"', 'name="password"'


def password(secrets: Secrets, username: str) -> str:
    """The password that a test sets at a clerk's first sign-in and answers with later."""
    return derive(secrets.password("citizens_key").encode(), username, "clerk")


def answer(page: str, word: str) -> dict[str, str] | None:
    """The form that answers a page of the clerks' realm; None when it asks for no password."""
    if NEW in page:
        return {"password-new": word, "password-confirm": word}
    return {"password": word} if CURRENT in page else None


def asks(register: Register, url: str) -> bool:
    """Whether a page at this address may be the clerks' realm asking for the second factor."""
    origin = register.environment.origin(register.environment.identity_host)
    return url.startswith(f"{origin}/realms/asp/")


def refusal(username: str) -> str:
    """What to do when the answer was wrong."""
    return (
        f"{username}: the second factor was not accepted. Somebody chose another password in this environment: "
        f"asp second-factor {username} --reason forgotten, then run the test again"
    )
