#!/usr/bin/python3
"""Runs a cell's backup repository: pgBackRest's TLS server, and backups when the register's cron settings say so.

Configuration: `/etc/asp/backup.json` with `stanza`, `repositories` (number → folder, the first is filled by joins as
well), `full`, `differential` (five-field cron, local time), `metrics_port`.
Nothing is remembered between runs: what is due is computed from the settings and from pgBackRest's own catalogue, so a
stop, a kill or a move of the service neither loses a backup nor makes one twice. The first backup of all is taken when
a tenant joins; until then nothing is scheduled. After each full backup the repository is verified.
"""

import datetime
import json
import os
import signal
import ssl
import subprocess
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

TICK_SECONDS = 20
RETRY_SECONDS = 300
KINDS = {"full": ("full",), "differential": ("full", "diff")}  # schedule → types of backup that fulfil it
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
    """The schedule ("full" before "differential") whose last firing no backup has followed, or None.

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
    command = ["pgbackrest", "info", "--output=json", f"--stanza={stanza}", "--log-level-console=error"]
    command.append(f"--repo={repository}")
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    if done.returncode != 0:
        say(f"the catalogue cannot be read: {(done.stderr or done.stdout).strip()[-300:]}")
        return None
    return [b for entry in json.loads(done.stdout) for b in entry["backup"] if not b.get("error")]


def back_up(stanza, repository, name):
    """Take the backup that is due, and verify the repository after a full one; whether all went well."""
    say(f"{name} backup is due in repository {repository}")
    command = ["pgbackrest", f"--stanza={stanza}", f"--repo={repository}"]
    code = subprocess.run([*command, f"--type={KINDS[name][-1]}", "backup"], check=False).returncode
    if code == 0 and name == "full":
        code = subprocess.run([*command, "verify"], check=False).returncode
    if code:
        say(f"{name} backup in repository {repository} ended with {code}; next attempt in {RETRY_SECONDS} s")
    return code == 0


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
        """All of it, with the archive as it is now."""
        for repository, folder in self.repositories.items():
            moment = int(newest_wal(folder, self.stanza))
            self._set("asp_archive_newest_wal_timestamp_seconds", moment, repository)
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


def main():
    with open("/etc/asp/backup.json", encoding="utf-8") as stream:
        settings = json.load(stream)
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
    retry = dict.fromkeys(repositories, 0.0)
    while not stopped.wait(TICK_SECONDS if server.poll() is None else 0):
        if server.poll() is not None:
            say(f"the server ended with {server.returncode}")
            return 1
        for repository in repositories:
            if stopped.is_set():
                break
            backups = backups_of(stanza, repository)
            if backups is not None:
                metrics.read(repository, backups)
            if time.monotonic() < retry[repository]:
                continue
            if name := backups and due(schedules, backups, datetime.datetime.now()):
                well = back_up(stanza, repository, name)
                metrics.ran(repository, well)
                if not well:
                    retry[repository] = time.monotonic() + RETRY_SECONDS
    server.terminate()
    server.wait()
    return 0


if __name__ == "__main__":
    sys.exit(main())
