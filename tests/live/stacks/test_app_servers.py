"""App servers as they run: numbers without gaps, tenants never mixed, rights as small as promised, small and quick."""

import io
import json
import re
import tarfile
import time
from pathlib import Path

import docker
import pytest

from centre.reach.psql import CellSql
from centre.reach.runtime import RuntimeFault
from inventory.register import load
from inventory.vault import vault
from stacks.components.app_server import TMPFS
from stacks.configs.places import ROOT_FILE
from tests.support.certificates import client_cert
from tests.support.polling import poll

OURS, THEIRS = "16054", "14915"
PROGRAM = "import systems.wsgi\n" + Path(__file__).with_name("app_server_program.py").read_text(encoding="utf-8")


# Documents stay registered: triggers refuse to remove them, and foreign keys what they hang on.
REMOVE = """
BEGIN;
SET LOCAL session_replication_role = replica;
DELETE FROM irat.document WHERE number LIKE 'IKT/1901/%';
DELETE FROM irat.case_file WHERE register_id IN (SELECT id FROM irat.register WHERE year = 1901);
DELETE FROM irat.register WHERE year = 1901;
COMMIT;
"""


@pytest.fixture
def inside(register, runtime):
    """Runs the program in irat's container and returns what it saw; what it wrote is removed as nobody else can."""
    municipality = register.municipality(OURS)
    service = register.cell(municipality.cell).app("irat")

    def run(what, *arguments):
        return json.loads(runtime.check(service, ["python", "-", what, *arguments], stdin=PROGRAM, timeout=180))

    yield run
    CellSql(runtime, municipality.cell).script(REMOVE, municipality.tenant, "postgres")


def test_numbers_have_no_gaps_however_many_write_and_fail_at_once(inside):
    result = inside("numbering", OURS)
    assert result["faults"] == []
    assert len(result["mains"]) == 64, "8 writers of 12 each, every third of which fails half-way"
    assert result["mains"] == list(range(1, 65))
    assert result["last"] == 64
    assert result["subs"] == list(range(1, 10)), "8 more documents on the first case"


def test_a_form_that_is_sent_eight_times_is_one_document_and_one_number(inside):
    result = inside("doubled", OURS)
    assert result == {"refused": 7, "kinds": ["IntegrityError"], "count": 1, "next": "IKT/1901/2-1"}


def test_threads_that_serve_two_municipalities_never_mix_them(inside):
    assert inside("tenants", OURS, THEIRS) == {"faults": [], "wrong": []}


def test_a_systems_role_sees_and_changes_nothing_but_its_own_rows(inside):
    assert inside("refusals", OURS) == {
        "another system's table": "permission denied for table clerk",
        "a new table": "permission denied for schema irat",
        "a change of schema": "must be owner of table document",
        "the bookkeeping": "permission denied for schema asp_meta",
    }


def test_search_finds_without_accents_and_takes_signs_as_signs(inside):
    result = inside("search", OURS)
    number = [result["number"]]
    assert result["found"] == {
        "arvizturo tukorfuro": number,
        "TÜKÖRFÚRÓ szintetikus": number,
        "number": number,
        "arvizturo nincs-ilyen": [],
        "%": [],
        "_": [],
    }


def test_one_that_crashed_is_back_before_it_would_be_asked_how_it_is(register, runtime):
    name = register.cell(register.municipality(OURS).cell).app("helpdesk")
    crashed = runtime.container(name)
    crashed.kill()

    def serving():
        try:
            return runtime.container(name).id
        except RuntimeFault as fault:
            return str(fault)

    poll(serving, lambda one: re.fullmatch("[0-9a-f]{64}", one) and one != crashed.id, 12, "another one serves")


CATALOGUE_ENTRY = {"id": "irat", "name": "Iratkezelő", "summary": "", "public": False, "installed": True}


def curl(register, runtime, system, certificate_of, host, *headers):
    """Status of a system's first page, asked from `certificate_of`'s container with that service's own certificate."""
    service = register.cell(register.municipality(OURS).cell).app(system)
    pair = vault.load(register).tls(certificate_of)
    program = f"""
import http.client, ssl, tempfile, sys
context = ssl.create_default_context(cafile={ROOT_FILE!r})
with tempfile.NamedTemporaryFile("w") as file:
    file.write({pair.chain + pair.key!r}); file.flush(); context.load_cert_chain(file.name)
connection = http.client.HTTPSConnection({service!r}, 8443, context=context, timeout=10)
connection.request("GET", {f"/{system}/"!r}, headers={{"Host": {host!r}, **{dict(headers)!r}}})
answer = connection.getresponse()
print(answer.status, answer.read().decode())
"""
    return runtime.check(service, ["python", "-"], stdin=program, timeout=30)


def test_only_the_edge_can_name_a_tenant(register, runtime):
    municipality = register.municipality(OURS)
    cell = register.cell(municipality.cell)
    clerk = client_cert(("CN", "proba.senki"), ("OU", municipality.tenant), ("O", municipality.name))
    headers = [("Asp-Tenant", OURS), ("Client-Cert", clerk)]
    assert curl(register, runtime, "irat", register.names.edge, municipality.host, *headers).startswith("302 ")
    answer = curl(register, runtime, "irat", cell.app("keret"), municipality.host, *headers)
    assert answer.startswith("421 ")
    assert "Hibás cím" in answer
    bare = curl(register, runtime, "irat", register.names.edge, municipality.host, headers[0])
    assert bare.startswith("403 ")


