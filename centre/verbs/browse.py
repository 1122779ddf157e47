"""See the product from one's own desk: a clerk's certificate for a day, the root, hosts lines, addresses, what to do.

Whoever holds the certificate is that clerk, so it is confirmed by the clerk's username, recorded, and short-lived.
"""

from __future__ import annotations

import argparse
import base64
import datetime as dt
import getpass
import json
import secrets as random
import shutil
import socket
import sys
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urljoin, urlsplit

from centre.edge.enrolment import Certificate, enrol
from centre.edge.revocation_ledger import Kind, Reason, Scope
from centre.edge.withdrawal import Withdrawals
from centre.faults import OK, UsageFault
from centre.reach.runtime import Runtime
from centre.verbs.lock import ZONE
from inventory import paths
from inventory.models import Municipality, SecondFactor
from inventory.register import Register, load
from inventory.vault import vault
from inventory.workstations import CLERK_ACCOUNT, CLERK_HOME, Seat, seat

HOURS = 24
RECORD = "browse.jsonl"  # beside the folder, so that it outlives it: who had which certificate, and since when
PICTURE_SECONDS = 90
FACTOR = {
    SecondFactor.PASSWORD: "The first sign-in asks you to choose a password, later ones ask for it.",
    SecondFactor.TOTP: "The first sign-in sets up one-time codes on your phone, later ones ask for one.",
    SecondFactor.NONE: "It signs you in; nothing else is asked.",
}
WINDOW = "1280,900"
# Chromium as the clerk's desktop has it: the clerk's own policies choose the certificate. It leaves nothing behind.
PICTURE = f"""
folder=$(mktemp -d) && trap 'rm -rf "$folder"' EXIT && cd "$folder" || exit 1
chromium --headless=new --hide-scrollbars --window-size={WINDOW} --timeout=30000 --screenshot=page.png "$1" >&2 &&
  base64 page.png
"""


def run(options: argparse.Namespace) -> int:
    """`asp browse`."""
    register = load(options.env)
    if options.end:
        print(end(register))
        return OK
    if options.screenshot is not None:
        print(picture(register, options.station or first_station(register), options.screenshot))
        return OK
    require_demonstration(register)
    clerk, municipality = choose(register, options.station, options.clerk, options.municipality)
    confirm(clerk, municipality, options.confirm, input)
    print(write(register, clerk, municipality, options.address or address()))
    return OK


def require_demonstration(register: Register) -> None:
    """Where people work for real nobody is handed a colleague's certificate: UsageFault."""
    if not register.environment.demonstration:
        raise UsageFault(
            f"environment {register.environment.id}: seen demonstration: false, wanted true for a certificate in a "
            "clerk's name outside the clerk's own workstation. See a page with --screenshot, or browse a demonstration"
        )


def first_station(register: Register) -> str:
    """The workstation that shows most: at an office with a live municipality, if there is one."""
    seats = [seat(register, station.name) for _, station in register.workstations()]
    if not seats:
        raise UsageFault(f"environment {register.environment.id} has no workstation; name --clerk and --municipality")
    return min(seats, key=lambda s: (not any(m.phase == "live" for m in s.tenants), s.station.name)).station.name


def choose(register: Register, station: str | None, clerk: str | None, ksh: str | None) -> tuple[str, Municipality]:
    """Whose certificate for which municipality. By default of the first workstation's clerk, at the office's seat."""
    if clerk and not ksh:
        raise UsageFault(f"--clerk {clerk}: wanted --municipality with it, e.g. --clerk {clerk} --municipality 16054")
    if clerk and ksh:
        return clerk, joined(register.municipality(ksh))
    place: Seat = seat(register, station or first_station(register))
    if ksh:
        return place.clerk.username, joined(register.municipality(ksh))
    if not place.tenants:
        raise UsageFault(f"{place.office.name}: none of its municipalities has joined; wanted one: asp join <KSH>")
    return place.clerk.username, place.tenants[0]


def joined(municipality: Municipality) -> Municipality:
    if not municipality.joined:
        remedy = f"wanted one that has joined: asp join {municipality.ksh}"
        raise UsageFault(f"{municipality.name} ({municipality.ksh}) is in phase {municipality.phase}; {remedy}")
    return municipality


def confirm(clerk: str, municipality: Municipality, confirmation: str | None, ask: Callable[[str], str]) -> None:
    """The clerk's username, given or typed; UsageFault otherwise."""
    if confirmation is None and sys.stdin.isatty():
        words = f"Whoever has the certificate is {clerk} at {municipality.name} for {HOURS} hours."
        confirmation = ask(f"{words} Type the username: ")
    if confirmation != clerk:
        raise UsageFault(f"no certificate: seen {confirmation or 'no confirmation'}, wanted --confirm {clerk}")


def folder_of(env: str) -> Path:
    return paths.environment_dir(env) / "browse"


def write(register: Register, clerk: str, municipality: Municipality, at: str) -> str:
    """Enrol, record, write the folder; the instructions, with the password that only they have."""
    env, secrets = register.environment.id, vault.load(register)
    certificate = enrol(register, secrets, clerk, municipality.ksh, HOURS)
    record(env, clerk, municipality, certificate)
    folder = folder_of(env)
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    password = random.token_urlsafe(9)
    bundle = folder / f"{clerk}-{municipality.ksh}.p12"
    private(bundle, certificate.bundle(f"{clerk} – {municipality.name}", password))
    (folder / "root.crt").write_text(secrets.root_ca.certificate, encoding="utf-8")
    (folder / "hosts.txt").write_text(hosts(register, municipality, at) + "\n", encoding="utf-8")
    text = instructions(register, municipality, clerk, certificate, bundle)
    (folder / "README.txt").write_text(text + "\n", encoding="utf-8")
    return f"{text}\n\nPassword of {bundle.name}, shown this once: {password}"


