"""Runs in the program's own process: connects the SDK to the engine and executes the program.

Started as `python -c` before the engine knows which program it will be. The settings come as one JSON line on
standard input, after the SDK is imported, so that both processes load at the same time.
"""

from __future__ import annotations

import asyncio
import contextlib
import functools
import gc
import json
import os
import runpy
import sys
import traceback
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pulumi
import pulumi._types
import pulumi._utils
import pulumi.runtime
import pulumi.runtime.resource
import pulumi.runtime.stack
from pulumi.runtime.proto import source_pb2

from stacks.engine.program import PREVIEW_DEPENDENT, REPORTED

with contextlib.suppress(ImportError):
    import pulumi_docker  # noqa: F401 (loaded here because nearly every program needs it)

FAILED = 1


def main() -> None:
    """Run the program and leave with its status."""
    gc.enable()  # loading the SDK makes a hundred thousand objects and no rubbish
    gc.freeze()  # what the SDK is made of stays; the thousands of short-lived futures are looked through less often
    gc.set_threshold(50_000, 20, 20)
    line = sys.stdin.readline()
    if not line:
        os._exit(FAILED)
    settings = json.loads(line)
    os.environ["PULUMI_CONFIG"] = json.dumps(settings["config"])
    os.environ["PULUMI_CONFIG_SECRET_KEYS"] = json.dumps(settings["secret_keys"])
    status = _execute(settings)
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(OSError, ValueError):
            stream.flush()
    # Interpreter shutdown costs tens of milliseconds and may wait for idle gRPC threads.
    os._exit(status)


def _execute(settings: dict) -> int:
    pulumi.runtime.configure(
        pulumi.runtime.Settings(
            project=settings["project"],
            stack=settings["stack"],
            parallel=settings["parallel"],
            dry_run=settings["preview"],
            organization=settings["organization"],
            root_directory=settings["root"],
            monitor=settings["address"],
            engine=settings["address"],
        )
    )
    dry_run_questions = _watch_dry_run()
    _spare()
    pulumi.runtime.set_all_config(settings["config"], settings["secret_keys"])
    program = settings["program"]
    folder = program if os.path.isdir(program) else os.path.dirname(program)
    os.chdir(settings["root"])
    sys.path.insert(0, folder)
    sys.argv = [program]
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    loop.set_default_executor(ThreadPoolExecutor(max_workers=max(1, settings["parallel"])))
    # A dropped output that failed is reported by the SDK itself; asyncio's own complaint would only repeat it.
    loop.set_exception_handler(lambda _loop, _context: None)

    def execute() -> None:
        runpy.run_path(program, run_name="__main__")

    try:
        loop.run_until_complete(pulumi.runtime.run_in_stack(execute))
    except pulumi.RunError as fault:
        if "Resource monitor has terminated" in str(fault):
            return REPORTED
        sys.stderr.write(f"{fault}\n")
        return FAILED
    except SystemExit as leave:
        if leave.code is None or isinstance(leave.code, int):
            return leave.code or 0
        sys.stderr.write(f"{leave.code}\n")
        return FAILED
    except BaseException as fault:
        if "Resource monitor has terminated" in str(fault):
            return REPORTED
        sys.stderr.write("Program failed with an unhandled exception:\n" + _traceback(fault, folder))
        return FAILED
    return PREVIEW_DEPENDENT if dry_run_questions else 0


def _spare() -> None:
    """Leave out what the SDK does only for engines that show it.

    Each resource costs three debug messages, each a round trip on the event loop, and a stack trace with its source
    lines; this engine drops the former and does not record the latter. Measured with 1,000 volumes: two thirds of
    the program's time. A fifth of what was left went into reading settings through three calls each and into taking
    the same type annotations apart for every property; a quarter of the rest into names that only tests without an
    engine would use.
    """
    sdk: Any = pulumi  # what is replaced here has types of its own
    sdk.runtime.resource.create_urn = functools.partial(_create_urn, sdk.runtime.resource.create_urn)
    sdk._utils.ContextProperty.__get__ = _setting
    for name in ("_is_union_type", "unwrap_type"):
        setattr(sdk._types, name, functools.cache(getattr(sdk._types, name)))
    sdk.log.debug = lambda *_args, **_options: None
    sdk.runtime.resource._get_stack_trace = source_pb2.StackTrace
    sdk.runtime.stack.asyncio = _PatientAsyncio()


def _create_urn(original: Callable[..., Any], *args: Any) -> Any:
    """A URN for the SDK's own use. It makes one of plain strings for each resource, for the case without an engine,
    out of eight outputs and as many tasks, and drops it; the URNs of aliases are made of outputs."""
    return _Unused() if all(isinstance(item, str) for item in args) else original(*args)


class _Unused:
    """Stands for an output that is awaited and dropped."""

    async def future(self) -> None:
        """Nothing, at once."""


def _setting(self: Any, owner: Any, _kind: type) -> Any:
    """A setting of the SDK: the value of the context variable behind it, the property itself for a dictionary."""
    value = self._data.get(self._ContextProperty__default)
    return self if owner is None or isinstance(value, dict) else value


class _PatientAsyncio:
    """`asyncio` for the SDK's wait at the end of a program, which begins anew after each output that completes.

    Each beginning visits every output that is left: quadratic, 1.5 s of processor time with 1,000 volumes. Here a wait
    ends with the first failure or after `LOOK` seconds, when outputs that came in the meantime are waited for too.
    """

    LOOK = 0.1

    def __getattr__(self, name: str) -> Any:
        return getattr(asyncio, name)

    async def wait(self, tasks: Iterable[asyncio.Future], return_when: str) -> tuple[set, set]:
        assert return_when == asyncio.FIRST_COMPLETED
        return await asyncio.wait(tasks, timeout=self.LOOK, return_when=asyncio.FIRST_EXCEPTION)


def _watch_dry_run() -> list[bool]:
    """A list that is filled when the program itself asks whether this is a preview (the SDK asks elsewhere)."""
    questions: list[bool] = []
    original = pulumi.runtime.is_dry_run

    def is_dry_run() -> bool:
        questions.append(True)
        return original()

    pulumi.runtime.is_dry_run = is_dry_run
    return questions


def _traceback(fault: BaseException, folder: str) -> str:
    """The fault from the program's own first frame on; all of it when the program itself was not running."""
    if isinstance(fault, SyntaxError):
        return "".join(traceback.format_exception_only(fault))
    frames = traceback.extract_tb(fault.__traceback__)
    first = next((i for i, frame in enumerate(frames) if frame.filename.startswith(folder)), len(frames))
    visible = frames[first:] or [frame for frame in frames if frame.filename != __file__]
    lines = ["Traceback (most recent call last):\n", *traceback.format_list(visible)]
    return "".join(lines + traceback.format_exception_only(fault))
