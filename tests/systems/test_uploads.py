"""Uploads at a real app server with the memory that it has in production: many at once, and sizes as promised."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest

from systems.core.room import THREADS
from tests.systems.app_server import AppServer
from tests.systems.elugy.support import begin, citizen

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


def killed(server: AppServer) -> list[str]:
    return [line["message"] for line in server.log() if "was sent SIG" in line["message"]]


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
        assert (statuses, killed(server)) == ([302] * count, [])
