#!/usr/bin/python3
"""Runs a cell's backup repository: pgBackRest's TLS server, and backups when the register's cron settings say so.

Configuration: `/etc/asp/backup.json` with `stanza`, `repositories` (number → folder, the first is filled by joins as
well), `full`, `differential`, `incremental` (five-field cron, local time), `metrics_port`.
What is due is computed from the settings and from pgBackRest's own catalogue, so a stop, a kill or a move of the
service neither loses a backup nor makes one twice. The first backup of all is taken when a tenant joins; until then
nothing is scheduled. After each full backup the repository is verified, and what was found is kept beside it.

`asp_backup.py verify NUMBER` verifies a repository now; `asp_backup.py state` says of each repository what it holds and
what was found last (JSON); `asp_backup.py archived NAME=OID…` notes databases that are wholly in archived WAL.
"""

import contextlib
import datetime
import json
import os
import signal
import subprocess
import sys
import threading
import time

TICK_SECONDS = 20
RETRY_SECONDS = 300
VERIFY_RETRY_SECONDS = 3600  # it reads the whole repository
# schedule → types of backup that fulfil it, the last of them being what is taken
KINDS = {"full": ("full",), "differential": ("full", "diff"), "incremental": ("full", "diff", "incr")}
SETTINGS = "/etc/asp/backup.json"
FINDING = "verified.json"  # beside the repository
INSIDE = "inside.json"  # beside the repository: the newest backup's label and its databases
ARCHIVED = "archived"  # folder beside the repository: a file a database that is wholly in archived WAL, with its oid
# In a report of `pgbackrest verify`: a backup that is whole; no fault of any kind in the line before.
SOUND, NOTHING = ", status: valid,", "missing: 0, checksum invalid: 0, size invalid: 0, other: 0"
CERTIFICATE, KEY, ROOT = "/run/secrets/tls.crt", "/run/secrets/tls.key", "/etc/asp/ca.crt"
FIELDS = ((0, 59), (0, 23), (1, 31), (1, 12), (0, 7))


class Cron:
    """A five-field cron expression: numbers, `*`, lists, ranges, steps. Sunday is 0 or 7."""

    def __init__(self, expression):
        parts = expression.split()
        if len(parts) != len(FIELDS):
            raise ValueError(f"cron expression {expression!r}: wanted 5 fields, seen {len(parts)}")
        values = [_field(part, *bounds, expression) for part, bounds in zip(parts, FIELDS, strict=True)]
        self.minutes, self.hours, self.days, self.months, weekdays = values
        self.weekdays = {day % 7 for day in weekdays}
        # Cron's rule: when both day fields are restricted, either of them is enough.
        self.either = parts[2] != "*" and parts[4] != "*"

    def on(self, day):
        """Whether it fires on a date at all."""
        by_date = day.day in self.days
        by_weekday = day.isoweekday() % 7 in self.weekdays
        return day.month in self.months and (by_date or by_weekday if self.either else by_date and by_weekday)

    def latest(self, now):
        """When it fired last, at or before `now` (naive local datetimes); None if in none of the last 8 years."""
        for back in range(8 * 366):
            day = now.date() - datetime.timedelta(days=back)
            if not self.on(day):
                continue
            for hour in sorted(self.hours, reverse=True):
                for minute in sorted(self.minutes, reverse=True):
                    moment = datetime.datetime.combine(day, datetime.time(hour, minute))
                    if moment <= now:
                        return moment
        return None


def _field(text, low, high, expression):
    values = set()
    for item in text.split(","):
        span, _, step = item.partition("/")
        first, dash, last = span.partition("-")
        try:
            start, end = (low, high) if span == "*" else (int(first), int(last if dash else first))
            if step and span != "*" and not dash:
                end = high
            stride = int(step or 1)
        except ValueError:
            raise ValueError(f"cron expression {expression!r}: {item!r} is not a number, range, list or step") from None
        if not (low <= start <= end <= high and stride > 0):
            raise ValueError(f"cron expression {expression!r}: {item!r} is outside {low}-{high}")
        values.update(range(start, end + 1, stride))
    return values


def due(schedules, backups, now):
    """The schedule (the first of KINDS) whose last firing no backup has followed, or None.

    `schedules`: name → Cron; `backups`: entries of `pgbackrest info` (type, timestamp.start in epoch seconds);
    `now`: naive local datetime.
    """
    if not backups:
        return None
    for name, types in KINDS.items():
        fired = schedules[name].latest(now)
        if fired is None:
            continue
        started = (backup["timestamp"]["start"] for backup in backups if backup["type"] in types)
        if max(started, default=0) < time.mktime(fired.timetuple()):
            return name
    return None