def private(file: Path, content: bytes) -> None:
    """A file of its owner only, from its first byte on."""
    file.unlink(missing_ok=True)
    file.touch(mode=0o600)
    file.write_bytes(content)


def record(env: str, clerk: str, municipality: Municipality, certificate: Certificate) -> None:
    """Who took which certificate; written before anybody has it."""
    entry = {
        "at": dt.datetime.now(dt.UTC).isoformat(timespec="seconds"),
        "operator": getpass.getuser(),
        "clerk": clerk,
        "municipality": municipality.ksh,
        "serial": str(certificate.serial),
        "until": certificate.own.not_valid_after_utc.isoformat(),
    }
    append(env, entry)


def append(env: str, entry: dict[str, str]) -> None:
    """A line in the record of certificates taken and revoked."""
    with (paths.environment_dir(env) / RECORD).open("a", encoding="utf-8") as stream:
        stream.write(json.dumps(entry, ensure_ascii=False) + "\n")


def end(register: Register) -> str:
    """Revoke the recorded certificates that are still good, and remove the folder."""
    env, now = register.environment.id, dt.datetime.now(dt.UTC)
    file = paths.environment_dir(env) / RECORD
    lines = file.read_text(encoding="utf-8").splitlines() if file.is_file() else []
    entries = [json.loads(line) for line in lines]
    over = {entry["revoked"] for entry in entries if "revoked" in entry}
    certificates = [entry for entry in entries if "serial" in entry and entry["serial"] not in over]
    valid = [entry["serial"] for entry in certificates if dt.datetime.fromisoformat(entry["until"]) > now]
    for serial in valid:
        revoke(register, serial)
        append(env, {"at": now.isoformat(timespec="seconds"), "operator": getpass.getuser(), "revoked": serial})
    shutil.rmtree(folder_of(env), ignore_errors=True)
    return f"{len(valid)} certificates revoked, {folder_of(env)} removed"


def revoke(register: Register, serial: str) -> None:
    """Revoke one certificate that was taken, written down as every revocation is."""
    withdrawals = Withdrawals(register, vault.load(register))
    withdrawals.revoke(Scope(Kind.CERTIFICATE, serial), Reason.REPLACED, "asp browse --end", Runtime(register))


def address() -> str:
    """This machine's address towards others: that of its default route (nothing is sent)."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))
            return str(probe.getsockname()[0])
        except OSError:
            return "127.0.0.1"


def hosts(register: Register, municipality: Municipality, at: str) -> str:
    """The line for a hosts file: a browser needs the municipality's name and the identity provider's."""
    return f"{at} {municipality.host} {register.environment.identity_host}"


def instructions(
    register: Register, municipality: Municipality, clerk: str, certificate: Certificate, bundle: Path
) -> str:
    """Step by step, from the files to the pages."""
    until = certificate.own.not_valid_after_utc.astimezone(ZONE)
    env = register.environment
    public = [system.id for system in register.systems.values() if system.public]
    own = [system for system in municipality.systems if system in register.installed_systems and system not in public]
    visible = [system for system in public if system in municipality.systems]
    citizens = ", ".join(citizen.username for citizen in env.citizens) or "none in this environment"
    return "\n".join(
        [
            f"{municipality.name} as {clerk}, until {until:%Y-%m-%d %H:%M} (Budapest). Files: {bundle.parent}",
            "",
            "1. Names: add the line of hosts.txt to your computer's hosts file (/etc/hosts, or",
            "   C:\\Windows\\System32\\drivers\\etc\\hosts), unless your DNS knows them:",
            *[f"     {line}" for line in (bundle.parent / "hosts.txt").read_text(encoding="utf-8").splitlines()],
            "2. Trust: import root.crt into the browser as an authority for websites. It is this environment's root",
            "   alone: use a browser profile of its own, and delete that when you are done.",
            f"3. Identity: import {bundle.name} into the browser as your certificate (asp browse printed",
            "   its password, once). Firefox: Settings, Certificates, Your Certificates, Import. Chromium: Settings,",
            "   Privacy and security, Security, Manage certificates, Your certificates, Import.",
            f"4. Open {municipality.url()} and choose that certificate. {FACTOR[env.identity.second_factor]}",
            f"   Somebody chose before you: asp second-factor {clerk} --reason forgotten --env {env.id}",
            "",
            "As the clerk:  " + "  ".join(municipality.url(system) for system in own[:4]),
            "For everybody: " + "  ".join(municipality.url(system) for system in visible),
            f"As a citizen (e-forms): {citizens}; passwords: asp citizens --env {env.id}",
            "",
            f"When you are done: asp browse --end --env {env.id} revokes the certificate and removes these files.",
        ]
    )


def picture(register: Register, station: str, path: str) -> Path:
    """A page as the clerk of a workstation sees it, taken by that workstation's browser; the file."""
    place = seat(register, station)
    url = path if urlsplit(path).scheme else urljoin(joined(place.tenants[0]).origin + "/", path.lstrip("/"))
    runtime = Runtime(register)
    command = ["env", f"HOME={CLERK_HOME}", "sh", "-c", PICTURE, "picture", url]
    service = register.names.workstation(station)
    printed = runtime.check(service, command, user=CLERK_ACCOUNT, timeout=PICTURE_SECONDS)
    folder = folder_of(register.environment.id)
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    name = "-".join(part for part in [station, *urlsplit(url).path.split("/")] if part)
    file = folder / f"{name}.png"
    file.write_bytes(base64.b64decode(printed))
    return file
