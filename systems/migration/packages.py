"""Reading a package: a zip with `manifest.json` and, for each system, a folder of CSV files.

docs/migration-format.md describes it for who makes such packages.
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
LARGEST = 64 * 2**20  # bytes of a package, unpacked: what a server of 256 MiB can hold


class PackageFault(Exception):
    """The package cannot be taken as it is; the Hungarian message says what was seen and what is wanted."""


@dataclass(frozen=True)
class Content:
    """System → file name → rows (column → text); and the balances that each system's totals must equal."""

    files: dict[str, dict[str, list[dict[str, str]]]]
    balances: dict[str, dict[str, int]]


def read(content: bytes, ksh: str, systems: set[str], largest: int) -> Content:
    """A whole and right package for this municipality. `largest`: bytes that it may have when unpacked."""
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
        listed, balances = dict(manifest["files"]), dict(manifest.get("balances", {}))
        seen_format, seen_ksh = manifest["format"], manifest["municipality"]
    except (ValueError, KeyError, TypeError) as error:
        raise PackageFault(f"A {MANIFEST} nem olvasható: {error!r}.") from error
    if seen_format != FORMAT:
        raise PackageFault(f"A csomag formátuma {seen_format!r}, {FORMAT!r} kellene.")
    if seen_ksh != ksh:
        raise PackageFault(f"A csomag a(z) {seen_ksh} KSH-kódú önkormányzaté, ez a(z) {ksh}.")
    if missing := sorted(set(listed) - names):
        raise PackageFault(f"A jegyzékben szerepel, de nincs a csomagban: {', '.join(missing)}.")
    if extra := sorted(names - set(listed) - {MANIFEST}):
        raise PackageFault(f"A csomagban van, de a jegyzékben nincs: {', '.join(extra)}.")
    if not listed:
        raise PackageFault("A jegyzékben egyetlen fájl sincs.")
    files: dict[str, dict[str, list[dict[str, str]]]] = {}
    for path, promised in sorted(listed.items()):
        system, _, name = path.partition("/")
        if system not in systems or not name:
            raise PackageFault(
                f"{path}: adatot ezek a rendszerek vesznek át: {', '.join(sorted(systems)) or 'egy sem'}."
            )
        files.setdefault(system, {})[name] = _rows(path, archive.read(path), promised)
    return Content(files, {system: dict(of) for system, of in balances.items()})


def _rows(path: str, content: bytes, promised: dict[str, Any]) -> list[dict[str, str]]:
    if hashlib.sha256(content).hexdigest() != promised.get("sha256"):
        raise PackageFault(f"{path}: az ellenőrző összeg nem egyezik a jegyzékével.")
    try:
        rows = list(csv.DictReader(io.StringIO(content.decode("utf-8-sig"), newline=""), delimiter=";", strict=True))
    except (UnicodeDecodeError, csv.Error) as error:
        raise PackageFault(f"{path}: nem UTF-8 kódolású CSV ({error}).") from error
    if any(None in row or None in row.values() for row in rows):
        raise PackageFault(f"{path}: van olyan sor, amelyben nem annyi oszlop van, mint a fejlécben.")
    if len(rows) != promised.get("rows"):
        raise PackageFault(f"{path}: {len(rows)} sor van benne, a jegyzék szerint {promised.get('rows')}.")
    return rows
