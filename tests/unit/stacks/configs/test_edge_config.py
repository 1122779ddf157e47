"""HAProxy's configuration from the register: what it must promise is visible in its text."""

import re
from copy import copy

import pytest

from inventory.register import load
from stacks.configs import edge_answers, edge_backends, edge_config, edge_limits
from stacks.configs.edge_pages import PAGES, render
from stacks.configs.places import ROOT_FILE
from systems.core.room import THREADS
from systems.shared.bodies import UPLOADS

ISSUER = "ASP test issuing CA"


@pytest.fixture(scope="module")
def register():
    return load("test")


@pytest.fixture(scope="module")
def text(register):
    return edge_config.render(register, ISSUER)


def section(text, name):
    """Lines of one section, without comments."""
    match = re.search(rf"^{re.escape(name)}$\n((?:[ \t]+.*\n|\n)*)", text, re.MULTILINE)
    assert match, f"no section {name!r}"
    return [line.strip() for line in match[1].splitlines() if line.strip() and not line.strip().startswith("#")]


def position(lines, start):
    matches = [index for index, line in enumerate(lines) if line.startswith(start)]
    assert matches, f"no line starts with {start!r}"
    return matches[0]


def test_every_system_is_either_for_staff_or_public(register, text):
    lines = section(text, "frontend https")
    staff = set(lines[position(lines, "acl staff")].split()[5:])
    public = set(lines[position(lines, "acl public")].split()[5:])
    assert staff | public == set(register.systems)
    assert staff & public == set()
    assert public == {system.id for system in register.systems.values() if system.public}


def test_every_cell_has_a_backend_for_each_installed_system(register, text):
    for cell in register.environment.cells:
        for system in register.installed_systems:
            service = register.cell(cell.id).app(system)
            assert f"server {service} {service}:8443 " in "\n".join(section(text, f"backend {cell.id}-{system}"))


def servers(text, least=4):
    lines = [line.strip() for line in text.splitlines() if line.strip().startswith("server ")]
    assert len(lines) >= least
    return lines


def test_every_backend_is_verified_both_ways_and_looked_up_by_name(register, text):
    for server in servers(text):
        name = server.split()[1]
        own = [] if name == register.names.pki else [f"crt {edge_backends.LEAF_FILE} "]
        for part in (
            "verify required",
            f"ca-file {ROOT_FILE}",
            *own,
            f"sni str({name})",
            f"verifyhost {name}",
            "resolvers docker",
            "init-addr libc,none",
        ):
            assert part in server, f"{part} is missing: {server}"
        assert "check-ssl" in server or f"track baz1-{name.removeprefix('asp-test-baz1-')}/{name}" in server


def test_step_ca_never_takes_the_edges_identity_for_the_callers(register, text):
    """P14, P18: a renewal or revocation by nobody was judged as one by the edge."""
    (server,) = (line for line in servers(text) if line.split()[1] == register.names.pki)
    assert " crt " not in server
    assert edge_config.PKI_WRITE == ("/1.0/sign",)


def test_the_lanes_of_an_app_server_leave_a_thread_for_health_checks(register):
    """H1: eight slow requests took the health check's thread too, and the cell's system was down for everybody."""
    lanes = [register.limit(f"lane-{lane}") for lane in ("main", "more", "upload")]
    assert sum(lanes) < THREADS
    assert register.limit("municipality-at-work") < register.limit("lane-main")


def test_each_lane_of_an_app_server_is_as_wide_as_the_register_says(register, text):
    for cell in register.environment.cells:
        for system in register.installed_systems:
            for lane, end in (("main", ""), ("more", "-more"), ("upload", "-upload")):
                (server,) = servers("\n".join(section(text, f"backend {cell.id}-{system}{end}")), 1)
                assert f" maxconn {register.limit(f'lane-{lane}')} " in server
            rest = section(text, f"backend {cell.id}-{system}-more")
            down = next(line for line in rest if line.startswith("http-request return status 503"))
            assert down.endswith(f"if {{ nbsrv({cell.id}-{system}) eq 0 }}"), "nobody waits for a server that is gone"
            assert f"timeout queue {register.limit('more-seconds')}s" in rest
            assert any(line.startswith("http-after-response set-status 429") for line in rest)


@pytest.fixture(scope="module")
def three():
    """Two edges before two tasks of each app server."""
    return load("three")


def templates(register):
    """Lane → its one line of servers, and the lines of its backend, of every app server."""
    text, lanes = edge_config.render(register, ISSUER), {}
    for system in register.installed_systems:
        for end in ("", "-more", "-upload"):
            lines = section(text, f"backend baz1-{system}{end}")
            (line,) = (line for line in lines if line.startswith(("server ", "server-template ")))
            lanes[f"{system}{end}"] = (line, lines)
    return lanes


