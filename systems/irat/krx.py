"""Packages of documents between offices: a zip with an envelope (`boritek.xml`) and the files that it lists.

The format is this suite's own, modelled on KRX packages (docs/krx-format.md). A package is read whole into memory
and never unpacked to disk, so the names of its entries can do no harm.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import io
import re
import uuid
import zipfile
from dataclasses import dataclass, field
from xml.etree import ElementTree as Xml

from systems.core import archives
from systems.core.texts import fold
from systems.shared.bodies import KRX

FORMAT = "asp-krx/1"
ENVELOPE = "boritek.xml"
LARGEST = KRX  # bytes of a package, unpacked too
LARGEST_ENVELOPE = 2**20
MOST_LETTERS, MOST_FILES = 50, 200
LONGEST = {"nev": 200, "tipus": 100, "kuldo": 200, "cimzett": 200, "targy": 300, "megjegyzes": 2000, "iktatoszam": 40}
UNWRITABLE = re.compile("[^\t\n\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")  # not allowed in XML 1.0


class KrxFault(Exception):
    """The package cannot be accepted; the Hungarian message says what is wrong and what is required."""


@dataclass(frozen=True)
class File:
    """A file attached to a document."""

    name: str
    content_type: str
    content: bytes


@dataclass(frozen=True)
class Letter:
    """A document of the package: `number` is the sender's own, `day` when it was created or received there."""

    number: str
    sender: str
    addressee: str
    subject: str
    day: dt.date
    note: str = ""
    files: list[File] = field(default_factory=list)


@dataclass(frozen=True)
class Office:
    """Sender or addressee of a package; `ksh` is empty for offices that are no municipality."""

    name: str
    ksh: str = ""


@dataclass(frozen=True)
class Package:
    """What one office sends to another at once; `identifier` is unique."""

    identifier: uuid.UUID
    made_at: dt.datetime
    sender: Office
    addressee: Office
    letters: list[Letter]


def pack(package: Package) -> bytes:
    """The package as the bytes of a zip; characters that XML does not allow become replacement characters.

    KrxFault when it would be larger than `unpack` accepts.
    """
    if sum(len(file.content) for letter in package.letters for file in letter.files) > LARGEST - LARGEST_ENVELOPE:
        raise KrxFault(f"A csomag nagyobb lenne, mint {LARGEST // 2**20} MiB. Válasszon kevesebb iratot.")
    root = Xml.Element("csomag", formatum=FORMAT, azonosito=str(package.identifier))
    root.set("keszult", package.made_at.isoformat(timespec="seconds"))
    for tag, office in (("felado", package.sender), ("cimzett", package.addressee)):
        Xml.SubElement(root, tag, {"ksh": office.ksh} if office.ksh else {}).text = _clean_text(office.name)
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for number, letter in enumerate(package.letters, 1):
            node = Xml.SubElement(root, "irat", kelt=letter.day.isoformat())
            texts = (letter.number, letter.sender, letter.addressee, letter.subject, letter.note)
            for tag, text in zip(("iktatoszam", "kuldo", "cimzett", "targy", "megjegyzes"), texts, strict=True):
                Xml.SubElement(node, tag).text = _clean_text(text)
            for index, file in enumerate(letter.files, 1):
                place = f"irat-{number}/{index}-{_plain(file.name)}"
                archive.writestr(place, file.content)
                entry = Xml.SubElement(node, "fajl", hely=place, sha256=hashlib.sha256(file.content).hexdigest())
                Xml.SubElement(entry, "nev").text = _clean_text(file.name)
                Xml.SubElement(entry, "tipus").text = _clean_text(file.content_type)
        Xml.indent(root)
        archive.writestr(ENVELOPE, Xml.tostring(root, encoding="utf-8", xml_declaration=True))
    return buffer.getvalue()


