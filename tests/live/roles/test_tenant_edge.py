"""Role tenant_edge on a deployed environment: check, converge, converge again, look; failures change nothing.

The subject is Nagybarca, which no other test depends on; in the end it is as the register says.
"""

import json
import threading
import time

import pytest

from centre.edge.hosts import EdgePlanner
from inventory.vault import tokens, vault
from tests.live.roles.tenant_plays import play
from tests.support.edge_client import EdgeClient

SUBJECT, OPEN = "29188", "16054"


@pytest.fixture(scope="module")
def secrets(register):
    return vault.load(register)


@pytest.fixture(scope="module")
def host(register):
    return register.municipality(SUBJECT).host


@pytest.fixture(scope="module")
def run(register, tmp_path_factory):
    folder = tmp_path_factory.mktemp("play")

    def go(check=False, municipalities=(SUBJECT,), **variables):
        common = {"environment": register.environment.id, "municipalities": list(municipalities)}
        result = play(folder, "tenant_edge", check, **common, **variables)
        assert result.code == 0, result.text
        return result

    return go


@pytest.fixture(scope="module")
def converge(register, runtime):
    """Plans and carries out without a playbook, which takes a tenth; whether anything changed."""

    def go(state="present", ksh=SUBJECT):
        plan = getattr(EdgePlanner(register, runtime), state)([register.municipality(ksh)])
        plan.carry_out()
        return plan.changed

    return go


@pytest.fixture
def absent(converge):
    converge("absent")


@pytest.fixture
def present(converge):
    converge()


@pytest.fixture(scope="module", autouse=True)
def left_as_the_register_says(register, converge):
    converge(ksh=OPEN)
    yield
    converge("present" if register.municipality(SUBJECT).joined else "absent")


@pytest.fixture
def edge(register, runtime):
    """The control program: apply or status with a question, the answer or what it complains of."""

    def ask(verb, question, text=None):
        result = runtime.run(register.names.edge, ["asp-edge", verb], text or json.dumps(question))
        return json.loads(result.out) if result.code == 0 else result.err

    return ask


def visit(register, secrets, host):
    return EdgeClient(register, secrets).request(host, "/keret/", verify_name=False)


def test_check_mode_says_it_all_and_does_nothing(absent, run, register, secrets, host):
    first = run(check=True)
    assert first.changed == 1
    assert f"{host} certificate: issued by step-ca" in first.text
    assert f"{host} tenant: {SUBJECT} in" in first.text
    assert visit(register, secrets, host).refusal == "ASP-EDGE-UNKNOWN-HOST"


def test_a_tenant_is_opened_once_and_closed_once(absent, run, register, secrets, host):
    first = run()
    assert (first.changed, run().changed) == (1, 0)
    assert "PRIVATE KEY" not in first.text, "the key stays on the edge"
    assert "eyJ" not in first.text, "a token is not told"
    assert visit(register, secrets, host).refusal == "ASP-EDGE-NO-CERTIFICATE"
    certificate = EdgeClient(register, secrets).request(host, "/portal/").certificate
    assert certificate["subjectAltName"] == (("DNS", host),)
    assert run(state="absent", check=True).changed == 1
    assert run(state="absent").changed == 1
    assert visit(register, secrets, host).refusal == "ASP-EDGE-UNKNOWN-HOST"


def test_a_new_task_keeps_its_tenants(present, register, runtime, secrets, host):
    container = runtime.container(register.names.edge)
    container.kill()
    deadline = time.monotonic() + 60
    while True:
        try:
            reply = visit(register, secrets, host)
            if reply.refusal == "ASP-EDGE-NO-CERTIFICATE":
                break
            fault = reply.refusal
        except OSError as error:
            fault = str(error)
        assert time.monotonic() < deadline, f"60 s after the edge was killed: {fault}"
        time.sleep(0.2)
    runtime.container(register.names.edge, wait=60)


def test_a_failure_leaves_everything_as_it_was(present, edge, register, secrets, host):
    before = edge("status", {})
    municipality = register.municipality(SUBJECT)
    good = tokens.server_token(register, secrets, register.municipality(OPEN))  # for another host than it is used for
    output = edge(
        "apply",
        {
            "absent": [register.municipality(OPEN).host],
            "present": [{"host": host, "ksh": SUBJECT, "cell": municipality.cell, "token": good}],
        },
    )
    assert "step-ca refuses /1.0/sign" in output
    assert edge("status", {}) == before


@pytest.mark.parametrize(
    ("question", "message"),
    [
        ({"present": [{"host": "a.b\nevil", "ksh": "16054", "cell": "baz1"}]}, "host = 'a.b\\nevil' is not usable"),
        ({"present": [{"host": "../../x.y", "ksh": "16054", "cell": "baz1"}]}, "is not usable"),
        ({"present": [{"host": "x.asp.test", "ksh": "1605", "cell": "baz1"}]}, "ksh = '1605' is not usable"),
        ({"present": [{"host": "x.asp.test", "ksh": "16054"}]}, "cell = None is not usable"),
        ({"absent": ["../certs"]}, "is not a host name"),
        ({"present": [{"host": "uj.asp.test", "ksh": "16054", "cell": "baz1"}]}, "no certificate and no token"),
    ],
)
def test_bad_input_is_refused_by_name(edge, question, message):
    assert message in edge("apply", question)


def test_what_is_not_json_is_said_to_be_so(edge):
    assert "standard input is not JSON" in edge("apply", None, text="{")


def test_opening_and_closing_drops_no_request(absent, converge, register, secrets):
    """Requests to another tenant go on meanwhile: none fails."""
    client = EdgeClient(register, secrets)
    other = register.municipality(OPEN).host
    stop, refusals = threading.Event(), []

    def ask():
        while not stop.is_set():
            try:
                refusals.append(client.request(other, "/keret/").refusal)
            except OSError as error:
                refusals.append(str(error))

    threads = [threading.Thread(target=ask) for _ in range(2)]
    for thread in threads:
        thread.start()
    assert converge()
    assert converge("absent")
    stop.set()
    for thread in threads:
        thread.join()
    assert len(refusals) > 20, "too few requests to prove anything"
    assert set(refusals) == {"ASP-EDGE-NO-CERTIFICATE"}
