"""Pulumi's file backend: where checkpoints, selections and locks of stacks lie, and who may write."""

from __future__ import annotations

import contextlib
import datetime
import getpass
import json
import os
import re
import socket
import uuid
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import unquote, urlparse

from stacks.engine.errors import LockedError, StackNotFound, StateError, UsageError
from stacks.engine.files import write_file
from stacks.engine.journal import Journal
from stacks.engine.project import ORGANIZATION, Project
from stacks.engine.state import VERSION, parse_checkpoint

# The CLI shows a lock's user name and nothing else that could carry a word: it cannot see the engine's journal.
WHAT_A_CLI_MUST_KNOW = (
    "embedded engine: when it is dead, run `python -m stacks.engine cancel` before `pulumi cancel`, which would leave "
    "the steps in its .journal file unknown"
)
STACK_NAME = re.compile(r"^[A-Za-z0-9._-]{1,100}$")


class Backend:
    """A `file://` backend. Stacks are named by project and stack."""

    def __init__(self, url: str, base: Path):
        """`base`: folder against which a relative URL (`file://./state`) is read."""
        self.url = url
        parsed = urlparse(url)
        if parsed.scheme != "file":
            raise UsageError(f"backend {url!r} is not supported, only file://<folder>; use the pulumi CLI for others")
        text = unquote(url[len("file://") :].split("?", 1)[0])
        folder = Path(text).expanduser() if text.startswith("~") else Path(base, text)
        self.root = folder.resolve() / ".pulumi"

    @classmethod
    def from_environment(cls, project: Project | None, base: Path) -> Backend:
        """Backend of `PULUMI_BACKEND_URL`, else of the project file; UsageError when neither names one."""
        url = os.environ.get("PULUMI_BACKEND_URL") or (project.backend if project else "")
        if not url:
            raise UsageError("no backend: set PULUMI_BACKEND_URL to file://<folder> or 'backend: url:' in Pulumi.yaml")
        return cls(url, project.folder if project and not os.environ.get("PULUMI_BACKEND_URL") else base)

    # -- stacks

    def path(self, project: str, stack: str) -> Path:
        """Checkpoint file of a stack."""
        return self.root / "stacks" / project / f"{stack}.json"

    def exists(self, project: str, stack: str) -> bool:
        """Whether the stack was made."""
        return self.path(project, stack).is_file()

    def stacks(self, project: str | None = None) -> list[tuple[str, str]]:
        """`(project, stack)` of all stacks, or of one project's, sorted."""
        paths = (self.root / "stacks").glob(f"{project or '*'}/*.json")
        return sorted((path.parent.name, path.stem) for path in paths)

    def create(self, project: str, stack: str, deployment: dict | None = None) -> None:
        """Make an empty stack; StateError when it is there, UsageError when its name is not allowed."""
        self.require_free_name(project, stack)
        meta = self.root / "meta.yaml"
        if not meta.exists():
            write_file(meta, "version: 1\n", 0o644)
        self.save(project, stack, deployment)

    def require_free_name(self, project: str, stack: str) -> None:
        """Refuse a stack of this name as `create` does."""
        if not STACK_NAME.match(stack):
            raise UsageError(f"stack name {stack!r} is not allowed: letters, digits, '.', '_' and '-', at most 100")
        if self.exists(project, stack):
            raise StateError(f"stack '{stack}' already exists; select it, or remove it with 'stack rm {stack}'")

    def load(self, project: str, stack: str) -> dict:
        """The checkpoint object; StackNotFound, StateError."""
        path = self.path(project, stack)
        try:
            text = path.read_text(encoding="utf-8")
        except FileNotFoundError:
            names = ", ".join(name for _, name in self.stacks(project)) or "none"
            raise StackNotFound(f"no stack named '{stack}' found (project {project}, known stacks: {names})") from None
        except (OSError, UnicodeDecodeError) as cause:
            raise StateError(f"cannot read checkpoint {path}: {cause}") from cause
        return parse_checkpoint(text, str(path))

    def save(self, project: str, stack: str, deployment: dict | None) -> None:
        """Write a checkpoint; the one before stays as `.bak`."""
        path = self.path(project, stack)
        checkpoint: dict = {"stack": f"{ORGANIZATION}/{project}/{stack}"}
        if deployment is not None:
            checkpoint["latest"] = deployment
        text = json.dumps({"version": VERSION, "checkpoint": checkpoint}, indent=4)
        if path.exists():
            with contextlib.suppress(OSError):
                backup = path.with_name(path.name + ".bak")
                temporary = path.with_name(path.name + ".bak.new")
                temporary.unlink(missing_ok=True)
                os.link(path, temporary)
                os.replace(temporary, backup)
        write_file(path, text)

    def remove(self, project: str, stack: str) -> None:
        """Delete a stack's files."""
        path = self.path(project, stack)
        self.journal(project, stack).replace([])
        for file in (path, path.with_name(path.name + ".bak")):
            file.unlink(missing_ok=True)
        with contextlib.suppress(OSError):
            path.parent.rmdir()

    def journal(self, project: str, stack: str) -> Journal:
        """The stack's journal, beside its checkpoint."""
        return Journal(self.path(project, stack).with_suffix(".journal"))

    # -- selection (the CLI's workspace file is private to it; this one lies in the backend)

    def _selection(self, project: str) -> Path:
        return self.root / "engine" / f"{project}.selected"

    def select(self, project: str, stack: str) -> None:
        """Remember the stack that commands without `-s` mean."""
        write_file(self._selection(project), stack + "\n")

    def selected(self, project: str) -> str:
        """The selected stack, `""` without one."""
        path = self._selection(project)
        return path.read_text(encoding="utf-8").strip() if path.exists() else ""

    # -- locks

    def _lock_folder(self, project: str, stack: str) -> Path:
        return self.root / "locks" / ORGANIZATION / project / stack

    def owners(self, project: str, stack: str) -> list[tuple[Path, dict]]:
        """Lock files of a stack with their content."""
        result = []
        for path in sorted(self._lock_folder(project, stack).glob("*.json")):
            try:
                result.append((path, json.loads(path.read_text(encoding="utf-8"))))
            except FileNotFoundError:
                continue
            except ValueError:
                result.append((path, {}))
        return result

    @contextlib.contextmanager
    def lock(self, project: str, stack: str) -> Iterator[None]:
        """Hold the stack for this process. LockedError names a living owner; a dead one's lock is taken over."""
        own_lock = self._lock_folder(project, stack) / f"{uuid.uuid4()}.json"
        own_lock.parent.mkdir(parents=True, exist_ok=True)
        content = {
            "pid": os.getpid(),
            "username": f"{getpass.getuser()}, {WHAT_A_CLI_MUST_KNOW}",
            "hostname": socket.gethostname(),
            "timestamp": datetime.datetime.now(datetime.UTC).isoformat().replace("+00:00", "Z"),
            "started": _start_time(os.getpid()),
        }
        write_file(own_lock, json.dumps(content))
        try:
            for path, owner in self.owners(project, stack):
                if path == own_lock:
                    continue
                if _alive(owner):
                    raise LockedError(_refusal(project, stack, path, owner))
                path.unlink(missing_ok=True)
            yield
        finally:
            own_lock.unlink(missing_ok=True)

    def break_locks(self, project: str, stack: str) -> list[dict]:
        """Remove every lock of a stack; returns their contents."""
        broken = []
        for path, owner in self.owners(project, stack):
            path.unlink(missing_ok=True)
            broken.append(owner)
        return broken


