"""Run recorded Pulumi programs through an engine and compare with what the real CLI and provider did.

`python -m tests.engine.conformance [--cases DIR] [case …]`. `PULUMI` names the engine (default: the embedded
one). A case that cannot be run fails; none is skipped. The objects are named `cf-*`, so one run at a time.
"""

from __future__ import annotations

import argparse
import contextlib
import fcntl
import json
import os
import shlex
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

from tests.engine import image
from tests.engine.compare import compare_errors, compare_ops, compare_outputs, compare_state, integrity_faults

PREFIX = "cf-"  # of everything that the recorded programs make
CASES = Path(__file__).resolve().parents[1] / "conformance"
ROOT = Path(__file__).resolve().parents[2]
PASSPHRASE = "conformance"
STACK = "dev"
AFTER = {"reference": "config"}  # cases that need another one's stack in the backend
WORKERS = 3  # cases at a time
TIME_LIMIT = 300  # seconds for one command


@dataclass
class Report:
    """Faults of one case, by step."""

    case: str
    faults: list[str] = field(default_factory=list)
    steps: int = 0
    seconds: float = 0.0

    @property
    def passed(self) -> bool:
        """Whether at least one step ran and none differed."""
        return self.steps > 0 and not self.faults


def discover(folder: Path, names: list[str]) -> list[Path]:
    """Case folders in the order in which they must run. Raises SystemExit on an unknown name or an empty folder."""
    found = {path.parent.name: path.parent for path in sorted(folder.glob("*/recorded.json"))}
    if not found:
        raise SystemExit(f"no cases in {folder}: wanted <case>/recorded.json")
    unknown = [name for name in names if name not in found]
    if unknown:
        raise SystemExit(f"no case {', '.join(unknown)} in {folder}; there are {', '.join(found)}")
    chosen = list(names or found)
    for name in list(chosen):
        needed = AFTER.get(name)
        if needed and needed in found and needed not in chosen:
            chosen.append(needed)
    chosen.sort(key=lambda name: (name in AFTER, name))
    return [found[name] for name in chosen]


