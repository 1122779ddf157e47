"""Holding clients at a cell's pooler: they wait meanwhile, and see no error (`asp-dbproxy-hold` in image dbproxy)."""

from __future__ import annotations

import contextlib
import json
import socket
import time
from collections.abc import Iterator

from docker.errors import DockerException

from centre.reach.runtime import Runtime, RuntimeFault, frames
from centre.reach.transfer import TAIL, running

PROGRAM = "asp-dbproxy-hold"
PAUSE_SECONDS = 20  # until the clients are held, or cut off where a transaction does not end
END_SECONDS = 10  # to let them go and to say how it ended


class Hold:
    """Clients that are held. `ended`: the pooler has let them go, and has said so."""

    def __init__(self, proxy: str, stream: socket.socket, seconds: float):
        self.ended = False
        self._name = f"{proxy}: {PROGRAM}"
        self._stream = stream
        self._states = self._read(time.monotonic() + seconds)

    def begin(self) -> None:
        """Wait until no transaction runs any more. RuntimeFault with the pooler's reason when they cannot be held."""
        self._expect("held")

    def wait(self) -> None:
        """Wait until the pooler lets them go by itself. RuntimeFault when it did because its time was up."""
        self.ended = True
        self._expect("released")

    def release(self) -> None:
        """Let them go, and wait until they have gone. RuntimeFault when their time was up before."""
        with contextlib.suppress(OSError):  # the program has ended by itself
            self._stream.shutdown(socket.SHUT_WR)
        self.wait()

    def _expect(self, expected: str) -> None:
        state, reason = next(self._states)
        if state != expected:
            raise RuntimeFault(f"{self._name}: {reason or state}")

    def _read(self, deadline: float) -> Iterator[tuple[str, str]]:
        """Each state that the program tells, with its reason; at last what else it said."""
        output = rest = ""
        for kind, piece in frames(self._stream, deadline, self._name):
            if kind != 1:
                output += piece.decode(errors="replace")
                continue
            *lines, rest = (rest + piece.decode(errors="replace")).split("\n")
            for line in lines:
                try:
                    entry = json.loads(line)
                except ValueError:  # not the program's own words: the daemon's, that it could not be run
                    output += line
                    continue
                yield entry["state"], entry.get("reason", "")
        yield "ended", (output + rest).strip()[-TAIL:] or "it ended without a word"


@contextlib.contextmanager
def hold_clients(
    runtime: Runtime, proxy: str, seconds: int, database: str | None = None, until_not: str | None = None
) -> Iterator[Hold]:
    """Hold the clients of one database, or all, for at most `seconds`; whatever happens inside, they go on after it.

    `until_not`: the node that leads; the pooler lets them go as soon as another one does, which `Hold.wait` waits for.
    RuntimeFault when they cannot be held, or when their time was up before the end: then some may have seen errors.
    """
    command = [PROGRAM, str(seconds)]
    command += ["--database", database] if database else []
    command += ["--until-not", until_not] if until_not else []
    limit = seconds + PAUSE_SECONDS + END_SECONDS
    with contextlib.ExitStack() as open_:
        try:
            _, stream = open_.enter_context(running(runtime.container(proxy), command, limit, stdin=True))
        except DockerException as error:
            raise RuntimeFault(f"{proxy}: {PROGRAM} could not be run: {error}") from error
        hold = Hold(proxy, stream, limit)
        hold.begin()
        yield hold  # when that fails, the end of the stream lets them go, as it does when this process is killed
        if not hold.ended:
            hold.release()
