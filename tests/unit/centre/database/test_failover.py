"""When a cell's leader may hand over: in a cell that is whole, and not where another one leads already."""

import contextlib
from types import SimpleNamespace

import pytest
from docker.errors import APIError

from centre.database import failover
from centre.reach.runtime import RuntimeFault

LEADER = {"name": "n1", "role": "leader", "state": "running", "timeline": 63}
ONE = {"name": "n2", "role": "quorum_standby", "state": "streaming", "timeline": 63}
OTHER = {**ONE, "name": "n3"}


@pytest.fixture
def plan_for(monkeypatch):
    """`plan_for(members, node)`: the plan of a cell of three that has these members."""
    cell = SimpleNamespace(nodes=3, postgres=["n1", "n2", "n3"])
    runtime = SimpleNamespace(register=SimpleNamespace(cell=lambda _: cell))

    def plan(members, node=None):
        monkeypatch.setattr(failover, "members", lambda *_, **__: members)
        return failover.plan(runtime, "baz1", node)

    return plan


@pytest.mark.parametrize("node", [None, "n1"])
def test_the_leader_of_a_whole_cell_hands_over(plan_for, node):
    plan = plan_for([LEADER, ONE, OTHER], node)
    assert (plan.leader, plan.standbys, plan.unnecessary) == ("n1", ("n2", "n3"), False)


def test_a_node_that_does_not_lead_needs_nothing(plan_for):
    assert plan_for([LEADER, ONE], "n2").unnecessary, "whatever the others do"


@pytest.mark.parametrize(
    "members",
    [
        [LEADER, ONE],
        [LEADER, ONE, {**OTHER, "state": "starting"}],
        [LEADER, ONE, {**OTHER, "timeline": 62}],  # it begins to stream, again and again, until it is rewound
        [LEADER, {**ONE, "timeline": 62}, OTHER],
        [LEADER, {**ONE, "role": "replica"}, OTHER],  # its vote is not counted yet
    ],
)
def test_a_cell_that_is_not_whole_is_left_alone(plan_for, members):
    with pytest.raises(RuntimeFault, match=r"baz1: n1 hands over to nobody: .*Seen: n1 leader running \(63\), n2"):
        plan_for(members)


def test_an_unknown_node_is_refused(plan_for):
    with pytest.raises(RuntimeFault, match="node nobody: wanted one of n1, n2, n3"):
        plan_for([LEADER, ONE, OTHER], "nobody")


@pytest.fixture
def cell(monkeypatch):
    """`cell(kill)`: hands over from n1, whose container is ended by `kill`; what happened, in order."""

    def switch(kill=None):
        steps = []

        @contextlib.contextmanager
        def hold_clients(runtime, proxy, seconds, until_not):
            steps.append(f"hold {proxy} until not {until_not}")
            yield SimpleNamespace(wait=lambda: steps.append("wait"))

        def end(signal):
            steps.append(signal)
            if kill:
                raise kill

        runtime = SimpleNamespace(
            register=SimpleNamespace(cell=lambda _: SimpleNamespace(proxy="proxy")),
            check=lambda service, argv, **_: steps.append(argv[-1]),
            container=lambda service: SimpleNamespace(kill=end),
        )
        monkeypatch.setattr(failover, "hold_clients", hold_clients)
        failover.switch(runtime, failover.Handover("baz1", "n1", ("n2", "n3")))
        return steps

    return switch


def test_the_leader_ends_only_while_its_clients_are_held(cell):
    assert cell() == ["CHECKPOINT", "hold proxy until not n1", "SIGTERM", "wait"]


def test_a_leader_that_cannot_be_ended_is_named(cell):
    with pytest.raises(RuntimeFault, match="cell baz1: n1 could not be ended: no such container"):
        cell(APIError("no such container"))
