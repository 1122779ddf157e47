"""What a zip unpacks to is bounded by what its entry says, whatever the entry says."""

import io
import struct
import tracemalloc
import zipfile

import pytest

from systems.core import archives

MIB = 2**20
DIRECTORY_ENTRY, SIZE = b"PK\x01\x02", 24  # where the directory says how long an unpacked file is


def archive(content, packing=zipfile.ZIP_DEFLATED, size=None):
    """A zip with one file `a`; `size`: what the directory says of its length, where that is not the truth."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", packing) as file:
        file.writestr("a", content)
    data = bytearray(buffer.getvalue())
    if size is not None:
        place = data.find(DIRECTORY_ENTRY) + SIZE
        data[place : place + 4] = struct.pack("<L", size)
    return zipfile.ZipFile(io.BytesIO(bytes(data)))


@pytest.mark.parametrize("packing", archives.PACKINGS)
@pytest.mark.parametrize("content", [b"", b"a", b"abc" * MIB])
def test_a_file_is_read_whole(content, packing):
    assert archives.content(archive(content, packing), "a") == content


@pytest.mark.parametrize("size", [0, 1, 2 * MIB])
def test_a_file_that_is_longer_than_its_entry_says_takes_no_more_memory_than_that(size):
    file = archive(bytes(64 * MIB), size=size)
    tracemalloc.start()
    try:
        with pytest.raises(zipfile.BadZipFile):
            archives.content(file, "a")
        assert tracemalloc.get_traced_memory()[1] < 4 * size + MIB
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("packing", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_what_cannot_be_unpacked_piece_by_piece_is_not_read(packing):
    with pytest.raises(archives.DAMAGED, match="wanted stored or deflated"):
        archives.content(archive(bytes(MIB), packing), "a")


def test_bytes_that_are_no_deflate_are_damaged():
    data = bytearray(archive(b"abc" * 100).fp.getvalue())
    data[31] ^= 0xFF  # the first byte after the entry's head of 30 bytes and its name
    with pytest.raises(archives.DAMAGED):
        archives.content(zipfile.ZipFile(io.BytesIO(bytes(data))), "a")
