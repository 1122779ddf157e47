"""The edge's backends: the identity provider, step-ca, and of each system in each cell three lanes to one app server.

The lanes share an app server's eight threads: `main` takes a municipality's share, `more` what goes beyond it, and
`upload` bodies too large for the edge's memory. Together they leave a thread for health checks.
"""

from __future__ import annotations

from inventory.names import Port
from inventory.register import Register
from stacks.configs.edge_answers import answer, error
from stacks.configs.edge_limits import MORE, UPLOAD
from stacks.configs.edge_pages import PAGES
from stacks.configs.places import ROOT_FILE

# Made by the control program at start, in memory: HAProxy wants key and certificate in one file.
LEAF_FILE = "/run/asp/tls.pem"


def backends(register: Register) -> str:
    names = register.names
    parts = [
        f"""\
backend identity
    option httpchk
    http-check send meth GET uri /health/ready ver HTTP/1.1 hdr Host {names.identity}
{_server(names.identity, Port.IDENTITY, _check(names.identity), register.limit("identity-open"))}
""",
        f"""\
backend pki
    # Without a certificate of the edge: step-ca must judge the caller, and the edge's own identity proves nothing.
    option httpchk
    http-check send meth GET uri /health ver HTTP/1.1 hdr Host {names.pki}
{_server(names.pki, Port.PKI, _check(names.pki), register.limit("pki-open"), certificate=False)}
""",
    ]
    for cell in register.environment.cells:
        for system in register.installed_systems:
            parts.append(_lanes(register, f"{cell.id}-{system}", register.cell(cell.id).app(system)))
    return "\n".join(parts)


def _lanes(register: Register, name: str, service: str) -> str:
    followed = f"track {name}/{service}"
    main, more, upload = (register.limit(f"lane-{lane}") for lane in ("main", MORE, UPLOAD))
    return f"""\
backend {name}
    option httpchk
    http-check send meth GET uri /healthz/ready ver HTTP/1.1 hdr Host {service}
{_server(service, Port.APP, _check(service), main)}

backend {name}-{MORE}
    timeout queue {register.limit("more-seconds")}s
{answer("unavailable", f"if {{ nbsrv({name}) eq 0 }}")}
    # Whoever waited here in vain waited for their own municipality.
{error(503, "municipality-busy")}
    http-after-response set-status 429 reason "Too Many Requests" \
if {{ res.hdr(Asp-Edge-Refusal) -m str {PAGES["municipality-busy"].code} }}
{_server(service, Port.APP, followed, more)}

backend {name}-{UPLOAD}
    timeout queue {register.limit("upload-seconds")}s
{_server(service, Port.APP, followed, upload)}
"""


def _server(service: str, port: int, checks: str, most: int, certificate: bool = True) -> str:
    """One server line: verified TLS both ways, looked up by name whenever it appears or moves."""
    own = f"crt {LEAF_FILE} " if certificate else ""
    return (
        f"    server {service} {service}:{port:d} maxconn {most} ssl verify required ca-file {ROOT_FILE} {own}"
        f"sni str({service}) verifyhost {service} resolvers docker resolve-prefer ipv4 init-addr libc,none {checks}"
    )


def _check(service: str) -> str:
    return f"check check-ssl check-sni {service} inter 2s fastinter 500ms downinter 500ms fall 3 rise 1"
