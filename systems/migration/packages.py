"""Reading a package: a zip with `manifest.json` and, for each system, a folder of CSV files.

docs/migration-format.md describes the format for those who make such packages. Files are checked as a stream and kept
packed: as rows, one system's are in memory at a time, because rows take nine times the memory of their text.
"""

from __future__ import annotations

import csv
import hashlib
import io
import json
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from systems.core import archives
from systems.shared.bodies import MIB

FORMAT = "asp-migracio/1"
MANIFEST = "manifest.json"
PART = 16 * MIB  # bytes of one system's files, which its own server must hold as rows
LARGEST_MANIFEST = MIB


class PackageFault(Exception):
    """The package cannot be accepted; the Hungarian message says what is wrong and what is required."""


@dataclass(frozen=True)
class Package:
    """A complete and valid package: its bytes, system → file name → path in it, and the systems' balances."""

    content: bytes
    paths: dict[str, dict[str, str]]
    balances: dict[str, dict[str, int]]

    def rows(self, system: str) -> dict[str, list[dict[str, str]]]:
        """File name → rows (column → text) of one system."""
        with zipfile.ZipFile(io.BytesIO(self.content)) as archive:
            return {name: list(_rows(archives.content(archive, path))) for name, path in self.paths[system].items()}


def read(content: bytes, ksh: str, systems: set[str], largest: int) -> Package:
    """A complete and valid package for this municipality. `largest`: bytes that it may have when unpacked."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            if sum(entry.file_size for entry in archive.infolist()) > largest:
                raise PackageFault(f"A csomag kibontva nagyobb, mint {largest // MIB} MiB.")
            return _package(content, archive, ksh, systems)
    except archives.DAMAGED as error:
        raise PackageFault("A fájl nem ép ZIP-csomag.") from error


def _package(content: bytes, archive: zipfile.ZipFile, ksh: str, systems: set[str]) -> Package:
    names = {entry.filename for entry in archive.infolist() if not entry.is_dir()}
    manifest = _manifest(archive, names)
    listing, balances = _table(manifest, "files"), _table(manifest, "balances")
    package_format, package_ksh = _text_of(manifest, "format"), _text_of(manifest, "municipality")
    if package_format != FORMAT:
        raise PackageFault(f"A csomag formátuma {package_format!r}, {FORMAT!r} kellene.")
    if package_ksh != ksh:
        raise PackageFault(f"A csomag a(z) {package_ksh} KSH-kódú önkormányzaté, ez a(z) {ksh}.")
    if missing := sorted(set(listing) - names):
        raise PackageFault(f"A jegyzékben szerepel, de nincs a csomagban: {', '.join(missing)}.")
    if extra := sorted(names - set(listing) - {MANIFEST}):
        raise PackageFault(f"A csomagban van, de a jegyzékben nincs: {', '.join(extra)}.")
    if not listing:
        raise PackageFault("A jegyzékben egyetlen fájl sincs.")
    paths: dict[str, dict[str, str]] = {}
    for path, details in sorted(listing.items()):
        system, _, name = path.partition("/")
        if system not in systems or not name:
            raise PackageFault(
                f"{path}: adatot ezek a rendszerek vesznek át: {', '.join(sorted(systems)) or 'egy sem'}."
            )
        paths.setdefault(system, {})[name] = path
        if sum(archive.getinfo(each).file_size for each in paths[system].values()) > PART:
            raise PackageFault(f"{system}: egy rendszer adatai kibontva legfeljebb {PART // MIB} MiB lehetnek.")
        _check(path, archives.content(archive, path), details)
    for system, values in balances.items():
        if not isinstance(values, dict) or not all(_whole(value) for value in values.values()):
            raise PackageFault(f"A {MANIFEST} {system} egyenlegei név és egész szám párjai legyenek.")
    return Package(content, paths, balances)


def _manifest(archive: zipfile.ZipFile, names: set[str]) -> dict[str, Any]:
    if MANIFEST not in names:
        raise PackageFault(f"A csomagban nincs {MANIFEST}.")
    if archive.getinfo(MANIFEST).file_size > LARGEST_MANIFEST:
        raise PackageFault(f"A {MANIFEST} nagyobb, mint {LARGEST_MANIFEST // MIB} MiB.")
    try:
        manifest = json.loads(archives.content(archive, MANIFEST))
    except (ValueError, RecursionError) as error:
        raise PackageFault(f"A {MANIFEST} nem olvasható: {error!r}.") from error
    if not isinstance(manifest, dict):
        raise PackageFault(f"A {MANIFEST} név és érték párjaiból álljon.")
    # Neither can be stored: the database's text has no NUL, and half of a surrogate pair is no character.
    if any("\0" in text or not _encodable(text) for text in _texts(manifest)):
        raise PackageFault(f"A {MANIFEST} olyan jelet tartalmaz, amely nem írásjel.")
    return manifest


def _table(manifest: dict[str, Any], name: str) -> dict[str, Any]:
    value = manifest.get(name, {})
    if not isinstance(value, dict):
        raise PackageFault(f"A {MANIFEST} {name!r} része név és érték párjaiból álljon.")
    return value


def _text_of(manifest: dict[str, Any], name: str) -> str:
    value = manifest.get(name)
    if not isinstance(value, str):
        raise PackageFault(f"A {MANIFEST} nem olvasható: nincs benne szövegként {name!r}.")
    return value


def _whole(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _texts(value: Any) -> Iterator[str]:
    """Every text in a JSON value."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for name, inner in value.items():
            yield name
            yield from _texts(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _texts(inner)


def _encodable(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _check(path: str, content: bytes, entry: object) -> None:
    """PackageFault unless a file is as the manifest says."""
    if not isinstance(entry, dict) or not _whole(entry.get("rows")) or not isinstance(entry.get("sha256"), str):
        raise PackageFault(f"{path}: a jegyzékben a sorok száma és az ellenőrző összeg álljon.")
    if hashlib.sha256(content).hexdigest() != entry["sha256"]:
        raise PackageFault(f"{path}: az ellenőrző összeg nem egyezik a jegyzékével.")
    if b"\0" in content:
        raise PackageFault(f"{path}: NUL karakter van benne.")
    count = 0
    try:
        lines = filter(None, csv.reader(_text(content), delimiter=";", strict=True))
        columns = len(next(lines, []))
        for line in lines:
            count += 1
            if len(line) != columns:
                raise PackageFault(f"{path}: van olyan sor, amelyben nem annyi oszlop van, mint a fejlécben.")
    except (UnicodeDecodeError, csv.Error) as error:
        raise PackageFault(f"{path}: nem UTF-8 kódolású CSV ({error}).") from error
    if count != entry["rows"]:
        raise PackageFault(f"{path}: {count} sor van benne, a jegyzék szerint {entry['rows']}.")


def _rows(content: bytes) -> Iterator[dict[str, str]]:
    return csv.DictReader(_text(content), delimiter=";", strict=True)


def _text(content: bytes) -> io.TextIOWrapper:
    """Read as a stream: as one text, a file with a single ő would take twice its size."""
    return io.TextIOWrapper(io.BytesIO(content), encoding="utf-8-sig", newline="")
