"""What runs of an environment: services, addresses, how to sign in, the last readiness. It only reads."""

from __future__ import annotations

import argparse
import contextlib
import json
from dataclasses import asdict, dataclass

from centre.faults import OK
from centre.reach.machines import connect
from centre.reach.runtime import Runtime
from centre.verbs import lock
from centre.verbs.lock import Holder
from centre.verbs.services import Health, health, services
from inventory import paths
from inventory.register import Register, load


@dataclass(frozen=True)
class Readiness:
    """A municipality's last whole report."""

    ready: bool
    report: str


@dataclass(frozen=True)
class Place:
    """A municipality: phase, address, last readiness."""

    ksh: str
    name: str
    phase: str
    url: str
    readiness: Readiness | None


@dataclass(frozen=True)
class Seat:
    """A workstation, who sits there, and the command that reaches it."""

    name: str
    clerk: str
    office: str
    ssh: str


@dataclass(frozen=True)
class Status:
    """An environment as it is now. `at_work`: the verb that works on it; `machines`: why each of several cannot be
    used, empty where it can."""

    environment: str
    at_work: Holder | None
    machines: dict[str, str]
    services: list[Health]
    municipalities: list[Place]
    workstations: list[Seat]


def run(options: argparse.Namespace) -> int:
    """`asp status`: exit 0, whatever is seen; the daemon first, for who may not use it may not read `.asp` either."""
    try:
        register = load(options.env)
    except PermissionError:
        connect()
        raise
    status = read(register)
    print(json.dumps(asdict(status), ensure_ascii=False, indent=1) if options.json else text(status))
    return OK


def read(register: Register) -> Status:
    """Look at the daemon, the reports and the lock; Unreachable without a daemon."""
    env, runtime = register.environment.id, Runtime(register)
    key = paths.environment_dir(env).relative_to(paths.ROOT) / "ssh" / "id_ed25519"
    return Status(
        env,
        lock.holder(env),
        runtime.machines.faults(),
        [health(service) for service in services(runtime)],
        [
            Place(m.ksh, m.name, str(m.phase), m.url(), _readiness(env, m.ksh))
            for m in sorted(register.municipalities.values(), key=lambda m: m.ksh)
        ],
        [
            Seat(s.name, s.clerk, office.name, f"ssh -i {key} -p {register.ssh_port(s)} asp-admin@127.0.0.1")
            for office, s in register.workstations()
        ],
    )


def text(status: Status) -> str:
    """What an operator reads."""
    env = status.environment
    lines = [f"Environment {env}", ""]
    if status.at_work:
        lines += [f"  {status.at_work} is under way: what follows is still changing", ""]
    if status.machines:
        lines += [f"  {machine:<34} {fault or 'answers'}" for machine, fault in status.machines.items()] + [""]
    if not status.services:
        lines += [f"  nothing runs; start it with asp up {env}"]
    lines += [f"  {health.name:<34} {health}" for health in status.services]
    lines += ["", "Municipalities"]
    lines += [f"  {m.ksh} {m.name:<18} {m.phase:<12} {m.url}{_verdict(m.readiness)}" for m in status.municipalities]
    if any(m.readiness and not m.readiness.ready for m in status.municipalities):
        lines += [f"  what is missing, and the next step for it: asp check <KSH> --env {env}"]
    lines += ["", f"Clerks sign in by certificate. To see it in your own browser: asp browse --env {env}"]
    lines += ["Workstations"]
    lines += [f"  {seat.name:<18} clerk {seat.clerk} ({seat.office}); {seat.ssh}" for seat in status.workstations]
    return "\n".join(lines)


def _verdict(readiness: Readiness | None) -> str:
    return f"  {'ready' if readiness.ready else 'NOT ready'}, report {readiness.report}" if readiness else ""


def _readiness(env: str, ksh: str) -> Readiness | None:
    file = paths.reports_dir(env) / ksh / "report.json"
    if not file.is_file():
        return None
    with contextlib.suppress(ValueError):
        report = json.loads(file.read_text(encoding="utf-8"))
        page = file.with_suffix(".html")
        return Readiness(bool(report.get("ready")), str(page.relative_to(paths.ROOT)))
    return None
