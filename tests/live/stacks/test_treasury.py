"""The Treasury's totals from a running environment: whole once every feed is in, published once, nobody named."""

import json
import subprocess
import sys
import time

import pytest

from inventory import paths
from tests.support import feeds
from tests.support.polling import PATIENCE

SECONDS = 90  # until every municipality's warehouse has taken its mail


def treasury(register, *arguments):
    command = [sys.executable, "-m", "centre.statistics.publish", "--env", register.environment.id, "--with-connecting"]
    return subprocess.run([*command, *arguments], cwd=paths.ROOT, capture_output=True, text=True, timeout=120)


@pytest.fixture(scope="module")
def complete(register, runtime):
    """Every municipality's every feed of yesterday is in its warehouse."""
    feeds.deliver(runtime, register)
    deadline = time.monotonic() + SECONDS * PATIENCE
    while (told := treasury(register, "--check")).returncode or len(told.stdout.splitlines()) > 2:
        assert time.monotonic() < deadline, told.stdout + told.stderr
        time.sleep(5)


def test_a_day_is_published_once_and_names_nobody(register, complete, tmp_path):
    done = treasury(register, "--out", str(tmp_path))
    assert done.returncode == 0, done.stdout + done.stderr
    told = json.loads((tmp_path / "figures.json").read_text())
    assert told["provisional"] and told["municipalities"] >= 3
    delivered = {chapter["id"]: (chapter["delivered"], chapter["due"]) for chapter in told["chapters"]}
    assert {"keret", "irat", "ado", "gazd", "ivk", "iparker", "hagyatek", "portal", "elugy"} <= set(delivered)
    assert all(have == due for have, due in delivered.values()), delivered
    totals = [measure["total"] for chapter in told["chapters"] for measure in chapter["measures"]]
    assert any(total is not None for total in totals), "some sum is told"
    page = (tmp_path / "report.html").read_text()
    for municipality in register.joined():
        assert municipality.name not in page and municipality.host not in page
    again = treasury(register, "--out", str(tmp_path))
    assert again.returncode == 1 and "is published already" in again.stderr


def test_of_a_day_without_feeds_nothing_is_published(register, tmp_path):
    refused = treasury(register, "--day", "2026-01-01", "--out", str(tmp_path / "day"))
    assert refused.returncode == 1 and "feeds are missing" in refused.stderr and "--incomplete" in refused.stderr
    assert not (tmp_path / "day").exists()
