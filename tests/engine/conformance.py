"""Run recorded Pulumi programs through an engine and compare with what the real CLI and provider did.

`python -m tests.engine.conformance [--cases DIR] [case …]`. `PULUMI` names the engine (default: the embedded
one). A case that cannot be run fails; none is skipped. Names, addresses and ports are a run's own (`names`).
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import shlex
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

from tests.engine import image, names
from tests.engine.compare import compare_errors, compare_ops, compare_outputs, compare_state, integrity_faults

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


def discover(folder: Path, cases: list[str]) -> list[Path]:
    """Case folders in the order in which they must run. Raises SystemExit on an unknown name or an empty folder."""
    matches = {path.parent.name: path.parent for path in sorted(folder.glob("*/recorded.json"))}
    if not matches:
        raise SystemExit(f"no cases in {folder}: wanted <case>/recorded.json")
    unknown = [name for name in cases if name not in matches]
    if unknown:
        raise SystemExit(f"no case {', '.join(unknown)} in {folder}; there are {', '.join(matches)}")
    selection = list(cases or matches)
    for name in list(selection):
        needed = AFTER.get(name)
        if needed and needed in matches and needed not in selection:
            selection.append(needed)
    selection.sort(key=lambda name: (name in AFTER, name))
    return [matches[name] for name in selection]


@dataclass
class Step:
    """What one version of a program did, under its recorded names."""

    verbs: dict[str, dict] = field(default_factory=dict)  # verb -> exit, ops, errors
    said: dict[str, str] = field(default_factory=dict)
    quiet: bool = False  # a preview right after wants nothing
    outputs: str = ""
    exported: str = ""
    flags: list[str] = field(default_factory=list)
    trouble: str = ""  # what the script before it complained of

    def faults(self, recorded: dict, earlier: list[dict]) -> list[str]:
        """Differences from the recording; `earlier`: the recorded state before."""
        faults = [f"before: {self.trouble}"] if self.trouble else []
        for verb, events in self.verbs.items():
            expected = recorded[verb]
            if events["exit"] != expected["exit"]:
                faults.append(f"{verb}: exit {events['exit']}, recorded {expected['exit']}: {self.said[verb]}")
            texts = compare_ops(events["ops"], expected["ops"], recorded["state"], earlier)
            faults += [f"{verb}: {text}" for text in texts]
            faults += [f"{verb}: {text}" for text in compare_errors(events["errors"], expected["errors"])]
        if self.quiet != recorded["preview_after_is_no_op"]:
            faults.append(
                f"after: preview --expect-no-changes {'holds' if self.quiet else 'fails'}, recorded the opposite"
            )
        faults += [f"outputs: {text}" for text in compare_outputs(self.outputs, recorded["outputs"])]
        faults += [f"state: {text}" for text in compare_state(self.exported, recorded["state"])]
        with contextlib.suppress(ValueError, KeyError):  # told by compare_state
            faults += [f"integrity: {text}" for text in integrity_faults(json.loads(self.exported)["deployment"])]
        return faults


class Bench:
    """A temporary backend and the engine's command. `slot`: whose names are used."""

    def __init__(self, slot: int = 0):
        self.slot = slot
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
            "PULUMI_DEBUG_COMMANDS": "true",  # shows the CLI's flag --event-log
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
        project = self.project(source)
        recorded = json.loads((source / "recorded.json").read_text(encoding="utf-8"))
        before: list[dict] = []
        for step in recorded["steps"]:
            report.steps += 1
            result = self.step(source, project, step["program"].removesuffix(".py"))
            report.faults += [f"{step['program'].removesuffix('.py')} {text}" for text in result.faults(step, before)]
            before = step["state"]
        report.seconds = time.monotonic() - began
        return report

    def project(self, source: Path) -> Path:
        """A project folder for a case, with an empty stack."""
        project = self.folder / source.name
        project.mkdir()
        (project / "Pulumi.yaml").write_text(f"name: conformance-{source.name}\nruntime: python\n", encoding="utf-8")
        if (source / f"Pulumi.{STACK}.yaml").exists():
            shutil.copy(source / f"Pulumi.{STACK}.yaml", project)
        result = self.run(project, "stack", "init", STACK)
        if result.returncode != 0:
            raise RuntimeError(f"stack init: {result.stderr.strip()}")
        return project

    def step(self, source: Path, project: Path, name: str) -> Step:
        """Preview and deploy one version of a case's program, and look at what it left."""
        own = names.Names(self.slot, source.name)
        (project / "__main__.py").write_text(own.own((source / f"{name}.py").read_text("utf-8")), encoding="utf-8")
        outcome = Step()
        before = source / f"{name}.before.sh"
        if before.exists():
            script = own.own(before.read_text(encoding="utf-8"))
            result = subprocess.run(
                ["sh", "-e"], input=script, capture_output=True, text=True, timeout=TIME_LIMIT, check=False
            )
            outcome.trouble = result.stderr.strip() if result.returncode else ""
        flags_file = source / f"{name}.flags"
        outcome.flags = flags_file.read_text(encoding="utf-8").split() if flags_file.exists() else []
        flags = [own.own(flag) for flag in outcome.flags]
        for verb, extra in (("preview", []), ("up", ["--yes", "--skip-preview"])):
            log = self.folder / f"{source.name}-{name}-{verb}.log"
            result = self.run(project, verb, "-s", STACK, "--event-log", str(log), *flags, *extra)
            text = own.recorded(log.read_text(encoding="utf-8")) if log.exists() else ""
            ops, errors = read_log(text)
            outcome.verbs[verb] = {"exit": result.returncode, "ops": ops, "errors": errors}
            outcome.said[verb] = own.recorded(result.stderr.strip()[-2000:] + result.stdout.strip()[-2000:])
        outcome.quiet = self.run(project, "preview", "-s", STACK, "--expect-no-changes").returncode == 0
        outcome.outputs = own.recorded(
            self.run(project, "stack", "output", "-s", STACK, "--json", "--show-secrets").stdout
        )
        outcome.exported = own.recorded(self.run(project, "stack", "export", "-s", STACK).stdout)
        return outcome

    def clean(self, source: Path) -> str:
        """Destroy a case's stack; returns what went wrong, `""` when nothing did."""
        project = self.folder / source.name
        self.run(project, "state", "unprotect", "-s", STACK, "--all", "--yes")
        result = self.run(project, "destroy", "-s", STACK, "--yes", "--skip-preview")
        return "" if result.returncode == 0 else f"destroy: {(result.stderr + result.stdout).strip()[-1000:]}"


