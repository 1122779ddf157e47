"""Errors that the engine shows to an operator as one message, without a traceback."""


class EngineError(Exception):
    """A foreseeable fault: the message says what, the value seen, the value wanted and the next step."""

    # The CLI's codes since 3.226.1 (pulumi.com/docs/iac/cli/exit-codes, recordings of 3.260): 1 general and failed
    # deployments, 2 usage or nobody to ask, 6 no such stack or none selected, 7 unexpected changes, 8 cancelled.
    exit_code = 1


class UsageError(EngineError):
    """A wrong command line or project layout."""

    exit_code = 2


class StackNotFound(EngineError):
    """The named stack has no checkpoint in the backend, or no stack is named or selected."""

    exit_code = 6


class Declined(EngineError):
    """The operator was asked and said no."""

    exit_code = 8


class UnexpectedChanges(EngineError):
    """`--expect-no-changes` was given and there were some."""

    exit_code = 7


class DeploymentFailed(EngineError):
    """A deployment failed and said why already."""


class StepFailed(EngineError):
    """A step failed and said why already."""


class StateError(EngineError):
    """A checkpoint, journal or lock that cannot be used."""


class SecretsError(EngineError):
    """A missing or wrong passphrase, or a ciphertext that does not open."""


class LockedError(EngineError):
    """Another living process works on the same stack."""


class UnsupportedError(EngineError):
    """A resource, function or option that only the Pulumi CLI covers."""


class CheckError(EngineError):
    """Inputs that do not fit the resource's schema. `failures`: list of `(path, reason)`."""

    def __init__(self, failures: list[tuple[str, str]]):
        self.failures = failures
        super().__init__("\n".join(f"{path}: {reason}" for path, reason in failures))


class ProviderError(EngineError):
    """The Docker daemon (or its absence) refused an operation."""


class ConnectionLost(ProviderError):
    """The daemon did not answer: whether an operation took effect is not known."""


class Unfinished(ProviderError):
    """An object was made, and what had to follow failed: the next run must look for it."""


class PartialError(ProviderError):
    """An operation took effect but did not end well. `outputs`: what the daemon has now."""

    def __init__(self, message: str, outputs: dict, resource_id: str, detail: str = ""):
        super().__init__(message)
        self.outputs = outputs
        self.resource_id = resource_id
        self.detail = detail
