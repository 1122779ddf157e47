"""Stack references: another stack's outputs, read from its checkpoint."""

from __future__ import annotations

from typing import Any

from stacks.engine.backend import Backend
from stacks.engine.errors import EngineError, StackNotFound
from stacks.engine.project import ORGANIZATION
from stacks.engine.secrets import Crypter, passphrase_from_environment
from stacks.engine.state import Snapshot, salt_of
from stacks.engine.urn import STACK_TYPE
from stacks.engine.values import Secret, has_secret


class References:
    """Finds stacks by programs' names for them: `<stack>`, `<org>/<stack>`, `organization/<project>/<stack>`."""

    def __init__(self, backend: Backend, project: str):
        self.backend = backend
        self.project = project

    def split(self, name: str) -> tuple[str, str]:
        """`(project, stack)` of a reference; EngineError on another organization or form."""
        pieces = name.split("/")
        if len(pieces) == 1:
            return self.project, pieces[0]
        if pieces[0] != ORGANIZATION or len(pieces) > 3:
            raise EngineError(
                f"stack reference {name!r}: the file backend has one organization; wanted "
                f"'{ORGANIZATION}/<project>/<stack>'"
            )
        return (pieces[1], pieces[2]) if len(pieces) == 3 else (self.project, pieces[1])

    def outputs(self, name: str) -> dict:
        """Outputs of the named stack; EngineError when there is no such stack."""
        project, stack = self.split(name)
        try:
            deployment = self.backend.load(project, stack).get("latest") or {}
        except StackNotFound as cause:
            raise EngineError(f"unknown stack {name!r}: {cause}") from cause
        salt = salt_of(deployment)
        crypter: list[Crypter] = []

        def opener(sealed: str) -> str:
            if not crypter:
                crypter.append(Crypter(salt, passphrase_from_environment()))
            return crypter[0].open(sealed)

        for item in Snapshot.from_deployment(deployment, opener).resources:
            if item.type == STACK_TYPE and not item.delete:
                return item.outputs
        return {}


def read_reference(references: References, name: str) -> dict:
    """Outputs of a StackReference resource."""
    outputs = references.outputs(name)
    for value in outputs.values():
        _unseal(value)
    return {
        "name": name,
        "outputs": outputs,
        "secretOutputNames": sorted(key for key, value in outputs.items() if has_secret(value)),
    }


def _unseal(value: Any) -> None:
    """Open secrets of the other stack, so that they are sealed anew with this stack's key."""
    if isinstance(value, Secret):
        _ = value.value
        value.ciphertext = None
    for item in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        _unseal(item)
