"""The edge: hosts, request smuggling, forged headers, spellings of paths, methods and sizes."""

from __future__ import annotations

import time

import pytest

from inventory.names import Port
from tests.attack import wire
from tests.attack.registry import Tries, attack, control
from tests.attack.target import Target

REFUSED = (400, 403, 404, 405, 408, 413, 414, 421, 422, 431, 501, 505)


@pytest.fixture(scope="module", autouse=True)
def alive(target: Target) -> None:
    """The public site answers, a clerk works: what is refused below is refused for what is wrong with it."""
    page = target.anyone().ask(target.own.host, f"/{target.public_systems[0]}/")
    control(page.status == 200, page)
    page = target.clerk(target.own, "keret").ask(target.own.host, "/keret/")
    control(page.status == 200, page)


def public(target: Target) -> str:
    return f"/{target.public_systems[0]}/"


# Hosts

HOSTS = {
    "other-municipality": lambda t: t.other.host,
    "identity": lambda t: t.register.environment.identity_host,
    "step-ca": lambda t: t.register.environment.pki_host,
    "bare-domain": lambda t: t.register.environment.domain,
    "unknown": lambda t: f"nincs.{t.register.environment.domain}",
    "address": lambda t: "127.0.0.1",
    "trailing-dot": lambda t: f"{t.other.host}.",
    "internal-name": lambda t: t.service("keret"),
    "edge-name": lambda t: t.register.names.edge,
    "localhost": lambda t: "localhost",
    "sub-domain": lambda t: f"x.{t.own.host}",
    "suffix": lambda t: f"{t.other.host}.evil.test",
    "user-info": lambda t: f"{t.own.host}@{t.other.host}",
    "host-list": lambda t: f"{t.own.host}, {t.other.host}",
    "space": lambda t: f"{t.own.host} {t.other.host}",
    "empty": lambda t: "",
}


@attack("E01", "edge", "Host differs from the name of the connection", HOSTS, short=True)
def test_host_of_another(target: Target, tries: Tries, way) -> None:
    browser = target.clerk(target.own, "keret")
    for path in ("/keret/", public(target)):
        answer = browser.ask(target.own.host, path, headers={"Host": way(target)})
        tries.holds(answer.status in REFUSED or answer.status == 0, f"{path}: {answer}")


@attack(
    "E02",
    "edge",
    "no Host, two Hosts, Host by continuation, or another in an absolute address",
    {
        "none": "GET {p} HTTP/1.1\r\n\r\n",
        "two": "GET {p} HTTP/1.1\r\nHost: {own}\r\nHost: {other}\r\n\r\n",
        "two-reversed": "GET {p} HTTP/1.1\r\nHost: {other}\r\nHost: {own}\r\n\r\n",
        "continued": "GET {p} HTTP/1.1\r\nHost: {own}\r\n {other}\r\n\r\n",
        "space-before-colon": "GET {p} HTTP/1.1\r\nHost: {own}\r\nHost : {other}\r\n\r\n",
        "http-1.0-without": "GET {p} HTTP/1.0\r\n\r\n",
        "http-0.9": "GET {p}\r\n\r\n",
        "absolute": "GET https://{other}{p} HTTP/1.1\r\nHost: {own}\r\n\r\n",
        "absolute-both": "GET https://{other}{p} HTTP/1.1\r\nHost: {other}\r\n\r\n",
    },
)
def test_hosts_that_can_be_read_two_ways(target: Target, tries: Tries, way: str) -> None:
    text = way.format(p=public(target), own=target.own.host, other=target.other.host)
    answer = wire.send(target.port, target.own.host, text.encode())
    tries.holds(answer.status in REFUSED or answer.status == 0, answer)
    tries.holds(target.other.name not in answer.text, f"shows {target.other.name}: {answer}")


