"""The repository that a restore reads: its options come by standard input, for they may hold a key."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Mapping
from pathlib import Path

from asp_service.files import read_json, write_json, write_whole

SCRATCH = Path("/tmp")
LOCAL = {
    "lock-path": "/tmp/lock",
    "log-level-file": "off",
    "log-level-console": "off",
    "log-level-stderr": "error",
    "process-max": "2",
}
PAUSE = 0.05


class RestoreFault(Exception):
    """The restore cannot go on; the message says why."""


def hand_over(options: Mapping[str, str]) -> None:
    """Keep the repository's options, as pgBackRest names them, for the restore that waits for them."""
    write_json(_options(), dict(options))


def configure(stanza: str, data: Path, more: Mapping[str, str] | None = None) -> dict[str, str]:
    """Wait for the repository's options and write pgBackRest's configuration; the environment of its commands."""
    while (options := read_json(_options())) is None:
        time.sleep(PAUSE)
    lines = ["[global]", *(f"{name}={value}" for name, value in {**options, **LOCAL, **(more or {})}.items())]
    file = SCRATCH / "pgbackrest.conf"
    write_whole(file, "\n".join([*lines, f"[{stanza}]", f"pg1-path={data}", ""]))
    return {**os.environ, "PGBACKREST_CONFIG": str(file)}


def restore(
    stanza: str, archive_mode: str, until: str | None, environment: Mapping[str, str], *options: str
) -> subprocess.CompletedProcess[str]:
    """Run `pgbackrest restore` to a moment (ISO, with time zone), or to the end of the archive."""
    target = ["--type=default"]
    if until:
        target = ["--type=time", f"--target={until}", "--target-action=promote"]
    argv = ["pgbackrest", f"--stanza={stanza}", f"--archive-mode={archive_mode}", *target, *options, "restore"]
    return subprocess.run(argv, env=environment, capture_output=True, text=True, check=False)


def _options() -> Path:
    return SCRATCH / "source.json"
