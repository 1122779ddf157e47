"""`docker:index/container:Container`."""

from __future__ import annotations

import contextlib

from stacks.engine.diff import complete
from stacks.engine.docker.base import Kind, after_creation, conflict, null_when_absent
from stacks.engine.docker.container_read import BLANK_AT_CREATION, container_outputs, full_elements
from stacks.engine.docker.container_schema import FIELDS
from stacks.engine.docker.container_spec import attachment, container_body, update_body, upload_archive
from stacks.engine.docker.daemon import REQUEST_TIMEOUT, Daemon, DaemonError, wait_until
from stacks.engine.docker.remote_image import ensure_image
from stacks.engine.docker.service_converge import container_log, container_output
from stacks.engine.errors import ProviderError

REMOVE_LIMIT = 30.0


class Container(Kind):
    timeouts = True
    inspect = "/containers/{}/json"
    adoptable = False
    fields = FIELDS

    def validate(self, inputs: dict) -> list[tuple[str, str]]:
        if inputs.get("gpus") is not None and inputs.get("deviceRequests") is not None:
            return [conflict("deviceRequests", "device_requests", "gpus")]
        return []

    def create(self, daemon: Daemon, inputs: dict, timeout: float | None) -> tuple[str, dict]:
        try:
            ensure_image(daemon, inputs["image"])
        except DaemonError as error:
            text = f"Unable to create container with image {inputs['image']}: {error}"
            raise DaemonError.from_text(error.status, text) from error
        body = container_body(complete(FIELDS, inputs, None))
        params = {"name": inputs["name"], **({"platform": inputs["platform"]} if inputs.get("platform") else {})}
        try:
            identity = daemon.post("/containers/create", body=body, params=params)["Id"]
        except DaemonError as error:
            raise DaemonError.from_text(error.status, f"Unable to create container: {error}") from error
        try:
            self._complete(daemon, identity, inputs, timeout)
        except Exception:
            # Half a container would block its own name in the next run.
            with after_creation(f"container {inputs['name']}"):
                daemon.remove(f"/containers/{identity}", params={"force": True, "v": True})
            raise
        with after_creation(f"container {inputs['name']}"):
            data = daemon.get(f"/containers/{identity}/json")
        previous = {key: value for key, value in inputs.items() if key != "__defaults"}
        outputs = full_elements(container_outputs(data, previous), inputs)
        if inputs.get("attach") and inputs.get("logs"):
            outputs["containerLogs"] = container_output(daemon, identity)
        return identity, null_when_absent(outputs, inputs, BLANK_AT_CREATION)

    def _complete(self, daemon: Daemon, identity: str, inputs: dict, timeout: float | None) -> None:
        if inputs.get("networksAdvanced"):
            self._attach_networks(daemon, identity, inputs["networksAdvanced"])
        for upload in inputs.get("uploads") or []:
            daemon.upload(f"/containers/{identity}/archive", upload_archive(upload))
        if inputs.get("start", True):
            try:
                daemon.post(f"/containers/{identity}/start")
            except DaemonError as error:
                raise DaemonError.from_text(error.status, f"Unable to start container: {error}") from error
            if inputs.get("wait"):
                self._wait_healthy(daemon, identity, timeout or inputs.get("waitTimeout") or 60)
        if inputs.get("attach"):
            daemon.post(f"/containers/{identity}/wait", timeout=None)

    def _attach_networks(self, daemon: Daemon, identity: str, networks: list[dict]) -> None:
        try:
            daemon.post("/networks/bridge/disconnect", body={"Container": identity, "Force": False})
        except DaemonError as error:
            if "is not connected to" not in str(error):
                raise
        for item in networks:
            body = {"Container": identity, "EndpointConfig": attachment(item)}
            try:
                daemon.post(f"/networks/{item['name']}/connect", body=body)
            except DaemonError as error:
                raise DaemonError.from_text(
                    error.status, f"Unable to connect to network '{item['name']}': {error}"
                ) from error

    def _wait_healthy(self, daemon: Daemon, identity: str, limit: float) -> None:
        def probe() -> str | None:
            state = daemon.get(f"/containers/{identity}/json")["State"]
            if "Health" not in state:
                raise ProviderError(
                    "you have supplied a 'wait' argument, but the container does not have a healthcheck defined. "
                    "Please remove the 'wait' argument or add a 'healthcheck' attribute"
                )
            if not state["Running"]:
                raise ProviderError(f"container exited with status {state['ExitCode']} while it was waited for{tail()}")
            return state["Health"]["Status"] == "healthy"

        def tail() -> str:
            return "".join(f"\n  {line}" for line in container_log(daemon, identity))

        if not wait_until(probe, limit):
            raise ProviderError(f"container failed to be in healthy state within {limit:g} s{tail()}")

    def read(self, daemon: Daemon, identity: str, previous: dict) -> tuple[str, dict] | None:
        data = daemon.find(f"/containers/{identity}/json")
        if data is None:
            return None
        return data["Id"], full_elements(container_outputs(data, previous))

    def update(self, daemon: Daemon, identity: str, inputs: dict, outputs: dict, timeout: float | None) -> dict:
        plan = complete(FIELDS, inputs, outputs)
        if inputs.get("mustRun") and not outputs.get("mustRun") and inputs.get("start", True):
            daemon.post(f"/containers/{identity}/start")
        try:
            daemon.post(f"/containers/{identity}/update", body=update_body(plan))
        except DaemonError as error:
            raise DaemonError.from_text(error.status, f"Unable to update a container: {error}") from error
        previous = {**outputs, **{key: value for key, value in inputs.items() if key != "__defaults"}}
        data = daemon.get(f"/containers/{identity}/json")
        outputs_now = full_elements(container_outputs(data, previous))
        for key in BLANK_AT_CREATION:
            if not outputs_now[key] and outputs.get(key) is None:
                outputs_now[key] = None
        return outputs_now

    def delete(self, daemon: Daemon, identity: str, outputs: dict, timeout: float | None) -> None:
        if daemon.find(f"/containers/{identity}/json") is None:
            return
        if not outputs.get("attach"):
            grace = outputs.get("destroyGraceSeconds") or 0
            with contextlib.suppress(DaemonError):
                daemon.post(f"/containers/{identity}/stop", params={"t": grace}, timeout=REQUEST_TIMEOUT + grace)
        params = {"force": True, "v": outputs.get("removeVolumes") is not False}
        daemon.remove_when_free(f"/containers/{identity}", ("is already in progress",), REMOVE_LIMIT, params=params)
        wait_until(lambda: daemon.find(f"/containers/{identity}/json") is None, REMOVE_LIMIT)

    def find(self, daemon: Daemon, inputs: dict) -> str | None:
        data = daemon.find(f"/containers/{inputs['name']}/json")
        return data and data["Id"]


KIND = Container()