class Bench:
    """A temporary backend and the engine's command."""

    def __init__(self):
        self.folder = Path(tempfile.mkdtemp(prefix="eh-conformance-"))
        (self.folder / "state").mkdir()
        command = os.environ.get("PULUMI") or f"{sys.executable} -m stacks.engine"
        self.command = shlex.split(command)
        self.environment = {
            **os.environ,
            "PULUMI_BACKEND_URL": f"file://{self.folder}/state",
            "PULUMI_CONFIG_PASSPHRASE": PASSPHRASE,
            "PYTHONPATH": os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH")])),
            "PULUMI_SKIP_UPDATE_CHECK": "true",
        }

    def close(self) -> None:
        """Remove the backend."""
        shutil.rmtree(self.folder, ignore_errors=True)

    def run(self, project: Path, *arguments: str) -> subprocess.CompletedProcess:
        """One command of the engine in `project`."""
        return subprocess.run(
            [*self.command, *arguments],
            cwd=project,
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=TIME_LIMIT,
            check=False,
            stdin=subprocess.DEVNULL,
        )

    def case(self, source: Path) -> Report:
        """Run all steps of a case and destroy what it made."""
        report = Report(source.name)
        began = time.monotonic()
        project = self.folder / source.name
        project.mkdir()
        (project / "Pulumi.yaml").write_text(f"name: conformance-{source.name}\nruntime: python\n", encoding="utf-8")
        if (source / f"Pulumi.{STACK}.yaml").exists():
            shutil.copy(source / f"Pulumi.{STACK}.yaml", project)
        made = self.run(project, "stack", "init", STACK)
        if made.returncode != 0:
            report.faults.append(f"stack init: {made.stderr.strip()}")
            return report
        recorded = json.loads((source / "recorded.json").read_text(encoding="utf-8"))
        before: list[dict] = []
        for step in recorded["steps"]:
            self._step(source, project, step, before, report)
            before = step["state"]
        report.seconds = time.monotonic() - began
        return report

    def _step(self, source: Path, project: Path, step: dict, earlier: list[dict], report: Report) -> None:
        name = step["program"].removesuffix(".py")
        report.steps += 1

        def fault(where: str, found: list[str]) -> None:
            report.faults.extend(f"{name} {where}: {text}" for text in found)

        shutil.copy(source / step["program"], project / "__main__.py")
        before = source / f"{name}.before.sh"
        if before.exists():
            done = subprocess.run(
                ["sh", "-e", str(before)], capture_output=True, text=True, timeout=TIME_LIMIT, check=False
            )
            if done.returncode != 0:
                fault("before", [done.stderr.strip()])
        flags_file = source / f"{name}.flags"
        flags = flags_file.read_text(encoding="utf-8").split() if flags_file.exists() else []
        for verb, extra in (("preview", []), ("up", ["--yes", "--skip-preview"])):
            log = self.folder / f"{source.name}-{name}-{verb}.log"
            done = self.run(project, verb, "-s", STACK, "--event-log", str(log), *flags, *extra)
            wanted = step[verb]
            if done.returncode != wanted["exit"]:
                fault(
                    verb,
                    [
                        f"exit {done.returncode}, recorded {wanted['exit']}: {done.stderr.strip()[-2000:]}"
                        f"{done.stdout.strip()[-2000:]}"
                    ],
                )
            ops, errors = read_log(log)
            fault(verb, compare_ops(ops, wanted["ops"], [*earlier, *step["state"]]))
            fault(verb, compare_errors(errors, wanted["errors"]))
        quiet = self.run(project, "preview", "-s", STACK, "--expect-no-changes").returncode == 0
        if quiet != step["preview_after_is_no_op"]:
            fault("after", [f"preview --expect-no-changes {'holds' if quiet else 'fails'}, recorded the opposite"])
        shown = self.run(project, "stack", "output", "-s", STACK, "--json", "--show-secrets")
        fault("outputs", compare_outputs(shown.stdout, step["outputs"]))
        exported = self.run(project, "stack", "export", "-s", STACK)
        fault("state", compare_state(exported.stdout, step["state"]))
        with contextlib.suppress(ValueError, KeyError):  # told by compare_state
            fault("integrity", integrity_faults(json.loads(exported.stdout)["deployment"]))

    def clean(self, source: Path) -> str:
        """Destroy a case's stack; returns what went wrong, `""` when nothing did."""
        project = self.folder / source.name
        self.run(project, "state", "unprotect", "-s", STACK, "--all", "--yes")
        done = self.run(project, "destroy", "-s", STACK, "--yes", "--skip-preview")
        return "" if done.returncode == 0 else f"destroy: {(done.stderr + done.stdout).strip()[-1000:]}"


def read_log(path: Path) -> tuple[list[list], list[str]]:
    """Operations (ended by `SUMMARY`) and error messages of an event log."""
    ops: list[list] = []
    errors: list[str] = []
    if not path.exists():
        return ops, errors
    for line in path.read_text(encoding="utf-8").splitlines():
        event = json.loads(line)
        if "resourcePreEvent" in event:
            ops.append(_op(event["resourcePreEvent"]["metadata"], ""))
        elif "resOpFailedEvent" in event:
            ops.append(_op(event["resOpFailedEvent"]["metadata"], "FAILED ")[:3])
        elif "summaryEvent" in event:
            ops.append(["SUMMARY", event["summaryEvent"]["resourceChanges"]])
        elif event.get("diagnosticEvent", {}).get("severity") == "error":
            errors.append(event["diagnosticEvent"]["message"].strip())
    return ops, errors


def _op(metadata: dict, prefix: str) -> list:
    row = [prefix + metadata["op"], metadata["type"], metadata["urn"].split("::", 3)[3]]
    return [*row, sorted(metadata["diffs"])] if metadata.get("diffs") else row