@attack(
    "E03",
    "edge",
    "a server name in the handshake that no municipality has",
    {
        "none": None,
        "unknown": "nincs.{domain}",
        "identity-for-site": "id.{domain}",
        "address": "127.0.0.1",
        "internal": "{edge}",
    },
)
def test_server_name(target: Target, tries: Tries, way: str | None) -> None:
    environment = target.register.environment
    name = way and way.format(domain=environment.domain, edge=target.register.names.edge)
    data = f"GET /keret/ HTTP/1.1\r\nHost: {target.own.host}\r\nConnection: close\r\n\r\n".encode()
    answer = wire.send(target.port, name, data, target.certificate(target.own))
    tries.holds(answer.status in REFUSED or answer.status == 0, answer)


# Smuggling: the second request must never reach an app server past the edge's rules

SMUGGLED = "GET /keret/{token} HTTP/1.1\r\nHost: {own}\r\nAsp-Tenant: {ksh}\r\nX: "
FRAMES = {
    "cl-te": "Content-Length: {all}\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n{smuggled}",
    "te-cl": "Transfer-Encoding: chunked\r\nContent-Length: 4\r\n\r\n{hex}\r\n{smuggled}\r\n0\r\n\r\n",
    "te-twice": "Content-Length: {all}\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n"
    "0\r\n\r\n{smuggled}",
    "te-list": "Content-Length: {all}\r\nTransfer-Encoding: identity, chunked\r\n\r\n0\r\n\r\n{smuggled}",
    "te-unknown": "Content-Length: {all}\r\nTransfer-Encoding: xchunked\r\n\r\n0\r\n\r\n{smuggled}",
    "te-tab": "Content-Length: {all}\r\nTransfer-Encoding:\tchunked\r\n\r\n0\r\n\r\n{smuggled}",
    "te-space": "Content-Length: {all}\r\nTransfer-Encoding : chunked\r\n\r\n0\r\n\r\n{smuggled}",
    "te-continued": "Content-Length: {all}\r\nTransfer-Encoding:\r\n chunked\r\n\r\n0\r\n\r\n{smuggled}",
    "te-vertical-tab": "Content-Length: {all}\r\nTransfer-Encoding: \x0bchunked\r\n\r\n0\r\n\r\n{smuggled}",
    "cl-twice": "Content-Length: 0\r\nContent-Length: {all}\r\n\r\n{smuggled}",
    "cl-list": "Content-Length: 0, {all}\r\n\r\n{smuggled}",
    "cl-plus": "Content-Length: +0\r\n\r\n{smuggled}",
    "cl-negative": "Content-Length: -1\r\n\r\n{smuggled}",
    "cl-hex": "Content-Length: 0x0\r\n\r\n{smuggled}",
    "chunk-overflow": "Transfer-Encoding: chunked\r\n\r\n10000000000000000\r\n{smuggled}",
    "chunk-bare-lf": "Transfer-Encoding: chunked\r\n\r\n0\n\n{smuggled}",
    "chunk-extension": "Transfer-Encoding: chunked\r\n\r\n0;x=\r\n\r\n{smuggled}",
    "header-bare-lf": "X: y\nTransfer-Encoding: chunked\nContent-Length: {all}\r\n\r\n0\r\n\r\n{smuggled}",
    "header-bare-cr": "X: y\rTransfer-Encoding: chunked\r\nContent-Length: {all}\r\n\r\n0\r\n\r\n{smuggled}",
    "name-with-nul": "Transfer-Encoding\x00: chunked\r\nContent-Length: {all}\r\n\r\n0\r\n\r\n{smuggled}",
    "upgrade-h2c": "Upgrade: h2c\r\nConnection: Upgrade, HTTP2-Settings\r\nHTTP2-Settings: AAMAAABk\r\n\r\n{smuggled}",
    "upgrade-websocket": "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
    "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n{smuggled}",
}


@attack("E04", "edge", "a second request hidden in the frame of the first", FRAMES, short=True)
def test_smuggling(target: Target, tries: Tries, way: str) -> None:
    token = target.token()
    inner = SMUGGLED.format(token=token, own=target.own.host, ksh=target.other.ksh)
    frame = way.replace("{smuggled}", inner).replace("{hex}", f"{len(inner):x}")
    body = frame.partition("\r\n\r\n")[2]
    frame = frame.replace("{all}", str(len(body)))
    head = f"POST {public(target)} HTTP/1.1\r\nHost: {target.own.host}\r\n"
    wire.send(target.port, target.own.host, (head + frame).encode("latin-1"), seconds=2)
    after = target.anyone().ask(target.own.host, public(target))
    control(after.status in (200, 429), after)
    service = target.service(target.public_systems[0])
    tries.holds(not target.log_has(service, f"/keret/{token}"), f"{service} has served /keret/{token}")


