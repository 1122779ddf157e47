"""The SDK's monitor and engine services, through which a program registers resources."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any, NoReturn

import grpc
from google.protobuf import empty_pb2
from pulumi.runtime.proto import engine_pb2, engine_pb2_grpc, resource_pb2, resource_pb2_grpc

from stacks.engine import functions
from stacks.engine import urn as urns
from stacks.engine.connections import Connections
from stacks.engine.deployment import Deployment
from stacks.engine.docker.base import go_duration, kind_of
from stacks.engine.errors import CheckError, EngineError, ProviderError, StepFailed, UnsupportedError
from stacks.engine.executor import Executor
from stacks.engine.goal import Goal, from_request
from stacks.engine.planner import Planner
from stacks.engine.providers import Providers
from stacks.engine.references import References, read_reference
from stacks.engine.state import Resource
from stacks.engine.steps import Reading
from stacks.engine.transforms import Transforms
from stacks.engine.values import from_struct, has_unknown, reseal, reveal, to_struct

FEATURES = (
    resource_pb2.RESOURCE_MONITOR_FEATURE_SECRETS,
    resource_pb2.RESOURCE_MONITOR_FEATURE_RESOURCE_REFERENCES,
    resource_pb2.RESOURCE_MONITOR_FEATURE_ALIAS_SPECS,
    resource_pb2.RESOURCE_MONITOR_FEATURE_DELETED_WITH,
    resource_pb2.RESOURCE_MONITOR_FEATURE_TRANSFORMS,
    # What is not covered is declared too: the SDK would else ask for a newer CLI, where this engine can say more.
    resource_pb2.RESOURCE_MONITOR_FEATURE_REPLACEMENT_TRIGGER,
    resource_pb2.RESOURCE_MONITOR_FEATURE_REPLACE_WITH,
    resource_pb2.RESOURCE_MONITOR_FEATURE_INVOKE_TRANSFORMS,
    resource_pb2.RESOURCE_MONITOR_FEATURE_PARAMETERIZATION,
    resource_pb2.RESOURCE_MONITOR_FEATURE_RESOURCE_HOOKS,
    resource_pb2.RESOURCE_MONITOR_FEATURE_ERROR_HOOKS,
    resource_pb2.RESOURCE_MONITOR_FEATURE_STATE_MIGRATIONS,
)
FEATURE_IDS = {"secrets", "resourceReferences", "aliasSpecs", "deletedWith", "transforms"}
USE_CLI = "use the pulumi CLI for this stack (PULUMI=pulumi)"
GET_RESOURCE = "pulumi:pulumi:getResource"
MESSAGE_LIMIT = 1024 * 1024 * 400  # bytes, the SDK's own
_SEVERITY = {0: "debug", 1: "info", 2: "warning", 3: "error"}


class Monitor(resource_pb2_grpc.ResourceMonitorServicer):
    """Plans and applies each registration in the thread of its request."""

    def __init__(
        self,
        deployment: Deployment,
        planner: Planner,
        executor: Executor,
        connections: Connections,
        references: References,
    ):
        self.deployment = deployment
        self._planner = planner
        self._executor = executor
        self._connections = connections
        self._providers = Providers(deployment, planner, executor)
        self._references = references
        self._transforms = Transforms()
        self._slots = threading.Semaphore(max(1, deployment.options.parallel))
        self.finished = threading.Event()

    # -- registrations

    def RegisterResource(self, request: Any, context: Any) -> Any:
        with self.deployment.request():
            return self._register(request, context)

    def _register(self, request: Any, context: Any) -> resource_pb2.RegisterResourceResponse:
        self._refuse_after_failure(context)
        deployment = self.deployment
        try:
            request = self._transforms.resource(request)
            _refuse_unsupported(request)
            with deployment.lock:
                goal = from_request(request, deployment.news.get(request.parent))
                goal.provider = self._provider(request)
                self._ignore_timeouts(goal)
                steps = self._planner.plan(goal)
            state = self._executor.run_chain(steps, None if goal.custom is False else self._slots)
        except StepFailed:
            return self._failure(request, context)
        except CheckError as error:
            urn = self._urn(request)
            for path, reason in error.failures:
                text = f"{request.type} resource '{request.name}' has a problem: {reason}. "
                text += f"Examine values at '{request.name}.{path}'."
                deployment.events.diagnostic("error", text, urn)
            return self._failure(request, context)
        except EngineError as error:
            if not deployment.failed.is_set():
                deployment.events.diagnostic("error", f"{request.type} resource '{request.name}': {error}")
            return self._failure(request, context)
        return self._response(goal, state)

    def _ignore_timeouts(self, goal: Goal) -> None:
        """Warn of time limits that the type does not know; they stay in the state only, as with the provider."""
        if not goal.custom_timeouts or not goal.custom or urns.is_provider(goal.type):
            return
        if not kind_of(goal.type).timeouts:
            limits = ", ".join(f"{key}={go_duration(value)}" for key, value in sorted(goal.custom_timeouts.items()))
            urn = urns.make(self.deployment.stack, self.deployment.project, goal.parent, goal.type, goal.name)
            text = f"Resource does not support customTimeouts, ignoring: {limits}"
            self.deployment.events.diagnostic("warning", text, urn)

    def _failure(self, request: Any, context: Any) -> resource_pb2.RegisterResourceResponse:
        """The answer to a registration that has failed: the end, or word of it when the run goes on."""
        self.deployment.fail()
        if self.deployment.failed.is_set() or not request.supportsResultReporting:
            self._abort(context)
        return resource_pb2.RegisterResourceResponse(urn=self._urn(request), result=resource_pb2.Result.FAIL)

    def _urn(self, request: Any) -> str:
        return urns.make(self.deployment.stack, self.deployment.project, request.parent, request.type, request.name)

    def _response(self, goal: Goal, state: Resource) -> resource_pb2.RegisterResourceResponse:
        response = resource_pb2.RegisterResourceResponse(urn=goal.urn, id=state.id)
        if goal.custom:  # a component's outputs are its own to register; the recorded ones may be of earlier runs
            to_struct(state.outputs, response.object)
        return response

    def _provider(self, request: Any) -> str:
        """Reference of the resource's provider. Provider resources and components have none."""
        if not request.custom or urns.is_provider(request.type):
            return ""
        return request.provider or self._providers.default(urns.package_of(request.type), request.version)

    def RegisterResourceOutputs(self, request: Any, context: Any) -> Any:
        self._refuse_after_failure(context)
        try:
            self.deployment.record_outputs(request.urn, from_struct(request.outputs))
        except EngineError as error:
            self.deployment.events.diagnostic("error", str(error), request.urn)
            self._abort(context)
        return empty_pb2.Empty()

    # -- reads and calls

    def ReadResource(self, request: Any, context: Any) -> Any:
        self._refuse_after_failure(context)
        deployment = self.deployment
        try:
            with deployment.lock:
                default = self._providers.default(urns.package_of(request.type), request.version)
                provider = request.provider or default
            state = Resource(
                urn=self._urn(request),
                type=request.type,
                custom=True,
                id=request.id,
                inputs=from_struct(request.properties),
                parent=request.parent,
                external=True,
                dependencies=list(request.dependencies),
                provider=provider,
                additional_secret_outputs=list(request.additionalSecretOutputs),
            )
            state = self._read(state)
        except EngineError as error:
            if not deployment.failed.is_set():
                deployment.events.diagnostic("error", f"reading {request.type} '{request.name}': {error}")
            self._abort(context)
        response = resource_pb2.ReadResourceResponse(urn=state.urn)
        to_struct(state.outputs, response.properties)
        return response

    def _read(self, state: Resource) -> Resource:
        deployment = self.deployment
        old = deployment.olds.get(state.urn)
        step = Reading(op="read", urn=state.urn, type=state.type, old=old, new=state)
        self._planner.note_reading(state.urn)
        deployment.events.starting(step)
        if state.type == urns.REFERENCE_TYPE:
            outputs = read_reference(self._references, reveal(state.inputs)["name"])
        elif has_unknown(state.id):
            outputs = {}
        else:
            outputs = functions.read_resource(self._connections.daemon_of(state.provider), state.type, state.id)
        step.new = state = state.copy(outputs=outputs)
        if old is not None:
            state = state.copy(outputs=reseal(outputs, old.outputs), created=old.created, modified=old.modified)
        deployment.record(step, state)
        deployment.events.finished(step)
        return state

    def Invoke(self, request: Any, context: Any) -> Any:
        self._refuse_after_failure(context)
        deployment = self.deployment
        response = resource_pb2.ResourceInvokeResponse()
        if request.tok == GET_RESOURCE:
            self._known_resource(reveal(from_struct(request.args)).get("urn", ""), response, context)
            return response
        try:
            functions.refuse_unsupported(request.tok)
            with deployment.lock:
                provider = request.provider or self._providers.default(urns.package_of(request.tok), request.version)
            args = from_struct(request.args)
            if has_unknown(args):
                response.unknown = True
                return response
            result = functions.invoke(self._connections.daemon_of(provider), request.tok, reveal(args))
        except ProviderError as error:
            # It is the program's: where it does not catch it, its traceback tells where it came from.
            text = f"invoking {request.tok}: 1 error occurred:\n\t* {error}"
            context.abort(grpc.StatusCode.UNKNOWN, f"invocation of {request.tok} returned an error: {text}")
        except EngineError as error:
            deployment.events.diagnostic("error", f"invoking {request.tok}: {error}")
            self._abort(context)
        to_struct(result, getattr(response, "return"))
        return response

    def _known_resource(self, urn: str, response: Any, context: Any) -> None:
        """State of a resource of this run, for the SDK when it meets a reference to one."""
        state = self.deployment.news.get(urn) or self.deployment.olds.get(urn)
        if state is None:
            self.deployment.events.diagnostic("error", f"unknown resource {urn}: it is neither registered nor recorded")
            self._abort(context)
        to_struct({"urn": urn, "id": state.id, "state": state.outputs}, getattr(response, "return"))

    def Call(self, request: Any, context: Any) -> Any:
        self._refuse(context, f"method call {request.tok!r}")

    def RegisterPackage(self, request: Any, context: Any) -> Any:
        self._refuse(context, f"parameterized package {request.name!r}")

    def RegisterResourceHook(self, request: Any, context: Any) -> Any:
        self._refuse(context, f"resource hook {request.name!r}", "do it in the program or in a playbook after `up`")

    def RegisterErrorHook(self, request: Any, context: Any) -> Any:
        self._refuse(context, f"error hook {request.name!r}", "run `up` again, which goes on where it stopped")

    def RegisterStackInvokeTransform(self, request: Any, context: Any) -> Any:
        self._refuse(context, "a transform of invokes", "change the arguments where the function is called")

    def RegisterStackTransform(self, request: Any, context: Any) -> Any:
        self._transforms.add_stack(request)
        return empty_pb2.Empty()

    # -- life of the program

    def GetDeploymentInfo(self, request: Any, context: Any) -> Any:
        return resource_pb2.DeploymentInfo(
            project=self.deployment.project,
            stack=self.deployment.stack,
            organization=self.deployment.options.organization,
            dryRun=self.deployment.options.preview,
            parallel=self.deployment.options.parallel,
            supportedFeatures=FEATURES,
        )

    def SupportsFeature(self, request: Any, context: Any) -> Any:
        return resource_pb2.SupportsFeatureResponse(hasSupport=request.id in FEATURE_IDS)

    def SignalAndWaitForShutdown(self, request: Any, context: Any) -> Any:
        self.finished.set()
        return empty_pb2.Empty()

    def _refuse_after_failure(self, context: Any) -> None:
        if self.deployment.failed.is_set():
            self._abort(context)

    def _abort(self, context: Any) -> NoReturn:
        self.deployment.failed.set()
        raise context.abort(grpc.StatusCode.UNAVAILABLE, "the deployment has failed and takes no more registrations")

    def _refuse(self, context: Any, feature: str, instead: str = "") -> NoReturn:
        text = f"{feature} is not covered by the embedded engine: {instead + ', or ' if instead else ''}{USE_CLI}"
        self.deployment.events.diagnostic("error", text)
        self._abort(context)


