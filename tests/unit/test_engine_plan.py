"""Checks of inputs, and what a change of them means."""

from __future__ import annotations

import pytest

from stacks.engine.check import check
from stacks.engine.diff import complete, diff, overlay
from stacks.engine.docker.base import kind_of, nanoseconds, short_duration
from stacks.engine.errors import CheckError, UnsupportedError
from stacks.engine.goal import Goal, alias_urns, keep_old, path_keys, path_matches, seconds
from stacks.engine.schema import as_set
from stacks.engine.values import UNKNOWN, Secret

SERVICE = kind_of("docker:index/service:Service").fields
VOLUME = kind_of("docker:index/volume:Volume").fields


def service(**container) -> dict:
    return {"name": "w", "taskSpec": {"containerSpec": {"image": "i", **container}}}


def test_defaults_are_filled_in_and_named():
    inputs = check(SERVICE, service(healthcheck={"tests": ["CMD", "true"], "interval": "1s"}), {}, "w")
    spec = inputs["taskSpec"]["containerSpec"]
    assert spec["__defaults"] == ["isolation"]
    assert spec["isolation"] == "default"
    assert spec["healthcheck"]["__defaults"] == ["startPeriod", "timeout"]


def test_a_missing_name_is_made_once_and_kept():
    first = check(VOLUME, {}, {}, "data")
    assert first["name"].startswith("data-") and first["__defaults"] == ["name"]
    assert check(VOLUME, {}, first, "data")["name"] == first["name"]
    assert check(VOLUME, {"name": "x"}, first, "data")["__defaults"] == []


@pytest.mark.parametrize(
    ("inputs", "path", "reason"),
    [
        (service(imge="x"), "taskSpec.containerSpec.imge", "no such field; known here: args"),
        (service(env="A=1"), "taskSpec.containerSpec.env", "wanted a map of strings"),
        (service(mounts=[{"type": "volume"}]), "taskSpec.containerSpec.mounts[0].target", "is required and missing"),
        (service(mounts=["/data"]), "taskSpec.containerSpec.mounts[0]", "wanted an object"),
        (service(commands="sh"), "taskSpec.containerSpec.commands", "wanted a list"),
        ({"name": "w", "taskSpec": {}}, "taskSpec.containerSpec", "is required and missing"),
        ({**service(), "mode": {"replicated": {"replicas": "many"}}}, "mode.replicated.replicas", "wanted a whole"),
        ({**service(), "id": "x"}, "id", "no such field"),
    ],
)
def test_bad_inputs_are_refused_by_path(inputs, path, reason):
    with pytest.raises(CheckError) as refusal:
        check(SERVICE, inputs, {}, "w")
    assert [found for found, _ in refusal.value.failures] == [path]
    assert reason in str(refusal.value)


def test_outputs_cannot_be_inputs():
    with pytest.raises(CheckError, match="mountpoint: is set by the daemon"):
        check(VOLUME, {"mountpoint": "/x"}, {}, "v")


def test_secrets_stay_secret_through_the_check():
    inputs = check(VOLUME, {"name": "v", "labels": [{"label": "a", "value": Secret("x")}]}, {}, "v")
    assert isinstance(inputs["labels"], Secret)


OLD = {"name": "v", "driver": "local", "driverOpts": None, "labels": [{"label": "a", "value": "1"}], "mountpoint": "/m"}


@pytest.mark.parametrize(
    ("inputs", "keys", "replaces"),
    [
        ({"name": "v", "labels": [{"label": "a", "value": "1"}]}, [], []),
        ({"name": "v", "labels": [{"label": "a", "value": "1"}], "driverOpts": {}}, [], []),
        ({"name": "w", "labels": [{"label": "a", "value": "1"}]}, ["name"], ["name"]),
        ({"name": "v", "labels": [{"label": "a", "value": "2"}]}, ["labels"], ["labels"]),
        ({"name": "v"}, ["labels"], ["labels"]),
        ({"name": "v", "labels": UNKNOWN}, ["labels"], ["labels"]),
    ],
)
def test_what_a_change_of_a_volume_means(inputs, keys, replaces):
    found = diff(VOLUME, OLD, inputs)
    assert (found.keys, found.replace_keys) == (keys, replaces)


