"""Who may take a cell over as planned: the standby that acknowledges, in a cell that is whole."""

from types import SimpleNamespace

import pytest

from stacks.cell import switchover
from stacks.runtime import RuntimeFault

LEADER = {"name": "n1", "role": "leader", "state": "running", "timeline": 63}
SYNC = {"name": "n2", "role": "sync_standby", "state": "streaming", "timeline": 63}
OTHER = {"name": "n3", "role": "replica", "state": "streaming", "timeline": 63}


@pytest.fixture
def asked(monkeypatch):
    """`asked(members, candidate)`: the plan of a cell of three that has these members."""
    cell = SimpleNamespace(nodes=3, postgres=["n1", "n2", "n3"])
    runtime = SimpleNamespace(register=SimpleNamespace(cell=lambda _: cell))

    def plan(members, candidate=None):
        monkeypatch.setattr(switchover, "members", lambda *_, **__: members)
        return switchover.plan(runtime, "baz1", candidate)

    return plan


@pytest.mark.parametrize("candidate", [None, "n2"])
def test_a_whole_cell_is_handed_to_who_acknowledges(asked, candidate):
    plan = asked([LEADER, SYNC, OTHER], candidate)
    assert (plan.leader, plan.candidate, plan.done) == ("n1", "n2", False)


def test_who_leads_already_needs_nothing(asked):
    assert asked([LEADER, SYNC], "n1").done, "whatever the others do"


@pytest.mark.parametrize(
    "members",
    [
        [LEADER, SYNC],
        [LEADER, SYNC, {**OTHER, "state": "starting"}],
        [LEADER, SYNC, {**OTHER, "timeline": 62}],  # it begins to stream, again and again, until it is rewound
        [LEADER, {**SYNC, "timeline": 62}, OTHER],
        [LEADER, {**SYNC, "role": "replica"}, OTHER],
    ],
)
def test_a_cell_that_is_not_whole_is_left_alone(asked, members):
    with pytest.raises(RuntimeFault, match=r"baz1: not handed over to anybody: .*Seen: n1 leader running \(63\), n2"):
        asked(members)


def test_a_standby_that_does_not_acknowledge_is_refused(asked):
    with pytest.raises(RuntimeFault, match="not handed over to n3"):
        asked([LEADER, SYNC, OTHER], "n3")
    with pytest.raises(RuntimeFault, match="candidate nobody: wanted one of n1, n2, n3"):
        asked([LEADER, SYNC, OTHER], "nobody")