class EngineService(engine_pb2_grpc.EngineServicer):
    """Log messages of the program and the root resource."""

    def __init__(self, deployment: Deployment):
        self.deployment = deployment
        self._root = ""

    def Log(self, request: Any, context: Any) -> Any:
        severity = _SEVERITY.get(request.severity, "info")
        if severity == "error":
            self.deployment.failed.set()
        if severity != "debug":
            self.deployment.events.diagnostic(severity, request.message, request.urn, request.ephemeral)
        return empty_pb2.Empty()

    def GetRootResource(self, request: Any, context: Any) -> Any:
        return engine_pb2.GetRootResourceResponse(urn=self._root)

    def SetRootResource(self, request: Any, context: Any) -> Any:
        self._root = request.urn
        return engine_pb2.SetRootResourceResponse()

    def RequirePulumiVersion(self, request: Any, context: Any) -> Any:
        return engine_pb2.RequirePulumiVersionResponse()


class Server:
    """Both services on one local address, as a context manager."""

    def __init__(self, monitor: Monitor, engine: EngineService):
        workers = monitor.deployment.options.parallel + 8
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


def _refuse_unsupported(request: Any) -> None:
    """Refuse by name what would otherwise be ignored silently."""
    options = (
        (request.remote, f"remote component {request.type!r}", "write it as a component of the program"),
        (request.importId, "the option import_", "adopt the object once with the pulumi CLI"),
        (request.replace_with, "the option replace_with", "name the other's output in a property or in triggers"),
        (
            request.HasField("replacement_trigger"),
            "the option replacement_trigger",
            "put the value into a label or into triggers and name that in replace_on_changes",
        ),
        (request.hooks.ListFields(), "the option hooks", "do it in the program or in a playbook after `up`"),
        (request.state_migrations, "the option state_migrations", "use aliases"),
        (request.envVarMappings, "the option env_var_mappings", "set the provider's own settings"),
    )
    for value, option, instead in options:
        if value:
            raise UnsupportedError(f"{option} is not covered by the embedded engine: {instead}, or {USE_CLI}")
