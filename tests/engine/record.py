"""Record what a Pulumi CLI does with the programs of conformance cases, in the form that `conformance` compares with.

`PULUMI=pulumi python -m tests.engine.record DIR case …` writes `DIR/<case>/recorded.json` from `DIR/<case>/step1.py`
and so on. `PULUMI` must name the command: a recording of the embedded engine would only agree with itself.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import sys
from pathlib import Path
from typing import Any

import docker

from tests.engine import image, names
from tests.engine.compare import NOT_COMPARED, SECRET, SIG, mask_text
from tests.engine.conformance import AFTER, Bench, Step, remove_leavings


def recorded(step: Step, program: str) -> dict:
    """One step's entry of `recorded.json`."""
    deployment = json.loads(step.exported)["deployment"]
    return {
        "program": program,
        "flags": step.flags,
        **{verb: {key: masked(value) for key, value in events.items()} for verb, events in step.verbs.items()},
        "preview_after_is_no_op": step.quiet,
        "outputs": json.loads(step.outputs),
        "state": masked(deployment.get("resources") or []),
        "pending": masked(deployment.get("pending_operations") or []),
    }


def masked(value: Any, key: str = "") -> Any:
    """A value with what differs from machine to machine and from run to run replaced by its kind."""
    if isinstance(value, dict):
        if value.get(SIG) == SECRET:
            return {SIG: SECRET, "ciphertext": "<ciphertext>"}
        return {name: masked(item, name) for name, item in value.items() if name not in NOT_COMPARED}
    if isinstance(value, list):
        return [masked(item) for item in value]
    return mask_text(value, key) if isinstance(value, str) else value


def versions(bench: Bench, steps: list[dict]) -> str:
    """What a recording was made with."""
    cli = bench.run(bench.folder, "version").stdout.strip().removeprefix("v")
    providers = {
        item["inputs"]["version"]
        for step in steps
        for item in step["state"]
        if item["type"] == "pulumi:providers:docker" and "version" in item.get("inputs", {})
    }
    engine = docker.from_env().version()["Version"]
    return f"pulumi {cli}, docker provider {', '.join(sorted(providers))}, Docker Engine {engine}"


def record(folder: Path, cases: list[str]) -> None:
    """Run the cases one after another and write their recordings."""
    image.ensure()
    with names.free_slot() as slot:
        remove_leavings(slot)
        bench = Bench(slot)
        try:
            for case in sorted(cases, key=lambda name: name in AFTER):
                source = folder / case
                programs = sorted(source.glob("step*.py"), key=lambda path: int(re.sub(r"\D", "", path.stem)))
                if not programs:
                    raise SystemExit(f"no case {case} in {folder}: wanted {case}/step1.py")
                project = bench.project(source)
                steps = [recorded(bench.step(source, project, path.stem), path.name) for path in programs]
                recording = {"case": case, "recorded_with": versions(bench, steps), "steps": steps}
                text = json.dumps(recording, indent=1, ensure_ascii=False) + "\n"
                (source / "recorded.json").write_text(text, encoding="utf-8")
                print(f"{case}: {len(steps)} steps")
            for case in reversed(cases):
                trouble = bench.clean(folder / case)
                if trouble:
                    print(f"{case}: {trouble}")
        finally:
            remove_leavings(slot)
            bench.close()


def main() -> int:
    """Command line."""
    parser = argparse.ArgumentParser(prog="python -m tests.engine.record", description=__doc__)
    parser.add_argument("folder", type=Path, metavar="DIR", help="folder of cases")
    parser.add_argument("case", nargs="+", help="folders in it; reference needs config before it")
    args = parser.parse_args()
    if not os.environ.get("PULUMI"):
        raise SystemExit("PULUMI must name the CLI to record, as in PULUMI=pulumi")
    record(args.folder.resolve(), args.case)
    return 0


if __name__ == "__main__":
    sys.exit(main())
