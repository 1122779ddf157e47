"""One app server as it runs: the image with gunicorn and TLS, in 256 MiB, beside the node of these tests."""

from __future__ import annotations

import http.client
import io
import json
import secrets
import ssl
import tarfile
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import TracebackType
from typing import Self

import docker

from inventory import memory
from inventory.vault import certificates
from stacks.components.app_server import TMPFS, UID, VARIABLES
from stacks.configs.places import CERTIFICATE_FILE, KEY_FILE, ROOT_FILE
from stacks.images.build import recipe
from tests.support.polling import poll
from tests.systems.support import FACTS, OURS, Node, environment_folder
from tests.unit.systems.support import EDGE, environment

SOCKETS, SETTINGS = "/run/asp", "/srv/settings"


@dataclass(frozen=True)
class Answer:
    status: int
    headers: Mapping[str, str]
    text: str


@cache
def _pairs() -> tuple[certificates.Pair, certificates.Pair, certificates.Pair]:
    """The root, the server's certificate and the edge's."""
    root = certificates.root("unit")
    internal = certificates.intermediate("unit", "internal", root)
    return root, certificates.leaf("app", [], internal), certificates.leaf(EDGE, [], internal)


class AppServer:
    """`with AppServer(node, "elugy") as server:`; requests come from the edge. `program`: run instead of gunicorn."""

    def __init__(self, node: Node, system: str, command: list[str] | None = None, **variables: str):
        self.system = system
        with node.superuser() as session:  # no pooler stands between, which lets eight threads and the relay wait
            session.execute(f"ALTER ROLE t{OURS}_{system} CONNECTION LIMIT -1")
        root, own, edge = _pairs()
        files = {CERTIFICATE_FILE: own.chain, KEY_FILE: own.key, ROOT_FILE: root.certificate}
        values = {"ASP_SYSTEM": system, "ASP_DB_HOST": SOCKETS, "ASP_DB_PORT": "5432", "ASP_ROOT_FILE": ROOT_FILE}
        with tempfile.TemporaryDirectory() as folder:
            for name, value in environment(Path(folder)).items():
                if name.endswith("_FILE") and name not in values:
                    files[f"{SETTINGS}/{Path(value).name}"] = Path(value).read_text(encoding="utf-8")
                    value = f"{SETTINGS}/{Path(value).name}"
                values.setdefault(name, value)
        files[values["ASP_SYSTEMS_FILE"]] = Path(environment_folder(), "systems.json").read_text(encoding="utf-8")
        self._trust = ssl.create_default_context(cadata=root.certificate)
        self._trust.check_hostname = False  # its certificate is for its name, not for its address
        with tempfile.NamedTemporaryFile("w") as pair:
            pair.write(edge.chain + edge.key)
            pair.flush()
            self._trust.load_cert_chain(pair.name)
        client = docker.from_env(timeout=60)
        self.container = client.containers.create(
            recipe.reference("app"),
            command,
            name=f"asp-test-app-{secrets.token_hex(4)}",
            environment={**VARIABLES, **values, **variables},
            init=True,
            cap_drop=["ALL"],
            user=f"{UID}:{UID}",
            mem_limit=f"{memory.app(system)}m",
            memswap_limit=f"{memory.app(system)}m",
            tmpfs={path: f"size={size}m,mode=1777" for path, size in TMPFS.items()},
            volumes={str(node.folder): {"bind": SOCKETS, "mode": "rw"}},
        )
        self.container.put_archive("/", _archive(files))

    def __enter__(self) -> Self:
        self.container.start()
        self.container.reload()
        self.address = self.container.attrs["NetworkSettings"]["IPAddress"]
        poll(self._live, lambda status: status == 200, 60, f"{self.system} is live")
        return self

    def __exit__(self, kind: type | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.container.remove(force=True, v=True)

    def _live(self) -> int | str:
        try:
            return self.request("GET", "/healthz/live").status
        except OSError as error:
            return f"{error!r}; {self.container.logs(tail=20).decode()}"

    def connection(self, timeout: float = 60) -> http.client.HTTPSConnection:
        return http.client.HTTPSConnection(self.address, 8443, context=self._trust, timeout=timeout)

    def request(
        self,
        method: str,
        path: str,
        body: bytes | None = None,
        headers: Mapping[str, str] | None = None,
        ksh: str = OURS,
    ) -> Answer:
        """One request on a connection of its own."""
        connection = self.connection()
        try:
            connection.request(method, path, body, {"Host": FACTS[ksh]["host"], "Asp-Tenant": ksh, **(headers or {})})
            answer = connection.getresponse()
            return Answer(answer.status, dict(answer.getheaders()), answer.read().decode(errors="replace"))
        finally:
            connection.close()

    def upload(
        self,
        path: str,
        content: bytes,
        cookies: Mapping[str, str],
        headers: Mapping[str, str] | None = None,
        **fields: str,
    ) -> Answer:
        """Send a form with one file, as a browser does."""
        token = "t" * 32
        boundary = "boundary-of-a-test"
        fields = {"csrfmiddlewaretoken": token, **fields}
        name = fields.pop("field", "file")
        parts = [
            f'--{boundary}\r\nContent-Disposition: form-data; name="{key}"\r\n\r\n{value}\r\n'.encode()
            for key, value in fields.items()
        ]
        head = f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"; filename="scan.pdf"\r\n'
        parts += [head.encode(), b"Content-Type: application/pdf\r\n\r\n", content, f"\r\n--{boundary}--\r\n".encode()]
        pairs = {**cookies, f"asp_{self.system}_csrf": token}
        every = {
            **(headers or {}),
            "Content-Type": f"multipart/form-data; boundary={boundary}",
            "Cookie": "; ".join(f"{key}={value}" for key, value in pairs.items()),
            "Referer": f"https://{FACTS[OURS]['host']}/",
        }
        return self.request("POST", path, b"".join(parts), every)

    def peak(self) -> float:
        """MiB that the container has used at most."""
        for path in ("memory.peak", "memory/memory.max_usage_in_bytes"):
            code, output = self.container.exec_run(["cat", f"/sys/fs/cgroup/{path}"])
            if code == 0:
                return int(output) / 2**20
        raise AssertionError("no file of the control group tells the peak")

    def files(self, *folders: str) -> set[str]:
        """Paths of the files in these folders."""
        code, output = self.container.exec_run(["find", *folders, "-type", "f"])
        assert code == 0, output.decode()
        return set(output.decode().split())

    def log(self) -> list[dict]:
        return [json.loads(line) for line in self.container.logs().decode().splitlines() if line.startswith("{")]


def _archive(files: Mapping[str, str]) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as bundle:
        for path, text in files.items():
            entry, data = tarfile.TarInfo(path.lstrip("/")), text.encode()
            entry.size, entry.mode, entry.uid = len(data), 0o400, UID
            bundle.addfile(entry, io.BytesIO(data))
    return buffer.getvalue()
