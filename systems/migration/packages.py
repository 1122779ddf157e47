"""Reading a package: a zip with `manifest.json` and, for each system, a folder of CSV files.

docs/migration-format.md describes the format for those who make such packages.
"""

from __future__ import annotations

import csv
import hashlib
import io
import json
import zipfile
from dataclasses import dataclass
from typing import Any

FORMAT = "asp-migracio/1"
MANIFEST = "manifest.json"


class PackageFault(Exception):
    """The package cannot be accepted; the Hungarian message says what is wrong and what is required."""


@dataclass(frozen=True)
class Content:
    """System → file name → rows (column → text); and the balances that each system's totals must equal."""

    files: dict[str, dict[str, list[dict[str, str]]]]
    balances: dict[str, dict[str, int]]


def read(content: bytes, ksh: str, systems: set[str], largest: int) -> Content:
    """A complete and valid package for this municipality. `largest`: bytes that it may have when unpacked."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            if sum(entry.file_size for entry in archive.infolist()) > largest:
                raise PackageFault(f"A csomag kibontva nagyobb, mint {largest // 2**20} MiB.")
            return _content(archive, ksh, systems)
    except (zipfile.BadZipFile, EOFError, NotImplementedError, RuntimeError) as error:
        raise PackageFault("A fájl nem ép ZIP-csomag.") from error


def _content(archive: zipfile.ZipFile, ksh: str, systems: set[str]) -> Content:
    names = {entry.filename for entry in archive.infolist() if not entry.is_dir()}
    if MANIFEST not in names:
        raise PackageFault(f"A csomagban nincs {MANIFEST}.")
    try:
        manifest = json.loads(archive.read(MANIFEST))
        listing, balances = dict(manifest["files"]), dict(manifest.get("balances", {}))
        package_format, package_ksh = manifest["format"], manifest["municipality"]
    except (ValueError, KeyError, TypeError) as error:
        raise PackageFault(f"A {MANIFEST} nem olvasható: {error!r}.") from error
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
    files: dict[str, dict[str, list[dict[str, str]]]] = {}
    for path, details in sorted(listing.items()):
        system, _, name = path.partition("/")
        if system not in systems or not name:
            raise PackageFault(
                f"{path}: adatot ezek a rendszerek vesznek át: {', '.join(sorted(systems)) or 'egy sem'}."
            )
        files.setdefault(system, {})[name] = _rows(path, archive.read(path), details)
    return Content(files, {system: dict(values) for system, values in balances.items()})


def _rows(path: str, content: bytes, entry: dict[str, Any]) -> list[dict[str, str]]:
    if hashlib.sha256(content).hexdigest() != entry.get("sha256"):
        raise PackageFault(f"{path}: az ellenőrző összeg nem egyezik a jegyzékével.")
    try:
        rows = list(csv.DictReader(io.StringIO(content.decode("utf-8-sig"), newline=""), delimiter=";", strict=True))
    except (UnicodeDecodeError, csv.Error) as error:
        raise PackageFault(f"{path}: nem UTF-8 kódolású CSV ({error}).") from error
    if any(None in row or None in row.values() for row in rows):
        raise PackageFault(f"{path}: van olyan sor, amelyben nem annyi oszlop van, mint a fejlécben.")
    if len(rows) != entry.get("rows"):
        raise PackageFault(f"{path}: {len(rows)} sor van benne, a jegyzék szerint {entry.get('rows')}.")
    return rows