# Forged headers

NAMES = (
    "Client-Cert",
    "client_cert",
    "Client-Cert-Chain",
    "X-Client-Cert",
    "X-SSL-Client-Cert",
    "SSL-Client-Cert",
    "X-Forwarded-Client-Cert",
    "X_Client_Cert",
)


@attack(
    "E05",
    "edge",
    "a genuine certificate in a header in place of one in the handshake",
    {name.lower().replace("_", "-u-"): name for name in NAMES},
    short=True,
    alike=True,
)
def test_certificate_in_a_header(target: Target, tries: Tries, way: str) -> None:
    pem = target.certificate(target.own).read_text().split("-----END CERTIFICATE-----")[0].splitlines()[1:]
    for value in (f":{''.join(pem)}:", "".join(pem)):
        for system in ("keret", target.public_systems[0]):
            browser = target.anyone()
            browser.cookies[target.own.host] = {f"asp_{system}": target.sessions(target.own, system, {"": ("x",)})[""]}
            answer = browser.ask(target.own.host, f"/{system}/", headers={way: value})
            let_in = answer.status == 200 and "Próba Támadó" in answer.text
            tries.holds(answer.status in (200, 403) and not let_in, f"{way}: {system}: {answer}")
            tries.holds(system != "keret" or answer.status == 403, f"{way}: {answer}")


@attack(
    "E06",
    "edge",
    "a header that names another municipality",
    {
        "asp-tenant": {"Asp-Tenant": "{ksh}"},
        "asp-underscore": {"Asp_Tenant": "{ksh}"},
        "lower-case": {"asp-tenant": "{ksh}"},
        "forwarded-host": {"X-Forwarded-Host": "{host}"},
        "forwarded": {"Forwarded": "host={host};proto=https"},
        "x-host": {"X-Host": "{host}"},
        "original-url": {"X-Original-URL": "https://{host}/portal/"},
        "rewrite-url": {"X-Rewrite-URL": "/keret/"},
        "hop-by-hop": {"Connection": "close, Asp-Tenant, X-Forwarded-Host"},
        "hop-by-hop-certificate": {"Connection": "close, Client-Cert"},
    },
)
def test_municipality_in_a_header(target: Target, tries: Tries, way: dict[str, str]) -> None:
    headers = {name: value.format(ksh=target.other.ksh, host=target.other.host) for name, value in way.items()}
    for system in target.public_systems:
        answer = target.anyone().ask(target.own.host, f"/{system}/", headers=headers)
        tries.holds(target.other.name not in answer.text, f"{system}: {answer}")
        tries.holds(target.other.host not in answer.header("location"), f"{system}: {answer}")
    answer = target.clerk(target.own, "keret").ask(target.own.host, "/keret/", headers=headers)
    tries.holds(target.other.name not in answer.text, answer)
    reply = target.holder(target.own).ask(target.own.host, "/keret/oidc/belepes", headers=headers)
    tries.holds(target.other.host not in reply.header("location"), reply.header("location"))


@attack("E07", "edge", "the sender chooses the request's number, or an address that logs would believe")
def test_request_number(target: Target, tries: Tries) -> None:
    for name in ("Asp-Request-Id", "asp-request-id", "Asp_Request_Id"):
        answer = target.anyone().ask(target.own.host, public(target), headers={name: "attack-number"})
        tries.holds(answer.header("asp-request-id") not in ("", "attack-number"), answer)
        tries.holds("attack-number" not in answer.text, answer)


# Spellings of a path

