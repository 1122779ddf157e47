"""``docker:index/service:Service``: a Swarm service, with waits for its tasks."""

from __future__ import annotations

import base64
import json

from ..diff import planned
from ..errors import PartialError, ProviderError
from .base import Kind, duration_failure, made, nanoseconds
from .daemon import Daemon, DaemonError, filters, find_named, wait_until
from .service_converge import Convergence, task_report
from .service_read import service_outputs
from .service_schema import FIELDS
from .service_spec import service_spec

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
        if mode.get("global") is True and inputs.get("convergeConfig") is not None:
            failures.append(("convergeConfig", "conflicts with mode.global; a global service cannot wait to converge"))
        if mode.get("global") is True and mode.get("replicated") is not None:
            failures.append(("mode.replicated", "conflicts with mode.global"))
        for path in (
            "convergeConfig.delay", "convergeConfig.timeout", "updateConfig.delay", "updateConfig.monitor",
            "rollbackConfig.delay", "rollbackConfig.monitor", "taskSpec.restartPolicy.delay",
            "taskSpec.restartPolicy.window", "taskSpec.containerSpec.stopGracePeriod",
            "taskSpec.containerSpec.healthcheck.interval", "taskSpec.containerSpec.healthcheck.timeout",
            "taskSpec.containerSpec.healthcheck.startPeriod",
        ):
            failures += duration_failure(inputs, path)
        return failures

    def create(self, daemon: Daemon, inputs: dict, timeout: float | None) -> tuple[str, dict]:
        wanted = planned(FIELDS, inputs, None)
        spec = service_spec(wanted)
        identity = daemon.post("/services/create", body=spec, headers=_auth(daemon, wanted))["ID"]
        with made(f"service {inputs['name']}"):
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
        outputs = service_outputs(data, inputs if created else None)
        outputs["auth"] = inputs.get("auth")
        converge = inputs.get("convergeConfig")
        outputs["convergeConfig"] = converge and {key: converge.get(key) for key in ("delay", "timeout")}
        return outputs

    def read(self, daemon: Daemon, identity: str, known: dict) -> tuple[str, dict] | None:
        data = daemon.find(f"/services/{identity}")
        if data is None:
            return None
        outputs = service_outputs(data, None)
        return data["ID"], {**outputs, "auth": known.get("auth"), "convergeConfig": known.get("convergeConfig")}

    def update(self, daemon: Daemon, identity: str, inputs: dict, outputs: dict, timeout: float | None) -> dict:
        wanted = planned(FIELDS, inputs, outputs)
        current = _replaced(daemon, identity, service_spec(wanted), _auth(daemon, wanted))
        if inputs.get("convergeConfig"):
            waited = Convergence(daemon, identity, inputs["convergeConfig"], timeout)
            fault = waited.updated(current)
            if fault:
                found = self._outputs(daemon, identity, inputs, created=False)
                raise PartialError(fault, found, identity, task_report(daemon, identity))
        return self._outputs(daemon, identity, inputs, created=False)

    def delete(self, daemon: Daemon, identity: str, outputs: dict, timeout: float | None) -> None:
        containers = [
            task["Status"].get("ContainerStatus", {}).get("ContainerID", "")
            for task in daemon.get("/tasks", params=filters(service=identity))
        ] if daemon.find(f"/services/{identity}") else []
        daemon.remove(f"/services/{identity}")
        # Networks, volumes and secrets stay in use until the containers are gone.
        grace = _grace(outputs)
        for container in filter(None, containers):
            wait_until(
                lambda name=container: not _running(daemon.find(f"/containers/{name}/json")), DRAIN_LIMIT + grace
            )

    def find(self, daemon: Daemon, inputs: dict) -> str | None:
        return find_named(daemon, "/services", inputs["name"])


def _replaced(daemon: Daemon, identity: str, spec: dict, headers: dict) -> dict:
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


def _running(container: dict | None) -> bool:
    return bool(container) and bool(container["State"].get("Running"))


def _grace(outputs: dict) -> float:
    spec = (outputs.get("taskSpec") or {}).get("containerSpec") or {}
    return nanoseconds(spec.get("stopGracePeriod")) / 1e9


def _auth(daemon: Daemon, wanted: dict) -> dict:
    auth = wanted.get("auth") or {}
    if auth.get("username"):
        data = {
            "username": auth["username"], "password": auth.get("password"), "serveraddress": auth.get("serverAddress"),
        }
    else:
        data = daemon.registry_auth(wanted["taskSpec"]["containerSpec"]["image"])
    return {"X-Registry-Auth": base64.urlsafe_b64encode(json.dumps(data).encode()).decode()}


KIND = Service()
