"""The SDK's monitor and engine services, through which a program registers resources."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import grpc
from google.protobuf import empty_pb2
from pulumi.runtime.proto import engine_pb2, engine_pb2_grpc, resource_pb2, resource_pb2_grpc

from . import functions
from . import urn as urns
from .deployment import Deployment
from .errors import CheckError, EngineError, UnsupportedError
from .executor import Executor
from .goal import from_request
from .planner import Step
from .references import read_reference
from .state import Resource
from .transforms import Transforms
from .values import from_struct, has_unknown, reveal, to_struct

FEATURES = (
    resource_pb2.RESOURCE_MONITOR_FEATURE_SECRETS,
    resource_pb2.RESOURCE_MONITOR_FEATURE_RESOURCE_REFERENCES,
    resource_pb2.RESOURCE_MONITOR_FEATURE_ALIAS_SPECS,
    resource_pb2.RESOURCE_MONITOR_FEATURE_DELETED_WITH,
    resource_pb2.RESOURCE_MONITOR_FEATURE_TRANSFORMS,
)
FEATURE_IDS = {"secrets", "resourceReferences", "aliasSpecs", "deletedWith", "transforms"}
GET_RESOURCE = "pulumi:pulumi:getResource"
MESSAGE_LIMIT = 1024 * 1024 * 400  # bytes, the SDK's own
_SEVERITY = {0: "debug", 1: "info", 2: "warning", 3: "error"}


class Monitor(resource_pb2_grpc.ResourceMonitorServicer):
    """Plans and applies each registration in the thread of its request."""

    def __init__(self, deployment: Deployment, references: Any):
        self.run = deployment
        self.executor = Executor(deployment)
        self.references = references
        self.transforms = Transforms()
        self._slots = threading.Semaphore(max(1, deployment.options.parallel))
        self.finished = threading.Event()

    # -- registrations

    def RegisterResource(self, request, context):
        with self.run.busy():
            return self._register(request, context)

    def _register(self, request, context):
        self._still_running(context)
        run = self.run
        try:
            request = self.transforms.resource(request)
            _covered(request)
            with run.lock:
                goal = from_request(request, run.news.get(request.parent))
                goal.provider = self._provider(request)
                steps = run.planner.plan(goal)
            state = self.executor.run_chain(steps, None if goal.custom is False else self._slots)
        except CheckError as error:
            urn = urns.make(run.stack, run.project, request.parent, request.type, request.name)
            for path, reason in error.failures:
                text = f"{request.type} resource '{request.name}': property {path} {reason}"
                run.events.diagnostic("error", text, urn)
            self._abort(context)
        except EngineError as error:
            if not run.failed.is_set():
                run.events.diagnostic("error", f"{request.type} resource '{request.name}': {error}")
            self._abort(context)
        return self._registered(goal, state)

    def _registered(self, goal, state: Resource) -> resource_pb2.RegisterResourceResponse:
        response = resource_pb2.RegisterResourceResponse(urn=goal.urn, id=state.id)
        if goal.custom:  # a component's outputs are its own to register; the recorded ones may be of earlier runs
            to_struct(state.outputs, response.object)
        return response

    def _provider(self, request) -> str:
        """Reference of the resource's provider. Provider resources and components have none."""
        if not request.custom or urns.is_provider(request.type):
            return ""
        return request.provider or self.run.default_provider(urns.package_of(request.type), request.version)

    def RegisterResourceOutputs(self, request, context):
        self._still_running(context)
        try:
            self.run.register_outputs(request.urn, from_struct(request.outputs))
        except EngineError as error:
            self.run.events.diagnostic("error", str(error), request.urn)
            self._abort(context)
        return empty_pb2.Empty()

    # -- reads and calls

    def ReadResource(self, request, context):
        self._still_running(context)
        run = self.run
        try:
            with run.lock:
                default = run.default_provider(urns.package_of(request.type), request.version)
                provider = request.provider or default
            urn = urns.make(run.stack, run.project, request.parent, request.type, request.name)
            state = Resource(
                urn=urn, type=request.type, custom=True, id=request.id, inputs=from_struct(request.properties),
                parent=request.parent, external=True, dependencies=list(request.dependencies), provider=provider,
                additional_secret_outputs=list(request.additionalSecretOutputs),
            )
            state = self._read(state)
        except EngineError as error:
            if not run.failed.is_set():
                run.events.diagnostic("error", f"reading {request.type} '{request.name}': {error}")
            self._abort(context)
        response = resource_pb2.ReadResourceResponse(urn=state.urn)
        to_struct(state.outputs, response.properties)
        return response

    def _read(self, state: Resource) -> Resource:
        run = self.run
        old = run.olds.get(state.urn)
        step = Step("read", state.urn, state.type, old=old, new=state)
        run.planner.names[state.urn] = state.urn
        run.events.starting(step)
        if state.type == urns.REFERENCE_TYPE:
            outputs = read_reference(self.references, reveal(state.inputs)["name"])
        elif has_unknown(state.id):
            outputs = {}
        else:
            outputs = functions.read_resource(run.daemon_of(state.provider), state.type, state.id)
        step.new = state = state.copy(outputs=outputs)
        if old is not None:
            from .values import reseal

            state = state.copy(outputs=reseal(outputs, old.outputs), created=old.created, modified=old.modified)
        run.done(step, state)
        run.events.finished(step)
        return state

    def Invoke(self, request, context):
        self._still_running(context)
        run = self.run
        response = resource_pb2.ResourceInvokeResponse()
        if request.tok == GET_RESOURCE:
            self._known_resource(reveal(from_struct(request.args)).get("urn", ""), response, context)
            return response
        try:
            functions.covered(request.tok)
            with run.lock:
                provider = request.provider or run.default_provider(urns.package_of(request.tok), request.version)
            args = from_struct(request.args)
            if has_unknown(args):
                response.unknown = True
                return response
            result = functions.invoke(run.daemon_of(provider), request.tok, reveal(args))
        except EngineError as error:
            run.events.diagnostic("error", f"invoking {request.tok}: {error}")
            run.failed.set()
            self._abort(context)
        to_struct(result, getattr(response, "return"))
        return response

    def _known_resource(self, urn: str, response, context) -> None:
        """State of a resource of this run, for the SDK when it meets a reference to one."""
        state = self.run.news.get(urn) or self.run.olds.get(urn)
        if state is None:
            self.run.events.diagnostic("error", f"unknown resource {urn}: it is neither registered nor recorded")
            self._abort(context)
        to_struct({"urn": urn, "id": state.id, "state": state.outputs}, getattr(response, "return"))

    def Call(self, request, context):
        self._refuse(context, f"method call {request.tok!r}")

    def RegisterPackage(self, request, context):
        self._refuse(context, f"parameterized package {request.name!r}")

    def RegisterStackTransform(self, request, context):
        self.transforms.add_stack(request)
        return empty_pb2.Empty()

    # -- life of the program

    def GetDeploymentInfo(self, request, context):
        return resource_pb2.DeploymentInfo(
            project=self.run.project, stack=self.run.stack, organization=self.run.options.organization,
            dryRun=self.run.options.preview, parallel=self.run.options.parallel, supportedFeatures=FEATURES,
        )

    def SupportsFeature(self, request, context):
        return resource_pb2.SupportsFeatureResponse(hasSupport=request.id in FEATURE_IDS)

    def SignalAndWaitForShutdown(self, request, context):
        self.finished.set()
        return empty_pb2.Empty()

    def _still_running(self, context) -> None:
        if self.run.failed.is_set():
            self._abort(context)

    def _abort(self, context) -> None:
        self.run.failed.set()
        context.abort(grpc.StatusCode.UNAVAILABLE, "the deployment has failed and takes no more registrations")

    def _refuse(self, context, what: str) -> None:
        self.run.events.diagnostic(
            "error", f"{what} is not covered by the embedded engine; use the pulumi CLI for this stack (PULUMI=pulumi)"
        )
        self._abort(context)


