"""How machines are reached and their clocks judged: one key of the register, and the least that a clock differs."""

from __future__ import annotations

import pytest

from centre.reach import ssh
from inventory.register import load
from tests.support.modules import action

AHEAD = action("clock").ahead


def test_a_key_of_the_register_is_read_and_written_alike():
    for machine in load("three").environment.machines:
        assert ssh.public(ssh.parse(machine.host_key)) == machine.host_key


@pytest.mark.parametrize(
    "text", ["", "ssh-ed25519", "ssh-ed25519 ????", "ssh-ed25519 AAAA", "ssh-none AAAAC3NzaC1lZDI="]
)
def test_a_text_that_is_no_key_is_refused(text):
    with pytest.raises(ValueError, match=r"wanted the type and the key, as ssh-ed25519"):
        ssh.parse(text)


def test_no_key_is_known_but_the_registers():
    key = ssh.parse(load("three").environment.machines[0].host_key)
    with pytest.raises(ssh.OtherKey, match="ssh-ed25519 AAAA"):
        ssh._OnlyThis().missing_host_key(None, "10.0.0.1", key)
    text = ssh.other_key("10.0.0.1", "ssh-ed25519 B", "ssh-ed25519 A")
    assert "seen: ssh-ed25519 B; wanted: ssh-ed25519 A." in text and "run it with -e act=replace" in text


@pytest.mark.parametrize(
    ("there", "ahead"), [(10.5, 0.0), (10.0, 0.0), (12.0, 0.0), (15.0, 3.0), (4.0, -6.0)],
    ids=["between", "at the question", "at the answer", "ahead", "behind"],
)  # fmt: skip
def test_what_a_question_takes_counts_for_the_machine(there, ahead):
    assert AHEAD(10.0, there, 12.0) == ahead
