"""Checks of inputs, and what a change of them means."""

from __future__ import annotations

import pytest

from stacks.engine.check import check
from stacks.engine.diff import complete, diff, overlay, top
from stacks.engine.docker.base import kind_of, short_duration
from stacks.engine.errors import CheckError, UnsupportedError
from stacks.engine.goal import Goal, alias_urns, keep_old, path_keys, path_matches, seconds
from stacks.engine.schema import as_set
from stacks.engine.valid import nanoseconds
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
        (
            service(mounts=[{"type": "volume"}]),
            "taskSpec.containerSpec.mounts[0].target",
            'argument "target" is required',
        ),
        (service(mounts=["/data"]), "taskSpec.containerSpec.mounts[0]", "wanted an object"),
        (service(commands="sh"), "taskSpec.containerSpec.commands", "wanted a list"),
        ({"name": "w", "taskSpec": {}}, "taskSpec.containerSpec", 'argument "container_spec" is required'),
        ({**service(), "mode": {"replicated": {"replicas": "many"}}}, "mode.replicated.replicas", "wanted a whole"),
        ({**service(), "id": "x"}, "id", "no such field"),
    ],
)
def test_bad_inputs_are_refused_by_path(inputs, path, reason):
    with pytest.raises(CheckError) as refusal:
        check(SERVICE, inputs, {}, "w")
    assert [place for place, _ in refusal.value.failures] == [path]
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
    result = diff(VOLUME, OLD, inputs)
    assert (result.keys, sorted({top(path) for path in result.replaces})) == (keys, replaces)


def test_a_set_in_another_order_is_no_change():
    two = [{"label": "a", "value": "1"}, {"label": "b", "value": "2"}]
    assert not diff(VOLUME, {**OLD, "labels": two}, {"name": "v", "labels": two[::-1]})


def test_a_named_resource_is_deleted_before_it_is_replaced_and_an_automatic_one_is_not():
    assert diff(VOLUME, OLD, {"name": "w", "__defaults": []}).delete_first
    assert not diff(VOLUME, OLD, {"name": "w", "__defaults": ["name"]}).delete_first


def test_an_update_keeps_what_the_daemon_has_filled_in():
    expected = complete(SERVICE, service(), {"taskSpec": {"restartPolicy": {"condition": "any", "delay": "5s"}}})
    assert expected["taskSpec"]["restartPolicy"] == {"condition": "any", "delay": "5s"}
    assert expected["taskSpec"]["containerSpec"]["args"] is None


def test_a_refresh_takes_over_only_what_the_program_had_set():
    fresh = overlay(
        SERVICE,
        {"name": "w", "mode": {"replicated": {"replicas": 1}}},
        {"name": "w", "labels": [{"label": "x", "value": "y"}], "mode": {"replicated": {"replicas": 2}}},
    )
    assert fresh == {"name": "w", "mode": {"replicated": {"replicas": 2}}}


def test_sets_come_in_the_providers_order():
    result = as_set([{"a": None}, {"a": True}, {"a": False}, {"a": "z"}, {"a": ""}])
    assert [item["a"] for item in result] == ["", "z", False, True, None]


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
    urns = alias_urns(goal, "dev", "p", ["urn:pulumi:dev::p::my:Cell::old", "urn:pulumi:dev::p::my:Box::new"])
    assert "urn:pulumi:dev::p::my:Cell$t:i:X::old-net" in urns
    assert "urn:pulumi:dev::p::my:Box$t:i:X::new-net" in urns


CONTAINER = kind_of("docker:index/container:Container")


def box(**properties) -> dict:
    return {"name": "b", "image": "i", **properties}