def _start_time(pid: int) -> str:
    """Start time of a process in clock ticks: tells a reused process id from its earlier owner."""
    try:
        return Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rsplit(")", 1)[1].split()[19]
    except (OSError, IndexError):
        return ""


def _alive(owner: dict) -> bool:
    if not owner:
        return False
    if owner.get("hostname") != socket.gethostname():
        return True  # another machine's processes cannot be seen: only cancel may break such a lock
    pid = owner.get("pid") or 0
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    start_time = owner.get("started")
    return not start_time or start_time == _start_time(pid)


def user_of(owner: dict) -> str:
    """Who holds a lock, without what the engine says to the CLI beside it."""
    return str(owner.get("username")).split(",", 1)[0]


def runs_here(owner: dict) -> bool:
    """Whether a lock's process lives on this machine."""
    return owner.get("hostname") == socket.gethostname() and _alive(owner)


def _refusal(project: str, stack: str, path: Path, owner: dict) -> str:
    age = "unknown"
    with contextlib.suppress(ValueError, KeyError):
        moment = datetime.datetime.fromisoformat(owner["timestamp"].replace("Z", "+00:00"))
        age = f"{(datetime.datetime.now(datetime.UTC) - moment).total_seconds():.0f} s"
    return (
        f"the stack {project}/{stack} is currently locked by 1 lock(s): {path}: created by "
        f"{user_of(owner)}@{owner.get('hostname')} (pid {owner.get('pid')}), age {age}. Wait until that process "
        "ends; if it is gone for good (another machine), break the lock with 'cancel'."
    )