def test_a_set_in_another_order_is_no_change():
    two = [{"label": "a", "value": "1"}, {"label": "b", "value": "2"}]
    assert not diff(VOLUME, {**OLD, "labels": two}, {"name": "v", "labels": two[::-1]})


def test_a_named_resource_is_deleted_before_it_is_replaced_and_an_automatic_one_is_not():
    assert diff(VOLUME, OLD, {"name": "w", "__defaults": []}).delete_first
    assert not diff(VOLUME, OLD, {"name": "w", "__defaults": ["name"]}).delete_first


def test_an_update_keeps_what_the_daemon_has_filled_in():
    wanted = complete(SERVICE, service(), {"taskSpec": {"restartPolicy": {"condition": "any", "delay": "5s"}}})
    assert wanted["taskSpec"]["restartPolicy"] == {"condition": "any", "delay": "5s"}
    assert wanted["taskSpec"]["containerSpec"]["args"] is None


def test_a_refresh_takes_over_only_what_the_program_had_set():
    fresh = overlay(
        SERVICE,
        {"name": "w", "mode": {"replicated": {"replicas": 1}}},
        {"name": "w", "labels": [{"label": "x", "value": "y"}], "mode": {"replicated": {"replicas": 2}}},
    )
    assert fresh == {"name": "w", "mode": {"replicated": {"replicas": 2}}}


def test_sets_come_in_the_providers_order():
    found = as_set([{"a": None}, {"a": True}, {"a": False}, {"a": "z"}, {"a": ""}])
    assert [item["a"] for item in found] == ["", "z", False, True, None]


@pytest.mark.parametrize(
    ("text", "nanos", "short"),
    [
        ("0s", 0, "0s"),
        ("1m30s", 90 * 10**9, "1m30s"),
        ("60s", 60 * 10**9, "1m"),
        ("2h", 7200 * 10**9, "2h"),
        ("1h0m5s", 3605 * 10**9, "1h0m5s"),
        ("500ms", 5 * 10**8, "500ms"),
        ("1.5s", 15 * 10**8, "1.5s"),
    ],
)
def test_durations(text, nanos, short):
    assert nanoseconds(text) == nanos
    assert short_duration(nanos) == short


@pytest.mark.parametrize("text", ["5", "5 s", "s", "1x"])
def test_what_is_no_duration_is_refused(text):
    with pytest.raises(ValueError, match="is no duration"):
        nanoseconds(text)
    with pytest.raises(ValueError, match="is no duration"):
        seconds(text)


def test_an_unknown_type_is_refused_by_name():
    with pytest.raises(UnsupportedError, match="'docker:index/plugin:Plugin' is not covered"):
        kind_of("docker:index/plugin:Plugin")


def test_property_paths():
    assert path_keys('a.b[0]["c d"].*') == ["a", "b", 0, "c d", "*"]
    assert path_matches("labels", "labels[0].value") and path_matches("a[*].b", "a[3].b")
    assert not path_matches("labels", "name")
    assert keep_old({"a": {"b": 2, "c": 3}}, {"a": {"b": 1}}, ["a", "b"]) == {"a": {"b": 1, "c": 3}}
    assert keep_old({"a": 2}, {}, ["a"]) == {}
    assert keep_old({"a": [{"b": 2}]}, {"a": [{"b": 1}]}, ["a", "*", "b"]) == {"a": [{"b": 1}]}


def test_a_child_follows_its_parents_alias():
    parent = "urn:pulumi:dev::p::my:Cell::new"
    goal = Goal(type="t:i:X", name="new-net", custom=True, parent=parent, aliases=[("", "", "", "", None)])
    goal.urn = "urn:pulumi:dev::p::my:Cell$t:i:X::new-net"
    found = alias_urns(goal, "dev", "p", ["urn:pulumi:dev::p::my:Cell::old", "urn:pulumi:dev::p::my:Box::new"])
    assert "urn:pulumi:dev::p::my:Cell$t:i:X::old-net" in found
    assert "urn:pulumi:dev::p::my:Box$t:i:X::new-net" in found