def test_every_task_of_an_app_server_is_a_server_of_every_lane(three):
    lanes = templates(three)
    assert len(lanes) == 3 * len(three.installed_systems)
    for lane, (line, lines) in lanes.items():
        service = three.cell("baz1").app(lane.partition("-")[0])
        assert line.startswith(f"server-template {service}- 3 {service}:8443 "), "two, and a successor"
        for part in ("verify required", f"sni str({service})", f"verifyhost {service}", "resolvers docker"):
            assert part in line
        assert " check check-ssl " in line and "track" not in line, "each lane has its own order"
        assert f"http-check send meth GET uri /healthz/ready ver HTTP/1.1 hdr Host {service}" in lines
        assert "option redispatch 1" in lines, "who is sent to a lost machine waits for one connection at most"


def test_a_municipality_keeps_to_one_task_while_it_has_room(three):
    """A page and what it links to come of one release, also while the tasks are updated one by one."""
    for line, lines in templates(three).values():
        assert " hash-key addr-port " in line, "the same one at every edge and in every lane"
        for rule in ("balance hdr(Asp-Tenant)", "hash-type consistent", "hash-balance-factor 150"):
            assert rule in lines


def test_edges_share_the_threads_of_an_app_server(three):
    for lane, (line, _) in templates(three).items():
        limit = three.limit(f"lane-{lane.partition('-')[2] or 'main'}")
        (most,) = map(int, re.findall(r" maxconn (\d+) ", line))
        assert limit / 2 <= most < limit / 2 + 1, "of two edges"


def test_what_has_one_task_is_one_server(three):
    text = edge_config.render(three, ISSUER)
    assert {line.split()[1] for line in servers(text, 2)} == {three.names.identity, three.names.pki}
    assert "server-template" not in edge_config.render(load("dev"), ISSUER)


def test_headers_and_an_awaited_body_fit_into_a_buffer(register):
    reserve = 1024  # HAProxy's tune.maxrewrite
    assert register.limit("headers") + register.limit("body-awaited") < edge_limits.BUFFER_BYTES - reserve


def test_a_busy_office_of_sixty_clerks_behind_one_address_stays_below_the_limits(register):
    clerks, hosts, files = 60, 3, 10
    assert clerks * hosts < register.limit("source-connections")
    assert clerks <= register.limit("municipality-open")
    assert files * 2 <= register.limit("certificate-open")
    assert clerks * files <= register.limit("anonymous-rate"), "those who open the public site without a certificate"


def test_every_upload_route_has_its_own_largest_body(text):
    lines = section(text, "frontend https")
    for upload in UPLOADS:
        start = f"http-request set-var(txn.largest) int({upload.largest}) "
        assert any(line.startswith(start) and upload.path in line for line in lines), upload


def test_a_body_is_judged_and_awaited_before_a_municipalitys_share_is_used(text):
    lines = section(text, "frontend https")
    order = [
        position(lines, f"http-request track-sc{edge_limits.CALLERS}"),
        position(lines, "http-request return status 413"),
        position(lines, "http-request wait-for-body time 10s if"),
        position(lines, f"http-request track-sc{edge_limits.SHARES}"),
    ]
    assert order == sorted(order)


def test_what_clients_claim_is_dropped_before_the_edge_claims_it(text):
    lines = section(text, "frontend https")
    last_drop = max(index for index, line in enumerate(lines) if line.startswith("http-request del-header"))
    first_claim = min(index for index, line in enumerate(lines) if line.startswith("http-request set-header"))
    assert last_drop < first_claim


@pytest.mark.parametrize(
    "name",
    ["Client-Cert", "client-cert-chain", "Asp-Tenant", "asp-request-id", "X-Forwarded-For", "X-Forwarded-Proto"]
    + ["Client_Cert", "asp_tenant", "x_forwarded_for", "X-Real-IP", "SSL-Client-Cert", "Forwarded"],
)
def test_a_clients_copy_of_a_header_matches_a_drop_rule(text, name):
    drops = [line.split()[2:] for line in section(text, "frontend https") if line.startswith("http-request del-header")]
    lowered = name.lower()  # as HAProxy keeps names

    def is_hit(rule):
        pattern, method = rule[0], rule[-1]
        return {"sub": pattern in lowered, "reg": bool(re.search(pattern, lowered))}.get(method, pattern == lowered)

    assert any(is_hit(rule) for rule in drops), drops


@pytest.mark.parametrize("name", ["Accept", "Cookie", "Authorization", "Content-Type", "User-Agent", "Aspect"])
def test_an_ordinary_header_is_left_alone(text, name):
    drops = [line.split()[2:] for line in section(text, "frontend https") if line.startswith("http-request del-header")]
    pattern = next(rule[0] for rule in drops if rule[-1] == "reg")
    assert not re.search(pattern, name.lower())


