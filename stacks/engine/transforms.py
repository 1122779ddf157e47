"""Resource transforms: functions of the program that may change a registration before it is planned."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any

import grpc
from pulumi.runtime.proto import callback_pb2, callback_pb2_grpc, resource_pb2

from stacks.engine.errors import EngineError
from stacks.engine.values import OUTPUT_SIG, SIG

_SHARED = (
    ("protect", "protect"),
    ("ignore_changes", "ignoreChanges"),
    ("replace_on_changes", "replaceOnChanges"),
    ("version", "version"),
    ("aliases", "aliases"),
    ("provider", "provider"),
    ("custom_timeouts", "customTimeouts"),
    ("plugin_download_url", "pluginDownloadURL"),
    ("retain_on_delete", "retainOnDelete"),
    ("deleted_with", "deletedWith"),
    ("additional_secret_outputs", "additionalSecretOutputs"),
)


class Transforms:
    """Calls back into the program. The stack's own transforms run after the resource's."""

    def __init__(self) -> None:
        self._stack: list[Any] = []
        self._stubs: dict[str, Any] = {}
        self._lock = threading.Lock()

    def add_stack(self, callback: Any) -> None:
        """Register a transform of every resource."""
        with self._lock:
            self._stack.append(callback)

    def resource(self, request: Any) -> Any:
        """The registration after all transforms; EngineError when one of them raises."""
        callbacks = [*request.transforms, *self._stack]
        if not callbacks:
            return request
        changed = resource_pb2.RegisterResourceRequest()
        changed.CopyFrom(request)
        for callback in callbacks:
            self._apply(callback, changed)
        for name, value in changed.object.fields.items():
            urns = changed.propertyDependencies.get_or_create(name).urns  # as the CLI, also where it needs nothing
            needed = [urn for urn in dict.fromkeys(_needs(value)) if urn not in urns]
            urns.extend(needed)
            if request.transforms:
                changed.dependencies.extend(urn for urn in needed if urn not in changed.dependencies)
        return changed

    def _apply(self, callback: Any, request: Any) -> None:
        question = resource_pb2.TransformRequest(
            type=request.type, name=request.name, custom=request.custom, parent=request.parent
        )
        question.properties.CopyFrom(request.object)
        options = question.options
        options.depends_on.extend(request.dependencies)
        for name, field in _SHARED:
            _copy(request, field, options, name)
        if request.deleteBeforeReplaceDefined:
            options.delete_before_replace = request.deleteBeforeReplace
        options.providers.update(request.providers)
        answer = resource_pb2.TransformResponse()
        answer.ParseFromString(self._call(callback, question.SerializeToString()))
        if answer.HasField("properties"):
            request.object.CopyFrom(answer.properties)
        if answer.HasField("options"):
            for name, field in _SHARED:
                _copy(answer.options, name, request, field)
            _copy(answer.options, "depends_on", request, "dependencies")
            if answer.options.HasField("delete_before_replace"):
                request.deleteBeforeReplace = answer.options.delete_before_replace
                request.deleteBeforeReplaceDefined = True

    def _call(self, callback: Any, body: bytes) -> bytes:
        with self._lock:
            stub = self._stubs.get(callback.target)
            if stub is None:
                stub = callback_pb2_grpc.CallbacksStub(grpc.insecure_channel(callback.target))
                self._stubs[callback.target] = stub
        try:
            return stub.Invoke(callback_pb2.CallbackInvokeRequest(token=callback.token, request=body)).response
        except grpc.RpcError as cause:
            raise EngineError(f"a transform of the program failed: {cause.details()}") from cause


def _needs(value: Any) -> Iterator[str]:
    """URNs of the resources that a value of the wire comes from."""
    fields = value.struct_value.fields
    if SIG in fields and fields[SIG].string_value == OUTPUT_SIG:
        yield from (item.string_value for item in fields["dependencies"].list_value.values)
    for item in [*fields.values(), *value.list_value.values]:
        yield from _needs(item)


def _copy(source: Any, source_field: str, target: Any, target_field: str) -> None:
    """Copy one field, keeping whether it is set at all."""
    descriptor = source.DESCRIPTOR.fields_by_name[source_field]
    target.ClearField(target_field)
    value = getattr(source, source_field)
    if descriptor.is_repeated:
        getattr(target, target_field).extend(value)
    elif descriptor.message_type is not None:
        if source.HasField(source_field):
            getattr(target, target_field).CopyFrom(value)
    elif not descriptor.has_presence or source.HasField(source_field):
        setattr(target, target_field, value)
