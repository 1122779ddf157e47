"""Uploads at a real app server with the memory that it has in production: many at once, and sizes as promised."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.systems.app_server import AppServer
from tests.systems.elugy.support import begin, citizen

SCAN = b"%PDF-" + bytes(range(256)) * 11_600  # 2.8 MiB of the 3 MB that the page promises


@pytest.mark.parametrize("count", [8, 16])
def test_as_many_citizens_as_come_at_once_upload_their_scans(node, count):
    """Five at once killed the worker, and every other request in it was lost."""
    people = [citizen(str(8_000_000_000 + n)) for n in range(count)]
    drafts = [begin(client) for client in people]
    with AppServer(node, "elugy") as server, ThreadPoolExecutor(count) as pool:

        def upload(n):
            cookies = {"asp_elugy": people[n].cookies["asp_elugy"].value}
            return server.upload(f"{drafts[n]}/mellekletek/uj", SCAN + str(n).encode(), cookies).status

        before = server.peak()
        statuses = []
        for n in [*pool.map(lambda n: _attempt(upload, n), range(count))]:
            statuses.append(n)
        print(f"{count} at once: {statuses}, {before:.0f} MiB before, peak {server.peak():.0f} MiB")
        assert statuses == [302] * count
        assert not [line for line in server.log() if "SIGKILL" in line["message"]]


def _attempt(upload, n):
    try:
        return upload(n)
    except OSError as error:
        return repr(error)
