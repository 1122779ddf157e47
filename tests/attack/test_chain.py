"""The chain between systems of one municipality: who may say what to whom, whatever server has been taken over."""

from __future__ import annotations

import json
import time
import uuid
from typing import Any

import pytest

from systems.shared import parts
from tests.attack.registry import Tries, Untried, attack, control
from tests.attack.target import Target

RELAY_SECONDS = 12  # in which a message of a municipality that is being served reaches its handler
CASES = ("ado", "iparker", "hagyatek")  # systems that deal with citizens' cases

# Beside these nobody says anything: written by hand from docs, so that a mistake in the centre's own table shows.
SHELL = ("signed-in", "present")
NO_LOG = ("elugy", "adattar", "training")  # systems where no clerk changes anything that the business log has


def allowed(target: Target, source: str) -> set[tuple[str, str]]:
    """(target, topic) that a system may send."""
    pairs = {("keret", topic) for topic in SHELL}
    if source not in NO_LOG:
        pairs.add(("keret", "activity"))
    if parts.delivers(source):
        pairs.add(("adattar", "feed"))
    if parts.imports(source):
        pairs |= {("migration", topic) for topic in ("import-report", "import-done")}
    if source == "migration":
        pairs |= {(s, topic) for s in target.systems if parts.imports(s) for topic in ("import-check", "import-apply")}
    if source == "elugy":
        pairs.add(("irat", "submission"))
    if source == "irat":
        pairs |= {(system, "case") for system in CASES} | {("elugy", "status")}
    if source in CASES:
        pairs |= {("irat", "decision"), ("elugy", "status")}
    return pairs


TOPICS = {
    "keret": ("activity", "signed-in", "present", "signed-out"),
    "irat": ("submission", "decision"),
    "elugy": ("status",),
    "ado": ("case",),
    "iparker": ("case",),
    "hagyatek": ("case",),
    "adattar": ("feed",),
    "migration": ("import-report", "import-done"),
}
SYSTEMS = (
    "keret",
    "irat",
    "portal",
    "elugy",
    "gazd",
    "ivk",
    "ado",
    "iparker",
    "hagyatek",
    "adattar",
    "helpdesk",
    "training",
    "migration",
)


def words(source: str, receiver: str, topic: str) -> str:
    """The statement that sends a message."""
    return (
        "INSERT INTO chain.message (source, target, topic, key, body) "
        f"VALUES ('{source}', '{receiver}', '{topic}', 'attack', '{{}}')"
    )


@pytest.fixture(scope="module", autouse=True)
def alive(target: Target) -> None:
    missing = set(target.register.systems) - set(SYSTEMS)
    control(not missing, f"systems that these attacks do not know: {missing}")
    answer = target.sql("portal", words("portal", "keret", "activity"))
    control(answer.ok, answer)


@attack(
    "M01",
    "chain",
    "a system's login sends what it has no business to send",
    {one: one for one in SYSTEMS},
    short=True,
    alike=True,
)
def test_messages_that_nobody_may_send(target: Target, tries: Tries, way: str) -> None:
    if way not in target.systems:
        raise Untried(f"{target.own.name} has no {way}")
    fine, statements = allowed(target, way), []
    for receiver in target.systems:
        topics = [*TOPICS.get(receiver, ()), *(("import-check", "import-apply") if parts.imports(receiver) else ())]
        statements += [
            words(way, receiver, topic) for topic in (*topics, "nincs-ilyen") if (receiver, topic) not in fine
        ]
    answers = target.foothold(way).sql(target.own.role(way), statements)
    for sql, answer in zip(statements, answers, strict=True):
        tries.holds(not answer.ok, f"{sql}: {answer}")


@attack("M02", "chain", "every message that a system needs can be sent: the wall is not too high")
def test_messages_that_must_pass(target: Target, tries: Tries) -> None:
    for system in target.systems:
        if system == "migration":
            continue
        statements = [words(system, *pair) for pair in sorted(allowed(target, system))]
        for sql, answer in zip(
            statements, target.foothold(system).sql(target.own.role(system), statements), strict=True
        ):
            tries.holds(answer.ok, f"{sql}: {answer}")


@attack("M03", "chain", "a message in another system's name")
def test_source(target: Target, tries: Tries) -> None:
    for me in ("portal", "elugy", "helpdesk"):
        statements = [words(other, "keret", "signed-in") for other in (*target.systems, "", "postgres") if other != me]
        for sql, answer in zip(statements, target.foothold(me).sql(target.own.role(me), statements), strict=True):
            tries.holds(not answer.ok, f"{me}: {sql}: {answer}")


