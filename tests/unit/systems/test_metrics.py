"""Counters that nobody can grow from outside, in files that are never extended: a full file system kills no worker."""

import json
import os
import subprocess
import sys
from pathlib import Path

from inventory import paths
from systems.core import metrics

COUNT_ALL = """
import json, os, string, sys
from pathlib import Path
from systems.core import metrics
folder = Path(os.environ["PROMETHEUS_MULTIPROC_DIR"])
metrics.allocate(folder, 1)
metrics.serve_as(0)
statuses, methods = [*metrics.STATUSES, 299, 418], [*metrics.METHODS, *string.ascii_uppercase]
for method in methods:
    for status in statuses:
        metrics.answered("migration", method, status, 0.1)
for number in range(1000):
    metrics.MESSAGES.labels("migration", f"a-topic-of-some-length-{number}", "handled").inc()
    metrics.JOBS.labels("migration", f"a-job-of-some-length-{number}", "failed").inc()
metrics.RELAYED.labels("migration").set_to_current_time()
text = metrics.text()[0].decode()
print(json.dumps({"files": {file.name: [file.stat().st_size, file.stat().st_blocks * 512] for file in folder.iterdir()},
                  "series": sum(line.startswith("asp_requests_total") for line in text.splitlines()), "text": text}))
"""


def count_all(folder: Path) -> dict:
    environment = {**os.environ, metrics.FOLDER: str(folder)}
    run = subprocess.run(
        [sys.executable, "-c", COUNT_ALL], cwd=paths.ROOT, env=environment, capture_output=True, text=True, timeout=60
    )
    assert run.returncode == 0, run.stderr
    return json.loads(run.stdout)


def test_invented_methods_statuses_and_topics_add_no_series(tmp_path):
    result = count_all(tmp_path)
    assert result["series"] == (len(metrics.METHODS) + 1) * (len(metrics.STATUSES) + 1)
    assert 'method="other",status="other",system="migration"' in result["text"]
    assert 'topic="other"' in result["text"] and "some-length-999" not in result["text"]


def test_the_files_of_a_worker_have_all_their_bytes_before_it_starts_and_never_grow(tmp_path):
    """A mapped page that the file system has no room for is a SIGBUS: worker after worker died of it."""
    files = count_all(tmp_path)["files"]
    assert set(files) == {f"{name}_0.db" for name in metrics.FILES}, "no other file appears"
    assert all(size == metrics.FILE_BYTES and room >= size for size, room in files.values()), files
