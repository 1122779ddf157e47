"""Carrying a database from one container to another as a stream: nothing of it touches a disk on the way."""

from __future__ import annotations

import contextlib
import threading

from docker.errors import APIError
from docker.models.containers import Container

from stacks.runtime import RuntimeFault

TAIL = 1500  # characters of what a command said that are shown


def carry(source: Container, give: list[str], target: Container, take: list[str]) -> int:
    """Run `give` in one container and `take` in another, the first's output being the other's input; bytes carried.

    RuntimeFault with the words of whichever failed.
    """
    api = source.client.api
    taking = api.exec_create(target.id, take, stdin=True)["Id"]
    stream = api.exec_start(taking, socket=True, demux=False)
    raw = getattr(stream, "_sock", stream)
    said: list[bytes] = []
    listening = threading.Thread(target=_listen, args=(raw, said), daemon=True)
    listening.start()
    giving = api.exec_create(source.id, give)["Id"]
    errors, carried = b"", 0
    try:
        for out, err in api.exec_start(giving, stream=True, demux=True):
            errors = (errors + (err or b""))[-TAIL:]
            if out:
                raw.sendall(out)
                carried += len(out)
        raw.shutdown(1)
    except BrokenPipeError:
        pass  # the taker has ended: its own words say why
    listening.join()
    stream.close()
    with contextlib.suppress(APIError):
        if code := api.exec_inspect(taking)["ExitCode"]:
            seen = b"".join(said).decode(errors="replace").strip()[-TAIL:]
            raise RuntimeFault(f"{target.name}: {take[0]} exited with {code}: {seen}")
        if code := api.exec_inspect(giving)["ExitCode"]:
            raise RuntimeFault(
                f"{source.name}: {give[0]} exited with {code}: {errors.decode(errors='replace').strip()}"
            )
    return carried


def _listen(raw, said: list[bytes]) -> None:
    """Docker's frames, headers and all: only shown when something went wrong."""
    with contextlib.suppress(OSError):
        while piece := raw.recv(65536):
            said.append(piece)
