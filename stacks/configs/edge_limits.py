"""What one caller, one municipality and one body may take of a system: HAProxy's rules and tables for it.

The limits are the register's (`inventory/catalogue/limits.yaml`), the largest bodies `systems/shared/bodies.py`.
A caller is a valid certificate or, without one, an address (IPv6: its /64, which is what one customer gets).
"""

from __future__ import annotations

from inventory.register import Register
from stacks.configs.edge_answers import answer
from stacks.configs.realm import REALM
from systems.shared.bodies import UPLOADS, WITHOUT_A_FILE
from systems.shared.realms import REALM_OF_CITIZENS

RUNTIME_SOCKET = "/run/asp/worker.sock"  # where the control program looks for bodies that come too slowly
SOURCE = "src,ipmask(32,64)"
CITIZENS_SIGN_IN = "/elugy/ugyfel/belepes"
# A body up to body-awaited and headers up to headers must fit beside HAProxy's own reserve of 1 KiB.
BUFFER_BYTES = 32768
# Sticky counters of a request, by what they count.
SOURCES, CALLERS, SHARES, ANONYMOUS, LANE, SIGN_IN = range(6)
COUNTERS = 6
# Public systems whose uploads are their clerks' alone.
CLERKS_UPLOADS = ("portal",)
MORE, UPLOAD = "more", "upload"


def tables() -> str:
    """Where the counts are kept: in memory, from zero at each reload."""
    kinds = {
        "sources": "type ipv6 size 100k expire 10m store conn_cur",
        "anonymous": "type ipv6 size 100k expire 10m store conn_cur",
        "callers": "type string len 64 size 100k expire 2m store conn_cur,http_req_rate(10s),gpc0_rate(10s)",
        "passwords": "type string len 64 size 100k expire 5m store http_req_rate(60s)",
        "sign-ins": "type string len 64 size 100k expire 5m store http_req_rate(60s)",
        "shares": "type string len 32 size 100k expire 2m store conn_cur",
        "at-work": "type string len 32 size 100k expire 2m store conn_cur",
        "uploads": "type string len 32 size 100k expire 2m store conn_cur",
    }
    return "\n".join(f"backend {name}\n    stick-table {kind}\n" for name, kind in kinds.items())


def connections(register: Register) -> str:
    """Open connections of one address: all of them, and those without a certificate."""
    return f"""\
    tcp-request connection track-sc{SOURCES} {SOURCE} table sources
    tcp-request connection reject if {{ sc_conn_cur({SOURCES}) gt {register.limit("source-connections")} }}
    tcp-request session track-sc{ANONYMOUS} {SOURCE} table anonymous unless {{ ssl_c_used }} {{ ssl_c_verify 0 }}
    tcp-request session reject if {{ sc_conn_cur({ANONYMOUS}) gt {register.limit("anonymous-connections")} }}"""


def form(register: Register) -> str:
    """Methods, and headers that leave room for a body in the buffer."""
    return f"""\
{answer("method", "unless { method GET HEAD POST }")}
{answer("headers-too-large", f"if {{ req.hdrs,length gt {register.limit('headers')} }}")}
    http-request set-var(txn.body) req.body_size"""


def callers(register: Register) -> str:
    """Requests of one caller. Staff behind one address are counted by their certificates, so an office is no flood."""
    limit = register.limit
    return f"""\
    http-request set-var(txn.source) {SOURCE}
    http-request set-var(txn.caller) str(address),concat(-,txn.source)
    http-request set-var(txn.serial) ssl_c_serial,hex if valid
    http-request set-var(txn.caller) str(certificate),concat(-,txn.serial) if valid
    http-request track-sc{CALLERS} var(txn.caller) table callers
    # HAProxy's own count of errors leaves out what the edge refuses.
    http-after-response sc-inc-gpc0({CALLERS}) if {{ status 400:428 430:499 }}
    acl too_many_open sc_conn_cur({CALLERS}) gt {limit("certificate-open")}
    acl too_many_open_anonymous sc_conn_cur({CALLERS}) gt {limit("anonymous-open")}
    acl too_fast sc_http_req_rate({CALLERS}) gt {limit("certificate-rate")}
    acl too_fast_anonymous sc_http_req_rate({CALLERS}) gt {limit("anonymous-rate")}
    acl too_many_errors sc_gpc0_rate({CALLERS}) gt {limit("anonymous-errors")}
{answer("too-many-requests", "if valid too_many_open or valid too_fast")}
{answer("too-many-requests", "if !valid too_many_open_anonymous or !valid too_fast_anonymous")}
{answer("too-many-requests", "if !valid too_many_errors")}
    acl password_form path_beg /realms/{REALM}/login-actions/ /realms/{REALM_OF_CITIZENS}/login-actions/
    acl sign_in_begin path {CITIZENS_SIGN_IN}
    http-request track-sc{SIGN_IN} var(txn.caller) table passwords if identity_host password_form {{ method POST }}
    http-request track-sc{SIGN_IN} var(txn.caller) table sign-ins if tenant sign_in_begin
    acl too_many_passwords sc_http_req_rate({SIGN_IN},passwords) gt {limit("certificate-passwords")}
    acl too_many_passwords_anonymous sc_http_req_rate({SIGN_IN},passwords) gt {limit("anonymous-passwords")}
    acl too_many_begins sc_http_req_rate({SIGN_IN},sign-ins) gt {limit("sign-in-begins")}
{answer("too-many-sign-ins", "if valid too_many_passwords or !valid too_many_passwords_anonymous")}
{answer("too-many-sign-ins", "if too_many_begins")}"""