@pytest.mark.parametrize(
    ("good", "bad", "path", "reason"),
    [
        ({"restart": "always"}, {"restart": "sometimes"}, "restart", "'sometimes' doesn't match the pattern '^(no|on-"),
        ({"memory": 0}, {"memory": -1}, "memory", "'-1' cannot be lower than 0"),
        ({"memorySwap": -1}, {"memorySwap": -2}, "memorySwap", "'-2' cannot be lower than -1"),
        ({"cpuSet": "0-2,4"}, {"cpuSet": "all"}, "cpuSet", "'all' doesn't match"),
        (
            {"uploads": [{"file": "/f", "permissions": "0644"}]},
            {"uploads": [{"file": "/f", "permissions": "644"}]},
            "uploads[0].permissions",
            "'644' doesn't match",
        ),
        (
            {"uploads": [{"file": "/f", "contentBase64": "AA=="}]},
            {"uploads": [{"file": "/f", "contentBase64": "szia"[:3]}]},
            "uploads[0].contentBase64",
            "is not base64 decodeable",
        ),
        (
            {"volumes": [{"hostPath": "/srv", "containerPath": "/s"}]},
            {"volumes": [{"hostPath": "srv", "containerPath": "/s"}]},
            "volumes[0].hostPath",
            "'srv' must be an absolute path",
        ),
        (
            {"healthcheck": {"tests": ["NONE"], "interval": "1m30s"}},
            {"healthcheck": {"tests": ["NONE"], "interval": "soon"}},
            "healthcheck.interval",
            "'soon' is not a valid duration",
        ),
        (
            {"healthcheck": {"tests": ["NONE"], "timeout": "0s"}},
            {"healthcheck": {"tests": ["NONE"], "timeout": "-1s"}},
            "healthcheck.timeout",
            "'-1s' duration must not be negative",
        ),
    ],
)
def test_values_that_the_provider_refuses_are_refused(good, bad, path, reason):
    check(CONTAINER.fields, box(**good), {}, "b")
    with pytest.raises(CheckError) as refusal:
        check(CONTAINER.fields, box(**bad), {}, "b")
    assert [where for where, _ in refusal.value.failures] == [path]
    assert reason in str(refusal.value)


@pytest.mark.parametrize(("ratio", "reason"), [("1.5", "has to be between 0.0 and 1.0"), ("half", "is not a float")])
def test_a_ratio_lies_between_nought_and_one(ratio, reason):
    check(SERVICE, {**service(), "updateConfig": {"maxFailureRatio": "0.5"}}, {}, "w")
    with pytest.raises(CheckError, match=reason):
        check(SERVICE, {**service(), "updateConfig": {"maxFailureRatio": ratio}}, {}, "w")


def test_a_refusal_shows_no_secret():
    fields = kind_of("docker:index/secret:Secret").fields
    with pytest.raises(CheckError) as refusal:
        check(fields, {"name": "s", "data": Secret("hunter2!")}, {}, "s")
    assert "hunter2" not in str(refusal.value) and "'[secret]' is not base64 decodeable" in str(refusal.value)


def test_properties_that_exclude_each_other_are_refused():
    (failure,) = CONTAINER.validate(box(gpus="all", deviceRequests=[{}]))
    assert failure == ("deviceRequests", 'Conflicting configuration arguments. "device_requests": conflicts with gpus')
    kind = kind_of("docker:index/service:Service")
    inputs = {**service(), "mode": {"global": True}, "convergeConfig": {}}
    assert [path for path, _ in kind.validate(inputs)] == ["mode.global", "convergeConfig"]
    assert kind.validate(service()) == []
    config = kind_of("docker:index/serviceConfig:ServiceConfig")
    assert [path for path, _ in config.validate({"name": "c"})] == ["data", "dataRaw"]
    assert config.validate({"name": "c", "data": "AA=="}) == []


WEB = {"internal": 80, "external": 8080, "ip": "127.0.0.1", "protocol": "tcp"}
DNS = {"internal": 53, "external": 5353, "ip": "0.0.0.0", "protocol": "udp"}


