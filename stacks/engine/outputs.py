"""The outputs that are recorded or promised for a resource, and which of them are secret."""

from __future__ import annotations

from stacks.engine import urn as urns
from stacks.engine.goal import Goal
from stacks.engine.state import Resource
from stacks.engine.values import annotate_secrets, has_unknown, reseal, secret, without


def secret_outputs(new: Resource, outputs: dict, before: dict | None = None) -> dict:
    """Outputs with the secretness of the inputs, of the options and (`before`) of what was recorded."""
    outputs = annotate_secrets(outputs, new.inputs)
    if before is not None:
        outputs = annotate_secrets(outputs, before)
    return _with_secret_keys(outputs, new.additional_secret_outputs)


def recorded_outputs(old: Resource, new: Resource) -> dict:
    """Outputs of a resource that does not change, under the secretness that the program asks for now."""
    if not new.custom:
        return old.outputs
    return reseal(secret_outputs(new, old.outputs), old.outputs)


def preview_outputs(goal: Goal, new: Resource, old: Resource | None) -> dict:
    """Outputs that a preview can promise: inputs, and for an update the recorded values besides."""
    promised = without(new.inputs, "__defaults")
    if urns.is_provider(goal.type):
        promised.pop("__internal", None)
    if old is not None:
        changed = {key for key, value in promised.items() if has_unknown(value) or value != old.outputs.get(key)}
        promised = {**old.outputs, **{key: promised[key] for key in changed}}
    return _with_secret_keys(promised, goal.additional_secret_outputs)


def _with_secret_keys(outputs: dict, keys: list[str]) -> dict:
    return {key: secret(value) if key in keys else value for key, value in outputs.items()}
