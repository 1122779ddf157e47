"""A throw-away project, backend and stack for tests of the engine. Docker objects are named `eh-<random>-*`."""

from __future__ import annotations

import json
import os
import secrets
import shlex
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import docker

ROOT = Path(__file__).resolve().parents[2]
ENGINE = f"{sys.executable} -m stacks.engine"  # PULUMI=pulumi runs the CLI instead
TIME_LIMIT = 120  # seconds for one command
DRAIN_LIMIT = 20  # seconds for the tasks of removed services to be gone


class Sandbox:
    """One project with one backend. `prefix`: begins every object's name."""

    def __init__(self, folder: Path, name: str = "sandbox"):
        self.name = name
        self.prefix = f"eh-{secrets.token_hex(3)}"
        self.project = folder / name
        self.project.mkdir(parents=True)
        self.state = folder / "backend"
        self.state.mkdir(exist_ok=True)
        (self.project / "Pulumi.yaml").write_text(f"name: {name}\nruntime: python\n", encoding="utf-8")
        self.command = shlex.split(os.environ.get("PULUMI") or ENGINE)
        self.environment = {
            **os.environ,
            "PULUMI_BACKEND_URL": f"file://{self.state}",
            "PULUMI_CONFIG_PASSPHRASE": "test",
            "PYTHONPATH": str(ROOT),
            "PREFIX": self.prefix,
            "PULUMI_DEBUG_COMMANDS": "true",  # shows the CLI's flag --event-log
        }
        self.environment.pop("PULUMI_STACK", None)

    def write(self, body: str, name: str = "__main__.py") -> None:
        """The program; `docker`, `pulumi` and `P` (the name prefix) are imported for it."""
        head = "import os\nimport pulumi\nimport pulumi_docker as docker\nP = os.environ['PREFIX']\n"
        (self.project / name).write_text(head + body, encoding="utf-8")
        # Python would take a program of the same length, changed within the same second, for the one it has compiled.
        shutil.rmtree(self.project / "__pycache__", ignore_errors=True)

    def start(self, *arguments: str, **environment: str) -> subprocess.Popen:
        """A command in the background."""
        return subprocess.Popen(
            [*self.command, *arguments],
            cwd=self.project,
            text=True,
            env={**self.environment, **environment},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            stdin=subprocess.DEVNULL,
            start_new_session=True,
        )

    def run(self, *arguments: str, status: int | None = 0, **environment: str) -> str:
        """A command's output, standard output then errors. `status` None: any exit status will do."""
        process = self.start(*arguments, **environment)
        out, err = process.communicate(timeout=TIME_LIMIT)
        if status is not None:
            assert process.returncode == status, f"exit {process.returncode}, wanted {status}:\n{out}\n{err}"
        return out + err

    def up(self, *more: str, status: int | None = 0, **environment: str) -> str:
        """`up --yes` on stack `dev`."""
        return self.run("up", "-s", "dev", "--yes", *more, status=status, **environment)

    def init(self) -> Sandbox:
        """Make the stack `dev`."""
        self.run("stack", "init", "dev")
        return self

    @property
    def checkpoint(self) -> Path:
        """The stack's checkpoint file."""
        return self.state / ".pulumi" / "stacks" / self.name / "dev.json"

    def resources(self) -> dict[str, dict]:
        """Logical name -> record, as exported."""
        exported = json.loads(self.run("stack", "export", "-s", "dev"))
        return {item["urn"].split("::", 3)[3]: item for item in exported["deployment"].get("resources") or []}

    def volumes(self) -> list[str]:
        """Names of the daemon's volumes of this sandbox, without the prefix, sorted."""
        rows = client().volumes(filters={"name": self.prefix})["Volumes"] or []
        return sorted(item["Name"].removeprefix(f"{self.prefix}-") for item in rows)

    def networks(self) -> list[dict]:
        """The daemon's networks of this sandbox (its own filter knows Swarm's networks by their whole names only)."""
        return [item for item in client().networks() if item["Name"].startswith(self.prefix)]

    def close(self) -> None:
        """Remove every object of this sandbox, whatever the state says."""
        api = client()
        services = api.services(filters={"name": self.prefix})
        for item in services:
            _removed(api.remove_service, item["ID"])
        deadline = time.monotonic() + DRAIN_LIMIT
        while services and self._containers(api) and time.monotonic() < deadline:
            time.sleep(0.2)
        for item in self._containers(api):
            _removed(api.remove_container, item["Id"], force=True, v=True)
        deadline = time.monotonic() + DRAIN_LIMIT
        while self._containers(api) and time.monotonic() < deadline:
            time.sleep(0.2)
        for name in self.volumes():
            api.remove_volume(f"{self.prefix}-{name}", force=True)
        for items, remove in ((api.configs(), api.remove_config), (api.secrets(), api.remove_secret)):
            for item in items:
                if item["Spec"]["Name"].startswith(self.prefix):
                    _removed(remove, item["ID"])
        for item in self.networks():
            _removed(api.remove_network, item["Id"])

    def _containers(self, api: docker.APIClient) -> list[dict]:
        return api.containers(all=True, filters={"name": self.prefix})


def _removed(remove: Callable, *arguments, **options) -> None:
    """Remove something that Swarm may be removing just now: listed, and gone a moment later."""
    try:
        remove(*arguments, **options)
    except docker.errors.APIError as fault:
        if not any(words in str(fault) for words in ("not found", "No such", "already in progress")):
            raise


def client() -> docker.APIClient:
    """A Docker client."""
    return docker.APIClient(version="auto")


def volume(name: str, options: str = "") -> str:
    """Source line of a volume resource."""
    more = f", {options}" if options else ""
    return f"{name} = docker.Volume('{name}', name=f'{{P}}-{name}'{more})\n"