@pytest.mark.parametrize(
    ("new", "same"),
    [
        ([WEB, DNS], True),
        ([DNS, WEB], True),
        ([WEB, {**DNS, "ip": ""}], True),
        ([{key: value for key, value in WEB.items() if key != "external"}, DNS], True),
        ([WEB, {**DNS, "external": 5354}], False),
        ([WEB, {**DNS, "protocol": "tcp"}], False),
        ([WEB, {**DNS, "ip": "127.0.0.1"}], False),
        ([WEB, {**DNS, "internal": 54}], False),
        ([WEB], False),
        ([WEB, DNS, {**DNS, "protocol": "tcp"}], False),
        ([WEB, UNKNOWN], False),
        (UNKNOWN, False),
    ],
)
def test_ports_in_another_order_are_no_change(new, same):
    changes = diff({"ports": CONTAINER.fields["ports"]}, {"ports": [DNS, WEB]}, {"ports": new})
    assert (not changes) is same and (changes.replaces == set()) is same


@pytest.mark.parametrize(
    ("fields", "path", "old", "new", "same"),
    [
        (CONTAINER.fields, "user", "root", "", True),
        (CONTAINER.fields, "user", "root", "app", False),
        (CONTAINER.fields, "workingDir", "/srv", "", True),
        (CONTAINER.fields, "workingDir", "/srv", "/", False),
        (SERVICE, "updateConfig.maxFailureRatio", "0.5", "0.50", True),
        (SERVICE, "rollbackConfig.maxFailureRatio", "0.0", "0", True),
        (SERVICE, "updateConfig.maxFailureRatio", "0.5", "0.6", False),
    ],
)
def test_what_the_provider_takes_for_the_same_is_no_change(fields, path, old, new, same):
    top, _, inner = path.partition(".")

    def properties(value: str) -> dict:
        return {top: {inner: value} if inner else value}

    changes = diff({top: fields[top]}, properties(old), properties(new))
    assert list(changes.changes) == ([] if same else [path])


LABELS = [{"label": "a", "value": "1"}, {"label": "b", "value": "2"}]


@pytest.mark.parametrize(
    ("inputs", "paths"),
    [
        ({"labels": [LABELS[0], {"label": "b", "value": "3"}]}, {"labels[1].value": "update"}),
        ({"labels": [{"label": "x", "value": "9"}, LABELS[1]]}, {"labels[0]": "update"}),
        ({"labels": [*LABELS, {"label": "c", "value": "3"}]}, {"labels[2]": "add"}),
        ({"labels": LABELS[:1]}, {"labels[1]": "delete"}),
        ({"driverOpts": {"o": "2", "type": "tmpfs"}}, {"driverOpts.o": "update", "driverOpts.type": "add"}),
        ({"driverOpts": {"com.docker.x": "1"}}, {"driverOpts.o": "delete", 'driverOpts["com.docker.x"]': "add"}),
    ],
)
def test_a_diff_names_what_changed_inside_a_property(inputs, paths):
    outputs = {**OLD, "labels": LABELS, "driverOpts": {"o": "1"}}
    changes = diff(VOLUME, outputs, {"name": "v", "labels": LABELS, "driverOpts": {"o": "1"}, **inputs})
    assert {path: kind for path, (kind, _, _) in changes.changes.items()} == paths
    assert changes.keys == list(inputs) and changes.replaces == set(paths)


def test_a_set_that_the_daemon_completes_is_named_as_a_whole():
    fields = {"ipamConfigs": kind_of("docker:index/network:Network").fields["ipamConfigs"]}
    old = [{"subnet": "10.1.0.0/24", "gateway": "10.1.0.1", "ipRange": "", "auxAddress": {}}]
    changes = diff(fields, {"ipamConfigs": old}, {"ipamConfigs": [{"subnet": "10.2.0.0/24"}]})
    assert list(changes.changes) == ["ipamConfigs"] and changes.replaces == {"ipamConfigs"}