class EngineService(engine_pb2_grpc.EngineServicer):
    """Log messages of the program and the root resource."""

    def __init__(self, deployment: Deployment):
        self.run = deployment
        self._root = ""

    def Log(self, request, context):
        severity = _SEVERITY.get(request.severity, "info")
        if severity == "error":
            self.run.failed.set()
        if severity != "debug":
            self.run.events.diagnostic(severity, request.message, request.urn, request.ephemeral)
        return empty_pb2.Empty()

    def GetRootResource(self, request, context):
        return engine_pb2.GetRootResourceResponse(urn=self._root)

    def SetRootResource(self, request, context):
        self._root = request.urn
        return engine_pb2.SetRootResourceResponse()

    def RequirePulumiVersion(self, request, context):
        return engine_pb2.RequirePulumiVersionResponse()


class Server:
    """Both services on one local address, as a context manager."""

    def __init__(self, monitor: Monitor, engine: EngineService):
        workers = monitor.run.options.parallel + 8
        options = [("grpc.max_receive_message_length", MESSAGE_LIMIT), ("grpc.so_reuseport", 0)]
        self._server = grpc.server(ThreadPoolExecutor(max_workers=workers), options=options)
        resource_pb2_grpc.add_ResourceMonitorServicer_to_server(monitor, self._server)
        engine_pb2_grpc.add_EngineServicer_to_server(engine, self._server)
        self.address = f"127.0.0.1:{self._server.add_insecure_port('127.0.0.1:0')}"

    def __enter__(self) -> Server:
        self._server.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.stop(None)


def _covered(request) -> None:
    """Refuse by name what would otherwise be ignored silently."""
    if request.remote:
        raise UnsupportedError(f"remote component {request.type!r} is not covered by the embedded engine")
    if request.importId:
        raise UnsupportedError("the import option is not covered by the embedded engine; use the pulumi CLI once")
    if request.replace_with or request.HasField("replacement_trigger"):
        raise UnsupportedError("replace_with and replacement_trigger are not covered by the embedded engine")


