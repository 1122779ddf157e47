"""The workstation roles on a deployed environment: check mode, converge, nothing left to do, look, break, mend.

Every test leaves the workstation as the playbook makes it; a break is always one that the next run mends.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509.oid import NameOID

from centre.edge import issuance, revocation
from inventory import paths
from inventory.vault import certificates, vault
from inventory.workstations import (
    CERTIFICATES_DIR,
    CHROMIUM_STORE,
    CLERK_HOME,
    POLICY_FILES,
    SYSTEM_BUNDLE,
    differences,
)
from tests.support.browser import browser, screenshot
from tests.support.workstation import Workstation

STATION, JOINT = "sajoszentpeter-1", "malyinka-1"


@dataclass(frozen=True)
class Play:
    """How a run went on one workstation: exit code, number of changed tasks, whole output."""

    code: int
    changed: int
    text: str


@pytest.fixture(scope="module")
def endpoints(register):
    """Runs playbooks/endpoints.yml on one workstation, as an operator does."""

    def run(*arguments: str, station: str = STATION) -> Play:
        environment = {**os.environ, "ASP_ENV": register.environment.id, "ANSIBLE_NOCOLOR": "1"}
        command = [str(Path(sys.executable).with_name("ansible-playbook")), "playbooks/endpoints.yml"]
        process = subprocess.run(
            [*command, "--diff", "--limit", station, *arguments],
            env=environment,
            cwd=paths.ROOT,
            capture_output=True,
            text=True,
            timeout=300,
        )
        text = process.stdout + process.stderr
        recap = re.search(r"changed=(\d+)", text)
        assert recap, f"no recap; ansible-playbook said:\n{text[-3000:]}"
        return Play(process.returncode, int(recap[1]), text)

    return run


@pytest.fixture(scope="module")
def converged(endpoints):
    """Both workstations as the playbook makes them."""
    for station in (STATION, JOINT):
        play = endpoints(station=station)
        assert play.code == 0, play.text[-3000:]


@pytest.fixture
def station(register, converged):
    with Workstation(register, STATION) as connection:
        yield connection


@pytest.fixture
def expect_mend(endpoints):
    """Asserts that one run mends what a test broke, in as many tasks, and says what it did."""

    def mend(tasks: int, says: str) -> None:
        play = endpoints()
        assert (play.code, play.changed) == (0, tasks), play.text[-3000:]
        assert says in play.text, play.text[-3000:]

    return mend


def files(station, tenant):
    return f"{CERTIFICATES_DIR}/{tenant.tenant}.crt", f"{CERTIFICATES_DIR}/{tenant.tenant}.key"


def certificate(station):
    """The clerk's certificate for the office's seat, as it lies on the workstation."""
    text = station.as_clerk("cat", files(station, station.seat.tenants[0])[0])
    return x509.load_pem_x509_certificate(text.encode())


def refuses(play, *patterns):
    assert play.code != 0, play.text[-3000:]
    words = " ".join(play.text.split())
    for pattern in patterns:
        assert re.search(pattern, words), play.text[-3000:]


def test_check_mode_tells_what_is_then_done_once(endpoints, station):
    """A computer just installed: everything of ours is missing."""
    hosts = station.run("cat", "/etc/hosts")
    block = re.sub(r"# BEGIN asp .*# END asp [a-z]+\n", "", hosts, flags=re.S)
    assert block != hosts
    station.run("tee", "/etc/hosts", stdin=block)
    leftovers = ["/var/lib/asp", *POLICY_FILES.values(), station.seat.root_file, CERTIFICATES_DIR, CHROMIUM_STORE]
    station.run("rm", "-rf", *leftovers)
    station.run("update-ca-certificates")

    foretold = endpoints("--check")
    assert (foretold.code, foretold.changed) == (0, 4), foretold.text[-3000:]
    for path in leftovers[1:]:
        station.run("test", "!", "-e", path)
    assert station.run("cat", "/etc/hosts") == block

    result = endpoints()
    assert (result.code, result.changed) == (0, 4), result.text[-3000:]
    assert station.run("cat", "/etc/hosts") == hosts
    again = endpoints()
    assert (again.code, again.changed) == (0, 0), again.text[-3000:]


def test_no_token_is_shown(endpoints, station):
    """Even the loudest run hides the one-time token."""
    station.as_clerk("rm", files(station, station.seat.tenants[0])[0])
    play = endpoints("-vvvv")
    assert (play.code, play.changed) == (0, 1), play.text[-3000:]
    assert "VALUE_SPECIFIED_IN_NO_LOG_PARAMETER" in play.text
    assert not re.search(r"eyJ[\w-]{10,}\.[\w-]{20,}\.", play.text)


@pytest.mark.parametrize("name", [STATION, JOINT])
def test_each_tenant_served_has_a_certificate_and_a_key_of_its_own(register, converged, name):
    with Workstation(register, name) as station:
        keys = set()
        for tenant in station.seat.tenants:
            crt, key = files(station, tenant)
            leaf = x509.load_pem_x509_certificate(station.as_clerk("cat", crt).encode())
            subject = {attribute.oid: attribute.value for attribute in leaf.subject}
            assert subject[NameOID.COMMON_NAME] == station.seat.clerk.username
            assert subject[NameOID.ORGANIZATIONAL_UNIT_NAME] == tenant.tenant
            assert subject[NameOID.ORGANIZATION_NAME] == tenant.name
            mode = station.run("stat", "-c", "%U %a", key).split()
            assert mode == ["ugyintezo", "600"]
            keys.add(leaf.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo))
        assert len(keys) == len(station.seat.tenants) >= 1


def test_every_store_trusts_the_root_and_holds_the_certificate(register, station):
    root = vault.load(register).root_ca.certificate.strip()
    assert root in station.run("cat", SYSTEM_BUNDLE)
    profiles = station.as_clerk("sh", "-c", "ls -d ~/.config/mozilla/firefox/*.default-esr").split()
    assert profiles, "Firefox has no profile"
    tenant = station.seat.tenants[0].tenant
    for folder in [CHROMIUM_STORE, *profiles]:
        listing = station.as_clerk("certutil", "-L", "-d", f"sql:{folder}")
        assert re.search(rf"ASP {register.environment.id} root CA\s+C", listing), listing
        assert re.search(rf"ASP {tenant} {station.seat.clerk.username}\s+u,u,u", listing), listing


def test_chromium_takes_every_policy_and_lets_the_clerk_in_at_home_only(register, station):
    own = station.seat.tenants[0]
    foreign = next(m for m in register.joined() if m.office != station.seat.office.seat)
    gateway = station.run("sh", "-c", f"getent hosts {own.host}").split()[0]
    with browser(register, STATION, [f"--host-resolver-rules=MAP {foreign.host} {gateway}"]) as driver:
        driver.set_script_timeout(20)
        driver.get("chrome://policy")
        rows = dict(driver.execute_async_script(POLICY_ROWS, len(station.seat.policies("chromium"))))
        assert rows == dict.fromkeys(station.seat.policies("chromium"), "OK")

        driver.get(own.url())
        assert "ASP-EDGE-TENANT-MISMATCH" not in driver.page_source
        assert "ASP-EDGE-NO-CERTIFICATE" not in driver.page_source
        screenshot(driver, register, "endpoint-own")

        driver.get(foreign.url())
        assert "ASP-EDGE-TENANT-MISMATCH" in driver.page_source
        screenshot(driver, register, "endpoint-foreign-refused")
    assert not re.search("chrom", station.run("ps", "-eo", "comm=")), "the browser left processes behind"


# [name, status] of every policy that is set, as Chromium shows it; waits until as many are there as we set.
POLICY_ROWS = """
const [count, done] = arguments;
const look = () => {
  const rows = [];
  const app = document.querySelector('policy-app');
  for (const table of app?.shadowRoot?.querySelectorAll('policy-table') ?? [])
    for (const row of table.shadowRoot.querySelectorAll('policy-row')) {
      const text = name => row.shadowRoot.querySelector('.policy.row .' + name)?.textContent.trim();
      if (text('source')) rows.push([text('name'), text('messages')]);
    }
  if (rows.length >= count) done(rows); else setTimeout(look, 100);
};
look();
"""


def test_the_joint_offices_browser_shows_each_member_its_own_certificate(register, converged):
    with Workstation(register, JOINT) as station, browser(register, JOINT) as driver:
        assert len(station.seat.tenants) > 1
        for tenant in station.seat.tenants:
            driver.get(tenant.url())
            for refusal in ("TENANT-MISMATCH", "NO-CERTIFICATE", "CERTIFICATE-REVOKED", "CERTIFICATE-INVALID"):
                assert refusal not in driver.page_source, tenant.host


def test_firefox_shows_the_certificate_without_asking(register, runtime, station):
    own = station.seat.tenants[0]
    picture = f"{CLERK_HOME}/firefox.png"
    started = datetime.now(UTC)
    station.as_clerk("timeout", "90", "firefox-esr", "--headless", "--screenshot", picture, own.url(), timeout=120)
    station.as_clerk("rm", picture)
    log = runtime.container(register.names.edge).logs(since=started).decode()
    requests = [json.loads(line) for line in log.splitlines() if line.startswith("{") and own.host in line]
    mine = [line for line in requests if line["path"].startswith("/keret/")]
    assert mine, log[-2000:]
    assert {(line["certificate"], line["user"]) for line in mine} == {("valid", station.seat.clerk.username)}


def test_a_policy_changed_by_hand_is_mended_and_foreign_ones_stay(station, expect_mend):
    path, policies = POLICY_FILES["chromium"], station.seat.policies("chromium")
    content = json.loads(station.run("cat", path))
    content |= {"AutoSelectCertificateForUrls": [], "SyncDisabled": False, "BookmarkBarEnabled": True}
    station.run("tee", path, stdin=json.dumps(content))
    assert differences(json.dumps(content), "chromium", policies) == ["AutoSelectCertificateForUrls", "SyncDisabled"]
    expect_mend(1, path)
    text = station.run("cat", path)
    assert json.loads(text) == {**policies, "BookmarkBarEnabled": True}


def test_a_policy_file_that_is_no_json_is_kept_aside_and_replaced(station, expect_mend):
    path = POLICY_FILES["firefox"]
    station.run("tee", path, stdin="{ half a file")
    expect_mend(1, path)
    assert json.loads(station.run("cat", path))["policies"] == station.seat.policies("firefox")
    aside = station.run("sh", "-c", f"ls {path}.unreadable-*").split()
    assert station.run("cat", aside[0]) == "{ half a file"
    station.run("rm", *aside)


def test_a_policy_file_that_would_hide_ours_is_refused_by_name(station, endpoints):
    later = "/etc/chromium/policies/managed/zz-it.json"
    station.run("tee", later, stdin='{"PopupsAllowedForUrls": []}')
    try:
        refuses(endpoints(), r"PopupsAllowedForUrls: /etc/chromium/policies/managed/zz-it\.json is read after")
    finally:
        station.run("rm", later)
    again = endpoints()
    assert (again.code, again.changed) == (0, 0), again.text[-3000:]


def test_a_removed_certificate_is_enrolled_again(station, expect_mend):
    before = certificate(station).serial_number
    station.as_clerk("rm", *files(station, station.seat.tenants[0]))
    expect_mend(1, "enrolled (was missing)")
    assert certificate(station).serial_number != before


def test_a_certificate_with_another_key_is_enrolled_again(station, expect_mend):
    _, key = files(station, station.seat.tenants[0])
    station.as_clerk("openssl", "genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256", "-out", key)
    expect_mend(1, "spoilt: the key is not its own")


def test_a_revoked_certificate_is_enrolled_again(register, station, expect_mend):
    before = certificate(station).serial_number
    revocation.revoke(register, before)
    expect_mend(1, "enrolled (was revoked)")
    assert certificate(station).serial_number != before


def test_a_certificate_near_its_end_is_renewed(register, station, endpoints):
    """Near is a matter of the setting: with more days wanted than any certificate has, ours is near its end."""
    days = register.environment.pki.client_certificate_days + 1
    foretold = endpoints("--check", "-e", f"endpoint_certificate_renew_before_days={days}")
    assert (foretold.code, foretold.changed) == (0, 1), foretold.text[-3000:]
    assert "enrolled (was near its end" in foretold.text


def test_a_certificate_lost_from_one_browser_is_put_back_without_a_new_one(station, expect_mend):
    before = certificate(station).serial_number
    tenant = station.seat.tenants[0].tenant
    station.as_clerk(
        "certutil", "-F", "-d", f"sql:{CHROMIUM_STORE}", "-n", f"ASP {tenant} {station.seat.clerk.username}"
    )
    expect_mend(1, f"into {CHROMIUM_STORE}")
    assert certificate(station).serial_number == before


def test_a_token_works_once(register, station, endpoints, tmp_path):
    """A joining kit's token: the first use gives a certificate, the second is refused with the remedy."""
    own, clerk = station.seat.tenants[0], station.seat.clerk.username
    token = issuance.token(register, vault.load(register), clerk, own.ksh, station.seat.station.name)
    kit = tmp_path / "kit.json"
    kit.write_text(json.dumps({"endpoint_certificate_tokens": {own.ksh: token}}))

    station.as_clerk("rm", files(station, own)[0])
    first = endpoints("-e", f"@{kit}")
    assert (first.code, first.changed) == (0, 1), first.text[-3000:]

    station.as_clerk("rm", files(station, own)[0])
    second = endpoints("-e", f"@{kit}")
    refuses(second, rf"{own.tenant}: enrolment was refused by {re.escape(register.environment.pki_host)} \(401", "once")
    assert token not in first.text + second.text
    mend = endpoints()
    assert (mend.code, mend.changed) == (0, 1), mend.text[-3000:]


