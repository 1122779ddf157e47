"""HAProxy's configuration for one environment, as plain text from the register: no Pulumi, no files, no daemon.

What it promises is in docs/architecture.md (Trust): staff systems only with the tenant's own, unrevoked certificate;
client-sent copies of what the edge asserts never pass; everything that no rule names is refused.
"""

from __future__ import annotations

from inventory.names import Port
from inventory.register import Register
from stacks.configs.edge_pages import PAGES
from stacks.configs.places import ROOT_FILE
from stacks.configs.realm import REALM
from systems.shared.realms import REALM_OF_CITIZENS

PAGES_DIR = "/etc/asp/pages"
CONFIG_FILE = "/etc/asp/haproxy.cfg"
# Made by the control program at start, in memory: HAProxy wants key and certificate in one file.
LEAF_FILE = "/run/asp/tls.pem"
CLIENT_CA_FILE = "/etc/asp/client-ca.crt"
# On the edge's volume, kept by the control program.
CERTIFICATES_DIR = "/data/certs"
TENANTS_MAP = "/data/maps/tenants.map"  # host → <ksh>:<cell>
REVOKED_LIST = "/data/crl/revoked.lst"  # serial numbers, upper-case hex
CRL_MAP = "/data/crl/until.map"  # until → end of the list's validity, Unix time

IDENTITY_PATHS = (
    *(
        f"/realms/{realm}/{part}/"
        for realm in (REALM, REALM_OF_CITIZENS)
        for part in ("protocol/openid-connect", "login-actions", ".well-known")
    ),
    "/resources/",
)
PKI_READ = ("/health", "/roots.pem", "/1.0/roots", "/1.0/roots.pem", "/1.0/crl", "/1.0/intermediates.pem")
PKI_WRITE = ("/1.0/sign", "/1.0/renew", "/1.0/revoke")

BACKSLASH = "\\"

LOG_FORMAT = (
    "%{+json}o %(time)[date,ltime(%Y-%m-%dT%H:%M:%S%z)] %(request)ID %(client)ci %(host)[var(txn.host)] "
    "%(tenant)[var(txn.ksh)] %(certificate)[var(txn.certificate)] %(user)[ssl_c_s_dn(CN)] %(method)HM %(path)HPO "
    "%(status)ST %(refusal)[var(txn.refusal)] %(bytes)B %(total_ms)Ta %(server_ms)Tr %(backend)b "
    "%(server)s %(state)ts"
)


def render(register: Register, issuer: str) -> str:
    """The whole configuration; `issuer` is the common name of the authority that signs clerks' certificates."""
    return "\n".join([_base(register), _http(register), _https(register, issuer), _backends(register)])


def _answer(page: str, condition: str) -> str:
    """A rule that ends the request with one of the edge's own pages."""
    return (
        f'    http-request return status {PAGES[page].status} content-type "text/html; charset=utf-8" '
        f"hdr Cache-Control no-store hdr Asp-Edge-Refusal {PAGES[page].code} "
        f"lf-file {PAGES_DIR}/{page}.html {condition}"
    )


def _error(status: int, page: str) -> str:
    return (
        f'    http-error status {status} content-type "text/html; charset=utf-8" hdr Cache-Control no-store '
        f"hdr Asp-Edge-Refusal {PAGES[page].code} lf-file {PAGES_DIR}/{page}.html"
    )


def _base(register: Register) -> str:
    errors = "\n".join([_error(400, "bad-request"), *(_error(code, "unavailable") for code in (502, 503, 504))])
    return f"""\
# Rendered from the register by stacks/configs/edge_config.py: change that, not this.
global
    log stdout format raw local0 info
    maxconn 8000
    hard-stop-after 30s
    expose-experimental-directives
    # A resumed session skips the certificate's verification, so there are none: revocation must always bite.
    tune.ssl.cachesize 0
    ssl-default-bind-options ssl-min-ver TLSv1.2 no-tls-tickets prefer-client-ciphers
    ssl-default-bind-ciphers ECDHE+AESGCM:ECDHE+CHACHA20
    ssl-default-server-options ssl-min-ver TLSv1.2

defaults
    mode http
    log global
    option dontlognull
    option redispatch
    retries 2
    timeout connect 2s
    timeout client 60s
    timeout server 60s
    timeout queue 5s
    timeout http-request 10s
    timeout http-keep-alive 60s
    timeout check 3s
{errors}

resolvers docker
    nameserver embedded 127.0.0.11:53
    resolve_retries 2
    timeout resolve 1s
    timeout retry 500ms
    hold valid 1s
    hold nx 1s
    hold other 1s
    hold refused 1s
    hold timeout 1s
    hold obsolete 1s

frontend status
    bind 127.0.0.1:{Port.EDGE_STATUS:d}
    no log
    monitor-uri /healthz
    http-request use-service prometheus-exporter if {{ path /metrics }}
    http-request return status 404
"""