@pytest.mark.parametrize("system", load("test").installed_systems)
def test_an_app_server_is_small_and_logs_only_json(register, runtime, system):
    container = runtime.container(register.cell(register.municipality(OURS).cell).app(system))
    stats = container.stats(stream=False)["memory_stats"]
    mebibytes = (stats["usage"] - stats.get("stats", {}).get("total_inactive_file", 0)) / 2**20
    assert mebibytes <= 120, f"{mebibytes:.0f} MiB, wanted at most 120"
    lines = container.logs(tail=200).decode().splitlines()
    assert lines
    assert not [line for line in lines if "HTTP/1.1" in line], "an access log with query strings"
    for line in lines:
        assert {"time", "level", "message", "tenant", "request"} <= set(json.loads(line)), line


def test_counters_are_added_up_over_the_workers_and_name_nobody(register, runtime):
    municipality = register.municipality(OURS)
    program = f"""
import re, ssl, urllib.request as u
context = ssl.create_default_context(cafile={ROOT_FILE!r})
context.load_cert_chain("/run/secrets/tls.crt", "/run/secrets/tls.key")
def get(path): return u.urlopen(f"https://localhost:8443{{path}}", timeout=10, context=context).read().decode()
def refused():
    found = re.findall('asp_requests_total.method="GET",status="421",system="irat". ([0-9.]+)', get("/healthz/metrics"))
    return float(found[0]) if found else 0
def ask():
    try: get("/irat/")
    except u.HTTPError: pass
import urllib.error; u.HTTPError = urllib.error.HTTPError
before = refused()
for _ in range(12): ask()
print(refused() - before)
print(get("/healthz/metrics"))
"""
    service = register.cell(municipality.cell).app("irat")
    total, text = runtime.check(service, ["python", "-"], stdin=program, timeout=60).split("\n", 1)
    assert float(total) == 12, "whichever worker answers"
    assert 'asp_relay_last_round{system="irat"}' in text
    assert municipality.ksh not in text and municipality.slug not in text


@pytest.fixture
def own(register):
    """A second irat from the running one's image, outside Swarm, with settings of nowhere."""
    client = docker.from_env(timeout=30)
    service = register.cell(register.municipality(OURS).cell).app("irat")
    running = client.containers.list(filters={"label": f"com.docker.swarm.service.name={service}"})[0]
    containers = []

    def start(**changes):
        pair = vault.load(register).tls(service)
        root = vault.load(register).root_ca.certificate
        environment = dict(line.split("=", 1) for line in running.attrs["Config"]["Env"])
        files = {
            "/run/secrets/tls.crt": pair.chain,
            "/run/secrets/tls.key": pair.key,
            ROOT_FILE: root,
            environment["ASP_SYSTEMS_FILE"]: json.dumps([CATALOGUE_ENTRY]),
            environment["ASP_OPERATIONS_FILE"]: json.dumps(
                {"opening_hours": {}, "outage_minutes": 60, "maintenance": [], "training": [], "message_days": 90}
            ),
            **{environment[f"ASP_{name}_KEY_FILE"]: "key" for name in ("SYSTEM", "OIDC", "DJANGO")},
        }  # fmt: skip
        container = client.containers.create(
            running.image.id,
            environment={**environment, **changes},
            network_mode="none",
            init=True,
            cap_drop=["ALL"],
            user=running.attrs["Config"]["User"],
            tmpfs={path: f"size={size}m,mode=1777" for path, size in TMPFS.items()},
            labels={"asp.env": register.environment.id},
        )
        containers.append(container)
        container.put_archive("/", archive(files))
        return container

    yield start
    for container in containers:
        container.remove(force=True)


def archive(files: dict[str, str]) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as bundle:
        for path, text in files.items():
            entry, data = tarfile.TarInfo(path.lstrip("/")), text.encode()
            entry.size, entry.mode, entry.uid = len(data), 0o400, 10001
            bundle.addfile(entry, io.BytesIO(data))
    return buffer.getvalue()


def listening(container) -> bool:
    return (
        container.exec_run(["python", "-c", "import socket; socket.create_connection(('127.0.0.1', 8443), 1)"])[0] == 0
    )


def test_an_app_server_starts_quickly_and_ends_when_asked(own):
    container = own()
    start = time.monotonic()
    container.start()
    poll(lambda: listening(container), bool, 30, "irat listens")
    assert time.monotonic() - start < 15, "3 s on a machine with nothing else to do; this is a shared one"
    start = time.monotonic()
    container.stop(timeout=25)
    assert time.monotonic() - start < 20, "graceful_timeout of gunicorn and what Docker adds"
    container.reload()
    assert container.attrs["State"]["ExitCode"] == 0, "143: ended by the signal, without an end to what was running"


def test_an_app_server_without_its_settings_says_which_and_ends(own):
    container = own(ASP_DB_HOST="")
    container.start()
    container.wait(timeout=30)
    output = container.logs().decode()
    assert "app server: ASP_DB_HOST: seen nothing, wanted a value; stacks/appservers sets it" in output
    assert "Traceback" not in output
