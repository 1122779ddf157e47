"""What a transform of the program makes of a registration."""

from __future__ import annotations

import pytest
from google.protobuf import json_format
from pulumi.runtime.proto import callback_pb2, resource_pb2

from stacks.engine.transforms import Transforms
from stacks.engine.values import OUTPUT_SIG, SIG

A, B = "urn:a", "urn:b"


def output(value: object, *needs: str) -> dict:
    """A value of the wire that comes from other resources."""
    return {SIG: OUTPUT_SIG, "value": value, "dependencies": list(needs)}


def request(**fields) -> resource_pb2.RegisterResourceRequest:
    registration = resource_pb2.RegisterResourceRequest(name="v", custom=True, dependencies=[A], **fields)
    registration.object.update({"name": "v"})
    registration.propertyDependencies["name"].urns.append(A)
    return registration


@pytest.fixture
def transforms(monkeypatch) -> Transforms:
    """With one of the stack, which adds labels and changes what the name comes from."""

    def call(self, callback, body):
        question = resource_pb2.TransformRequest.FromString(body)
        answer = resource_pb2.TransformResponse(options=question.options)
        labels = [{"label": "l", "value": output("x", B)}]
        answer.properties.update({"name": output("w", B), "labels": labels, "driver": "local"})
        return answer.SerializeToString()

    monkeypatch.setattr(Transforms, "_call", call)
    result = Transforms()
    result.add_stack(callback_pb2.Callback())
    return result


def test_properties_that_a_transform_adds_are_recorded_with_what_they_need(transforms):
    changed = transforms.resource(request())
    needs = {key: list(value.urns) for key, value in changed.propertyDependencies.items()}
    assert needs == {"name": [A, B], "labels": [B], "driver": []}
    assert list(changed.dependencies) == [A], "a transform of the whole stack ties the properties only, as in the CLI"
    assert json_format.MessageToDict(changed.object)["driver"] == "local"


def test_a_transform_of_the_resource_ties_the_resource_too(transforms):
    changed = transforms.resource(request(transforms=[callback_pb2.Callback()]))
    assert sorted(changed.dependencies) == [A, B]


def test_a_registration_without_transforms_is_left_alone():
    registration = request()
    assert Transforms().resource(registration) is registration
