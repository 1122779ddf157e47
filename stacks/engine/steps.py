"""The steps of a run: what is to happen to one resource. The planner decides them, the executor carries them out."""

from __future__ import annotations

from dataclasses import dataclass

from stacks.engine.diff import Diff
from stacks.engine.goal import Goal
from stacks.engine.state import Resource


@dataclass(kw_only=True)
class Step:
    """One operation on one resource. `quiet`: the provider is not asked (state only)."""

    op: str
    urn: str
    type: str
    old: Resource | None = None
    new: Resource | None = None
    diff: Diff | None = None
    quiet: bool = False
    start: float = 0.0  # seconds since the epoch, when it was about to touch the daemon

    @property
    def keys(self) -> list[str]:
        """Top-level properties that changed, sorted."""
        return self.diff.keys if self.diff is not None else []


@dataclass(kw_only=True)
class Creation(Step):
    """`create`, `create-replacement` (with the resource it replaces) and `skip` (outside the targets)."""

    new: Resource
    goal: Goal


@dataclass(kw_only=True)
class Change(Step):
    """`same`, `update`, and `replace`, which only announces the steps beside it."""

    old: Resource
    new: Resource
    goal: Goal


@dataclass(kw_only=True)
class Deletion(Step):
    """`delete`, `delete-replaced` and `remove-pending-replace`."""

    old: Resource


@dataclass(kw_only=True)
class Reading(Step):
    """`read`: an object that the program only looks at."""

    new: Resource


@dataclass(kw_only=True)
class Refreshing(Step):
    """`refresh`: what the daemon has now; `new` is None when the object is gone."""

    old: Resource
