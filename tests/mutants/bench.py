"""A copy of the tree with a worker process in it: plant a fault there, run tests, learn whether they notice."""

from __future__ import annotations

import compileall
import json
import os
import py_compile
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterable
from pathlib import Path

from inventory import paths
from tests.mutants.catalogue import MutantFault

SYSTEMS = "tests/systems"
# Seconds for the nearest tests of one mutant: the slowest take half a minute on a quiet machine, and a fault that makes
# them run on is noticed.
LONGEST = 240
NOTICED, MISSED, SLOW = "noticed", "missed", "too slow"
NOTHING_RUN = (4, 5)  # pytest's exit codes for arguments that it does not take, and for no tests
# What takes longest to import and is none of this tree's.
LARGE = (
    "pytest", "_pytest.pytester", "hypothesis", "hypothesis.strategies", "pydantic", "yaml", "jinja2", "rich.console",
    "rich.table", "rich.live", "docker", "requests", "paramiko", "psycopg", "joserfc.jwt", "joserfc.jwk",
    "cryptography.x509", "cryptography.hazmat.primitives.asymmetric.ec",
    "cryptography.hazmat.primitives.serialization.pkcs12", "django.db.models", "django.forms", "django.template",
    "django.test", "django.http", "django.views.generic",
)  # fmt: skip


class Bench:
    """Use as a context: the copy and the worker end with it."""

    def __init__(self, source: Path = paths.ROOT, modules: Iterable[str] = LARGE):
        self._source, self._modules = source, list(modules)

    def __enter__(self) -> Bench:
        self._folder = tempfile.TemporaryDirectory(prefix="asp-mutants-")
        self.root = Path(self._folder.name) / "tree"
        self._output = Path(self._folder.name) / "output"
        self._copy()
        # Python believes such a file by its source's content, never by its time: a fault that is planted and taken back
        # within a second is seen both times, and what has no fault is compiled once.
        mode = py_compile.PycInvalidationMode.CHECKED_HASH
        compileall.compile_dir(self.root, quiet=2, maxlevels=20, invalidation_mode=mode)
        self._worker = self._start()
        return self

    def __exit__(self, *_: object) -> None:
        self._worker.terminate()
        self._worker.communicate()
        self._folder.cleanup()

    def _copy(self) -> None:
        """All files of the tree that are not ignored, as they are now."""
        names = subprocess.run(
            ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
            cwd=self._source, capture_output=True, text=True, check=True,
        ).stdout.split("\0")  # fmt: skip
        for name in filter(None, names):
            if (source := self._source / name).is_file():
                (self.root / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(source, self.root / name)

    def _start(self) -> subprocess.Popen[str]:
        program = [sys.executable, str(Path(__file__).with_name("worker.py")), str(self._output), *self._modules]
        # Whoever started this may want no bytecode anywhere; the copy is compiled once, and read for every mutant.
        environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
        return subprocess.Popen(
            program, cwd=self.root, env=environment, text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )

    def run(self, tests: Iterable[str], seconds: float = LONGEST) -> str:
        """Whether these tests notice what is in the copy now."""
        tests = list(tests)
        assert self._worker.stdin and self._worker.stdout
        self._worker.stdin.write(json.dumps({"tests": tests, "seconds": seconds}) + "\n")
        self._worker.stdin.flush()
        if not (answer := self._worker.stdout.readline()):
            raise MutantFault(f"the worker ended with {self._worker.wait()} at {' '.join(tests)}")
        code = json.loads(answer)["code"]
        if code is None:
            return SLOW
        if code in NOTHING_RUN:
            text = self._output.read_text(encoding="utf-8", errors="replace")
            raise MutantFault(f"pytest could not run {' '.join(tests)}: {text[-1500:]}")
        return NOTICED if code else MISSED
