"""Where an uploaded file is kept while its request runs: in memory, so that nothing is left of it afterwards."""

from __future__ import annotations

from django.core.files.uploadedfile import UploadedFile
from django.core.files.uploadhandler import MemoryFileUploadHandler


class InMemory(MemoryFileUploadHandler):
    """Keeps files of any size; `systems.shell.bodies` has judged the body's size and found room for it."""

    def handle_raw_input(self, *args, **kwargs):
        self.activated = True


def content(file: UploadedFile) -> bytes:
    """The whole file, which shares the memory that it arrived in."""
    return file.file.getvalue()
