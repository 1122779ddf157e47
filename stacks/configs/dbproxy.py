"""Configuration of a cell's proxy: PgBouncer for the app servers, HAProxy on loopback to the writable node."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from inventory.models import Caps
from inventory.names import Port
from stacks.configs.places import CERTIFICATE_FILE, KEY_FILE, ROOT_FILE
from stacks.configs.postgres import AUTH_DATABASE, POOLER

# The pooler cuts off what outlives a tenant's own time-outs by this much: a role may SET those away, but not these.
GRACE_SECONDS = 5
USERLIST = "/run/secrets/userlist.txt"
# A login usually takes 10 ms. One that was under way to a leader that died is answered by nobody (docs/cells.md): the
# shorter, the sooner writes come back; too short, and a busy node is never logged in to. One node has nobody to go to:
# with 2 s a machine short of processors had logins given up and begun again until none came through (make soak).
LOGIN_SECONDS = {1: 8, 3: 1}


def userlist(pooler_password: str) -> str:
    """PgBouncer's own login at the node; tenants' verifiers are asked for, never stored."""
    return f'"{POOLER}" "{pooler_password}"\n'


def pgbouncer_ini(caps: Caps, others: Mapping[str, Caps], nodes: int = 1) -> str:
    """`pgbouncer.ini`: mutual TLS to both sides, SCRAM passed through, transaction pooling, caps of every tenant.

    A pool is one login's in one database, so it is what one system may hold of its municipality's connections.
    `caps`: of the cell's tenants; `others`: database → caps, of those that differ. Time-outs of the pooler are one for
    the cell, above the longest that any tenant has. `nodes`: PostgreSQL nodes behind the cell's own proxy.
    """
    longest = [caps, *others.values()]
    query = max(each.statement_seconds for each in longest) + GRACE_SECONDS
    idle = max(each.idle_in_transaction_seconds for each in longest) + GRACE_SECONDS
    leader = f"host=127.0.0.1 port={Port.LEADER.value} auth_dbname={AUTH_DATABASE}"
    own = "".join(
        f"{name} = {leader} pool_size={each.connections_of_system} max_db_connections={each.connections} "
        f"max_db_client_connections={each.clients}\n"
        for name, each in sorted(others.items())
        if (each.connections, each.clients) != (caps.connections, caps.clients)
    )
    return f"""\
[databases]
{own}* = {leader}

[pgbouncer]
listen_addr = *
listen_port = {Port.POOLER.value}
unix_socket_dir = /run/asp
auth_type = scram-sha-256
auth_user = {POOLER}
auth_file = {USERLIST}
auth_dbname = {AUTH_DATABASE}
auth_query = SELECT usename, passwd FROM pgb.get_auth($1)
admin_users =
stats_users =
pool_mode = transaction
default_pool_size = {caps.connections_of_system}
max_db_connections = {caps.connections}
max_db_client_connections = {caps.clients}
query_timeout = {query}
idle_transaction_timeout = {idle}
max_client_conn = 4000
max_prepared_statements = 100
server_login_retry = 0.2
server_connect_timeout = {LOGIN_SECONDS[nodes]}
server_idle_timeout = 60
server_lifetime = 300
query_wait_timeout = 10
ignore_startup_parameters = extra_float_digits
client_tls_sslmode = verify-ca
client_tls_cert_file = {CERTIFICATE_FILE}
client_tls_key_file = {KEY_FILE}
client_tls_ca_file = {ROOT_FILE}
client_tls_protocols = tlsv1.3
server_tls_sslmode = verify-full
server_tls_cert_file = {CERTIFICATE_FILE}
server_tls_key_file = {KEY_FILE}
server_tls_ca_file = {ROOT_FILE}
server_tls_protocols = tlsv1.3
log_connections = 0
log_disconnections = 0
"""


def haproxy_cfg(nodes: Sequence[str]) -> str:
    """`haproxy.cfg`: TLS passed through from loopback to the node that takes writes. `nodes`: service names.

    One node: a check that connects and closes cleanly, because anything more (an SSLRequest, a reset) makes PostgreSQL
    write a line of log at each of two checks a second. Three: each node's Patroni is asked whether it leads, and its
    words are read as well, because for a moment after a restart in place it answers 200 before it is promoted.
    """
    check: tuple[str, ...] = ("  option tcp-check", "  tcp-check connect linger")
    options = ""
    if len(nodes) > 1:
        check = (
            "  option httpchk",
            "  http-check send meth GET uri /primary",
            # Words first: they are complete only when the whole answer has been read, so Patroni is never cut short.
            r"  http-check expect rstring \"role\":\ \"primary\"",
            "  http-check expect status 200",
        )
        options = f" check-ssl port {Port.PATRONI.value} verify required ca-file {ROOT_FILE} crt {CERTIFICATE_FILE}"
    servers = "\n".join(
        f"  server {node} {node}:{Port.POSTGRES.value}" + (f" verifyhost {node}{options}" if options else "")
        for node in nodes
    )
    checks = "\n".join(check)
    return f"""\
global
  log stdout format raw local0 notice
  maxconn 4096
  stats socket /run/asp/haproxy.sock mode 600 level admin
  # A certificate's key lies beside it as .key.
  ssl-load-extra-del-ext
  ssl-load-extra-files key

resolvers docker
  nameserver engine 127.0.0.11:53
  resolve_retries 2
  timeout resolve 500ms
  timeout retry 300ms
  hold valid 1s
  hold obsolete 1s
  # A name that is gone is a node that died. It is for the checks to say so: they end its sessions, and it is not up
  # again before one of them passes. A server without an address keeps sessions, and is up as soon as it has one.
  hold nx 24h
  hold refused 24h
  hold timeout 24h
  hold other 24h

defaults
  mode tcp
  log global
  timeout connect 300ms
  # To read a check's answer: a busy Patroni is not dead. A dead machine is seen by the connection's own time-out.
  timeout check 1500ms
  timeout client 2h
  timeout server 2h
  retries 1
  option redispatch

listen leader
  bind 127.0.0.1:{Port.LEADER.value}
{checks}
  default-server check inter 500ms fastinter 200ms downinter 200ms fall 2 rise 1 on-marked-down shutdown-sessions \
resolvers docker init-addr none
{servers}

listen status
  mode http
  bind 127.0.0.1:8405
  timeout client 5s
  timeout server 5s
  monitor-uri /healthy
  http-request use-service prometheus-exporter if {{ path /metrics }}
"""
