"""TLS between services of the hosting: each shows its leaf certificate and trusts the environment's root alone."""

from __future__ import annotations

import ssl

from asp_service.places import CERTIFICATE, KEY, ROOT


def client() -> ssl.SSLContext:
    """For calling another service, which sees who calls."""
    context = ssl.create_default_context(cafile=ROOT)
    context.load_cert_chain(CERTIFICATE, KEY)
    return context


def server() -> ssl.SSLContext:
    """For answering holders of a certificate of our root, and nobody else."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(CERTIFICATE, KEY)
    context.load_verify_locations(ROOT)
    context.verify_mode = ssl.CERT_REQUIRED
    return context
