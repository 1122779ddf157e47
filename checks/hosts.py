"""`--hosts` as testinfra's users write it, mapped to what the register calls its hosts."""

from __future__ import annotations

from inventory.errors import Fault, RegisterError
from inventory.models import Municipality
from inventory.register import Register

ALL = "all"


def subjects_of(hosts: str | None, register: Register, municipality: Municipality) -> list[str]:
    """Subjects of checks that `--hosts` names; none when it is not given or says `all`.

    A host is named by itself, by a testinfra connection string (`ansible://sajoszentpeter-1`,
    `paramiko://asp-admin@sajoszentpeter-1:2210`) or by a group: `centre`, `tenant`, `workstations`.
    """
    stations = [station.name for station in register.office_of(municipality).workstations]
    groups = {"centre": [register.environment.id], "tenant": [municipality.ksh], "workstations": stations}
    subjects_by_host = {name: [name] for names in groups.values() for name in names} | groups
    subjects: list[str] = []
    for host in (hosts or "").split(","):
        name = _name(host)
        if not name:
            continue
        if name == ALL:
            return []
        if name not in subjects_by_host:
            remedy = f"Known: {', '.join([ALL, *subjects_by_host])}"
            raise RegisterError([Fault("--hosts", "host", host, f"no such host of {municipality.name}", remedy)])
        subjects += subjects_by_host[name]
    return list(dict.fromkeys(subjects))


def _name(host: str) -> str:
    """The host's name out of `connection://user@name:port`."""
    _, _, place = host.strip().rpartition("://")
    return place.rpartition("@")[2].partition(":")[0].partition("?")[0]