PATHS = {
    "double-slash": "//keret/",
    "triple-slash": "///keret///",
    "dot": "/./keret/",
    "dotdot": "/portal/../keret/",
    "encoded-dots": "/portal/%2e%2e/keret/",
    "mixed-dots": "/portal/.%2E/keret/",
    "encoded-letter": "/%6Beret/",
    "encoded-slash": "/portal/..%2fkeret/",
    "backslash": "/portal/..\\keret/",
    "encoded-backslash": "/portal/..%5ckeret/",
    "nul": "/keret%00/",
    "not-hex": "/%zz/keret/",
    "overlong": "/%c0%ae%c0%ae/keret/",
    "double-encoded": "/%256beret/",
    "parameter": "/keret;x=1/",
    "upper-case": "/KERET/",
    "full-width": "/ｋｅｒｅｔ/",
    "dot-behind": "/keret./",
    "tab": "/keret%09/",
    "fragment": "/portal/#/../keret/",
    "query-slash": "/keret?/../portal/",
    "star": "*",
    "no-slash": "keret/",
    "static": "/keret/static/../felhasznalok/",
    "long-dots": "/portal/" + "a/../" * 60 + "../keret/",
}


@attack("E08", "edge", "another spelling of a staff system's path, without a certificate", PATHS, short=True)
def test_spelling(target: Target, tries: Tries, way: str) -> None:
    browser = target.anyone()
    browser.cookies[target.own.host] = {
        "asp_keret": target.sessions(target.own, "keret", {"": ("adminisztrator",)})[""]
    }
    for method in ("GET", "POST"):
        answer = browser.ask(target.own.host, way, method)
        tries.holds(answer.status in (*REFUSED, 0), f"{method}: {answer}")
        tries.holds("Próba Támadó" not in answer.text, f"{method}: {answer}")


@attack("E09", "edge", "health, counters and administration from outside")
def test_inner_pages(target: Target, tries: Tries) -> None:
    clerk = target.clerk(target.own, "keret")
    for path in (
        "/healthz/live",
        "/healthz/ready",
        "/healthz/metrics",
        "/metrics",
        "/admin/",
        "/.well-known/x",
        "/.git/",
        "/stats",
        "/haproxy?stats",
        "/server-status",
        "/debug/",
        "/portal/healthz/metrics",
        "/.env",
    ):
        for browser in (target.anyone(), clerk):
            answer = browser.ask(target.own.host, path)
            tries.holds(answer.status in (400, 403, 404), f"{path}: {answer}")


# Methods


@attack(
    "E11",
    "edge",
    "a method that no page has",
    {
        "trace": "TRACE",
        "track": "TRACK",
        "connect": "CONNECT",
        "put": "PUT",
        "delete": "DELETE",
        "patch": "PATCH",
        "propfind": "PROPFIND",
        "lower-case": "get",
        "long": "A" * 300,
        "debug": "DEBUG",
    },
)
def test_method(target: Target, tries: Tries, way: str) -> None:
    clerk = target.clerk(target.own, "keret")
    for path in (public(target), "/keret/"):
        answer = clerk.ask(target.own.host, path, way, headers={"X-Echo": "attack-echo"})
        tries.holds(answer.status in (*REFUSED, 0), f"{path}: {answer}")
        tries.holds("attack-echo" not in answer.text, f"{path}: echoes the request")


@attack(
    "E12",
    "edge",
    "a method in a header or field in place of the request's own",
    {
        "header": {"X-HTTP-Method-Override": "DELETE"},
        "method": {"X-Method-Override": "PUT"},
        "field": {},
    },
)
def test_method_override(target: Target, tries: Tries, way: dict[str, str]) -> None:
    clerk = target.clerk(target.own, "keret")
    answer = clerk.ask(target.own.host, "/keret/kilepes?_method=POST", headers=way)
    tries.holds(answer.status in (405, 400, 403), answer)
    tries.holds(clerk.ask(target.own.host, "/keret/").status == 200, "the clerk is signed out")