def test_a_centre_that_does_not_answer_is_told_for_every_host(station, endpoints):
    play = endpoints("--check", "-e", "asp_centre_address=127.0.0.1")
    host = re.escape(station.seat.tenants[0].host)
    refuses(play, rf"{host}: no answer at 127\.0\.0\.1 port \d+ .*Is the centre up, the port open")


def test_a_centre_with_another_root_is_not_trusted(register, station, endpoints, tmp_path):
    other = tmp_path / "root.json"
    other.write_text(json.dumps({"endpoint_connectivity_root": certificates.root("other").certificate}))
    play = endpoints("-e", f"@{other}")
    host = re.escape(station.seat.tenants[0].host)
    refuses(play, rf"{host}: certificate not trusted \(.+\); wanted one of the centre's root")


def test_somebody_elses_hosts_line_is_refused(station, endpoints):
    host = station.seat.tenants[0].host
    before = station.run("cat", "/etc/hosts")
    station.run("tee", "/etc/hosts", stdin=f"{before}10.9.9.9\t{host}\n")
    try:
        refuses(endpoints(), rf"{re.escape(host)} is 10\.9\.9\.9 by a line of somebody else")
    finally:
        station.run("tee", "/etc/hosts", stdin=before)


def test_after_all_this_nothing_is_left_to_do(endpoints, converged):
    for name in (STATION, JOINT):
        play = endpoints(station=name)
        assert (play.code, play.changed) == (0, 0), play.text[-3000:]