def backups_of(stanza, repository):
    """Finished, faultless backups of a stanza, oldest first; None when the catalogue cannot be read."""
    entries = info(stanza, repository)
    return None if entries is None else [b for entry in entries for b in entry["backup"] if not b.get("error")]


def info(stanza, repository, *options):
    """What `pgbackrest info` says of one repository: a list, empty without a stanza; None when it cannot be read."""
    command = ["pgbackrest", "info", "--output=json", f"--stanza={stanza}", "--log-level-console=error"]
    try:
        done = subprocess.run(
            [*command, f"--repo={repository}", *options], capture_output=True, text=True, timeout=60, check=False
        )
    except subprocess.TimeoutExpired as error:
        say(f"the catalogue cannot be read: no answer in {error.timeout} s")
        return None
    if done.returncode != 0:
        say(f"the catalogue cannot be read: {(done.stderr or done.stdout).strip()[-300:]}")
        return None
    return json.loads(done.stdout)


def inside(stanza, repository, folder, label):
    """Databases in one backup: name → oid; None when it cannot be read.

    pgBackRest reads the backup's whole manifest for it, seconds in a full cell, so the last answer is kept.
    """
    place = os.path.join(folder, INSIDE)
    with contextlib.suppress(FileNotFoundError, ValueError), open(place, encoding="utf-8") as stream:
        kept = json.load(stream)
        if kept["label"] == label:
            return kept["databases"]
    entries = info(stanza, repository, f"--set={label}")
    if entries is None:
        return None
    found = {row["name"]: row["oid"] for row in entries[0]["backup"][0].get("database-ref") or []}
    _keep(place, {"label": label, "databases": found})
    return found


def state(stanza, repositories):
    """Each repository: pgBackRest's `info`, databases `inside` its newest backup and `archived`, `finding`; or None."""
    told = {}
    for repository, folder in repositories.items():
        entries = info(stanza, repository)
        if entries is None:
            return None
        backups = [b for entry in entries for b in entry["backup"] if not b.get("error")]
        databases = inside(stanza, repository, folder, backups[-1]["label"]) if backups else {}
        if databases is None:
            return None
        told[repository] = {
            "info": entries, "inside": databases, "archived": archived(folder), "finding": finding(folder)
        }  # fmt: skip
    return told


def archived(folder):
    """Databases that were noted to be in archived WAL: name → oid."""
    place, found = os.path.join(folder, ARCHIVED), {}
    for name in os.listdir(place) if os.path.isdir(place) else ():
        whole = contextlib.suppress(FileNotFoundError, ValueError)  # not one that is being written
        with whole, open(os.path.join(place, name), encoding="utf-8") as stream:
            found[name] = json.load(stream)
    return found


def note_archived(folder, databases):
    """Note databases (NAME=OID) that are wholly in archived WAL. A file each, so that two who note lose nothing."""
    os.makedirs(os.path.join(folder, ARCHIVED), exist_ok=True)
    for database in databases:
        name, _, oid = database.partition("=")
        _keep(os.path.join(folder, ARCHIVED, name), int(oid))


def back_up(stanza, repository, name):
    """Take the backup that is due; whether all went well."""
    say(f"{name} backup is due in repository {repository}")
    command = ["pgbackrest", f"--stanza={stanza}", f"--repo={repository}", f"--type={KINDS[name][-1]}", "backup"]
    code = subprocess.run(command, check=False).returncode
    if code:
        say(f"{name} backup in repository {repository} ended with {code}; next attempt in {RETRY_SECONDS} s")
    return code == 0


def finding(folder):
    """What verifications found: `at`, when the repository was whole last (epoch seconds, 0: never); `damage` since."""
    try:
        with open(os.path.join(folder, FINDING), encoding="utf-8") as stream:
            return json.load(stream)
    except (FileNotFoundError, ValueError):
        return {"at": 0, "damage": ""}


def unverified(backups, found):
    """Whether a full backup ended after the repository was found whole, or it was found damaged since."""
    newest = max((backup["timestamp"]["stop"] for backup in backups if backup["type"] == "full"), default=0)
    return bool(found["damage"]) or newest > found["at"]


