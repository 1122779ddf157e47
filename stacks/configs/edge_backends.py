"""The edge's backends: the identity provider, step-ca, and of each system in each cell three lanes to one app server.

The lanes share an app server's eight threads: `main` takes a municipality's share, `more` what goes beyond it, and
`upload` bodies too large for the edge's memory. Together they leave a thread for health checks.

With several machines an app server is several tasks behind one name, each of which is a server of every lane; and
several edges share their threads.
"""

from __future__ import annotations

from inventory import placement
from inventory.names import Port
from inventory.register import Register
from stacks.configs.edge_answers import answer, error
from stacks.configs.edge_limits import MORE, UPLOAD
from stacks.configs.edge_pages import PAGES
from stacks.configs.places import ROOT_FILE

# A municipality keeps to one task, at every edge and in every lane, so that a page and what it links to are of one
# release while tasks are updated; what is too much for that one goes to another, as does what it does not take: a lost
# machine answers nothing, not even that nobody is there.
SEVERAL = """\
    balance hdr(Asp-Tenant)
    hash-type consistent
    hash-balance-factor 150
    option redispatch 1
"""
SLOWLY = "inter 6s fastinter 1s downinter 2s fall 2"  # for the two lanes that few requests take
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
    tasks, edges = placement.apps(register.environment).replicas, placement.edge(register.environment).replicas
    question = f"""\
    option httpchk
    http-check send meth GET uri /healthz/ready ver HTTP/1.1 hdr Host {service}
"""
    of_lane, followed = "", f"track {name}/{service}"
    if tasks > 1:
        # Each backend finds out by itself which task is which of its servers, so none can follow another's.
        of_lane, followed = question + SEVERAL, _check(service, SLOWLY)
        question = of_lane
    main, more, upload = (-(-register.limit(f"lane-{lane}") // max(1, edges)) for lane in ("main", MORE, UPLOAD))
    return f"""\
backend {name}
{question}{_server(service, Port.APP, _check(service), main, tasks=tasks)}

backend {name}-{MORE}
    timeout queue {register.limit("more-seconds")}s
{answer("unavailable", f"if {{ nbsrv({name}) eq 0 }}")}
    # Whoever waited here in vain waited for their own municipality.
{error(503, "municipality-busy")}
    http-after-response set-status 429 reason "Too Many Requests" \
if {{ res.hdr(Asp-Edge-Refusal) -m str {PAGES["municipality-busy"].code} }}
{of_lane}{_server(service, Port.APP, followed, more, tasks=tasks)}

backend {name}-{UPLOAD}
    timeout queue {register.limit("upload-seconds")}s
{of_lane}{_server(service, Port.APP, followed, upload, tasks=tasks)}
"""


def _server(service: str, port: int, checks: str, most: int, certificate: bool = True, tasks: int = 1) -> str:
    """One server line: verified TLS both ways, looked up by name whenever it appears or moves.

    Several tasks: one server each, and one more for the successor of a task whose address is still in the answer.
    """
    own = f"crt {LEAF_FILE} " if certificate else ""
    servers, key = f"server {service}", ""
    if tasks > 1:
        servers, key = f"server-template {service}- {tasks + 1}", "hash-key addr-port "
    return (
        f"    {servers} {service}:{port:d} maxconn {most} ssl verify required ca-file {ROOT_FILE} {own}"
        f"sni str({service}) verifyhost {service} resolvers docker resolve-prefer ipv4 init-addr libc,none "
        f"{key}{checks}"
    )


def _check(service: str, pace: str = "inter 2s fastinter 500ms downinter 500ms fall 3") -> str:
    return f"check check-ssl check-sni {service} {pace} rise 1"
