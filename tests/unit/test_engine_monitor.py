"""What a program may not ask for is refused by name, with what to use instead."""

from __future__ import annotations

import asyncio

import pytest
from pulumi.runtime.proto import resource_pb2

from stacks.engine import child
from stacks.engine.connections import Connections
from stacks.engine.deployment import Deployment, Options
from stacks.engine.docker.base import go_duration
from stacks.engine.errors import ProviderError
from stacks.engine.events import Events
from stacks.engine.executor import Executor
from stacks.engine.goal import from_request
from stacks.engine.monitor import FEATURES, Monitor
from stacks.engine.planner import Planner
from stacks.engine.state import Resource, Snapshot


class Aborted(Exception):
    """The request was refused."""


class Context:
    """Of a gRPC request."""

    def abort(self, code, details):
        raise Aborted(details)


class Unreachable(Connections):
    """No daemon answers."""

    def daemon_of(self, reference):
        raise ProviderError("no daemon")


def plain(text: str) -> str:
    return text


@pytest.fixture
def monitor() -> Monitor:
    deployment = Deployment("p", "dev", Snapshot(), Options(preview=True), Events(), None, plain, {})
    connections = Unreachable(deployment)
    return Monitor(deployment, Planner(deployment), Executor(deployment, connections), connections, None)


def request(**fields):
    options = {"type": "docker:index/volume:Volume", "name": "v", "custom": True, **fields}
    return resource_pb2.RegisterResourceRequest(**options)


def test_a_resource_without_such_options_is_registered(monitor):
    assert monitor.RegisterResource(request(), Context()).urn.endswith("::v")
    assert monitor.deployment.events.errors == []


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"importId": "x"}, "the option import_ is not covered by the embedded engine: adopt the object once with"),
        ({"replace_with": ["urn"]}, "the option replace_with .*: name the other's output in a property"),
        ({"hooks": {"before_create": ["h"]}}, "the option hooks .*: do it in the program or in a playbook"),
        ({"remote": True}, "remote component .docker:index/volume:Volume. .*: write it as a component"),
        ({"state_migrations": [{"token": "t"}]}, "the option state_migrations .*: use aliases"),
        ({"envVarMappings": {"A": "B"}}, "the option env_var_mappings .*: set the provider's own settings"),
        ({"replacement_trigger": {"string_value": "x"}}, "the option replacement_trigger .*replace_on_changes"),
    ],
)
def test_an_option_that_is_not_covered_is_refused_by_name(monitor, fields, message):
    with pytest.raises(Aborted):
        monitor.RegisterResource(request(**fields), Context())
    (error,) = monitor.deployment.events.errors
    assert pytest.raises(AssertionError, match=message).matches(AssertionError(error)), error
    assert "PULUMI=pulumi" in error


@pytest.mark.parametrize(
    ("method", "message"),
    [
        ("RegisterResourceHook", "resource hook"),
        ("RegisterErrorHook", "error hook"),
        ("RegisterStackInvokeTransform", "a transform of invokes"),
        ("RegisterPackage", "parameterized package"),
    ],
)
def test_a_call_that_is_not_covered_is_refused_by_name(monitor, method, message):
    assert method in dir(type(monitor).__mro__[1]), "the SDK has no such call"
    with pytest.raises(Aborted):
        getattr(monitor, method)(resource_pb2.RegisterPackageRequest(name="x"), Context())
    assert message in monitor.deployment.events.errors[0] and "PULUMI=pulumi" in monitor.deployment.events.errors[0]


def test_the_sdk_is_not_left_to_ask_for_a_newer_cli():
    names = {
        resource_pb2.ResourceMonitorFeature.Name(item).removeprefix("RESOURCE_MONITOR_FEATURE_") for item in FEATURES
    }
    assert {"REPLACE_WITH", "RESOURCE_HOOKS", "ERROR_HOOKS", "INVOKE_TRANSFORMS", "PARAMETERIZATION"} <= names


def test_a_function_that_fails_is_the_programs_own_fault(monitor):
    call = resource_pb2.ResourceInvokeRequest(tok="docker:index/getNetwork:getNetwork")
    with pytest.raises(
        Aborted, match="^invocation of .*getNetwork returned an error: invoking .*: 1 error occurred:\n"
    ):
        monitor.Invoke(call, Context())
    assert monitor.deployment.events.errors == [] and not monitor.deployment.failed.is_set()


@pytest.mark.parametrize(("kind", "warned"), [("volume:Volume", True), ("container:Container", False)])
def test_time_limits_are_only_taken_where_the_provider_knows_them(monitor, kind, warned):
    messages: list[dict] = []
    monitor.deployment.events.listeners.append(lambda event: messages.append(event.get("diagnosticEvent")))
    message = request(type=f"docker:index/{kind}", customTimeouts={"create": "2m", "delete": "90s"})
    message.object.update({"image": "i"} if not warned else {})
    monitor.RegisterResource(message, Context())
    warnings = [item["message"] for item in messages if item and item["severity"] == "warning"]
    text = "Resource does not support customTimeouts, ignoring: create=2m0s, delete=1m30s"
    assert warnings == ([text] if warned else [])


@pytest.mark.parametrize(("seconds", "text"), [(120, "2m0s"), (3600, "1h0m0s"), (90, "1m30s"), (0.5, "500ms")])
def test_durations_are_written_as_go_writes_them(seconds, text):
    assert go_duration(seconds) == text


def failure(work) -> BaseException:
    try:
        work()
    except BaseException as fault:
        return fault
    raise AssertionError("nothing failed")


def test_a_fault_of_the_program_is_told_from_its_own_first_frame_on(tmp_path):
    (tmp_path / "__main__.py").write_text("import json\n\njson.loads('{')\n", encoding="utf-8")
    code = compile((tmp_path / "__main__.py").read_text("utf-8"), str(tmp_path / "__main__.py"), "exec")
    text = child._traceback(failure(lambda: exec(code)), str(tmp_path))
    first, *_ = text.splitlines()[1:]
    assert f'File "{tmp_path}/__main__.py", line 3' in first and "JSONDecodeError" in text.splitlines()[-1]


def test_a_fault_outside_the_program_is_told_whole(tmp_path):
    async def later():
        return {}["nope"]

    text = child._traceback(failure(lambda: asyncio.run(later())), str(tmp_path))
    assert text.startswith("Traceback") and text.endswith("KeyError: 'nope'\n") and "in later" in text


def test_a_child_takes_what_its_parent_has_unless_it_says_otherwise():
    parent = Resource(
        urn="urn:pulumi:dev::p::t:i:Cell::c", type="t:i:Cell", protect=True, retain_on_delete=True, deleted_with="urn:a"
    )
    goal = from_request(request(), parent)
    assert (goal.protect, goal.retain_on_delete, goal.deleted_with) == (True, True, "urn:a")
    goal = from_request(request(protect=False, retainOnDelete=False, deletedWith="urn:b"), parent)
    assert (goal.protect, goal.retain_on_delete, goal.deleted_with) == (False, False, "urn:b")
    goal = from_request(request(), None)
    assert (goal.protect, goal.retain_on_delete, goal.deleted_with) == (False, False, "")