@attack("E13", "edge", "invented methods make the counters of an app server grow without end")
def test_methods_in_the_counters(target: Target, tries: Tries) -> None:
    service = target.public_systems[0]
    program = (
        "import json,urllib.request,ssl\nc=ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)\nc.check_hostname=False\n"
        "c.verify_mode=ssl.CERT_NONE\nc.load_cert_chain('/run/secrets/tls.crt','/run/secrets/tls.key')\n"
        f"text=urllib.request.urlopen('https://localhost:{Port.APP:d}/healthz/metrics',context=c,timeout=8).read()\n"
        "print(json.dumps(text.decode()))"
    )
    names = [f"TAMAD{letter}" for letter in "ABCDEF"]
    for name in names:
        target.anyone().ask(target.own.host, public(target), name)
    text = target.foothold(service).run(program)
    for name in names:
        tries.holds(name not in text, f"a series of its own for method {name}")


# Sizes


@attack(
    "E14",
    "edge",
    "larger than any page needs",
    {
        "url": lambda t: (f"/portal/?q={'a' * 70000}", {}, b""),
        "header": lambda t: (public(t), {"X-Long": "a" * 70000}, b""),
        "headers": lambda t: (public(t), {f"X-{n}": "a" for n in range(600)}, b""),
        "cookie": lambda t: (public(t), {"Cookie": "a=" + "b" * 40000}, b""),
        "header-name": lambda t: (public(t), {"X" * 60000: "a"}, b""),
    },
)
def test_size_of_the_head(target: Target, tries: Tries, way) -> None:
    path, headers, body = way(target)
    answer = target.anyone().ask(target.own.host, path, headers=headers, body=body)
    tries.holds(answer.status in (400, 413, 414, 431), answer)


