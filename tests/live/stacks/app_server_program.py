"""Run inside an app server's container, with its own settings, keys and role: what no test outside can prove.

`test_app_servers.py` starts it, with Django set up before and one argument, what to prove; it prints one JSON value.
Whatever it writes stands in the register of a year that no clerk uses; the test removes it, which no system's role may.
"""

import datetime as dt
import json
import sys
import threading
import uuid

from django.db import DatabaseError, connection, transaction

from systems import tenancy
from systems.irat import models

YEAR, WRITERS, EACH = 1901, 8, 12


def as_tenant(ksh):
    return tenancy.serving(tenancy.Tenant(ksh, None))


def document(subject="Próba", token=None):
    return models.Document(
        sender="Próba Kft. (szintetikus)",
        subject=subject,
        received_on=dt.date(2026, 1, 31),
        registered_by="próba",
        form_token=token,
    )


def together(work):
    """Run `work(n)` in WRITERS threads that start at once; what they raised."""
    barrier, faults = threading.Barrier(WRITERS, timeout=30), []

    def run(n):
        try:
            barrier.wait()
            work(n)
        except Exception as error:
            faults.append(repr(error))
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=(n,)) for n in range(WRITERS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(120)
    return faults


def numbering(ksh):
    """Writers register at once, every third of them fails half-way: numbers given, and what went wrong."""

    class Failed(Exception):
        pass

    def work(n):
        with as_tenant(ksh):
            for turn in range(EACH):
                try:
                    with transaction.atomic():
                        document(f"{n}/{turn}").register()
                        if (n + turn) % 3 == 0:
                            raise Failed
                except Failed:
                    continue

    faults = together(work)
    with as_tenant(ksh):
        documents = models.Document.objects.filter(case__register__year=YEAR).select_related("case")
        mains = sorted(documents.values_list("case__main", flat=True))
        last = models.Register.objects.get(year=YEAR).last_main
        case = models.Case.objects.get(register__year=YEAR, main=1)
    faults += together(lambda n: sub_document(ksh, case))
    with as_tenant(ksh):
        subs = sorted(models.Document.objects.filter(case=case).values_list("sub", flat=True))
    return {"faults": faults, "mains": mains, "last": last, "subs": subs}


def sub_document(ksh, case):
    with as_tenant(ksh):
        document().register(case)


def doubled(ksh):
    """One form sent by all writers at once: documents that came of it, and the next number."""
    token = uuid.uuid4()

    def work(n):
        with as_tenant(ksh):
            document(token=token).register()

    faults = together(work)
    with as_tenant(ksh):
        count = models.Document.objects.filter(form_token=token).count()
        after = document()
        after.register()
    return {"refused": len(faults), "kinds": sorted({fault.split("(")[0] for fault in faults}), "count": count,
            "next": after.number}  # fmt: skip


def tenants(ours, theirs):
    """Threads that serve two municipalities in turn: databases in which a statement of the other's was run."""
    wrong = []

    def work(n):
        for turn in range(EACH):
            ksh = (ours, theirs)[(n + turn) % 2]
            with as_tenant(ksh), connection.cursor() as cursor:
                cursor.execute("SELECT current_database(), current_user, current_schema()")
                row = cursor.fetchone()
            if row != (f"t{ksh}", f"t{ksh}_irat", "irat"):
                wrong.append(row)

    return {"faults": together(work), "wrong": wrong}


def refusals(ksh):
    """What this role may not do, as PostgreSQL says it."""
    answers = {}
    for name, sql in {
        "another system's table": "SELECT count(*) FROM keret.clerk",
        "a new table": "CREATE TABLE irat.mine (id int)",
        "a change of schema": "ALTER TABLE document ADD COLUMN x int",
        "the bookkeeping": "SELECT count(*) FROM asp_meta.migrations",
    }.items():
        try:
            with as_tenant(ksh), connection.cursor() as cursor:
                cursor.execute(sql)
            answers[name] = "allowed"
        except DatabaseError as error:
            answers[name] = str(error).splitlines()[0]
    return answers


def search(ksh):
    """Numbers found by words without accents, by a part of the number, and by what is not there."""
    with as_tenant(ksh):
        item = document("Árvíztűrő TÜKÖRFÚRÓGÉP beszerzése")
        item.register()
        queries = ("arvizturo tukorfuro", "TÜKÖRFÚRÓ szintetikus", item.number, "arvizturo nincs-ilyen", "%", "_")
        hits = {
            query: list(models.find(query).filter(pk=item.pk).values_list("number", flat=True)) for query in queries
        }
    return {"number": item.number, "found": {query.replace(item.number, "number"): hit for query, hit in hits.items()}}


def main():
    what, *arguments = sys.argv[1:]
    models.timezone.localdate = lambda *_: dt.date(YEAR, 6, 1)
    print(json.dumps(globals()[what](*arguments)))


if __name__ == "__main__":
    main()
