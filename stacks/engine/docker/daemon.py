"""One connection pool to a Docker daemon, with the daemon's own words as errors."""

from __future__ import annotations

import atexit
import json
import os
import shutil
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

from stacks.engine.docker.ssh import Tunnel
from stacks.engine.errors import ConnectionLost, ProviderError
from stacks.engine.late import Late

docker_client: Any = Late("stacks.engine.docker.client")

# Seconds without an answer before a daemon counts as hung; the variable is the one that Compose knows.
REQUEST_TIMEOUT = float(os.environ.get("DOCKER_CLIENT_TIMEOUT") or 120)
POOL = 32
OLDEST_API = (1, 40)  # Swarm configs with templates, sysctls and max replicas need at least this


def load_client() -> None:
    """Load the client's library, before it is used."""
    _ = docker_client.connect


class DaemonError(ProviderError):
    """The daemon's refusal. `status`: HTTP status."""

    def __init__(self, status: int, message: str):
        self.status = status
        super().__init__(f"Error response from daemon: {message}")

    @classmethod
    def from_text(cls, status: int, text: str) -> DaemonError:
        """An error whose whole text is `text`."""
        error = cls(status, "")
        error.args = (text,)
        return error


class Daemon:
    """A lazily opened connection. `settings`: inputs of a `docker.Provider` (host, certificates, …)."""

    def __init__(self, settings: dict | None = None):
        self._settings = settings or {}
        self._lock = threading.Lock()
        self._client: Any = None
        self._tunnel: Tunnel | None = None

    @property
    def host(self) -> str:
        """URL of the daemon: provider setting, `DOCKER_HOST` or the usual socket."""
        return self._settings.get("host") or os.environ.get("DOCKER_HOST") or "unix:///var/run/docker.sock"

    def client(self) -> Any:
        """The connected API client; ProviderError when there is no daemon or it is too old."""
        with self._lock:
            if self._client is None:
                self._client = self._connect()
            return self._client

    def _connect(self) -> Any:
        try:
            client = docker_client.connect(self._url(), self._certificates(), REQUEST_TIMEOUT, POOL)
        except ConnectionError as cause:
            raise ProviderError(self._unreachable(cause)) from cause
        version = tuple(int(piece) for piece in client.api_version.split("."))
        if version < OLDEST_API:
            raise ProviderError(
                f"the Docker daemon at {self.host} speaks API {client.api_version}, "
                f"wanted {OLDEST_API[0]}.{OLDEST_API[1]} or newer; upgrade Docker Engine"
            )
        return client

    def _url(self) -> str:
        """URL for the client: a daemon behind SSH is reached through a local socket."""
        if not self.host.startswith("ssh://"):
            return self.host
        self._tunnel = Tunnel(self.host, _list_setting(self._settings.get("sshOpts")))
        return self._tunnel.url

    def _unreachable(self, cause: BaseException) -> str:
        reason = self._tunnel.last_words() if self._tunnel else ""
        return (
            f"Cannot connect to the Docker daemon at {self.host}. Is the docker daemon running? "
            f"({reason or _innermost_reason(cause)})"
        )

    def _certificates(self) -> str:
        """Folder with the client's certificate and the daemon's authority, `""` without TLS."""
        folder = self._settings.get("certPath") or os.environ.get("DOCKER_CERT_PATH", "")
        material = {key: self._settings.get(key) for key in ("caMaterial", "certMaterial", "keyMaterial")}
        if any(material.values()):
            folder = _write_material(material)
        return folder if folder and self.host.startswith("tcp://") else ""

    def request(
        self,
        method: str,
        path: str,
        *,
        body: Any = None,
        params: dict | None = None,
        headers: dict | None = None,
        timeout: float | None = REQUEST_TIMEOUT,
        stream: bool = False,
    ) -> Any:
        """Send one request. `path` without version. Returns decoded JSON, None, or the raw response (`stream`)."""
        response = self._send(method, path, json=body, params=params, headers=headers, timeout=timeout, stream=stream)
        if stream:
            return response
        if not response.content:
            return None
        try:
            return response.json()
        except ValueError:
            return response.content

    def _send(self, method: str, path: str, timeout: float | None, **options: Any) -> Any:
        client = self.client()
        try:
            response = docker_client.send(client, method, path, timeout=timeout, **options)
        except TimeoutError as cause:
            raise ConnectionLost(
                f"the Docker daemon at {self.host} did not answer {method} {path} within {timeout:g} s. See whether it "
                "hangs (docker info); DOCKER_CLIENT_TIMEOUT gives it more time."
            ) from cause
        except ConnectionError as cause:
            raise ConnectionLost(self._unreachable(cause)) from cause
        if response.status_code >= 400:
            raise DaemonError(response.status_code, _message(response))
        return response

    def get(self, path: str, **options: Any) -> Any:
        """GET; see `request`."""
        return self.request("GET", path, **options)

    def post(self, path: str, **options: Any) -> Any:
        """POST; see `request`."""
        return self.request("POST", path, **options)

    def upload(self, path: str, archive: bytes) -> None:
        """Unpack a tar archive at the root of a container."""
        self._send("PUT", path, timeout=REQUEST_TIMEOUT, data=archive, params={"path": "/"})

    def find(self, path: str, **options: Any) -> Any:
        """GET that answers None when the object does not exist."""
        try:
            return self.get(path, **options)
        except DaemonError as error:
            if error.status == 404:
                return None
            raise

    def remove(self, path: str, **options: Any) -> bool:
        """DELETE; False when the object was gone already."""
        try:
            self.request("DELETE", path, **options)
        except DaemonError as error:
            if error.status != 404:
                raise
            return False
        return True

    def remove_when_free(self, path: str, busy: tuple[str, ...], limit: float, **options: Any) -> bool:
        """DELETE, tried again for `limit` seconds while the refusal holds one of the `busy` texts."""
        deadline = time.monotonic() + limit
        pause = 0.1
        while True:
            try:
                return self.remove(path, **options)
            except DaemonError as error:
                if time.monotonic() > deadline or not any(word in str(error) for word in busy):
                    raise
            time.sleep(pause)
            pause = min(pause * 1.5, 1.0)

    def registry_auth(self, image: str) -> dict:
        """Credentials of the image's registry from the provider's `registryAuth`, `{}` without any."""
        registry = image.split("/", 1)[0] if "/" in image else ""
        for entry in _list_setting(self._settings.get("registryAuth")):
            if entry.get("address", "").removeprefix("https://").removeprefix("http://").rstrip("/") == registry:
                return {"username": entry.get("username"), "password": entry.get("password"), "serveraddress": registry}
        return {}

    def events(self, path: str, **options: Any) -> Iterator[dict]:
        """Progress records of a pull or push."""
        response = self.request("POST", path, stream=True, timeout=None, **options)
        for line in response.iter_lines():
            if line:
                yield json.loads(line)


