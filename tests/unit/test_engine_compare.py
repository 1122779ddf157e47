"""The comparison with recordings notices every kind of difference."""

from __future__ import annotations

import copy
import json

import pytest

from tests.engine.compare import compare_errors, compare_ops, compare_outputs, compare_state
from tests.engine.conformance import CASES, discover

RECORDED = json.loads((CASES / "service" / "recorded.json").read_text(encoding="utf-8"))["steps"]
STATE = RECORDED[0]["state"]
OPS = RECORDED[0]["up"]["ops"]


def export_of(state) -> str:
    return json.dumps({"version": 3, "deployment": {"resources": state}})


def test_a_recording_equals_itself():
    for step in RECORDED:
        assert compare_state(export_of(step["state"]), step["state"]) == []
        assert compare_ops(step["up"]["ops"], step["up"]["ops"], step["state"]) == []
        assert compare_errors(step["up"]["errors"][1:], step["up"]["errors"]) == []


def _set(path: str, value):
    def change(state):
        target = next(item for item in state if item["type"].endswith(":Service"))
        *keys, last = path.split(".")
        for key in keys:
            target = target[key]
        if value is None:
            del target[last]
        else:
            target[last] = value
        return state

    return change


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (_set("inputs.name", "x"), 'inputs.name: "x", recorded "cf-web"'),
        (_set("outputs.mode.global", None), "outputs.mode.global: missing"),
        (_set("outputs.mode.global", 0), "outputs.mode.global: 0, recorded false"),
        (_set("protect", True), "protect: true, not recorded"),
        (_set("dependencies", []), "dependencies: [], recorded"),
        (_set("parent", "urn:pulumi:dev::x::t::n"), "parent:"),
        (_set("propertyDependencies.taskSpec", []), "propertyDependencies.taskSpec: []"),
        (lambda state: state[:-1], "is recorded and not in the state"),
        (lambda state: state[1:], "stands before"),
        (lambda state: [*state, {**state[-1], "delete": True}], "is in the state, not in the recording"),
    ],
)
def test_differences_of_state_are_noticed(change, message):
    faults = compare_state(export_of(change(copy.deepcopy(STATE))), STATE)
    assert any(message in fault for fault in faults), faults


def test_differences_of_operations_are_noticed():
    assert compare_ops(OPS[1:], OPS, STATE) == [
        'operation ["create", "pulumi:pulumi:Stack", "conformance-service-dev"] is recorded and missing'
    ]
    first_last = [OPS[-2], *OPS[:-2], OPS[-1]]
    assert any("came after" in fault for fault in compare_ops(first_last, OPS, STATE))
    independent = [*OPS[:2], OPS[3], OPS[2], *OPS[4:]]
    assert compare_ops(independent, OPS, STATE) == []


def item(name: str, *needs: str) -> dict:
    urns = {other: f"urn:pulumi:dev::p::t::{other}" for other in (name, *needs)}
    return {"urn": urns[name], "dependencies": [urns[other] for other in needs]}


def test_what_the_new_program_no_longer_ties_may_come_in_any_order():
    ops = [["same", "t", "a"], ["same", "t", "b"]]
    tied, free = [item("a"), item("b", "a")], [item("a"), item("b")]
    assert compare_ops(ops[::-1], ops, free, tied) == []
    assert "came after" in compare_ops(ops[::-1], ops, tied, free)[0]
    deletions = [["delete", "t", "b"], ["delete", "t", "a"]]
    assert "came after" in compare_ops(deletions[::-1], deletions, [], tied)[0], "deletions follow what was recorded"


def test_a_dependent_goes_at_any_moment_before_it_is_made_again():
    state = [item("base"), item("net"), item("box", "base", "net")]
    ops = [["same", "t", "base"], ["delete-replaced", "t", "box"], ["delete-replaced", "t", "net"]]
    ops += [["create-replacement", "t", "net"], ["create-replacement", "t", "box"]]
    assert compare_ops([ops[1], ops[0], *ops[2:]], ops, state) == []
    assert "came after" in compare_ops([ops[0], ops[2], ops[1], *ops[3:]], ops, state)[0]


BOX = "docker:index/container:Container"


def attached(address: str, mac: str, **network: str) -> list[dict]:
    data = {"ipAddress": address, "macAddress": mac, "gateway": "10.78.0.1"}
    inputs = {"networksAdvanced": [{"name": "n", **network}]}
    return [{"urn": f"urn:pulumi:dev::p::{BOX}::b", "inputs": inputs, "outputs": {"networkDatas": [data]}}]


def test_addresses_that_the_daemon_gives_out_are_no_difference():
    recorded = attached("10.78.0.2", "02:42:0a:4e:00:02")
    assert compare_state(export_of(attached("10.78.0.3", "02:42:0a:4e:00:03")), recorded) == []
    assert len(compare_state(export_of(attached("10.79.0.3", "02:42:0a:4f:00:03")), recorded)) == 2
    fixed = attached("10.78.0.9", "02:42:0a:4e:00:09", ipv4Address="10.78.0.9")
    other = attached("10.78.0.8", "02:42:0a:4e:00:08", ipv4Address="10.78.0.9")
    assert len(compare_state(export_of(other), fixed)) == 2
    one = attached("172.18.0.2", "02:42:ac:12:00:02", ipv4Address="172.18.0.2")
    another = attached("172.29.0.2", "02:42:ac:1d:00:02", ipv4Address="172.29.0.2")
    assert compare_state(export_of(another), one) == []


def test_differences_of_errors_are_noticed():
    recorded = RECORDED[3]["up"]["errors"]
    assert len(compare_errors([], recorded)) == 1
    assert len(compare_errors([recorded[1].replace("cf-web", "cf-other")], recorded)) == 2
    assert compare_errors([recorded[1], "more"], recorded) == ["error not recorded: 'more'"]


def test_differences_of_outputs_are_noticed():
    assert compare_outputs('{"a": 1}', {"a": "1"}) == ['a: 1, recorded "1"']
    assert compare_outputs("", {})[0].startswith("no JSON")


def test_an_unknown_case_or_an_empty_folder_is_an_error(tmp_path):
    with pytest.raises(SystemExit, match="no case nothing"):
        discover(CASES, ["nothing"])
    with pytest.raises(SystemExit, match="no cases in"):
        discover(tmp_path, [])
