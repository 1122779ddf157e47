"""One verb at a time, and whoever looks on holds nobody up."""

from __future__ import annotations

import os

import pytest

from centre.verbs import lock
from centre.verbs.progress import StepFailed
from inventory import paths


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.setattr(paths, "LOCAL", tmp_path)
    monkeypatch.setattr(lock, "LOOK_SECONDS", 0.1)


def test_nobody_works_on_an_environment_that_was_never_made():
    assert lock.holder("dev") is None


def test_the_holder_is_named_while_it_works_and_not_afterwards():
    with lock.hold("dev", "up"):
        holder = lock.holder("dev")
        assert (holder.verb, holder.process) == ("up", os.getpid())
        assert str(holder).startswith(f"up (process {os.getpid()}) since ")
    assert lock.holder("dev") is None


def test_a_second_verb_is_refused_with_the_first_ones_name():
    message = r"environment dev: up \(process \d+\) since .* is under way\. Wait until it ends: asp status dev"
    with lock.hold("dev", "up"), pytest.raises(StepFailed, match=message), lock.hold("dev", "down"):
        raise AssertionError("both ran")


def test_looking_never_takes_the_lock_away():
    with lock.hold("dev", "up"):
        assert lock.holder("dev") and lock.holder("dev")
    with lock.hold("dev", "down"):
        assert lock.holder("dev").verb == "down"


def test_a_lock_of_an_older_release_is_no_fault(tmp_path):
    with lock.hold("dev", "up"):
        lock.file_of("dev").write_text("process 12 (up dev)")
        assert lock.holder("dev") is None