def unpack(content: bytes) -> Package:
    """The package in a zip; KrxFault unless everything is listed, intact and within the limits."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            sizes = {entry.filename: entry.file_size for entry in archive.infolist() if not entry.is_dir()}
            if sum(sizes.values()) > LARGEST:
                raise KrxFault(f"A csomag kibontva nagyobb, mint {LARGEST // 2**20} MiB.")
            if not 0 < sizes.get(ENVELOPE, 0) <= LARGEST_ENVELOPE:
                raise KrxFault(f"A csomagban nincs {ENVELOPE}, vagy nagyobb, mint {LARGEST_ENVELOPE // 2**20} MiB.")
            return _package(_parse(archives.content(archive, ENVELOPE)), archive, set(sizes) - {ENVELOPE})
    except archives.DAMAGED as error:
        raise KrxFault("A fájl nem ép ZIP-csomag.") from error


def _parse(text: bytes) -> Xml.Element:
    from defusedxml import DefusedXmlException
    from defusedxml.ElementTree import fromstring

    try:
        return fromstring(text, forbid_dtd=True)
    except (Xml.ParseError, DefusedXmlException, ValueError, LookupError) as error:
        raise KrxFault(f"A {ENVELOPE} nem olvasható XML.") from error


def _package(root: Xml.Element, archive: zipfile.ZipFile, names: set[str]) -> Package:
    if root.tag != "csomag" or root.get("formatum") != FORMAT:
        raise KrxFault(f"A csomag formátuma {root.get('formatum')!r}, {FORMAT!r} kellene.")
    nodes = root.findall("irat")
    paths = [entry.get("hely", "") for entry in root.iter("fajl")]
    if not 1 <= len(nodes) <= MOST_LETTERS or len(paths) > MOST_FILES:
        raise KrxFault(f"Egy csomagban 1–{MOST_LETTERS} irat és legfeljebb {MOST_FILES} fájl lehet.")
    if len(set(paths)) < len(paths):
        raise KrxFault(f"A {ENVELOPE} egy fájlt többször sorol fel.")
    if missing := sorted(set(paths) - names):
        raise KrxFault(f"A {ENVELOPE} felsorolja, de nincs a csomagban: {', '.join(missing)}.")
    if extra := sorted(names - set(paths)):
        raise KrxFault(f"A csomagban van, de a {ENVELOPE} nem sorolja fel: {', '.join(extra)}.")
    try:
        identifier, made_at = uuid.UUID(root.get("azonosito", "")), dt.datetime.fromisoformat(root.get("keszult", ""))
    except ValueError as error:
        raise KrxFault(f"A {ENVELOPE} azonosítója vagy időpontja hibás.") from error
    sender, addressee = (_office(root, tag) for tag in ("felado", "cimzett"))
    return Package(identifier, made_at, sender, addressee, [_letter(node, archive) for node in nodes])


def _office(root: Xml.Element, tag: str) -> Office:
    node = root.find(tag)
    return Office(_text(root, tag), node.get("ksh", "") if node is not None else "")


def _letter(node: Xml.Element, archive: zipfile.ZipFile) -> Letter:
    try:
        day = dt.date.fromisoformat(node.get("kelt", ""))
    except ValueError as error:
        raise KrxFault(f"Egy irat kelte {node.get('kelt')!r}, például 2026-01-31 kellene.") from error
    number, addressee, note = (_text(node, tag, optional=True) for tag in ("iktatoszam", "cimzett", "megjegyzes"))
    files = [_file(entry, archive) for entry in node.findall("fajl")]
    return Letter(number, _text(node, "kuldo"), addressee, _text(node, "targy"), day, note, files)


def _file(entry: Xml.Element, archive: zipfile.ZipFile) -> File:
    content = archives.content(archive, entry.get("hely", ""))
    if hashlib.sha256(content).hexdigest() != entry.get("sha256"):
        raise KrxFault(f"{entry.get('hely')}: az ellenőrző összeg nem egyezik a {ENVELOPE} szerintivel.")
    return File(_text(entry, "nev"), _text(entry, "tipus", optional=True), content)


def _text(node: Xml.Element, tag: str, optional: bool = False) -> str:
    text = (node.findtext(tag) or "").strip()
    longest = LONGEST.get(tag, 200)
    if not (0 if optional else 1) <= len(text) <= longest:
        raise KrxFault(f"A {ENVELOPE} {node.tag}/{tag} eleme hiányzik, üres, vagy {longest} betűnél hosszabb.")
    return text


def _clean_text(text: str) -> str:
    """Text that XML returns unchanged: line ends become a single line feed, forbidden characters are replaced."""
    return UNWRITABLE.sub("\ufffd", text.replace("\r\n", "\n").replace("\r", "\n")).strip()


def _plain(name: str) -> str:
    """A file's plain name in the zip, for people who unpack it; the envelope has its real name."""
    return re.sub(r"[^a-z0-9.]+", "-", fold(name))[-80:].strip(".-") or "fajl"
