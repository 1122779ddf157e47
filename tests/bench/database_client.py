"""Runs inside the cell's networks: writes rows through the pooler and straight at each node, and tells of every one.

Reads one JSON object from standard input: pooler, nodes (`host:port`), database, user, password, writers, pause
(seconds between a writer's rows). Prints one JSON line a row: `w`riter, `n`umber, `t0` and `t1` (monotonic seconds of
the machine, inside and outside containers alike), `ok`, and for an acknowledged row the timeline `tl` and `node` it was
written on. Ends when its standard output is gone.
"""

import json
import sys
import threading
import time

import psycopg2

INSERT = (
    "INSERT INTO bench.written (writer, number) VALUES (%s, %s) "
    "RETURNING left(pg_walfile_name(pg_current_wal_insert_lsn()), 8), host(inet_server_addr())"
)
lock = threading.Lock()


def tell(entry):
    line = json.dumps(entry)
    with lock:
        print(line, flush=True)


def write(settings, writer, target, pause, quiet):
    """One writer forever. `quiet`: refusals are expected and not told."""
    host, _, port = target.partition(":")
    certificate = {"sslmode": "verify-full", "sslcert": "/bench/tls.crt", "sslkey": "/bench/tls.key"}
    number, connection = 0, None
    while True:
        number += 1
        began = time.monotonic()
        try:
            if connection is None:
                connection = psycopg2.connect(
                    host=host,
                    port=port,
                    dbname=settings["database"],
                    user=settings["user"],
                    password=settings["password"],
                    sslrootcert="/bench/ca.crt",
                    connect_timeout=2,
                    tcp_user_timeout=2000,
                    **certificate,
                )
                connection.autocommit = True
            with connection.cursor() as cursor:
                cursor.execute(INSERT, (writer, number))
                timeline, node = cursor.fetchone()
            ended = time.monotonic()
            tell({"w": writer, "n": number, "t0": began, "t1": ended, "ok": True, "tl": timeline, "node": node})
        except psycopg2.Error as error:
            if not quiet:
                text = str(error).strip()[-160:]
                tell({"w": writer, "n": number, "t0": began, "t1": time.monotonic(), "ok": False, "error": text})
            if connection is not None:
                connection.close()
                connection = None
            time.sleep(0.02 if not quiet else 0.2)
        time.sleep(pause)


def main():
    settings = json.loads(sys.stdin.readline())
    jobs = [(f"p{i}", settings["pooler"], settings["pause"], False) for i in range(settings["writers"])]
    jobs += [(f"d{i}", node, 0.1, True) for i, node in enumerate(settings["nodes"], start=1)]
    for job in jobs:
        threading.Thread(target=write, args=(settings, *job), daemon=True).start()
    threading.Event().wait()


if __name__ == "__main__":
    main()