ROWS = {
    "change": "UPDATE chain.message SET body = '{}' WHERE true",
    "remove": "DELETE FROM chain.message",
    "empty": "TRUNCATE chain.message CASCADE",
    "remove-receipt": "DELETE FROM chain.receipt",
    "change-failure": "UPDATE chain.failure SET error = ''",
    "forget-soon": "SELECT chain.forget(0)",
    "forget-null": "SELECT chain.forget(NULL)",
    "forget-past": "SELECT chain.forget(-1)",
    "receipt-of-other": "INSERT INTO chain.message (source, target, topic, key, body) "
    "VALUES ('{me}', 'keret', 'activity', 'attack', '{}');;"
    "INSERT INTO chain.receipt (message_id, system) SELECT max(id), 'keret' FROM chain.message",
    "receipt-unknown": "INSERT INTO chain.receipt (message_id, system) VALUES (999999999, '{me}')",
    "failure-of-other": "INSERT INTO chain.failure (message_id, error) SELECT 1, 'x' WHERE true",
    "choose-id": "INSERT INTO chain.message (id, source, target, topic, key, body) OVERRIDING SYSTEM VALUE "
    "VALUES (1, '{me}', 'keret', 'activity', 'a', '{}')",
    "bring-back": "SELECT chain.retry(1)",
    "throw-away": "SELECT chain.discard(1)",
    "run-of-other": "INSERT INTO chain.run (system, job, slot) VALUES ('keret', 'attack', 'x')",
}


@attack("M04", "chain", "changing what was said, received or done", ROWS)
def test_rows(target: Target, tries: Tries, way: str) -> None:
    for me in ("portal", "helpdesk"):
        answer = target.sql(me, way.replace("{me}", me))
        tries.holds(not answer.ok, f"{me}: {answer}")


@attack("M05", "chain", "reading messages between other systems", short=True)
def test_reading(target: Target, tries: Tries) -> None:
    for me in target.systems:
        sql = f"SELECT id, topic FROM chain.message WHERE source <> '{me}' AND target <> '{me}' LIMIT 1"
        answer = target.sql(me, sql)
        tries.holds(answer.ok and not answer.rows, f"{me}: {answer}")


@attack("M06", "chain", "a message at another municipality's chain through one's own server")
def test_other_municipalitys_chain(target: Target, tries: Tries) -> None:
    for me in ("portal", "elugy"):
        answer = target.foothold(me).sql(
            target.own.role(me), [words(me, "keret", "signed-in")], database=target.other.tenant
        )
        tries.holds(not answer[0].ok, f"{me}: {answer[0]}")


# What a forged message does at its receiver. Written, awaited, looked at, removed.


def effect(target: Target, tries: Tries, source: str, receiver: str, topic: str, body: dict, look: str) -> None:
    """Send for real; `look`: SQL that shows, as JSON, whether the receiver believed it (true is a fallen wall)."""
    key = target.token()
    text = json.dumps(body).replace("'", "''")
    sql = (
        "INSERT INTO chain.message (source, target, topic, key, body) "
        f"VALUES ('{source}', '{receiver}', '{topic}', '{key}', '{text}') RETURNING id"
    )
    answer = target.sql(source, sql, commit=True)
    if not answer.ok:
        control(answer.code == "42501", answer)
        tries.holds(True, answer)
        return
    number = int(answer.rows[0][0])
    try:
        target.holder(target.own).ask(target.own.host, f"/{receiver}/")  # who is served is looked at soon
        rows: list[Any] = [False]
        deadline = time.monotonic() + RELAY_SECONDS
        while rows == [False] and time.monotonic() < deadline:
            time.sleep(1)
            rows = target.superuser(look)
        tries.holds(rows == [False], f"{source} → {receiver} {topic}: believed")
        dead = target.superuser(
            f"SELECT json_build_object('receipt', EXISTS (SELECT FROM chain.receipt WHERE message_id = {number}), "
            f"'failures', (SELECT count(*) FROM chain.failure WHERE message_id = {number}));"
        )
        control(dead, "the chain's tables can be read")
    finally:
        target.script(
            "BEGIN;SET LOCAL session_replication_role = replica;"
            + "".join(f"DELETE FROM chain.{table} WHERE message_id = {number};" for table in ("receipt", "failure"))
            + f"DELETE FROM chain.message WHERE id = {number};COMMIT;"
        )


NOW = "2026-01-31T10:00:00+01:00"


