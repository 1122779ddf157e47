"""What is recorded of an object, in the real provider's form: the CLI would replace an object whose form differs."""

from __future__ import annotations

import pytest

from stacks.engine.diff import diff
from stacks.engine.docker import container_schema, network
from stacks.engine.docker.container_read import container_outputs, full_elements
from stacks.engine.docker.service_read import service_outputs

INSPECTED = {
    "Id": "c1",
    "Name": "/box",
    "Image": "sha256:1",
    "State": {"Running": True},
    "Config": {"Image": "i:1"},
    "HostConfig": {
        "LogConfig": {"Type": "json-file"},
        "RestartPolicy": {"Name": "no"},
        "Mounts": [{"Type": "tmpfs", "Target": "/t", "TmpfsOptions": {"SizeBytes": 1, "Mode": 1023}}],
    },
}
INPUTS = {
    "name": "box",
    "image": "i:1",
    "mounts": [{"target": "/t", "type": "tmpfs", "tmpfsOptions": {"sizeBytes": 1, "mode": 1023}}],
    "volumes": [{"volumeName": "v", "containerPath": "/v"}],
    "networksAdvanced": [{"name": "n"}],
    "uploads": [{"file": "/a", "content": "x"}, {"file": "/b", "contentBase64": "AA==", "executable": True}],
}


def created(inputs: dict) -> dict:
    return full_elements(container_outputs(INSPECTED, inputs), inputs)


def test_a_container_that_names_no_environment_and_no_wait_has_both_recorded():
    outputs = created({"name": "box", "image": "i:1"})
    assert outputs["envs"] == [] and outputs["wait"] is False


def test_the_environment_is_recorded_sorted_and_its_order_is_no_change():
    outputs = created({**INPUTS, "envs": ["B=2", "A=1"]})
    assert outputs["envs"] == ["A=1", "B=2"]
    fields = {"envs": container_schema.FIELDS["envs"]}
    assert not diff(fields, outputs, {"envs": ["B=2", "A=1"]})
    assert diff(fields, outputs, {"envs": ["B=2"]})


def test_a_creation_records_null_for_flags_that_the_program_left_out_and_a_refresh_their_value():
    outputs = created(INPUTS)
    assert outputs["mounts"][0]["readOnly"] is None and outputs["volumes"][0]["readOnly"] is None
    assert outputs["networksAdvanced"][0]["gwPriority"] is None
    outputs = full_elements(container_outputs(INSPECTED, outputs))
    assert outputs["mounts"][0]["readOnly"] is False and outputs["volumes"][0]["readOnly"] is False
    assert outputs["networksAdvanced"][0]["gwPriority"] == 0


def test_a_flag_that_the_program_gives_is_recorded_as_it_is():
    mounts = [{**INPUTS["mounts"][0], "readOnly": False}]
    assert created({**INPUTS, "mounts": mounts})["mounts"][0]["readOnly"] is False


def test_an_upload_is_recorded_with_all_its_fields():
    blank = {"content": "", "contentBase64": "", "executable": False, "permissions": "", "source": "", "sourceHash": ""}
    first, second = created(INPUTS)["uploads"]
    assert first == {**blank, "contentBase64": "AA==", "executable": True, "file": "/b"}
    assert second == {**blank, "content": "x", "file": "/a"}


class Daemon:
    """A daemon that makes one network and shows it."""

    def __init__(self, config: dict):
        self.network = {
            "Id": "n1",
            "Name": "n",
            "Driver": "bridge",
            "Attachable": False,
            "Ingress": False,
            "Internal": False,
            "EnableIPv6": False,
            "Scope": "local",
            "IPAM": {"Driver": "default", "Config": [config]},
        }

    def post(self, path, body):
        return {"Id": "n1"}

    def find(self, path):
        return self.network


@pytest.mark.parametrize(("configs", "recorded"), [([{"subnet": "10.9.0.0/24"}], None), (None, {})])
def test_addresses_that_the_daemon_chose_have_no_auxiliary_ones(configs, recorded):
    inputs = {"name": "n", **({"ipamConfigs": configs} if configs else {})}
    _, outputs = network.KIND.create(Daemon({"Subnet": "10.9.0.0/24"}), inputs, None)
    assert outputs["ipamConfigs"][0]["auxAddress"] == recorded


def service(mode: int) -> dict:
    mount = {"Type": "tmpfs", "Target": "/run", "TmpfsOptions": {"Mode": mode}}
    return {
        "ID": "s1",
        "Spec": {"Name": "s", "TaskTemplate": {"ContainerSpec": {"Image": "i", "Mounts": [mount]}}, "Mode": {}},
    }


@pytest.mark.parametrize(
    ("value", "at_creation", "at_refresh"), [(0o1777, 0o1777, 0o777), (0o700, 0o700, 0o700), (None, 0, 0)]
)
def test_a_tmpfs_loses_its_sticky_bit_in_a_refresh(value, at_creation, at_refresh):
    mount = {"target": "/run", "type": "tmpfs", "tmpfsOptions": {"mode": value}}
    inputs = {"name": "s", "taskSpec": {"containerSpec": {"image": "i", "mounts": [mount]}}}

    def mode(outputs: dict) -> int:
        return outputs["taskSpec"]["containerSpec"]["mounts"][0]["tmpfsOptions"]["mode"]

    for created_now in (True, False):
        assert mode(service_outputs(service(value or 0), inputs, created_now)) == at_creation
    assert mode(service_outputs(service(value or 0))) == at_refresh
