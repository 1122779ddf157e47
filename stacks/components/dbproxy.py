"""Configuration of a cell's proxy: PgBouncer for the app servers, HAProxy on loopback to the writable node."""

from __future__ import annotations

from collections.abc import Sequence

from inventory.names import Port
from stacks.components.postgres import AUTH_DATABASE, CERTIFICATE, KEY, POOLER, ROOT

CONNECTIONS_PER_TENANT = 4  # server connections that one tenant's database may take
USERLIST = "/run/secrets/userlist.txt"


def userlist(pooler_password: str) -> str:
    """PgBouncer's own login at the node; tenants' verifiers are asked for, never stored."""
    return f'"{POOLER}" "{pooler_password}"\n'


def pgbouncer_ini() -> str:
    """`pgbouncer.ini`: mutual TLS to both sides, SCRAM passed through, transaction pooling."""
    return f"""\
[databases]
* = host=127.0.0.1 port={Port.LEADER.value} auth_dbname={AUTH_DATABASE}

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
default_pool_size = {CONNECTIONS_PER_TENANT}
max_db_connections = {CONNECTIONS_PER_TENANT}
max_client_conn = 4000
max_prepared_statements = 100
server_login_retry = 0.2
server_connect_timeout = 2
server_idle_timeout = 60
server_lifetime = 3600
query_wait_timeout = 30
ignore_startup_parameters = extra_float_digits
client_tls_sslmode = verify-ca
client_tls_cert_file = {CERTIFICATE}
client_tls_key_file = {KEY}
client_tls_ca_file = {ROOT}
client_tls_protocols = tlsv1.3
server_tls_sslmode = verify-full
server_tls_cert_file = {CERTIFICATE}
server_tls_key_file = {KEY}
server_tls_ca_file = {ROOT}
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
    check, options = ("  option tcp-check", "  tcp-check connect linger"), ""
    if len(nodes) > 1:
        check = (
            "  option httpchk",
            "  http-check send meth GET uri /primary",
            # Words first: they are complete only when the whole answer has been read, so Patroni is never cut short.
            r"  http-check expect rstring \"role\":\ \"primary\"",
            "  http-check expect status 200",
        )
        options = f" check-ssl port {Port.PATRONI.value} verify required ca-file {ROOT} crt {CERTIFICATE}"
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
  hold nx 1s
  hold refused 1s
  hold timeout 1s
  hold other 1s

defaults
  mode tcp
  log global
  timeout connect 300ms
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
