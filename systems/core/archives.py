"""Zip files that others made: read in bounded memory, with one set of exceptions for whatever is wrong with them."""

from __future__ import annotations

import zipfile
import zlib

# What reading a damaged or strange zip raises; NotImplementedError also for a way of packing that is not read here.
DAMAGED = (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, OSError)
PACKINGS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)


def content(archive: zipfile.ZipFile, name: str) -> bytes:
    """A file of an archive, of which no more is unpacked than its entry says; one of DAMAGED when there is more.

    The library's own `read` unpacks all that is there and cuts it off then: an entry that says too little took all of
    a server's memory. The other ways of packing cannot be unpacked piece by piece.
    """
    entry = archive.getinfo(name)
    if entry.compress_type not in PACKINGS:
        raise NotImplementedError(f"{name}: packed in way {entry.compress_type}, wanted stored or deflated")
    with archive.open(entry) as stream:
        return stream.read(entry.file_size + 1)  # to its end, where the library compares the checksum
