"""Names, addresses and ports of recorded programs, made a run's own, so that runs beside each other do not meet."""

from __future__ import annotations

import contextlib
import fcntl
import re
import tempfile
from collections.abc import Iterator
from pathlib import Path

SLOTS = 8  # runs at a time on one machine
NETWORKS = range(77, 89)  # second octet of the networks in recorded programs
_NAME = re.compile(r"\bcf-")
_OWN_NAME = re.compile(r"\bcf\d[a-z]{2,}-(?![0-9a-f]{4}-)")  # no group of a UUID, which may be cf4a too
_OCTET = re.compile(r"\b10\.(\d+)\.")
_ADDRESS_OF_INTERFACE = re.compile(r"\b02:42:0a:([0-9a-f]{2}):")  # a bridge's interface has its address in it
_PORT = re.compile(r"\b18[0-2]\d\d\b")
_SHARED = ("ncprbr", "ncpr/tagged", "conformance/tagged")  # an interface and images, which have no prefix


class Names:
    """Translates a case's texts. `slot`: number of the run, `case`: its name."""

    def __init__(self, slot: int, case: str):
        self.slot = slot
        self.prefix = f"cf{slot}{re.sub('[^a-z]', '', case)}-"
        self._octets = {number: number + slot * len(NETWORKS) for number in NETWORKS}
        self._ports: dict[str, str] = {}

    def own(self, text: str) -> str:
        """A recorded text with the run's own names."""
        text = _NAME.sub(self.prefix, text)
        text = _OCTET.sub(lambda match: f"10.{self._octets.get(int(match[1]), match[1])}.", text)
        for port in set(_PORT.findall(text)):
            self._ports[str(int(port) + self.slot * 1000)] = port
        text = _PORT.sub(lambda match: str(int(match[0]) + self.slot * 1000), text)
        for name in _SHARED:
            text = text.replace(name, self._shared(name))
        return text

    def recorded(self, text: str) -> str:
        """A text of the run with the recorded names."""
        octets = {own: number for number, own in self._octets.items()}
        text = _OWN_NAME.sub("cf-", text)
        text = _OCTET.sub(lambda match: f"10.{octets.get(int(match[1]), match[1])}.", text)
        text = _ADDRESS_OF_INTERFACE.sub(
            lambda match: f"02:42:0a:{octets.get(int(match[1], 16), int(match[1], 16)):02x}:", text
        )
        for own, port in self._ports.items():
            text = re.sub(rf"\b{own}\b", port, text)
        for name in _SHARED:
            text = text.replace(self._shared(name), name)
        return text

    def _shared(self, name: str) -> str:
        head, slash, tail = name.partition("/")
        return f"{head}{self.slot}r{slash}{tail}"


def is_of(slot: int, name: str) -> bool:
    """Whether an object's name is of a run in this slot."""
    return re.match(rf"cf{slot}[a-z]+-", name) is not None


def is_shared(slot: int, tag: str) -> bool:
    """Whether an image's tag is of a run in this slot."""
    return re.match(rf"(ncpr|conformance){slot}r/tagged", tag) is not None


@contextlib.contextmanager
def free_slot() -> Iterator[int]:
    """A slot that no other run on this machine has; waits for the first one when all are taken."""
    folder = Path(tempfile.gettempdir())
    with contextlib.ExitStack() as stack:
        files = [stack.enter_context((folder / f"engine-conformance-{slot}.lock").open("w")) for slot in range(SLOTS)]
        for slot, file in enumerate(files):
            with contextlib.suppress(BlockingIOError):
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                yield slot
                return
        fcntl.flock(files[0], fcntl.LOCK_EX)
        yield 0