def _http(register: Register) -> str:
    port = register.environment.ports.https
    suffix = "" if port == 443 else f":{port}"
    return f"""\
frontend http
    bind :{Port.EDGE_HTTP:d}
    no log
    unique-id-format %[uuid()]
    http-request set-var(txn.host) req.hdr(host),host_only,lower
{_answer("unknown-host", f"unless {{ var(txn.host) -m end .{register.environment.domain} }}")}
    http-request redirect code 301 location https://%[var(txn.host)]{suffix}%[pathq]
"""


def _https(register: Register, issuer: str) -> str:
    environment = register.environment
    staff = " ".join(system.id for system in register.systems.values() if not system.public)
    public = " ".join(system.id for system in register.systems.values() if system.public)
    return f"""\
frontend https
    bind :{Port.EDGE_HTTPS:d} ssl crt {LEAF_FILE} crt {CERTIFICATES_DIR}/ alpn h2,http/1.1 ca-file {CLIENT_CA_FILE} \
verify optional crt-ignore-err all ca-ignore-err all
    unique-id-format %[uuid()]
    log-format "{LOG_FORMAT}"
    http-after-response set-header Asp-Request-Id %[unique-id]
    http-after-response set-header Strict-Transport-Security max-age=31536000
    http-after-response del-header server
    http-after-response set-var(txn.refusal) res.hdr(Asp-Edge-Refusal)

    # What the edge asserts is never taken from a client. Underscored names go too: some gateways read them as hyphens.
    http-request del-header _ -m sub
    http-request del-header ^(client-cert|asp-|x-forwarded|x-real-ip|x-client|x-ssl|ssl-client) -m reg
    http-request del-header forwarded
{_answer("bad-request", "if { req.hdr_cnt(host) gt 1 } or !{ req.hdr(host) -m found } or { method TRACE CONNECT }")}
    http-request set-var(txn.host) req.hdr(host),host_only,lower
    http-request set-var(txn.sni) ssl_fc_sni,lower
{_answer("misdirected", "unless { var(txn.host),strcmp(txn.sni) eq 0 }")}

    # One spelling of a path, so that no other spelling reaches a system past the rules below.
    http-request normalize-uri percent-to-uppercase strict
    http-request normalize-uri percent-decode-unreserved strict
    http-request normalize-uri path-merge-slashes
    http-request normalize-uri path-strip-dot
    http-request normalize-uri path-strip-dotdot full
    http-request normalize-uri path-merge-slashes
{_answer("bad-request", "if { path -m sub %2F %5C %00 " + 2 * BACKSLASH + " }")}

    # The certificate: none | invalid | revoked | unchecked (list of revocations out of date) | valid
    acl genuine ssl_c_verify 0
    acl chain_genuine ssl_c_ca_err 0
    acl for_clerks ssl_c_i_dn(CN) -m str "{issuer}"
    acl listed_revoked ssl_c_serial,hex -m str -f {REVOKED_LIST}
    acl list_out_of_date date,sub(txn.crl_until) gt 0
    http-request set-var(txn.crl_until) str(until),map_str_int({CRL_MAP},0)
    http-request set-var(txn.certificate) str(none)
    http-request set-var(txn.certificate) str(invalid) if {{ ssl_c_used }}
    http-request set-var(txn.certificate) str(valid) if {{ ssl_c_used }} genuine chain_genuine for_clerks
    acl valid var(txn.certificate) -m str valid
    http-request set-var(txn.certificate) str(revoked) if valid listed_revoked
    http-request set-var(txn.certificate) str(unchecked) if valid list_out_of_date

    http-request set-header X-Forwarded-For %[src]
    http-request set-header X-Forwarded-Proto https
    http-request set-header X-Forwarded-Host %[req.hdr(host)]
    http-request set-header X-Forwarded-Port {environment.ports.https}
    http-request set-header Asp-Request-Id %[unique-id]

    acl identity_host var(txn.host) -m str {environment.identity_host}
    acl pki_host var(txn.host) -m str {environment.pki_host}

    # Every other host is a tenant's or nobody's. `tenant`, `staff` and `public` are false on the two hosts above.
    http-request set-var(txn.ksh) var(txn.host),map_str({TENANTS_MAP}),field(1,:)
    http-request set-var(txn.cell) var(txn.host),map_str({TENANTS_MAP}),field(2,:)
    http-request set-var(txn.tenant) str(t),concat(,txn.ksh)
    acl tenant var(txn.ksh) -m len gt 0
    http-request set-var(txn.system) path,field(2,/) if tenant
    acl staff var(txn.system) -m str {staff}
    acl public var(txn.system) -m str {public}
    acl own ssl_c_s_dn(OU),strcmp(txn.tenant) eq 0
    acl second_unit ssl_c_s_dn(OU,2) -m len gt 0
{_answer("unknown-host", "if !tenant !identity_host !pki_host")}
    http-request redirect code 302 location /keret/ if tenant {{ path / }}
{_answer("unknown-path", "if tenant !staff !public")}
{_answer("no-certificate", "if staff { var(txn.certificate) -m str none }")}
{_answer("certificate-invalid", "if staff { var(txn.certificate) -m str invalid }")}
{_answer("certificate-revoked", "if staff { var(txn.certificate) -m str revoked }")}
{_answer("tenant-mismatch", "if staff !own or staff second_unit")}
{_answer("revocation-unknown", "if staff !valid")}
    http-request redirect code 308 location %[path]/ if tenant {{ path_reg ^/[a-z]+$ }}
    http-request set-header Asp-Tenant %[var(txn.ksh)] if tenant
    http-request set-header Client-Cert :%[ssl_c_der,base64]: if staff
    # A public system shows a clerk of its own municipality their pages too; whoever else comes is anybody there.
    http-request set-header Client-Cert :%[ssl_c_der,base64]: if public own valid !second_unit
    # A system without an app server is answered by the framework's, which says honestly that it is not installed.
    http-request set-var(txn.app) str(keret)
    http-request set-var(txn.app) var(txn.system) if {{ var(txn.system) -m str {" ".join(register.installed_systems)} }}
    use_backend identity if identity_host
    use_backend pki if pki_host
    use_backend %[var(txn.cell),concat(-,txn.app)]
"""