def test_paths_have_one_spelling_before_any_rule_looks_at_them(text):
    lines = section(text, "frontend https")
    last = max(index for index, line in enumerate(lines) if line.startswith("http-request normalize-uri"))
    assert last < position(lines, "http-request set-var(txn.system)")
    looking = [index for index, line in enumerate(lines) if re.search(r"[{ ]path[ ,_]", line)]
    assert looking and last < min(looking)


def test_a_certificate_counts_only_when_genuine_and_of_the_clerks_authority(text):
    lines = section(text, "frontend https")
    valid = next(line for line in lines if line.startswith("http-request set-var(txn.certificate) str(valid)"))
    assert valid.endswith("if { ssl_c_used } genuine chain_genuine for_clerks")
    assert f'acl for_clerks ssl_c_i_dn(CN) -m str "{ISSUER}"' in lines
    order = [index for index, line in enumerate(lines) if line.startswith("http-request set-var(txn.certificate)")]
    words = [re.search(r"str\((\w+)\)", lines[index])[1] for index in order]
    assert words == ["none", "invalid", "valid", "revoked", "unchecked"]


def test_sessions_are_never_resumed(text):
    assert "tune.ssl.cachesize 0" in section(text, "global")
    assert any("no-tls-tickets" in line and "ssl-min-ver TLSv1.2" in line for line in section(text, "global"))


def test_the_client_certificate_goes_only_where_it_is_proven(text):
    rules = [line.strip() for line in text.splitlines() if "set-header Client-Cert" in line]
    assert rules == [
        "http-request set-header Client-Cert :%[ssl_c_der,base64]: if staff",
        "http-request set-header Client-Cert :%[ssl_c_der,base64]: if public clerk_here",
        "http-request set-header Client-Cert :%[ssl_c_der,base64]: if identity_host valid "
        "!{ path_beg /realms/ugyfel/ }",
    ]
    lines = section(text, "frontend https")
    refusals = [
        index
        for index, line in enumerate(lines)
        if line.startswith("http-request return") and re.search("if (staff|clerks_only)", line)
    ]
    assert len(refusals) == 5
    assert max(refusals) < position(lines, "http-request set-header Client-Cert"), (
        "staff get there only when not refused"
    )


def test_the_identity_host_lists_what_it_shows(text):
    lines = section(text, "frontend https")
    assert any(line.endswith("if identity_host !identity_path") and " 404 " in line for line in lines)
    paths = (*edge_config.IDENTITY_PATHS, *edge_config.IDENTITY_FOLDERS)
    assert {path.split("/")[2] for path in paths if path.startswith("/realms/")} == {"asp", "ugyfel"}
    assert not any(word in path for path in paths for word in ("/admin", "/realms/master", "/token", "/certs"))


def test_clerks_sign_in_only_with_a_valid_certificate(text):
    """H3: seven wrong passwords by a stranger locked a clerk out; now a stranger is not even shown the form."""
    lines = section(text, "frontend https")
    assert position(lines, "acl clerks_sign_in path_beg /realms/asp/protocol/openid-connect/auth /realms/asp/login-")
    refusals = [line for line in lines if line.startswith("http-request return") and "clerks_only" in line]
    assert len(refusals) == 4
    assert refusals[-1].endswith("if clerks_only !valid")
    assert "http-request set-var(txn.clerks_only) bool(true) if staff or identity_host clerks_sign_in" in lines
    assert lines.index(refusals[-1]) < position(lines, "use_backend identity")


def test_every_page_is_used_and_every_file_named_is_a_page(text):
    pages = set(re.findall(rf"{edge_answers.PAGES_DIR}/([a-z-]+)\.html", text))
    assert pages == set(PAGES)


@pytest.mark.parametrize("page", PAGES)
def test_a_page_is_whole_and_fit_for_haproxy(page):
    html = render(page)
    assert PAGES[page].code in html
    assert html.replace("%%", "").count("%") == html.count("%[unique-id]") == 1
    assert '<html lang="hu">' in html
    assert "http" not in html.replace("http-equiv", ""), "self-contained: nothing is loaded from elsewhere"


def test_codes_are_unique_and_stable():
    codes = [page.code for page in PAGES.values()]
    assert len(set(codes)) == len(codes)
    assert {"ASP-EDGE-TENANT-MISMATCH", "ASP-EDGE-NO-CERTIFICATE", "ASP-EDGE-CERTIFICATE-REVOKED"} <= set(codes)


@pytest.mark.parametrize(("port", "suffix"), [(443, ""), (17443, ":17443")])
def test_plain_http_leads_to_the_published_port(register, port, suffix):
    ports = register.environment.ports.model_copy(update={"https": port})
    changed = register.environment.model_copy(update={"ports": ports})
    other = copy(register)
    other.environment = changed
    lines = section(edge_config.render(other, ISSUER), "frontend http")
    assert f"http-request redirect code 301 location https://%[var(txn.host)]{suffix}%[pathq]" in lines
