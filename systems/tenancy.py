"""Whose data a request works on. There is no default tenant: code that runs without one reaches no database."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass

from cryptography import x509
from cryptography.x509.oid import NameOID


class NoTenant(LookupError):
    """The current tenant was needed while none was being served."""


class Refusal(Exception):
    """A request that may not reach a tenant; `cause` is for logs, `status` for the response."""

    def __init__(self, status: int, cause: str):
        self.status, self.cause = status, cause
        super().__init__(cause)


@dataclass(frozen=True)
class Bearer:
    """The subject of a client certificate: its CN, OU and O."""

    username: str
    tenant: str
    municipality: str


@dataclass(frozen=True)
class Tenant:
    """The municipality of a request; `bearer` is None on the pages that need no certificate."""

    ksh: str
    bearer: Bearer | None

    @property
    def name(self) -> str:
        """`t16054`: its database, organization and OIDC client."""
        return f"t{self.ksh}"


_current: ContextVar[Tenant] = ContextVar("tenant")


def current() -> Tenant:
    """The tenant that is being served; NoTenant when none is."""
    try:
        return _current.get()
    except LookupError:
        raise NoTenant("no tenant is being served; run this code inside tenancy.serving(…)") from None


def is_current(ksh: str | None) -> bool:
    """Whether work for this tenant may go on: it is being served, or none is."""
    tenant = _current.get(None)
    return tenant is None or tenant.ksh == ksh


@contextmanager
def serving(tenant: Tenant) -> Iterator[Tenant]:
    """Serve this tenant inside the context."""
    token = _current.set(tenant)
    try:
        yield tenant
    finally:
        _current.reset(token)


def of_request(ksh: str | None, certificate: str | None, certificate_needed: bool) -> Tenant:
    """The tenant that the edge names (`Asp-Tenant`), checked again against the certificate (`Client-Cert`).

    Refusal: 421 without a proper tenant (the request did not come through the edge), 403 when the certificate is
    missing but needed, unreadable, or another municipality's.
    """
    if not ksh or not re.fullmatch("[0-9]{5}", ksh):
        raise Refusal(421, f"Asp-Tenant is {ksh!r}, must be five digits")
    if certificate is None:
        if certificate_needed:
            raise Refusal(403, "no Client-Cert")
        return Tenant(ksh, None)
    tenant = Tenant(ksh, bearer_of(certificate))
    if tenant.bearer.tenant != tenant.name:
        raise Refusal(403, f"Client-Cert of {tenant.bearer.tenant} at {tenant.name}")
    return tenant


def bearer_of(header: str) -> Bearer:
    """Subject of an RFC 9440 `Client-Cert` value (`:base64 of DER:`), which must have exactly one CN, OU and O."""
    try:
        if not (len(header) > 2 and header.startswith(":") and header.endswith(":")):
            raise ValueError("must be a byte sequence between colons")
        subject = x509.load_der_x509_certificate(base64.b64decode(header[1:-1], validate=True)).subject
        parts = []
        for oid in (NameOID.COMMON_NAME, NameOID.ORGANIZATIONAL_UNIT_NAME, NameOID.ORGANIZATION_NAME):
            values = subject.get_attributes_for_oid(oid)
            if len(values) != 1:
                raise ValueError(f"{len(values)} values of {oid._name}, must be one")
            parts.append(str(values[0].value))
    except (ValueError, binascii.Error) as error:
        raise Refusal(403, f"Client-Cert: {error}") from error
    return Bearer(*parts)
