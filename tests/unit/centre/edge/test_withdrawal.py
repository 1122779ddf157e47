"""Taking certificates away: whose, written down before it is done, refused before it is said to be done, for good."""

import json

import pytest

from centre.edge import issuance, revocation, revocation_ledger
from centre.edge.issuance import Barred
from centre.edge.revocation_ledger import Kind, Reason, Scope
from centre.faults import UsageFault
from centre.ledger import LedgerFault
from centre.reach.runtime import RuntimeFault
from centre.verbs.cli import certificate
from inventory import paths

CLERK, OTHER, SEAT, KSH = "minta.iktato", "minta.admin", "sajoszentpeter-1", "16054"


@pytest.fixture
def certificates(register, secrets):
    """Certificates of two clerks of one office, one of them at a workstation, and of another office's clerk."""
    issuance.token(register, secrets, CLERK, KSH, SEAT)
    issuance.token(register, secrets, CLERK, KSH)
    issuance.token(register, secrets, OTHER, KSH)
    issuance.token(register, secrets, "proba.kozos", "14915")
    return list(issuance.valid(register))


@pytest.mark.parametrize(
    ("kind", "name", "places"),
    [
        ("clerk", CLERK, [0, 1]),
        ("seat", SEAT, [0]),
        ("office", KSH, [0, 1, 2]),
        ("office", "29188", [3]),  # a member of the joint office, whose seat is another municipality
    ],
)
def test_exactly_the_certificates_of_the_scope_are_revoked(
    centre, withdrawals, certificates, runtime, kind, name, places
):
    scope = withdrawals.scope(kind, name)
    assert withdrawals.look(scope) == [f"to be revoked: {certificates[place]}" for place in places]
    outcome = withdrawals.revoke(scope, Reason.STOLEN, "case 2026/114", runtime)
    assert outcome.changed
    assert centre.listed == {int(certificates[place].serial): 1 for place in places}, "key compromise"
    (entry,) = revocation_ledger.read(withdrawals.register, withdrawals.secrets)
    assert entry["operator"] == revocation_ledger.operator() and entry["at"].endswith("+00:00")
    assert (entry["kind"], entry["reason"], entry["note"]) == (kind, "stolen", "case 2026/114")
    assert entry["serials"] == [certificates[place].serial for place in places]


def test_another_workstation_and_another_office_keep_theirs(centre, withdrawals, runtime, register, secrets):
    """A joint office serves several municipalities; each workstation is one of many."""
    issuance.token(register, secrets, CLERK, KSH, SEAT)
    for ksh in ("14915", "29188"):
        issuance.token(register, secrets, "proba.kozos", ksh, "malyinka-1")
    own, *joint = [int(one.serial) for one in issuance.valid(register)]
    withdrawals.revoke(withdrawals.scope("seat", SEAT), Reason.STOLEN, "", runtime)
    assert set(centre.listed) == {own}
    withdrawals.revoke(withdrawals.scope("office", "29188"), Reason.STOLEN, "", runtime)
    assert set(centre.listed) == {own, *joint}


@pytest.mark.parametrize(
    ("reason", "code", "bars", "closes"),
    [
        (Reason.STOLEN, 1, True, False),  # RFC 5280: key compromise, and the computer was taken, not the person
        (Reason.LEFT, 3, True, True),
        (Reason.REPLACED, 4, False, False),
        (Reason.CLOSED, 5, True, False),
        (Reason.WITHDRAWN, 9, True, True),
    ],
)
def test_what_follows_from_each_reason(reason, code, bars, closes):
    assert (reason.code, reason.bars, reason.closes_sign_in) == (code, bars, closes)


def test_one_certificate_is_revoked_by_its_serial_number_recorded_or_not(centre, withdrawals, certificates, runtime):
    for text, number in ((hex(int(certificates[0].serial)), int(certificates[0].serial)), ("0a:1b", 0xA1B)):
        outcome = withdrawals.revoke(withdrawals.scope("certificate", text), Reason.REPLACED, "", runtime)
        assert outcome.changed and number in centre.listed
    assert len(centre.listed) == 2


