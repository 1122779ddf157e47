"""Files of the edge's volume: changed whole or not at all, and put back when HAProxy does not accept them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager
from pathlib import Path

from asp_service import files

from asp_edge.settings import Settings


def locked(settings: Settings) -> AbstractContextManager[int]:
    """One writer at a time; waits for the one before."""
    return files.locked(settings.lock)


def prepare(settings: Settings) -> None:
    """Everything that HAProxy's configuration names must exist before its first start. An unread list of revocations
    is out of date since 1970, so staff systems stay closed until the first one has come."""
    for folder in (settings.certificates, settings.tenants.parent, settings.revoked.parent):
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        for leftover in folder.glob(f".*{files.UNFINISHED}"):
            leftover.unlink()
    for file, content in ((settings.tenants, ""), (settings.revoked, ""), (settings.crl_until, "until 0\n")):
        if not file.exists():
            files.write_whole(file, content)
    files.write_whole(settings.combined_leaf, settings.leaf.read_text() + settings.leaf_key.read_text())


class Change:
    """A set of file changes: those that differ are written, and `undo` puts every one back."""

    def __init__(self, settings: Settings) -> None:
        self._mark = settings.unloaded
        self.unfinished = self._mark.exists()  # somebody before was killed: HAProxy's state is not known
        self._before: dict[Path, str | None] = {}

    def write(self, file: Path, content: str | None) -> bool:
        """Give a file this content (None: remove it); whether that was a change."""
        present = _read(file)
        if present == content:
            return False
        self._mark.touch()
        self._before.setdefault(file, present)
        self._set(file, content)
        return True

    def differences(self) -> Iterator[tuple[Path, str | None, str | None]]:
        """(file, content before, content now) of what was written."""
        for file, before in self._before.items():
            yield file, before, _read(file)

    def texts(self, file: Path) -> tuple[str, str]:
        """A file's content before and now; empty where it did not change."""
        return (self._before[file] or "", _read(file) or "") if file in self._before else ("", "")

    def withdraw(self) -> None:
        """Put every file back before HAProxy was told of any."""
        self.undo()
        if not self.unfinished:
            self._mark.unlink(missing_ok=True)

    def undo(self) -> None:
        """Put every file back. The mark stays: HAProxy may have been told of some."""
        for file, content in self._before.items():
            self._set(file, content)

    def __bool__(self) -> bool:
        return bool(self._before)

    @staticmethod
    def _set(file: Path, content: str | None) -> None:
        if content is None:
            file.unlink(missing_ok=True)
        else:
            files.write_whole(file, content)


def _read(file: Path) -> str | None:
    return file.read_text(encoding="utf-8") if file.exists() else None


def read_tenants(settings: Settings) -> dict[str, tuple[str, str]]:
    """Host → (KSH code, cell) of every tenant that is open."""
    tenants = {}
    for line in settings.tenants.read_text(encoding="utf-8").splitlines():
        host, _, value = line.partition(" ")
        ksh, _, cell = value.partition(":")
        tenants[host] = (ksh, cell)
    return tenants


def render_tenants(tenants: dict[str, tuple[str, str]]) -> str:
    return "".join(f"{host} {ksh}:{cell}\n" for host, (ksh, cell) in sorted(tenants.items()))
