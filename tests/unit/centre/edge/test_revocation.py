"""What the edge's HAProxy says that it refuses."""

from types import SimpleNamespace

import pytest

from centre.edge import revocation
from centre.reach.runtime import RuntimeFault

REGISTER = SimpleNamespace(names=SimpleNamespace(edge="asp-x-edge"))


def answering(text):
    return SimpleNamespace(check=lambda service, argv: text)


def test_the_running_workers_list_counts():
    assert revocation.refused(REGISTER, answering("0x7f5b7a629540 0A01\n0x7f5b7a6295b0 FF\n\n")) == {0xA01, 0xFF}
    assert revocation.refused(REGISTER, answering("\n")) == set()


def test_an_answer_that_is_no_list_is_a_fault():
    with pytest.raises(RuntimeFault, match="seen: 'Unknown ACL identifier"):
        revocation.refused(REGISTER, answering("Unknown ACL identifier. Please use #<id> or <file>.\n"))
