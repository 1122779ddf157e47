"""The Treasury's totals from a running environment: whole once every feed is in, published once, nobody named."""

import json
import os
import re
import subprocess
import sys
import time
from pathlib import Path

import pytest

from inventory import paths
from tests.support import feeds
from tests.support.polling import PATIENCE

SECONDS = 90  # until every municipality's warehouse has taken its mail
STATE = re.compile(r"(\d+) of (\d+) municipalities have every feed")


def publish(register, *flags, **variables):
    """The playbook, as a trial with municipalities that are being connected."""
    command = [str(Path(sys.executable).with_name("ansible-playbook")), "playbooks/publish.yml", *flags]
    environ = {**os.environ, "ASP_ENV": register.environment.id, "ANSIBLE_CONFIG": str(paths.ROOT / "ansible.cfg")}
    variables = json.dumps({"with_connecting": True} | variables)
    return subprocess.run(
        [*command, "-e", variables], cwd=paths.ROOT, env=environ, capture_output=True, text=True, timeout=120
    )


def is_complete(process):
    state = STATE.search(process.stdout)
    return process.returncode == 0 and state and state[1] == state[2]


@pytest.fixture(scope="module")
def complete(register, runtime):
    """Every municipality's every feed of yesterday is in its warehouse."""
    feeds.deliver(runtime, register)
    deadline = time.monotonic() + SECONDS * PATIENCE
    while not is_complete(result := publish(register, "--check")):
        assert time.monotonic() < deadline, result.stdout + result.stderr
        time.sleep(5)


def test_a_day_is_published_once_and_names_nobody(register, complete, tmp_path):
    result = publish(register, folder=str(tmp_path))
    assert result.returncode == 0, result.stdout + result.stderr
    answer = json.loads((tmp_path / "figures.json").read_text())
    assert answer["provisional"] and answer["municipalities"] >= 3
    deliveries = {chapter["id"]: (chapter["delivered"], chapter["due"]) for chapter in answer["chapters"]}
    assert {"keret", "irat", "ado", "gazd", "ivk", "iparker", "hagyatek", "portal", "elugy"} <= set(deliveries)
    assert all(have == due for have, due in deliveries.values()), deliveries
    totals = [measure["total"] for chapter in answer["chapters"] for measure in chapter["measures"]]
    assert any(total is not None for total in totals), "some sum is told"
    page = (tmp_path / "report.html").read_text()
    for municipality in register.joined():
        assert municipality.name not in page and municipality.host not in page
    again = publish(register, folder=str(tmp_path))
    assert again.returncode == 2 and "is published already" in again.stdout


def test_of_a_day_without_feeds_nothing_is_published(register, tmp_path):
    process = publish(register, day="2026-01-01", folder=str(tmp_path / "day"))
    assert process.returncode == 2 and "feeds are missing" in process.stdout and "-e incomplete=true" in process.stdout
    assert not (tmp_path / "day").exists()