@attack(
    "E15",
    "edge",
    "a body far larger than a page takes, from somebody without sign-in",
    {
        "promised": ("plain", 400 * 2**20, 4096),
        "form": ("form", 24 * 2**20, 24 * 2**20),
        "multipart": ("multipart", 24 * 2**20, 24 * 2**20),
        "chunked": ("chunked", 0, 24 * 2**20),
    },
)
def test_size_of_the_body(target: Target, tries: Tries, way: tuple[str, int, int]) -> None:
    kind, claim, size = way
    for system in target.public_systems:
        types = {
            "plain": "application/octet-stream",
            "form": "application/x-www-form-urlencoded",
            "chunked": "text/plain",
        }
        head = (
            f"POST /{system}/ HTTP/1.1\r\nHost: {target.own.host}\r\nCookie: asp_{system}_csrf={'a' * 32}\r\n"
            f"Content-Type: {types.get(kind, 'multipart/form-data; boundary=x')}\r\n"
        )
        head += "Transfer-Encoding: chunked\r\n\r\n" if kind == "chunked" else f"Content-Length: {claim}\r\n\r\n"
        if kind == "multipart":
            head += '--x\r\nContent-Disposition: form-data; name="f"; filename="f"\r\n\r\n'
        piece = b"a" * 2**16
        piece = b"10000\r\n" + piece + b"\r\n" if kind == "chunked" else piece
        start = time.monotonic()
        answer = wire.send(target.port, target.own.host, head.encode() + piece * (size // 2**16), seconds=12)
        tries.holds(answer.status in (400, 403, 405, 411, 413), f"/{system}/: {answer}")
        tries.holds(time.monotonic() - start < 12, f"/{system}/: {time.monotonic() - start:.0f} s")


@attack("E16", "edge", "a form of very many fields, or parts")
def test_many_fields(target: Target, tries: Tries) -> None:
    clerk = target.clerk(target.own, "keret")
    url = f"{target.own.origin}/keret/helyettesites"
    answer = clerk.post(url, [(f"f{n}", "1") for n in range(20000)])
    tries.holds(answer.status in (400, 403, 404, 405, 413), answer)


@attack("E17", "edge", "pages of the edge itself without the headers that browsers need against misuse")
def test_headers_of_the_edges_pages(target: Target, tries: Tries) -> None:
    for answer in (target.anyone().ask(target.own.host, "/keret/"), target.anyone().ask(target.own.host, "/nincs/")):
        for name in (
            "content-security-policy",
            "x-content-type-options",
            "x-frame-options",
            "strict-transport-security",
            "referrer-policy",
        ):
            tries.holds(answer.header(name), f"{answer.refusal}: no {name}")


@attack("E18", "edge", "the port without TLS gives pages, or leads elsewhere", short=True)
def test_plain_port(target: Target, tries: Tries) -> None:
    import socket

    for host, status in ((target.own.host, 301), ("evil.test", 404), ("", 400)):
        with socket.create_connection((wire.ADDRESS, target.register.environment.ports.http), 5) as stream:
            stream.sendall(f"GET /keret/ HTTP/1.1\r\nHost: {host}\r\n\r\n".encode())
            answer = wire.read(stream)
        tries.holds(answer.status in (status, 404, 400), f"{host}: {answer}")
        place = answer.header("location")
        tries.holds(not place or place.startswith(target.own.origin), f"{host}: {place}")


@attack("E19", "edge", "header splitting by an encoded line end in a redirect")
def test_header_splitting(target: Target, tries: Tries) -> None:
    for path in ("/portal%0d%0aSet-Cookie:x=1", "/keret/oidc/belepes?next=%0d%0aSet-Cookie:%20x=1", "/%0d%0aX: y"):
        answer = target.holder(target.own).ask(target.own.host, path)
        tries.holds("x=1" not in answer.header("set-cookie") and not answer.header("x"), answer)


@attack("E20", "edge", "a connection goes on hanging after a body that was refused early")
def test_early_refusal(target: Target, tries: Tries) -> None:
    head = f"POST {public(target)} HTTP/1.1\r\nHost: {target.own.host}\r\nContent-Length: {3 * 2**20}\r\n\r\n"
    second = f"GET {public(target)} HTTP/1.1\r\nHost: {target.own.host}\r\nConnection: close\r\n\r\n"
    with wire.connection(target.port, target.own.host, seconds=6) as stream:
        try:
            stream.sendall(head.encode() + b"a" * 3 * 2**20)
        except OSError as error:
            tries.holds(True, error)  # closed at once: nothing hangs
            return
        first = wire.read(stream)
        tries.holds(first.status in REFUSED, first)
        start = time.monotonic()
        if first.header("connection").lower() == "close":
            return
        try:
            stream.sendall(second.encode())
            wire.read(stream)
        except OSError:
            pass
        tries.holds(time.monotonic() - start < 5, "the next request on the connection waits for a time-out")


@attack(
    "E21",
    "edge",
    "TLS older than the centre allows, or weak",
    {
        "tls-1.1": ("TLSv1_1", "ALL:@SECLEVEL=0"),
        "tls-1.0": ("TLSv1", "ALL:@SECLEVEL=0"),
        "no-encryption": ("TLSv1_2", "eNULL:aNULL:@SECLEVEL=0"),
        "cbc": ("TLSv1_2", "AES128-SHA:AES256-SHA:@SECLEVEL=0"),
        "no-forward-secrecy": ("TLSv1_2", "AES256-GCM-SHA384:@SECLEVEL=0"),
    },
)
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_old_tls(target: Target, tries: Tries, way: tuple[str, str]) -> None:
    import socket
    import ssl

    version, ciphers = way
    context = wire.context()
    context.minimum_version = ssl.TLSVersion.MINIMUM_SUPPORTED
    context.maximum_version = ssl.TLSVersion[version]
    context.set_ciphers(ciphers)
    try:
        with socket.create_connection((wire.ADDRESS, target.port), 5) as raw:
            cipher = context.wrap_socket(raw, server_hostname=target.own.host).cipher()
        tries.holds(False, f"the edge speaks {cipher}")
    except OSError as error:
        tries.holds(True, error)


@attack("E22", "edge", "a resumed session skips the certificate's examination")
def test_resumption(target: Target, tries: Tries) -> None:
    import socket
    import ssl

    for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
        context = wire.context(target.certificate(target.own))
        context.maximum_version = version
        session = None
        for _ in range(2):
            with (
                socket.create_connection((wire.ADDRESS, target.port), 5) as raw,
                context.wrap_socket(raw, server_hostname=target.own.host, session=session) as secured,
            ):
                secured.sendall(f"GET {public(target)} HTTP/1.1\r\nHost: {target.own.host}\r\n\r\n".encode())
                wire.read(secured)
                tries.holds(not secured.session_reused, f"{version.name}: resumed")
                session = secured.session
