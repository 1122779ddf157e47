"""Files for a container that is not running yet."""

from __future__ import annotations

import io
import tarfile
from collections.abc import Callable, Mapping


def archive(files: Mapping[str, str], mode: Callable[[str], int] = lambda _name: 0o644) -> bytes:
    """An archive for `put_archive`: path below its folder → text. `mode`: of a file, by its name."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as bundle:
        for name, text in files.items():
            data = text.encode()
            entry = tarfile.TarInfo(name)
            entry.size, entry.mode = len(data), mode(name)
            bundle.addfile(entry, io.BytesIO(data))
    return buffer.getvalue()
