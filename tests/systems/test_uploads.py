"""Uploads at a real app server with the memory that it has in production: many at once, and sizes as promised."""

import secrets
import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest

from systems.core import metrics
from systems.core.room import THREADS
from systems.irat import krx
from systems.shared import bodies
from tests.systems.app_server import AppServer
from tests.systems.elugy.support import begin, citizen
from tests.systems.helpdesk.test_helpdesk import FORM
from tests.systems.irat.test_krx import letter
from tests.systems.irat.test_krx import package as krx_package
from tests.systems.migration.test_migration import package as migration_package
from tests.systems.support import FACTS, OURS
from tests.unit.systems.support import certificate

SCAN = b"%PDF-" + bytes(range(256)) * 11_600  # 2.8 MiB of the 3 MB that the page promises
LET_IN = THREADS - 1  # the edge lets so many requests in at once, others wait there


def _attempt(upload: Callable[[int], int], number: int) -> int | str:
    try:
        return upload(number)
    except OSError as error:
        return repr(error)


def at_once(upload: Callable[[int], int], count: int) -> list[int | str]:
    """Statuses, or the error of a connection that broke."""
    with ThreadPoolExecutor(min(count, LET_IN)) as pool:
        return list(pool.map(lambda number: _attempt(upload, number), range(count)))


def troubles(server: AppServer) -> list[str]:
    """What the server warned of: a killed worker, a body that it refused."""
    return [line["message"] for line in server.log() if line["level"] != "INFO"]


@pytest.mark.parametrize("count", [8, 16])
def test_as_many_citizens_as_come_at_once_upload_their_scans(node, count):
    """Five at once killed the worker, and every other request in it was lost."""
    people = [citizen(str(8_000_000_000 + n)) for n in range(count)]
    drafts = [begin(client) for client in people]
    with AppServer(node, "elugy") as server:

        def upload(n: int) -> int:
            cookies = {"asp_elugy": people[n].cookies["asp_elugy"].value}
            return server.upload(f"{drafts[n]}/mellekletek/uj", SCAN + str(n).encode(), cookies).status

        before = server.peak()
        statuses = at_once(upload, count)
        print(f"{count} at once: {before:.0f} MiB before, peak {server.peak():.0f} MiB")
        assert (statuses, troubles(server)) == ([302] * count, [])


def as_clerk(client, system: str) -> tuple[dict[str, str], dict[str, str]]:
    """Cookies and headers of a clerk who is signed in."""
    header = certificate("minta.ilona", f"t{OURS}", FACTS[OURS]["name"])
    return {f"asp_{system}": client.cookies[f"asp_{system}"].value}, {"Client-Cert": header}


def test_as_many_clerks_as_come_at_once_report_with_a_picture(node, browse):
    cookies, headers = as_clerk(browse("helpdesk", "bejelento"), "helpdesk")
    with AppServer(node, "helpdesk") as server:

        def upload(n: int) -> int:
            form = FORM | {"token": str(uuid.uuid4()), "field": "upload"}
            return server.upload("/helpdesk/uj", bytes(bodies.REPORTED - n), cookies, headers, **form).status

        statuses = at_once(upload, 16)
        print(f"helpdesk, 16 of 5 MiB: peak {server.peak():.0f} MiB")
        assert (statuses, troubles(server)) == ([302] * 16, [])


def test_krx_packages_of_the_promised_size_arrive_at_once(node, browse):
    cookies, headers = as_clerk(browse("irat", "iktato"), "irat")
    big = krx.File("szkennelt.bin", "application/octet-stream", secrets.token_bytes(23 * bodies.MIB))
    packages = [krx.pack(krx_package(letter(files=[big]))) for _ in range(4)]
    with AppServer(node, "irat") as server:

        def upload(n: int) -> int:
            return server.upload("/irat/erkeztetes/krx", packages[n], cookies, headers, field="package").status

        statuses = at_once(upload, 4)
        print(f"irat, 4 KRX of {len(packages[0]) / 2**20:.1f} MiB: peak {server.peak():.0f} MiB")
        assert (statuses, troubles(server)) == ([302] * 4, [])


def test_a_migration_package_of_the_promised_size_goes_in(node, browse):
    """17 MB failed: `/tmp` had 16."""
    cookies, headers = as_clerk(browse("migration", "ugyintezo"), "migration")
    row = "8345671233;Minta Ilona (szintetikus);3770 Sajószentpéter, Ősz utca 1.\r\n"
    text = "adoazonosito;nev;cim\r\n" + row * (15 * bodies.MIB // len(row.encode()))
    parts = {f"{system}/a.csv": text for system in ("ado", "gazd", "ivk", "keret")}
    content = migration_package(parts, balances={})
    assert 59 * bodies.MIB < len(content) <= bodies.PACKAGE, "packed without compression"
    with AppServer(node, "migration") as server:
        answer = server.upload("/migration/uj", content, cookies, headers, field="package")
        print(f"migration, {len(content) / 2**20:.1f} MiB: peak {server.peak():.0f} MiB")
        assert (answer.status, troubles(server)) == (302, []), server.log()[-5:]


def test_a_page_says_its_limit_in_place_of_a_broken_connection(node, browse):
    cookies, headers = as_clerk(browse("helpdesk", "bejelento"), "helpdesk")
    with AppServer(node, "helpdesk") as server:
        answer = server.upload("/helpdesk/uj", bytes(6 * bodies.MIB), cookies, headers, field="upload")
        assert (answer.status, "legfeljebb 5 MB" in answer.text) == (413, True)


def test_nothing_of_an_upload_lies_in_a_file(node):
    """Spooled uploads filled the file system of the counters, and outlived the worker."""
    with AppServer(node, "elugy") as server:
        connection = server.connection()
        head = {"Host": FACTS[OURS]["host"], "Asp-Tenant": OURS, "Content-Type": "multipart/form-data; boundary=x"}
        connection.putrequest("POST", "/elugy/", skip_host=True)
        for name, value in {**head, "Content-Length": "200000"}.items():
            connection.putheader(name, value)
        connection.endheaders(b'--x\r\nContent-Disposition: form-data; name="a"; filename="a"\r\n\r\n' + bytes(100_000))
        assert server.request("GET", "/elugy/").status == 200
        counters = {f"/run/metrics/{name}_0.db" for name in metrics.FILES}
        assert server.files("/tmp", "/run/metrics") == {"/tmp/relay.lock", *counters}
        connection.close()