def remove_leavings(limit: float = 60) -> None:
    """Remove what an interrupted run left under the cases' names, and what the programs leave behind on purpose."""
    import docker
    from docker.errors import APIError, NotFound

    client = docker.from_env()
    deadline = time.monotonic() + limit
    kinds = (client.services, client.secrets, client.configs, client.networks, client.volumes)
    while True:
        found = [item for kind in kinds for item in kind.list() if item.name.startswith(PREFIX)]
        containers = [item for item in client.containers.list(all=True) if item.name.startswith(PREFIX)]
        # What a stopping task still holds goes in a later round.
        for item in found:
            with contextlib.suppress(APIError, NotFound):
                item.remove()
        for item in containers:
            with contextlib.suppress(APIError, NotFound):
                item.remove(force=True)
        found += containers
        if not found:
            break
        if time.monotonic() > deadline:
            raise RuntimeError(f"still there after {limit} s: {', '.join(item.name for item in found)}")
        time.sleep(0.5)
    for item in client.images.list(name="conformance/tagged"):
        for tag in item.tags:
            if tag.startswith("conformance/tagged"):  # the same image is the cases' base, too
                client.images.remove(tag, noprune=True)


@contextlib.contextmanager
def alone() -> Iterator[None]:
    """Wait until no other run on this machine uses the cases' fixed names, and keep others waiting."""
    with (Path(tempfile.gettempdir()) / "engine-conformance.lock").open("w", encoding="utf-8") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def run_cases(folder: Path, names: list[str]) -> list[Report]:
    """Run the cases side by side (each has its own names) and print one line each."""
    with alone():
        return _run_cases(folder, names)


def _run_cases(folder: Path, names: list[str]) -> list[Report]:
    image.ensure()
    remove_leavings()
    sources = discover(folder, names)
    bench = Bench()
    finished = {source.name: threading.Event() for source in sources}

    def work(source: Path) -> Report:
        earlier = finished.get(AFTER.get(source.name, ""))
        if earlier is not None:
            earlier.wait()
        try:
            report = bench.case(source)
        except subprocess.TimeoutExpired as late:
            report = Report(source.name, [f"no end after {late.timeout} s: {late.cmd[-6:]}"])
        finally:
            finished[source.name].set()
        if source.name not in AFTER.values():
            report.faults += filter(None, [bench.clean(source)])
        show(report)
        return report

    try:
        # The slowest first: it alone takes as long as half of the others.
        ranked = sorted(sources, key=lambda item: (item.name in AFTER, item.name != "service-full"))
        with ThreadPoolExecutor(max_workers=WORKERS) as pool:
            reports = list(pool.map(work, ranked))
        for source in sources:
            if source.name in AFTER.values():
                bench.clean(source)
    finally:
        remove_leavings()
        bench.close()
    return reports


def show(report: Report) -> None:
    """Print one case's result with its faults."""
    print(f"{'PASS' if report.passed else 'FAIL'}  {report.case}  ({report.steps} steps, {report.seconds:.1f} s)")
    for text in report.faults:
        print("      " + text.replace("\n", "\n        "))
    sys.stdout.flush()


def main() -> int:
    """Command line."""
    parser = argparse.ArgumentParser(prog="python -m tests.engine.conformance", description=__doc__)
    parser.add_argument("--cases", type=Path, default=CASES, metavar="DIR", help="folder of cases")
    parser.add_argument("case", nargs="*", help="only these")
    args = parser.parse_args()
    reports = run_cases(args.cases.resolve(), args.case)
    failed = [report.case for report in reports if not report.passed]
    told = f"; failed: {', '.join(failed)}" if failed else ""
    print(f"{len(reports) - len(failed)} of {len(reports)} cases pass{told}")
    return 1 if failed or not reports else 0


if __name__ == "__main__":
    sys.exit(main())
