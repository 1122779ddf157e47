"""Where things lie: the project's own folders, and the one git-ignored folder for all that is made on a machine."""

from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
LOCAL = ROOT / ".asp"
CACHE = LOCAL / "cache"
REGISTER = ROOT / "inventory"
CATALOGUE = "catalogue"  # folder of the register with what is the same in every environment
ENVIRONMENTS = REGISTER / "environments"


def environment_dir(env: str) -> Path:
    """Folder of everything made for one environment: state, secrets, SSH files, reports."""
    return LOCAL / env


def state_dir(env: str) -> Path:
    """Folder that holds Pulumi's file backend (`.pulumi/`) of one environment."""
    return environment_dir(env) / "state"


def reports_dir(env: str) -> Path:
    """Folder of readiness reports, one sub-folder a municipality."""
    return environment_dir(env) / "reports"
