"""`playbooks/revoke.yml`: what it says is done is done at the edge, at the workstation and at sign-in, for good."""

import re

import pytest
from cryptography import x509

from centre.edge import revocation, revocation_ledger
from centre.edge.issuance import Barred
from centre.edge.revocation_ledger import Kind, Reason, Scope
from centre.reach.keycloak import Keycloak
from inventory.vault import vault
from stacks.configs.edge_pages import PAGES
from tests.support.edge_client import EdgeClient, enrol

KSH, CLERK, SEAT = "16054", "minta.admin", "malyinka-1"


@pytest.fixture(scope="module")
def secrets(register):
    return vault.load(register)


@pytest.fixture
def certificate(register, secrets, tmp_path):
    return enrol(EdgeClient(register, secrets), secrets, tmp_path, CLERK, KSH)


@pytest.fixture
def lifted_at_the_end(play):
    scopes = []
    yield scopes.append
    for kind, subject in scopes:
        run = play("revoke", act="lift", kind=kind, subject=subject, confirm=subject)
        assert run.code == 0, run.text[-3000:]


def account(runtime, secrets):
    with Keycloak(runtime, secrets) as api:
        return api.get("users", username=CLERK, exact=True)[0]


def test_when_it_says_done_the_edge_refuses_and_a_clerk_who_left_cannot_sign_in(
    register, secrets, runtime, play, certificate, lifted_at_the_end, tmp_path
):
    browser, host = EdgeClient(register, secrets, certificate), register.municipality(KSH).host
    serial = str(x509.load_pem_x509_certificate(certificate.read_bytes()).serial_number)
    words = {"kind": "clerk", "subject": CLERK, "reason": "left"}
    assert browser.request(host, "/keret/").status not in (403, 421)

    preview = play("revoke", "--check", **words)
    assert preview.code == 0 and f"to be revoked: {serial}" in preview.text, preview.text[-3000:]
    unconfirmed = play("revoke", **words)
    assert unconfirmed.code == 2 and f"-e confirm={CLERK}" in unconfirmed.text
    assert browser.request(host, "/keret/").status not in (403, 421), "nothing was touched"

    lifted_at_the_end(("clerk", CLERK))
    revocation = play("revoke", confirm=CLERK, note="case 1", **words)
    assert revocation.code == 0 and revocation.changed == 1, revocation.text[-3000:]
    reply = browser.request(host, "/keret/")
    assert reply.refusal == PAGES["certificate-revoked"].code, "refused at the first request, without waiting"
    assert not account(runtime, secrets)["enabled"]
    with pytest.raises(Barred, match=f"asp revoke --clerk {CLERK} --lift"):
        enrol(EdgeClient(register, secrets), secrets, tmp_path, CLERK, KSH)

    again = play("revoke", confirm=CLERK, **words)
    assert (again.code, again.changed) == (0, 0), again.text[-3000:]
    history = play("revoke", act="list")
    assert re.search(rf"clerk {CLERK} revoked, left, \d+ certificates: case 1", history.text), history.text[-3000:]


def test_afterwards_the_clerk_may_work_again(register, secrets, runtime, certificate):
    """What the test before lifted at its end."""
    assert account(runtime, secrets)["enabled"]
    reply = EdgeClient(register, secrets, certificate).request(register.municipality(KSH).host, "/keret/")
    assert reply.status not in (403, 421)


def test_a_stolen_workstation_gets_no_new_certificate_from_the_next_play(play, lifted_at_the_end):
    lifted_at_the_end(("seat", SEAT))
    revocation = play("revoke", kind="seat", subject=SEAT, reason="stolen", confirm=SEAT)
    assert revocation.code == 0 and revocation.changed == 1, revocation.text[-3000:]
    left_out = play("endpoints", "--limit", SEAT)
    assert (left_out.code, left_out.changed) == (0, 0) and f"asp revoke --seat {SEAT} --lift" in left_out.text
    lift = play("revoke", act="lift", kind="seat", subject=SEAT, confirm=SEAT)
    assert (lift.code, lift.changed) == (0, 1), lift.text[-3000:]
    enrolled = play("endpoints", "--limit", SEAT)
    assert (enrolled.code, enrolled.changed) == (0, 1), enrolled.text[-3000:]


def test_what_step_cas_list_lacks_comes_back_from_the_ledger(register, secrets, runtime, play):
    """As after the loss of its volume: the ledger knows a revocation, the list does not."""
    scope = Scope(Kind.CERTIFICATE, str(x509.random_serial_number()))
    revocation_ledger.write_revocation(
        register, secrets, scope, Reason.STOLEN, "", [scope.name], "2099-01-01T00:00:00+00:00"
    )
    run = play("revoke", act="reapply")
    assert (run.code, run.changed) == (0, 1) and "1 of " in run.text, run.text[-3000:]
    assert int(scope.name) in revocation.serials_at_authority(register, runtime) & revocation.serials_at_edge(
        register, runtime
    )
    assert play("revoke", act="reapply").changed == 0
