"""What a program registers: one resource as it should be, read from the SDK's request."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

from stacks.engine import urn as urns
from stacks.engine.errors import CheckError
from stacks.engine.state import Resource
from stacks.engine.values import from_struct


@dataclass
class Goal:
    """A registration. `aliases`: ready URNs or specs `(name, type, stack, project, parent URN or None)`."""

    type: str
    name: str
    custom: bool
    urn: str = ""
    parent: str = ""
    inputs: dict = field(default_factory=dict)
    provider: str = ""
    version: str = ""
    dependencies: list[str] = field(default_factory=list)
    property_dependencies: dict[str, list[str]] = field(default_factory=dict)
    protect: bool = False
    retain_on_delete: bool = False
    delete_before_replace: bool | None = None
    ignore_changes: list[str] = field(default_factory=list)
    replace_on_changes: list[str] = field(default_factory=list)
    additional_secret_outputs: list[str] = field(default_factory=list)
    aliases: list[Any] = field(default_factory=list)
    custom_timeouts: dict[str, float] = field(default_factory=dict)
    deleted_with: str = ""
    import_id: str = ""


def from_request(request: Any, inherited: Resource | None = None) -> Goal:
    """The goal of a `RegisterResourceRequest`. `inherited`: the parent's state, whose options children take.

    CheckError on a custom time-out that is none.
    """
    timeouts = {}
    for operation in ("create", "update", "delete"):
        text = getattr(request.customTimeouts, operation)
        if text:
            try:
                timeouts[operation] = seconds(text)
            except ValueError as fault:
                raise CheckError([(f"customTimeouts.{operation}", str(fault))]) from fault
    protect = request.protect if request.HasField("protect") else bool(inherited and inherited.protect)
    if request.HasField("retainOnDelete"):
        retain = request.retainOnDelete
    else:
        retain = bool(inherited and inherited.retain_on_delete)
    aliases: list[Any] = list(request.aliasURNs)
    for alias in request.aliases:
        if alias.WhichOneof("alias") == "urn":
            aliases.append(alias.urn)
        else:
            spec = alias.spec
            parent = spec.parentUrn or ("" if spec.noParent else None)
            aliases.append((spec.name, spec.type, spec.stack, spec.project, parent))
    return Goal(
        type=request.type,
        name=request.name,
        custom=request.custom,
        parent=request.parent,
        inputs=from_struct(request.object),
        provider=request.provider,
        version=request.version,
        dependencies=list(dict.fromkeys(request.dependencies)),
        property_dependencies={
            key: list(dict.fromkeys(value.urns)) for key, value in request.propertyDependencies.items()
        },
        protect=protect,
        retain_on_delete=retain,
        delete_before_replace=request.deleteBeforeReplace if request.deleteBeforeReplaceDefined else None,
        ignore_changes=list(request.ignoreChanges),
        replace_on_changes=list(request.replaceOnChanges),
        additional_secret_outputs=list(request.additionalSecretOutputs),
        aliases=aliases,
        custom_timeouts=timeouts,
        deleted_with=request.deletedWith or (inherited.deleted_with if inherited else ""),
        import_id=request.importId,
    )


_SECONDS = {"h": 3600.0, "m": 60.0, "s": 1.0, "ms": 0.001}


def seconds(text: str) -> float:
    """Seconds of a duration like `5m` or `1h30m`; ValueError on anything else."""
    pieces = re.findall(r"([0-9]*\.?[0-9]+)(ms|h|m|s)", text)
    if not pieces or "".join(number + unit for number, unit in pieces) != text:
        raise ValueError(f"{text!r} is no duration; wanted one like 30s, 5m or 1h30m")
    return sum(float(number) * _SECONDS[unit] for number, unit in pieces)


def alias_urns(goal: Goal, stack: str, project: str, parent_aliases: list[str]) -> list[str]:
    """URNs under which the resource may have been known before, most direct first.

    `parent_aliases`: earlier URNs of the parent; a child whose name begins with the parent's follows it.
    """
    urns_before: list[str] = []
    for alias in goal.aliases:
        if isinstance(alias, str):
            urns_before.append(alias)
            continue
        name, kind, old_stack, old_project, parent = alias
        identity = (old_stack or stack, old_project or project)
        parents = [parent] if parent is not None else [goal.parent, *parent_aliases]
        for above in parents:
            urns_before.append(urns.make(*identity, above, kind or goal.type, name or goal.name))
    for above in parent_aliases:
        urns_before.append(urns.make(stack, project, above, goal.type, _follow(goal, above)))
    return [urn for urn in dict.fromkeys(urns_before) if urn != goal.urn]


def _follow(goal: Goal, old_parent: str) -> str:
    parent_name = urns.name_of(goal.parent) if goal.parent else ""
    if parent_name and goal.name.startswith(parent_name):
        return urns.name_of(old_parent) + goal.name[len(parent_name) :]
    return goal.name


_PATH = re.compile(r'\[(\d+|\*|"[^"]*")\]|([^.\[\]]+)')


def path_keys(path: str) -> list[str | int]:
    """Components of a property path: `a.b[0]["c d"]`; `*` stays `*`."""
    keys: list[str | int] = []
    for index, name in _PATH.findall(path):
        if name:
            keys.append(name)
        elif index.isdigit():
            keys.append(int(index))
        else:
            keys.append(index.strip('"'))
    return keys


def is_path(path: str) -> bool:
    """Whether all of `path` was understood by `path_keys`."""
    return not _PATH.sub("", path).strip(".")


def keep_old(new: Any, old: Any, keys: list[str | int]) -> Any:
    """`new` with what lies at the path taken from `old` (`ignoreChanges`)."""
    if not keys:
        return old
    key, rest = keys[0], keys[1:]
    if key == "*":
        places = list(new) if isinstance(new, dict) else range(len(new)) if isinstance(new, list) else ()
        for place in places:
            new = keep_old(new, old, [place, *rest])
        return new
    if isinstance(new, dict) and isinstance(key, str):
        had_key = isinstance(old, dict) and key in old
        result = dict(new)
        if rest and key in result and had_key:
            result[key] = keep_old(result[key], old[key], rest)
        elif not rest and had_key:
            result[key] = old[key]
        elif not rest:
            result.pop(key, None)
        return result
    if isinstance(new, list) and isinstance(key, int) and isinstance(old, list) and key < min(len(new), len(old)):
        items = list(new)
        items[key] = keep_old(new[key], old[key], rest)
        return items
    return new


def path_matches(pattern: str, path: str) -> bool:
    """Whether a `replaceOnChanges` pattern covers a changed property path (or the other way round)."""
    return all(a in ("*", b) for a, b in zip(path_keys(pattern), path_keys(path), strict=False))