def _backends(register: Register) -> str:
    names = register.names
    parts = [
        f"""\
backend identity
    # Only the two realms' sign-in: no administration, no management, no other realm.
{_answer("unknown-path", f"unless {{ path_beg {' '.join(IDENTITY_PATHS)} }}")}
    # Citizens have no certificates, and a clerk's is nothing to their realm.
    http-request set-header Client-Cert :%[ssl_c_der,base64]: if {{ var(txn.certificate) -m str valid }} \
!{{ path_beg /realms/{REALM_OF_CITIZENS}/ }}
    option httpchk
    http-check send meth GET uri /health/ready ver HTTP/1.1 hdr Host {names.identity}
{_server(names.identity, Port.IDENTITY)}
""",
        f"""\
backend pki
    # Only what a workstation needs: trust anchors, list of revocations, requests with their own one-time proof.
    acl reading method GET HEAD
    acl writing method POST
    acl to_read path {" ".join(PKI_READ)}
    acl to_read path_beg /1.0/root/ /root/
    acl to_write path {" ".join(PKI_WRITE)}
{_answer("unknown-path", "unless reading to_read or writing to_write")}
    option httpchk
    http-check send meth GET uri /health ver HTTP/1.1 hdr Host {names.pki}
{_server(names.pki, Port.PKI)}
""",
    ]
    for cell in register.environment.cells:
        cell_names = register.cell(cell.id)
        for system in register.installed_systems:
            service = cell_names.app(system)
            parts.append(f"""\
backend {cell.id}-{system}
    option httpchk
    http-check send meth GET uri /healthz/ready ver HTTP/1.1 hdr Host {service}
{_server(service, Port.APP)}
""")
    return "\n".join(parts)


def _server(service: str, port: int) -> str:
    """One server line: verified TLS both ways, found by name whenever it appears or moves."""
    return (
        f"    server {service} {service}:{port:d} ssl verify required ca-file {ROOT_FILE} crt {LEAF_FILE} "
        f"sni str({service}) verifyhost {service} resolvers docker resolve-prefer ipv4 init-addr libc,none "
        f"check check-ssl check-sni {service} inter 2s fastinter 500ms downinter 500ms fall 3 rise 1"
    )