def test_a_second_time_nothing_changes(centre, withdrawals, certificates, runtime):
    scope = Scope(Kind.CLERK, CLERK)
    withdrawals.revoke(scope, Reason.LEFT, "", runtime)
    again = withdrawals.revoke(scope, Reason.LEFT, "", runtime)
    assert not again.changed and "0 certificates revoked, 2 were revoked already" in again.lines[0]
    assert len(revocation_ledger.read(withdrawals.register, withdrawals.secrets)) == 1
    assert all(line.startswith("revoked already") for line in withdrawals.look(scope))


def test_it_is_not_done_before_the_edge_refuses(centre, withdrawals, certificates, runtime, monkeypatch):
    monkeypatch.setattr(revocation, "RELOAD_SECONDS", -withdrawals.register.environment.pki.crl_refresh_seconds)
    centre.edge_follows = False
    with pytest.raises(RuntimeFault, match="2 of 2 certificates are still let in 0 s"):
        withdrawals.revoke(Scope(Kind.CLERK, CLERK), Reason.STOLEN, "", runtime)
    assert withdrawals.history(), "what was begun is written down"
    centre.edge_follows = True
    assert "the edge refuses all 2" in withdrawals.revoke(Scope(Kind.CLERK, CLERK), Reason.STOLEN, "", runtime).lines[0]


def test_what_was_begun_and_not_done_is_completed(centre, withdrawals, certificates, runtime, monkeypatch):
    def unreachable(*_):
        raise RuntimeFault("step-ca does not answer")

    with monkeypatch.context() as patch:
        patch.setattr(revocation, "revoke_all", unreachable)
        with pytest.raises(RuntimeFault):
            withdrawals.revoke(Scope(Kind.CLERK, CLERK), Reason.STOLEN, "", runtime)
    assert not centre.listed
    assert withdrawals.reapply(runtime).lines == ["2 of 2 revocations were missing at step-ca"]
    assert len(centre.listed) == 2 and not withdrawals.reapply(runtime).changed


def test_losing_step_cas_volume_undoes_no_revocation(centre, withdrawals, certificates, runtime):
    withdrawals.revoke(Scope(Kind.SEAT, SEAT), Reason.STOLEN, "", runtime)
    withdrawals.revoke(Scope(Kind.CLERK, OTHER), Reason.WITHDRAWN, "", runtime)
    before, centre.listed = centre.listed, {}
    assert withdrawals.reapply(runtime).changed
    assert centre.listed == before


def test_whoever_left_is_signed_out_and_cannot_sign_in_until_it_is_lifted(centre, withdrawals, certificates, runtime):
    scope = Scope(Kind.CLERK, CLERK)
    lines = withdrawals.revoke(scope, Reason.LEFT, "", runtime).lines
    assert not centre.user["enabled"] and not centre.sessions
    assert f"user {CLERK} disabled" in lines and f"2 sessions of {CLERK} ended" in lines
    assert "Remove the clerk from the register too" in lines[-1]
    assert withdrawals.lift(scope, "", runtime).changed and centre.user["enabled"]
    assert not withdrawals.lift(scope, "", runtime).changed


def test_a_stolen_computer_ends_the_clerks_sessions_and_leaves_the_account(centre, withdrawals, certificates, runtime):
    withdrawals.revoke(Scope(Kind.CLERK, CLERK), Reason.STOLEN, "", runtime)
    assert centre.user["enabled"] and not centre.sessions


@pytest.mark.parametrize(("kind", "name"), [("clerk", CLERK), ("seat", SEAT), ("office", KSH)])
def test_the_next_play_does_not_undo_a_revocation(centre, withdrawals, certificates, runtime, kind, name):
    """A workstation whose certificate is on the list enrols again by itself: also a stolen one would."""
    register, secrets, scope = withdrawals.register, withdrawals.secrets, Scope(Kind(kind), name)
    lines = withdrawals.revoke(scope, Reason.STOLEN, "", runtime).lines
    lift = f"asp revoke --{kind} {name} --lift"
    assert lift in lines[-1]
    with pytest.raises(Barred, match=f"{kind} {name} was revoked .stolen. on .*{lift}"):
        issuance.token(register, secrets, CLERK, KSH, SEAT)
    assert (kind == "clerk" and register.clerk_of(register.offices[KSH].workstations[0]).username != CLERK) or (
        SEAT in issuance.seat_bars(register, secrets)
    )
    assert issuance.token(register, secrets, "proba.kozos", "14915"), "others are not concerned"
    withdrawals.lift(scope, "", runtime)
    assert issuance.token(register, secrets, CLERK, KSH, SEAT) and not issuance.seat_bars(register, secrets)


