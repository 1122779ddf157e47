"""The door of the identity provider: HAProxy in Keycloak's container, the only thing there that listens on a network.

Keycloak answers everything to everybody who reaches it. Who may reach what is decided here by the network that a
request comes from: the edge brings browsers to the sign-in of the two realms, app servers fetch tokens and keys, and
administration and metrics are on loopback, which operators reach by the Docker API alone.
"""

from __future__ import annotations

from inventory.names import Port
from inventory.register import Register
from stacks.configs.places import ROOT_FILE
from stacks.configs.realm import REALM
from systems.shared.realms import REALM_OF_CITIZENS

FILE = "/etc/asp/door.cfg"
LEAF_FILE = "/run/asp/door.pem"  # key and certificate in one file, as HAProxy wants them; joined at start, in memory
HEALTHY = "/door"  # answered by the door itself
READY = "/health/ready"
REALMS = (REALM, REALM_OF_CITIZENS)
OIDC = "protocol/openid-connect"

MOST_CONNECTIONS = 2000  # 35 KiB each with TLS: 70 MiB of the container's memory at the worst
MOST_AT_KEYCLOAK = 100  # requests at once; more wait here, where waiting costs Keycloak no thread
HEADER_SECONDS = 10  # within which a request's head has arrived
WAIT_SECONDS = 5  # for a place at Keycloak


def render(register: Register) -> str:
    """The configuration of the door."""
    names = register.names
    server = f"ssl verify required ca-file {ROOT_FILE} sni str({names.identity}) verifyhost {names.identity}"
    return f"""\
# Rendered from the register by stacks/configs/identity_door.py: change that, not this.
global
    log stdout format raw local0 notice
    maxconn {MOST_CONNECTIONS}
    hard-stop-after 30s
    ssl-default-bind-options ssl-min-ver TLSv1.2 no-tls-tickets
    ssl-default-server-options ssl-min-ver TLSv1.2

defaults
    mode http
    log global
    timeout connect 2s
    timeout client 60s
    timeout server 60s
    timeout queue {WAIT_SECONDS}s
    timeout http-request {HEADER_SECONDS}s
    timeout http-keep-alive 60s

frontend door
    bind :{Port.IDENTITY:d} ssl crt {LEAF_FILE}
    monitor-uri {HEALTHY}
    acl edge src {names.network("edge-identity").subnet}
    acl apps src {names.network("apps-identity").subnet}
    acl for_browsers path {" ".join(_exact(("auth", "logout", "logout/logout-confirm", "certs")))}
    acl for_browsers path_beg {" ".join(_below())}
    acl for_apps path {" ".join(_exact(("token", "certs")))}
    acl ready path {READY}
    # Another spelling of a path that is closed: dots, doubled slashes, escapes, parameters.
    acl odd path_reg '(\\.\\.|//|;|%|\\\\)'
    http-request deny deny_status 404 if odd
    http-request deny deny_status 404 unless edge for_browsers or apps for_apps or edge ready
    # A certificate is public: from anywhere but the edge a forged Client-Cert would sign in.
    http-request del-header client-cert -m beg unless edge
    http-request del-header client_cert -m beg unless edge
    http-request del-header x-forwarded- -m beg unless edge
    http-request del-header forwarded unless edge
    use_backend management if ready
    default_backend keycloak

backend keycloak
    server keycloak 127.0.0.1:{Port.IDENTITY_LOCAL:d} {server} maxconn {MOST_AT_KEYCLOAK}

backend management
    server management 127.0.0.1:{Port.IDENTITY_MANAGEMENT:d} {server} maxconn 4
"""


def _exact(ends: tuple[str, ...]) -> list[str]:
    return [f"/realms/{realm}/{OIDC}/{end}" for realm in REALMS for end in ends]


def _below() -> list[str]:
    return [
        *(f"/realms/{realm}/{part}/" for realm in REALMS for part in ("login-actions", ".well-known")),
        "/resources/",
    ]