def wait_until(probe: Callable[[], Any], limit: float, pause: float = 0.1) -> Any:
    """First truthy answer of `probe` within `limit` seconds, else None."""
    deadline = time.monotonic() + limit
    while True:
        answer = probe()
        if answer or time.monotonic() >= deadline:
            return answer or None
        time.sleep(pause)
        pause = min(pause * 1.3, 1.0)


def filters(**values: Any) -> dict:
    """The `filters` query parameter."""
    encoded = {key.replace("_", "-"): value if isinstance(value, list) else [value] for key, value in values.items()}
    return {"filters": json.dumps(encoded)}


def find_named(daemon: Daemon, path: str, name: str) -> str | None:
    """Id of Swarm's object of this very name (its filter also finds longer ones)."""
    items = daemon.get(path, params=filters(name=name))
    return next((item["ID"] for item in items if item["Spec"]["Name"] == name), None)


def _message(response: Any) -> str:
    try:
        return str(response.json().get("message", response.text)).strip()
    except ValueError:
        return response.text.strip() or f"HTTP {response.status_code}"


def _list_setting(value: Any) -> list:
    """A list among a provider's settings, which the SDK sends as JSON text."""
    return json.loads(value) if isinstance(value, str) else value or []


def _innermost_reason(cause: BaseException) -> str:
    """The innermost reason's first line: what requests and urllib3 wrap around it says nothing more."""
    while (inner := cause.__cause__ or cause.__context__) is not None:
        cause = inner
    return str(cause).strip().splitlines()[0][:200] if str(cause).strip() else type(cause).__name__


def _write_material(material: dict) -> str:
    folder = tempfile.mkdtemp(prefix="engine-tls-")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    for name, key in (("ca.pem", "caMaterial"), ("cert.pem", "certMaterial"), ("key.pem", "keyMaterial")):
        path = os.path.join(folder, name)
        with open(os.open(path, os.O_WRONLY | os.O_CREAT, 0o600), "w", encoding="utf-8") as file:
            file.write(material.get(key) or "")
    return folder