def read_log(text: str) -> tuple[list[list], list[str]]:
    """Operations (ended by `SUMMARY`) and error messages of an event log."""
    ops: list[list] = []
    errors: list[str] = []
    for line in text.splitlines():
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


def remove_leavings(slot: int, limit: float = 60) -> None:
    """Remove what an interrupted run of this slot left, and what the programs leave behind on purpose."""
    import docker
    from docker.errors import APIError, NotFound

    client = docker.from_env()
    deadline = time.monotonic() + limit
    kinds = (client.services, client.secrets, client.configs, client.networks, client.volumes)
    while True:
        matches = [item for kind in kinds for item in kind.list() if names.is_of(slot, item.name)]
        containers = [item for item in client.containers.list(all=True) if names.is_of(slot, item.name)]
        # What a stopping task still holds goes in a later round.
        for item in matches:
            with contextlib.suppress(APIError, NotFound):
                item.remove()
        for item in containers:
            with contextlib.suppress(APIError, NotFound):
                item.remove(force=True)
        matches += containers
        if not matches:
            break
        if time.monotonic() > deadline:
            raise RuntimeError(f"still there after {limit} s: {', '.join(item.name for item in matches)}")
        time.sleep(0.5)
    for item in client.images.list():
        for tag in item.tags:
            if names.is_shared(slot, tag):  # the same image is the cases' base, too
                client.images.remove(tag, noprune=True)


def run_cases(folder: Path, cases: list[str]) -> list[Report]:
    """Run the cases side by side (each has its own names) and print one line each."""
    sources = discover(folder, cases)
    image.ensure()
    with names.free_slot() as slot:
        remove_leavings(slot)
        try:
            return _run_cases(sources, Bench(slot))
        finally:
            remove_leavings(slot)


def _run_cases(sources: list[Path], bench: Bench) -> list[Report]:
    finished = {source.name: threading.Event() for source in sources}

    def work(source: Path) -> Report:
        earlier = finished.get(AFTER.get(source.name, ""))
        if earlier is not None:
            earlier.wait()
        try:
            report = bench.case(source)
        except subprocess.TimeoutExpired as late:
            report = Report(source.name, [f"no end after {late.timeout} s: {late.cmd[-6:]}"])
        except RuntimeError as fault:
            report = Report(source.name, [str(fault)])
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
    note = f"; failed: {', '.join(failed)}" if failed else ""
    print(f"{len(reports) - len(failed)} of {len(reports)} cases pass{note}")
    return 1 if failed or not reports else 0


if __name__ == "__main__":
    sys.exit(main())
