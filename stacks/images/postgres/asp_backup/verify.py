"""Comparing everything in a repository with its checksums, and believing the report instead of the exit code."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Set

from asp_backup.repository import Repository, RepositoryFault

# In a report of `pgbackrest verify`: a backup that is whole; no fault of any kind in the line before.
SOUND, NOTHING = ", status: valid,", "missing: 0, checksum invalid: 0, size invalid: 0, other: 0"


def verify(repository: Repository) -> str:
    """Verify a repository and keep what was seen; why it is not whole, or ""."""
    began = int(time.time())
    argv = repository.command("--log-level-console=error", "--output=text", "--verbose", "verify")
    try:
        before = _labels(repository)
        process = subprocess.run(argv, capture_output=True, text=True, check=False)
        after = _labels(repository)
    except RepositoryFault as fault:
        return f"it could not be verified: {fault}"
    if process.returncode:
        output = (process.stderr or process.stdout).strip()[-1000:]
        return f"it could not be verified: exit code {process.returncode}, {output}"
    wrong = damage(process.stdout, before & after)
    repository.note_finding(repository.finding()["at"] if wrong else began, wrong)
    return wrong


def damage(report: str, labels: Set[str]) -> str:
    """What a verbose report of `pgbackrest verify` says is wrong; empty when all is well and it knows every label.

    2.55.1 exits with 0 whatever is wrong, says nothing without --verbose when all is well, and "status: ok" also when a
    backup's manifest or all of the backup is gone.
    """
    lines = report.splitlines()
    valid = {line.split()[1].rstrip(",") for line in lines if line.startswith("  backup: ") and SOUND in line}
    if "status: ok" in lines and labels <= valid:
        return ""
    faults = [line.strip() for line in lines if SOUND not in line and not line.endswith(NOTHING)]
    absent = [f"backup {label} is not there whole" for label in sorted(labels - valid)]
    return "; ".join(faults + absent)[:1000]


def _labels(repository: Repository) -> set[str]:
    return {backup["label"] for backup in repository.backups()}
