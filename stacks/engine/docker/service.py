"""`docker:index/service:Service`: a Swarm service, with waits for its tasks."""

from __future__ import annotations

import base64
import functools
import json

from stacks.engine.diff import complete
from stacks.engine.docker.base import Kind, after_creation, conflict
from stacks.engine.docker.daemon import Daemon, DaemonError, filters, find_named, wait_until
from stacks.engine.docker.service_converge import Convergence, task_report
from stacks.engine.docker.service_read import service_outputs
from stacks.engine.docker.service_schema import FIELDS
from stacks.engine.docker.service_spec import service_spec
from stacks.engine.errors import PartialError, ProviderError
from stacks.engine.valid import nanoseconds

READ_LIMIT = 30.0  # seconds for a new service to show its endpoint
SEQUENCE_TRIES = 5  # updates in case Swarm has changed the version in between
DRAIN_LIMIT = 30.0  # seconds after removal for the tasks' containers to be gone


class Service(Kind):
    inspect = "/services/{}"
    fields = FIELDS

    def validate(self, inputs: dict) -> list[tuple[str, str]]:
        failures = []
        mode = inputs.get("mode")
        mode = mode if isinstance(mode, dict) else {}
        if mode.get("global") is True and mode.get("replicated") is not None:
            failures.append(conflict("mode.global", "mode.0.global", "mode.0.replicated"))
            failures.append(conflict("mode.replicated", "mode.0.replicated", "mode.0.global"))
        if mode.get("global") is True and inputs.get("convergeConfig") is not None:
            failures.append(conflict("mode.global", "mode.0.global", "converge_config"))
            failures.append(conflict("convergeConfig", "converge_config", "mode.0.global"))
        return failures

    def create(self, daemon: Daemon, inputs: dict, timeout: float | None) -> tuple[str, dict]:
        plan = complete(FIELDS, inputs, None)
        spec = service_spec(plan)
        identity = daemon.post("/services/create", body=spec, headers=_auth(daemon, plan))["ID"]
        with after_creation(f"service {inputs['name']}"):
            converge = inputs.get("convergeConfig")
            fault = Convergence(daemon, identity, converge, timeout).created() if converge else None
            if fault is None:
                return identity, self._outputs(daemon, identity, inputs, created=True)
            # A service that never ran is taken away again, so that the next run can make it anew.
            report = task_report(daemon, identity)
            self.delete(daemon, identity, {}, None)
        raise ProviderError(f"{fault}{report}")

    def _outputs(self, daemon: Daemon, identity: str, inputs: dict, created: bool) -> dict:
        data = wait_until(lambda: _with_endpoint(daemon.get(f"/services/{identity}")), READ_LIMIT)
        if data is None:
            raise ProviderError(f"service {identity} shows no endpoint after {READ_LIMIT:.0f} s")
        outputs = service_outputs(data, inputs, created)
        outputs["auth"] = inputs.get("auth")
        converge = inputs.get("convergeConfig")
        outputs["convergeConfig"] = converge and {key: converge.get(key) for key in ("delay", "timeout")}
        return outputs

    def read(self, daemon: Daemon, identity: str, previous: dict) -> tuple[str, dict] | None:
        data = daemon.find(f"/services/{identity}")
        if data is None:
            return None
        outputs = service_outputs(data)
        return data["ID"], {**outputs, "auth": previous.get("auth"), "convergeConfig": previous.get("convergeConfig")}

    def update(self, daemon: Daemon, identity: str, inputs: dict, outputs: dict, timeout: float | None) -> dict:
        plan = complete(FIELDS, inputs, outputs)
        current = _replace_spec(daemon, identity, service_spec(plan), _auth(daemon, plan))
        if inputs.get("convergeConfig"):
            convergence = Convergence(daemon, identity, inputs["convergeConfig"], timeout)
            fault = convergence.updated(current)
            if fault:
                outputs_now = self._outputs(daemon, identity, inputs, created=False)
                raise PartialError(fault, outputs_now, identity, task_report(daemon, identity))
        return self._outputs(daemon, identity, inputs, created=False)

    def delete(self, daemon: Daemon, identity: str, outputs: dict, timeout: float | None) -> None:
        containers = (
            [
                task["Status"].get("ContainerStatus", {}).get("ContainerID", "")
                for task in daemon.get("/tasks", params=filters(service=identity))
            ]
            if daemon.find(f"/services/{identity}")
            else []
        )
        daemon.remove(f"/services/{identity}")
        # Networks, volumes and secrets stay in use until the containers are gone.
        grace = _grace(outputs)
        for container in filter(None, containers):
            wait_until(functools.partial(_stopped, daemon, container), DRAIN_LIMIT + grace)

    def find(self, daemon: Daemon, inputs: dict) -> str | None:
        return find_named(daemon, "/services", inputs["name"])


def _replace_spec(daemon: Daemon, identity: str, spec: dict, headers: dict) -> dict:
    """Give a service a new spec; returns how it was before. Swarm itself changes the version while it rolls out."""
    for _ in range(SEQUENCE_TRIES):
        current = daemon.get(f"/services/{identity}")
        params = {"version": current["Version"]["Index"]}
        try:
            daemon.post(f"/services/{identity}/update", body=spec, params=params, headers=headers)
            return current
        except DaemonError as error:
            if "update out of sequence" not in str(error):
                raise
            refusal = error
    raise refusal


def _with_endpoint(data: dict) -> dict | None:
    endpoint = (data.get("Endpoint") or {}).get("Spec") or {}
    spec = data["Spec"].get("EndpointSpec") or {}
    return data if endpoint.get("Mode") or spec.get("Mode") else None


def _stopped(daemon: Daemon, container: str) -> bool:
    state = daemon.find(f"/containers/{container}/json")
    return state is None or not state["State"].get("Running")


def _grace(outputs: dict) -> float:
    spec = (outputs.get("taskSpec") or {}).get("containerSpec") or {}
    return nanoseconds(spec.get("stopGracePeriod")) / 1e9


def _auth(daemon: Daemon, plan: dict) -> dict:
    auth = plan.get("auth") or {}
    if auth.get("username"):
        data = {
            "username": auth["username"],
            "password": auth.get("password"),
            "serveraddress": auth.get("serverAddress"),
        }
    else:
        data = daemon.registry_auth(plan["taskSpec"]["containerSpec"]["image"])
    return {"X-Registry-Auth": base64.urlsafe_b64encode(json.dumps(data).encode()).decode()}


KIND = Service()
