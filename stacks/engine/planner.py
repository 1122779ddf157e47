"""From a registered resource to the steps that bring it about. Decisions only: nothing is touched here."""

from __future__ import annotations

from stacks.engine import urn as urns
from stacks.engine.check import check
from stacks.engine.deployment import Deployment
from stacks.engine.diff import Diff, diff, plain_diff
from stacks.engine.docker.base import kind_of, provider_failures
from stacks.engine.errors import CheckError, EngineError
from stacks.engine.goal import Goal, alias_urns, keep_old, path_keys, path_matches
from stacks.engine.state import Resource
from stacks.engine.steps import Change, Creation, Deletion, Step
from stacks.engine.values import UNKNOWN, reseal, reveal


class Planner:
    """Steps for one deployment. Callers hold the deployment's lock."""

    def __init__(self, deployment: Deployment):
        self._deployment = deployment
        self.parent_aliases: dict[str, list[str]] = {}
        self.dependent_replaced: set[str] = set()  # deleted before their own registration came
        self.registered: set[str] = set()  # URNs of this run

    # -- registrations

    def plan(self, goal: Goal) -> list[Step]:
        """Steps of a registration, in order. EngineError refuses it."""
        deployment = self._deployment
        goal.urn = urns.make(deployment.stack, deployment.project, goal.parent, goal.type, goal.name)
        if goal.urn in self.registered:
            raise EngineError(
                f"Duplicate resource URN '{goal.urn}'; try giving it a unique name. Two resources of one type and "
                "parent have this logical name in the program."
            )
        if goal.urn in deployment.aliases:
            raise EngineError(_conflict(goal.urn, deployment.aliases[goal.urn]))
        self.registered.add(goal.urn)
        aliases = alias_urns(goal, deployment.stack, deployment.project, self.parent_aliases.get(goal.parent, []))
        self.parent_aliases[goal.urn] = aliases
        old = self._find_old(goal.urn, aliases)
        replaced = old is not None and (goal.urn in self.dependent_replaced or old.pending_replacement)
        only_read = old is not None and old.external
        new = self._new_state(goal, self._inputs(goal, old, anew=replaced or only_read), old)
        if deployment.selection and not self._is_selected(goal, new):
            return self._leave(goal, old, new)
        if old is None or only_read:
            return [_creation("create", goal, new)]
        if replaced:
            return self._create_replacement(goal, old, new, Diff())
        return self._existing(goal, old, new)

    def _find_old(self, urn: str, aliases: list[str]) -> Resource | None:
        deployment = self._deployment
        if urn in deployment.olds:
            return deployment.olds[urn]
        for alias in aliases:
            if alias in deployment.olds and alias in self.registered:
                raise EngineError(_conflict(alias, urn))
            if alias in deployment.olds and alias not in deployment.aliases:
                deployment.alias(alias, urn)
                return deployment.olds[alias].renamed(deployment.aliases)
        return None

    def _inputs(self, goal: Goal, old: Resource | None, anew: bool = False) -> dict:
        """Checked inputs. `anew`: for an object to be made in place of another, whose record does not matter."""
        inputs = goal.inputs
        if old is not None and not anew:
            for path in goal.ignore_changes:
                inputs = keep_old(inputs, old.inputs, path_keys(path))
        if goal.custom and not urns.is_provider(goal.type):
            kind = kind_of(goal.type)
            inputs = check(kind.fields, inputs, old.inputs if old and not anew else {}, goal.name)
            failures = kind.validate(reveal(inputs))
            if failures:
                raise CheckError(failures)
        elif urns.is_provider(goal.type) and goal.type != urns.PROVIDER_PREFIX + "pulumi":
            failures = provider_failures(goal.type, inputs)
            if failures:
                raise CheckError(failures)
            inputs = {"__internal": {}, **inputs}
            if goal.version and "version" not in inputs:
                inputs["version"] = goal.version
        return inputs

    def _new_state(self, goal: Goal, inputs: dict, old: Resource | None) -> Resource:
        return Resource(
            urn=goal.urn,
            type=goal.type,
            custom=goal.custom,
            inputs=reseal(inputs, old.inputs) if old else inputs,
            parent=goal.parent,
            protect=goal.protect,
            dependencies=goal.dependencies,
            provider=goal.provider,
            property_dependencies=goal.property_dependencies,
            additional_secret_outputs=goal.additional_secret_outputs,
            custom_timeouts=goal.custom_timeouts,
            retain_on_delete=goal.retain_on_delete,
            deleted_with=goal.deleted_with,
            ignore_changes=goal.ignore_changes,
            replace_on_changes=goal.replace_on_changes,
        )

    def _is_selected(self, goal: Goal, new: Resource) -> bool:
        if goal.type == urns.STACK_TYPE or urns.is_provider(goal.type):
            return True
        deployment = self._deployment
        deployment.selection.follow(goal.urn, new.links())
        if not deployment.selection.covers(goal.urn):
            return False
        for link in new.links():
            if link in deployment.skipped:
                raise EngineError(
                    f"Resource '{goal.urn}' depends on '{link}' which is not to be made (--target or --exclude leaves "
                    "it out); name it as a target too"
                )
        return True

    def _leave(self, goal: Goal, old: Resource | None, new: Resource) -> list[Step]:
        if old is not None:
            return [_change("same", goal, old, old)]
        if goal.custom:
            self._deployment.skipped.add(goal.urn)
        return [_creation("skip", goal, new)]

    # -- resources that exist

    def _existing(self, goal: Goal, old: Resource, new: Resource) -> list[Step]:
        changes = self.compare(goal, old, new)
        forced = goal.custom and not urns.is_provider(goal.type) and self._deployment.replaces.name(goal.urn)
        if changes.replaces or forced:
            return self._replacement(goal, old, new, changes)
        if not goal.custom and changes:
            return [_change("update", goal, old, new)]  # nobody is asked what changed in a component
        if changes or (old.init_errors and self._changeable(goal)):
            return [_change("update", goal, old, new, changes)]
        return [_change("same", goal, old, new)]

    def _changeable(self, goal: Goal) -> bool:
        """Whether there is an update that could complete what a failed one left."""
        return not goal.custom or urns.is_provider(goal.type) or kind_of(goal.type).changeable()

    def compare(self, goal: Goal, old: Resource, new: Resource) -> Diff:
        """What changed, with the options that widen or narrow it applied.

        Another provider is no change: the real one, asked whether its settings call for a replacement, never says so,
        not even for another daemon. The resource is recorded with the new provider and a refresh looks for it there.
        """
        if not goal.custom or urns.is_provider(goal.type):
            changes = plain_diff(old.inputs, new.inputs)
        else:
            changes = diff(kind_of(goal.type).fields, old.outputs, new.inputs)
            for path in goal.ignore_changes:
                for changed in [item for item in changes.changes if path_matches(path, item)]:
                    changes.changes.pop(changed)
                    changes.replaces.discard(changed)
        for pattern in goal.replace_on_changes:
            changes.replaces.update(path for path in changes.changes if path_matches(pattern, path))
        return changes

    # -- replacements

    def _replacement(self, goal: Goal, old: Resource, new: Resource, changes: Diff) -> list[Step]:
        if old.protect:
            raise EngineError(
                f'unable to replace resource "{old.urn}"\nas it is currently marked for protection. To unprotect the '
                "resource, remove the `protect` flag from the resource in your Pulumi program and run `pulumi up`, or "
                f"use the command:\n`pulumi state unprotect '{old.urn}'`"
            )
        if goal.custom and not urns.is_provider(goal.type):
            # An automatic name is made anew: the old object may still be there when the new one comes. What
            # `ignore_changes` kept of the old object ends with it.
            new = new.copy(inputs=reseal(self._inputs(goal, old, anew=True), old.inputs))
        first = changes.delete_first if goal.delete_before_replace is None else goal.delete_before_replace
        if not first:
            return [
                _creation("create-replacement", goal, new, old, changes),
                _change("replace", goal, old, new, changes),
            ]
        steps: list[Step] = []
        dependents = self._dependents_to_replace(old)
        doomed = {old.urn, *(item.urn for item in dependents)}
        for dependent in reversed(dependents):
            self.dependent_replaced.add(dependent.urn)
            steps.append(self._delete_replaced(dependent, doomed))
        steps.append(self._delete_replaced(old, doomed))
        return steps + self._create_replacement(goal, old, new, changes)

    def _delete_replaced(self, old: Resource, doomed: set[str]) -> Deletion:
        if old.protect:
            raise EngineError(
                f'unable to replace resource "{old.urn}"\nas part of replacing a resource that it depends on because '
                f"it is protected. Unprotect it with `pulumi state unprotect '{old.urn}'`"
            )
        quiet = old.retain_on_delete or old.deleted_with in doomed
        return _deletion("delete-replaced", old, quiet)

    def _create_replacement(self, goal: Goal, old: Resource, new: Resource, changes: Diff) -> list[Step]:
        return [
            _change("replace", goal, old, new, changes),
            _creation("create-replacement", goal, new, old, changes),
        ]

    def _dependents_to_replace(self, root: Resource) -> list[Resource]:
        """Recorded resources that a deletion of `root` takes along, each after those it depends on."""
        doomed = {root.urn}
        dependents = []
        for item in self._deployment.dependents_of(root.urn):
            if not item.custom or item.external or item.urn in self.registered or item.delete:
                continue
            if self._taken_along(item, doomed):
                doomed.add(item.urn)
                dependents.append(item)
        return dependents

    def _taken_along(self, item: Resource, doomed: set[str]) -> bool:
        if item.deleted_with in doomed or urns.provider_urn(item.provider) in doomed:
            return True
        if urns.is_provider(item.type):
            return False
        inputs, touched = dict(item.inputs), False
        for key, needed in item.property_dependencies.items():
            if key in inputs and doomed.intersection(needed):
                inputs[key] = UNKNOWN
                touched = True
        return touched and bool(diff(kind_of(item.type).fields, item.outputs, inputs).replaces)

    def note_reading(self, urn: str) -> None:
        """Count a resource that the program reads as one of this run."""
        self.registered.add(urn)

    # -- deletions

    def deletions(self) -> list[Deletion]:
        """Steps for what the program no longer has, in no order; protected ones are among them."""
        deployment = self._deployment
        steps = []
        doomed = {item.urn for item in deployment.leftovers()}
        for item in deployment.leftovers():
            if item.pending_replacement or item.urn in self.dependent_replaced:
                steps.append(_deletion("remove-pending-replace", item, True))
            else:
                quiet = item.retain_on_delete or item.external or item.deleted_with in doomed or not item.custom
                steps.append(_deletion("discard" if item.external else "delete", item, quiet))
        for item in deployment.pending_deletes:
            quiet = item.retain_on_delete or item.deleted_with in doomed
            steps.append(_deletion("delete-replaced", item, quiet))
        return steps


def _creation(
    op: str,
    goal: Goal,
    new: Resource,
    old: Resource | None = None,
    changes: Diff | None = None,
) -> Creation:
    return Creation(op=op, urn=goal.urn, type=goal.type, old=old, new=new, diff=changes, goal=goal)


def _change(
    op: str,
    goal: Goal,
    old: Resource,
    new: Resource,
    changes: Diff | None = None,
) -> Change:
    """A step on a resource that is there; `replace` itself asks nothing of the provider."""
    return Change(op=op, urn=goal.urn, type=goal.type, old=old, new=new, diff=changes, goal=goal, quiet=op == "replace")


def _deletion(op: str, old: Resource, quiet: bool) -> Deletion:
    return Deletion(op=op, urn=old.urn, type=old.type, old=old, quiet=quiet)


def _conflict(old: str, new: str) -> str:
    """The CLI's refusal of two registrations for one recorded resource, in whichever order they come."""
    return (
        f"Duplicate resource URN '{old}' conflicting with alias on resource with URN '{new}'; rename one of them, or "
        "deploy the renamed resource first and add the new one of the old name afterwards"
    )