def bodies(register: Register) -> str:
    """Too large: refused by the length that is announced. Small: complete before an app server hears of it."""
    awaited, seconds = register.limit("body-awaited"), register.limit("body-seconds")
    rows = [
        "    # A body of unknown length cannot be judged before it is here; browsers always say it. HTTP/2 does not",
        "    # announce a body, so whether there is one shows when its first byte or the request's end comes.",
        answer("length-required", "if { req.hdr(transfer-encoding) -m found }"),
        f"    http-request wait-for-body time {seconds}s at-least 1 unless {{ req.hdr(content-length) -m found }}",
        answer("length-required", "if !{ req.hdr(content-length) -m found } { req.body_size gt 0 }"),
        f"    http-request set-var(txn.largest) int({awaited})",
        f"    http-request set-var(txn.largest) int({register.limit('body-anonymous')}) if public",
        f"    http-request set-var(txn.largest) int({WITHOUT_A_FILE}) if staff or public clerk_here",
    ]
    for upload in UPLOADS:
        who = "clerk_here " if upload.system in CLERKS_UPLOADS else ""
        rows.append(
            f"    http-request set-var(txn.largest) int({upload.largest}) if tenant {who}{{ path_reg {upload.path} }}"
        )
    return "\n".join(
        [
            *rows,
            answer("too-large", "if { var(txn.body),sub(txn.largest) gt 0 }"),
            f"    http-request wait-for-body time {seconds}s if {{ var(txn.body) -m int gt 0 }}",
        ]
    )


def shares(register: Register) -> str:
    """Which lane of its app server a municipality's request takes: its share of threads, or the lane for the rest."""
    limit = register.limit
    at_work, uploading = "var(txn.share),table_conn_cur(at-work)", "var(txn.share),table_conn_cur(uploads)"
    return f"""\
    http-request set-var(txn.share) var(txn.ksh),concat(-,txn.app) if tenant
    http-request track-sc{SHARES} var(txn.share) table shares if tenant
{answer("municipality-busy", f"if tenant {{ sc_conn_cur({SHARES}) gt {limit('municipality-open')} }}")}
    acl upload var(txn.body) -m int gt {limit("body-awaited")}
    http-request set-var(txn.backend) var(txn.cell),concat(-,txn.app)
    http-request set-var(txn.backend) var(txn.cell),concat(-,txn.app,-{UPLOAD}) if upload
    http-request set-var(txn.backend) var(txn.cell),concat(-,txn.app,-{MORE}) \
if !upload {{ {at_work} ge {limit("municipality-at-work")} }} or upload {{ {uploading} ge 1 }}
    acl beyond_share var(txn.backend) -m end -- -{MORE}
    http-request track-sc{LANE} var(txn.share) table at-work if tenant !upload !beyond_share
    http-request track-sc{LANE} var(txn.share) table uploads if tenant upload !beyond_share"""


def clean_end(register: Register) -> str:
    """A connection whose body somebody refused before reading it would hang or be reset: it ends after the answer."""
    return f"""\
    http-after-response set-header Connection close if {{ var(txn.body) -m int gt {register.limit("body-awaited")} }}
    http-after-response set-header Connection close if {{ res.hdr(Asp-Edge-Refusal) -m found }} \
{{ var(txn.body) -m int gt 0 }}"""