def verify(stanza, repository, folder):
    """Compare everything in a repository with its checksums and keep what was found; why it is not whole, or ""."""
    began, before = int(time.time()), backups_of(stanza, repository)
    command = ["pgbackrest", f"--stanza={stanza}", f"--repo={repository}", "--log-level-console=error"]
    done = subprocess.run(
        [*command, "--output=text", "--verbose", "verify"], capture_output=True, text=True, check=False
    )
    after = backups_of(stanza, repository)
    if before is None or after is None or done.returncode:  # nothing was found out
        return f"it could not be verified: exit code {done.returncode}, {(done.stderr or done.stdout).strip()[-1000:]}"
    labels = {backup["label"] for backup in before} & {backup["label"] for backup in after}
    wrong = damage(done.stdout, labels)
    _keep(os.path.join(folder, FINDING), {"at": finding(folder)["at"] if wrong else began, "damage": wrong})
    return wrong


def _keep(place, value):
    """Write a JSON file, whole or not at all."""
    new = f"{place}.{os.getpid()}"
    with open(new, "w", encoding="utf-8") as stream:
        json.dump(value, stream)
    os.replace(new, place)


def damage(report, labels):
    """What a verbose report of `pgbackrest verify` says is wrong; empty when all is well and it knows every label.

    2.55.1 exits with 0 whatever it found, says nothing without --verbose when all is well, and "status: ok" also when a
    backup's manifest or all of the backup is gone.
    """
    lines = report.splitlines()
    valid = {line.split()[1].rstrip(",") for line in lines if line.startswith("  backup: ") and SOUND in line}
    if "status: ok" in lines and labels <= valid:
        return ""
    said = [line.strip() for line in lines if SOUND not in line and not line.endswith(NOTHING)]
    lost = [f"backup {label} is not there whole" for label in sorted(labels - valid)]
    return "; ".join(said + lost)[:1000]


def newest_wal(folder, stanza):
    """When the newest WAL segment came into a repository, epoch seconds; 0 when there is none."""
    place = os.path.join(folder, "repo", "archive", stanza)
    for _ in range(2):  # the cluster's version and number, then the segments' first sixteen digits
        inside = sorted(entry.path for entry in os.scandir(place) if entry.is_dir()) if os.path.isdir(place) else []
        if not inside:
            return 0.0
        place = inside[-1]
    return max((entry.stat().st_mtime for entry in os.scandir(place)), default=0.0)


class Metrics:
    """What is told of each repository as Prometheus text; the newest answer of the catalogue counts."""

    HELP = {
        "asp_backup_count": "Faultless backups in the repository.",
        "asp_backup_newest_timestamp_seconds": "When the newest faultless backup of a type ended.",
        "asp_backup_newest_size_bytes": "Size of the cluster in the newest faultless backup of a type.",
        "asp_backup_newest_repository_bytes": "What the newest faultless backup of a type takes in the repository.",
        "asp_backup_catalogue_timestamp_seconds": "When the catalogue was last read without a fault.",
        "asp_backup_runs_total": "Scheduled backups since the start of the service, by outcome.",
        "asp_backup_verified_timestamp_seconds": "When the repository was last verified and whole; 0: never.",
        "asp_backup_damaged": "1 when the last verification found a fault.",
        "asp_archive_newest_wal_timestamp_seconds": "When the newest WAL segment came into the repository.",
    }

    def __init__(self, stanza, repositories):
        self.stanza, self.repositories = stanza, repositories
        self._values = {}
        for repository in repositories:
            for outcome in ("done", "failed"):
                self._set("asp_backup_runs_total", 0, repository, outcome=outcome)

    def _set(self, name, value, repository, **labels):
        self._values[(name, (("repository", repository), *labels.items()))] = value

    def ran(self, repository, well):
        """Count one scheduled backup."""
        key = ("asp_backup_runs_total", (("repository", repository), ("outcome", "done" if well else "failed")))
        self._values[key] += 1

    def read(self, repository, backups):
        """Take over a catalogue that was read: entries of `pgbackrest info`, oldest first."""
        self._set("asp_backup_catalogue_timestamp_seconds", int(time.time()), repository)
        self._set("asp_backup_count", len(backups), repository)
        for backup in backups:
            kind = backup["type"]
            self._set("asp_backup_newest_timestamp_seconds", backup["timestamp"]["stop"], repository, type=kind)
            self._set("asp_backup_newest_size_bytes", backup["info"]["size"], repository, type=kind)
            held = backup["info"]["repository"].get("size") or backup["info"]["repository"]["delta"]
            self._set("asp_backup_newest_repository_bytes", held, repository, type=kind)

    def text(self):
        """All of it, with the archive and what verifications found as they are now."""
        for repository, folder in self.repositories.items():
            with contextlib.suppress(FileNotFoundError):  # expired meanwhile: the last value stays
                moment = int(newest_wal(folder, self.stanza))
                self._set("asp_archive_newest_wal_timestamp_seconds", moment, repository)
            found = finding(folder)
            self._set("asp_backup_verified_timestamp_seconds", found["at"], repository)
            self._set("asp_backup_damaged", int(bool(found["damage"])), repository)
        lines, told = [], set()
        for (name, labels), value in sorted(dict(self._values).items()):
            if name not in told:
                kind = "counter" if name.endswith("_total") else "gauge"
                lines += [f"# HELP {name} {self.HELP[name]}", f"# TYPE {name} {kind}"]
                told.add(name)
            shown = ",".join(f'{label}="{text}"' for label, text in labels)
            lines.append(f"{name}{{{shown}}} {value}")
        return "\n".join(lines) + "\n"