def test_what_is_replaced_may_enrol_again_at_once(centre, withdrawals, certificates, runtime):
    outcome = withdrawals.revoke(Scope(Kind.SEAT, SEAT), Reason.REPLACED, "", runtime)
    assert "asp endpoints" in outcome.lines[-1] and "--lift" not in outcome.lines[-1]
    assert issuance.token(withdrawals.register, withdrawals.secrets, CLERK, KSH, SEAT)


def test_a_certificate_that_has_ended_needs_no_revocation(centre, withdrawals, runtime, register):
    for serial, until in (("77", "2026-01-02"), ("78", "2099-01-01")):
        issuance._append(register.environment.id, issuance.Issuance(serial, CLERK, KSH, "", "2026-01-01", until))
    withdrawals.revoke(Scope(Kind.CLERK, CLERK), Reason.LEFT, "", runtime)
    assert set(centre.listed) == {78}


def test_a_clerk_whom_the_register_has_forgotten_can_be_revoked(centre, withdrawals, runtime, register):
    issuance._append(
        register.environment.id, issuance.Issuance("77", "regi.ember", KSH, "", "2026-01-01", "2099-01-01")
    )
    withdrawals.revoke(withdrawals.scope("clerk", "regi.ember"), Reason.LEFT, "", runtime)
    assert 77 in centre.listed


@pytest.mark.parametrize(
    ("kind", "name", "message"),
    [
        ("clerk", "senki.se", "Known: .*minta.iktato"),
        ("seat", "nowhere-1", SEAT),
        ("certificate", "x", "wanted decimal"),
    ],
)
def test_an_unknown_name_is_refused_with_the_known_ones(withdrawals, kind, name, message):
    with pytest.raises(UsageFault, match=message):
        withdrawals.scope(kind, name)


@pytest.mark.parametrize("note", [f"{CLERK} ellopta", f"{CLERK.upper()} ELLOPTA", "a" * 201, "two\nlines"])
def test_a_note_names_nobody_and_is_short(withdrawals, runtime, note):
    with pytest.raises(UsageFault, match="note: seen"):
        withdrawals.revoke(Scope(Kind.SEAT, SEAT), Reason.STOLEN, note, runtime)
    assert withdrawals.history() == ["nothing was revoked yet"]


def test_the_ledger_is_listed_and_a_changed_one_is_refused(centre, withdrawals, certificates, runtime):
    withdrawals.revoke(Scope(Kind.SEAT, SEAT), Reason.STOLEN, "case 1", runtime)
    withdrawals.lift(Scope(Kind.SEAT, SEAT), "new computer", runtime)
    first, second = withdrawals.history()
    assert "seat sajoszentpeter-1 revoked, stolen, 1 certificates: case 1" in first and certificates[0].serial in first
    assert second.endswith("seat sajoszentpeter-1 lifted: new computer")
    file = paths.environment_dir("test") / "revocations.jsonl"
    file.write_text(file.read_text().replace('"stolen"', '"replaced"'))
    with pytest.raises(LedgerFault, match="revocations.jsonl, line 1"):
        withdrawals.history()
    with pytest.raises(LedgerFault):
        issuance.token(withdrawals.register, withdrawals.secrets, CLERK, KSH)


def test_the_record_of_tokens_outlives_a_machine_that_dies_while_it_writes(register, secrets, certificates):
    file = issuance.file_of("test")
    file.write_text(file.read_text() + json.dumps({"serial": "9"})[:9])
    issuance.token(register, secrets, CLERK, KSH)
    assert len(list(issuance.valid(register))) == 5
    assert file.stat().st_mode & 0o777 == 0o600
    assert len({one.serial for one in issuance.valid(register)}) == 5


def test_the_command_line_offers_every_reason():
    assert list(certificate.REASONS) == [reason.value for reason in Reason]


def test_only_the_record_hands_out_tokens_of_clerks():
    """A token from elsewhere would be good for a certificate that no operator could name."""
    callers = [
        str(file.relative_to(paths.ROOT))
        for room in ("centre", "checks", "playbooks", "roles", "stacks")
        for file in (paths.ROOT / room).rglob("*.py")
        if "tokens.token(" in file.read_text(encoding="utf-8")
    ]
    assert callers == ["centre/edge/issuance.py"]