@attack("M10", "chain", "the public site makes somebody administrator by a forged sign-in", short=True)
def test_forged_sign_in(target: Target, tries: Tries) -> None:
    name = f"proba.{target.token()}"
    body = {"username": name, "name": "Próba", "roles": ["keret.adminisztrator", "ado.ugyintezo"], "at": NOW}
    look = (
        f"SELECT to_json(EXISTS (SELECT FROM keret.clerk WHERE username = '{name}' "
        "AND token_roles::text LIKE '%keret.adminisztrator%'));"
    )
    try:
        effect(target, tries, "portal", "keret", "signed-in", body, look)
    finally:
        target.script(
            f"DELETE FROM keret.presence WHERE username = '{name}';DELETE FROM keret.clerk WHERE username = '{name}';"
        )


@attack("M11", "chain", "a forged sign-out throws a clerk out of every system")
def test_forged_sign_out(target: Target, tries: Tries) -> None:
    name = f"proba.{target.token()}"
    target.script(
        "INSERT INTO keret.clerk (username, name, position, email, phone, managed, token_roles, lock_reason, "
        f"created_at) VALUES ('{name}', 'Próba', '', '', '', false, '[]', '', now());"
    )
    look = f"SELECT to_json(EXISTS (SELECT FROM keret.clerk WHERE username = '{name}' AND not_before IS NOT NULL));"
    control(target.superuser(f"SELECT to_json(count(*)) FROM keret.clerk WHERE username = '{name}';") == [1], name)
    try:
        effect(target, tries, "portal", "keret", "signed-out", {"username": name, "at": NOW}, look)
    finally:
        target.script(f"DELETE FROM keret.clerk WHERE username = '{name}';")


@attack("M12", "chain", "a line of the business log that seems to come from another system")
def test_forged_activity(target: Target, tries: Tries) -> None:
    name = f"proba.{target.token()}"
    body = {"username": name, "name": "Próba", "system": "ado", "action": "kivetés", "subject": "x", "at": NOW}
    look = f"SELECT to_json(EXISTS (SELECT FROM keret.activity WHERE username = '{name}' AND system <> 'portal'));"
    target.later(
        lambda: target.script(
            "BEGIN;SET LOCAL session_replication_role = replica;"
            f"DELETE FROM keret.activity WHERE username = '{name}';COMMIT;"
        )
    )
    effect(target, tries, "portal", "keret", "activity", body, look)


@attack("M13", "chain", "earlier data imported without package, report or the second person's approval")
def test_forged_import(target: Target, tries: Tries) -> None:
    name = f"proba.{target.token()}"
    rows = [
        {"felhasznalonev": name, "nev": "Próba", "email": f"{name}@pelda.test", "szerepkorok": "keret.adminisztrator"}
    ]
    body = {"package": str(uuid.uuid4()), "files": {"felhasznalok.csv": rows}}
    look = f"SELECT to_json(EXISTS (SELECT FROM keret.clerk WHERE username = '{name}'));"
    try:
        effect(target, tries, "portal", "keret", "import-apply", body, look)
    finally:
        target.script(f"DELETE FROM keret.clerk WHERE username = '{name}';")


@attack("M14", "chain", "a tax case of nobody, from the public site")
def test_forged_case(target: Target, tries: Tries) -> None:
    number = str(uuid.uuid4())
    body = {"submission": number, "form": "nincs", "data": {}, "number": "IKT/1", "name": "Próba", "identifier": "1"}
    look = (
        "SELECT to_json(EXISTS (SELECT FROM chain.receipt r JOIN chain.message m ON m.id = r.message_id "
        f"WHERE m.target = 'ado' AND m.source = 'portal' AND m.body->>'submission' = '{number}'));"
    )
    effect(target, tries, "portal", "ado", "case", body, look)


@attack("M15", "chain", "a decision on a citizen's case that no office took")
def test_forged_decision(target: Target, tries: Tries) -> None:
    number = str(uuid.uuid4())
    body = {
        "submission": number,
        "number": "1",
        "outcome": "accepted",
        "text": "x",
        "decided_by": "x",
        "document": None,
    }
    look = (
        "SELECT to_json(EXISTS (SELECT FROM chain.receipt r JOIN chain.message m ON m.id = r.message_id "
        f"WHERE m.source = 'portal' AND m.topic = 'decision' AND m.body->>'submission' = '{number}'));"
    )
    effect(target, tries, "portal", "irat", "decision", body, look)


@attack("M16", "chain", "a message that can never be handled is tried and logged for ever")
def test_dead_letters(target: Target, tries: Tries) -> None:
    tables = target.superuser(
        "SELECT to_json(EXISTS (SELECT FROM information_schema.columns WHERE table_schema = 'chain' "
        "AND (table_name LIKE '%dead%' OR column_name LIKE '%dead%' OR column_name = 'given_up_at')));"
    )
    tries.holds(tables == [True], "schema chain has no place for messages that nobody can handle")