def serve(metrics, port):
    """Metrics over TLS, for holders of a certificate of our root only."""
    # Here, because who only asks for the state would wait for them as long as for the answer.
    import ssl
    from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            found = self.path == "/metrics"
            body = metrics.text().encode() if found else b""
            self.send_response(200 if found else 404)
            self.send_header("Content-Type", "text/plain; version=0.0.4")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_):
            pass

    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(CERTIFICATE, KEY)
    tls.load_verify_locations(ROOT)
    tls.verify_mode = ssl.CERT_REQUIRED
    server = ThreadingHTTPServer(("0.0.0.0", port), Handler)
    server.socket = tls.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    threading.Thread(target=server.serve_forever, daemon=True).start()


def say(text):
    print(f"asp-backup: {text}", file=sys.stderr, flush=True)


def told(settings, verb, words):
    """What a command from outside asks for; the exit code."""
    stanza, repositories = settings["stanza"], settings["repositories"]
    if verb == "state":
        found = state(stanza, repositories)
        print(json.dumps(found))
        return 1 if found is None else 0
    if verb == "archived":
        for folder in repositories.values():  # WAL goes to all of them
            note_archived(folder, words)
        return 0
    (repository,) = words
    if wrong := verify(stanza, repository, repositories[repository]):
        say(f"repository {repository} is not proven whole: {wrong}")
    return 1 if wrong else 0


def main():
    with open(SETTINGS, encoding="utf-8") as stream:
        settings = json.load(stream)
    if len(sys.argv) > 1:
        return told(settings, sys.argv[1], sys.argv[2:])
    schedules = {name: Cron(settings[name]) for name in KINDS}
    stanza = settings["stanza"]
    os.makedirs("/run/asp/lock", exist_ok=True)
    stopped = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopped.set())
    server = subprocess.Popen(["pgbackrest", "server"])
    repositories = settings["repositories"]
    metrics = Metrics(stanza, repositories)
    serve(metrics, settings["metrics_port"])
    retry, verify_again = dict.fromkeys(repositories, 0.0), dict.fromkeys(repositories, 0.0)
    while not stopped.wait(TICK_SECONDS if server.poll() is None else 0):
        if server.poll() is not None:
            say(f"the server ended with {server.returncode}")
            return 1
        for repository, folder in repositories.items():
            if stopped.is_set():
                break
            backups = backups_of(stanza, repository)
            if backups is None:
                continue
            metrics.read(repository, backups)
            if time.monotonic() >= retry[repository] and (name := due(schedules, backups, datetime.datetime.now())):
                well = back_up(stanza, repository, name)
                metrics.ran(repository, well)
                if not well:
                    retry[repository] = time.monotonic() + RETRY_SECONDS
            elif time.monotonic() >= verify_again[repository] and unverified(backups, finding(folder)):
                wrong = verify(stanza, repository, folder)
                verify_again[repository] = time.monotonic() + (VERIFY_RETRY_SECONDS if wrong else 0)
                if wrong:
                    say(f"repository {repository} is not proven whole: {wrong}; again in {VERIFY_RETRY_SECONDS} s")
    server.terminate()
    server.wait()
    return 0


if __name__ == "__main__":
    sys.exit(main())
