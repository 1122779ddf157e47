"""A limit itself is kept, what lies just beyond it is not, and what only looks like the right answer is none."""

from __future__ import annotations

from datetime import timedelta

import pytest

from checks.verdicts import Verdict
from tests.unit.checks import support


def before(**span) -> str:
    return (support.TAKEN - timedelta(**span)).isoformat()


def after(**span) -> str:
    return (support.TAKEN + timedelta(**span)).isoformat()


GATEWAY = support.document(support.good(), "workstation")["data"]["gateway"]
OWN = support.document(support.good(), "workstation")["data"]["certificate"]["sha256"]
TOWN = support.register().municipality("16054")
IDENTITY = support.register().environment.origin(support.register().environment.identity_host)
# Check → where, and values that pass and that fail.
LIMITS = {
    "centre.services.confined": [
        (["centre", "services", "asp-dev-pki", "confinement", "user"], ["1000:0"], ["0:0", "0", "root", "root:root"]),
    ],
    "centre.archive.lag": [
        (["centre", "archive", "oldest_waiting_seconds"], [0, 300], [301]),
        (["centre", "archive", "timeout_seconds"], [1, 300], [-1, 301]),
        (["centre", "archive", "mode"], ["on", "always"], ["off"]),
    ],
    "centre.backup.age": [
        (["centre", "backup", "backups", 0, "stopped"], [before(hours=26)], [before(hours=26, seconds=1)]),
    ],
    "centre.backup.full": [(["centre", "backup", "backups", 0, "type"], ["full"], ["diff", "incr"])],
    "centre.backup.verified": [
        (
            ["centre", "verification", "2", "at"],
            [(support.TAKEN - timedelta(days=8)).timestamp()],
            [(support.TAKEN - timedelta(days=8, seconds=1)).timestamp()],
        ),
    ],
    "centre.pki.authority": [
        (["centre", "pki", "authority_until"], [after(days=30)], [after(days=30, seconds=-1)]),
    ],
    "centre.pki.crl-at-edge": [(["centre", "pki", "crl", "serials"], [[]], [["AA"]])],
    "centre.database.matrix": [
        (
            ["centre", "database", "connect", "t14915"],
            [["t14915", "t14915_irat"]],
            [["t14915", "t149150"], ["t14915x"], ["t16054"]],
        ),
    ],
    "centre.edge.redirect": [(["centre", "edge", "plain", "status"], [301, 307, 308], [200, 302, 404])],
    "centre.identity.admin-closed": [(["centre", "edge", "admin", "status"], [403, 404], [200, 302, 401, 500])],
    "centre.networks.inside": [
        (["centre", "containers", "asp-dev-edge", None, "default_route"], [True], []),
        (["centre", "containers", "asp-dev-pki", None, "default_route"], [False], [True]),
    ],
    "tenant.backup.drilled": [
        (["tenant", "drill", "proven"], [before(days=30)], [before(days=30, seconds=1)]),
    ],
    "tenant.edge.certificate": [
        (["tenant", "edge", "certificate", "until"], [after(days=14)], [after(days=14, seconds=-1)]),
    ],
    "tenant.edge.hsts": [
        (["tenant", "edge", "bare", "hsts"], ["max-age=1", "max-age=9; includeSubDomains"], ["max-age=0", "9"]),
    ],
    "tenant.database.signs-in": [
        (["tenant", "signin", "t16054_irat", "database"], ["t16054"], ["t14915", ""]),
    ],
    "tenant.database.foreign-refused": [
        (
            ["tenant", "foreign", "pooled", "message"],
            ['FATAL: permission denied for database "t16054"', "no pg_hba.conf entry for host"],
            ["connection refused", "timeout", ""],
        ),
    ],
    "tenant.identity.client": [
        (
            ["tenant", "identity", "clients", "t16054-keret", "redirects"],
            [[f"{TOWN.url('keret')}oidc/callback"]],
            [[f"{TOWN.url('irat')}oidc/callback"], ["https://elsewhere.test/keret/"]],
        ),
    ],
    "workstation.hosts.resolved": [
        (["workstation", "hosts", "id.asp.test"], [[GATEWAY]], [[GATEWAY, "192.0.2.1"], ["192.0.2.1"]]),
    ],
    "workstation.clock.skew": [(["workstation", "clock", "offset_seconds"], [5, -5, 0], [5.1, -5.1])],
    "workstation.network.latency": [(["workstation", "keret", "milliseconds"], [1000], [1000.5])],
    "workstation.certificate.valid": [
        (["workstation", "certificate", "until"], [after(days=14)], [after(days=14, seconds=-1)]),
    ],
    "workstation.certificate.subject": [
        (
            ["workstation", "certificate", "subject", "CN"],
            [["minta.iktato"]],
            [["minta.iktato", "minta.admin"], ["minta.admin", "minta.iktato"], []],
        ),
    ],
    "workstation.certificate.stores": [
        (["workstation", "stores", "firefox", "personal"], [[OWN], ["00", OWN]], [["00"], []]),
    ],
    "workstation.foreign.refused": [(["workstation", "foreign", "status"], [403], [200, 302, 404, 503])],
}
CASES = [
    pytest.param(check, at, value, verdict, id=f"{check}-{verdict}-{value}")
    for check, places in LIMITS.items()
    for at, good, bad in places
    for values, verdict in ((good, Verdict.PASS), (bad, Verdict.FAIL))
    for value in values
]


def changed(at, value):
    recording = support.good()
    if None in at:  # whichever container of the service
        containers = support.document(recording, at[0])["data"][at[1]][at[2]]
        at = [next(iter(containers)) if part is None else part for part in at]
    return support.broken(recording, at, value)


@pytest.mark.parametrize(("check", "at", "value", "verdict"), CASES)
def test_a_limit_is_where_it_is(check, at, value, verdict):
    assert support.verdicts(changed(at, value))[check][0] is verdict


def test_of_several_backups_the_newest_counts():
    recording = support.good()
    backups = support.document(recording, "centre")["data"]["backup"]["backups"]
    older = {**backups[0], "stopped": before(days=9)}
    for order in ([older, backups[0]], [backups[0], older]):
        recording = support.broken(support.good(), ["centre", "backup", "backups"], order)
        assert support.verdicts(recording)["centre.backup.age"][0] is Verdict.PASS


def test_a_redirect_of_the_frame_leads_home():
    for location, verdict in (
        ("/keret/oidc/belepes", Verdict.PASS),
        (f"{IDENTITY}/realms/asp/x", Verdict.PASS),
        (f"{IDENTITY}.elsewhere.test/", Verdict.FAIL),
    ):
        recording = support.broken(support.good(), ["workstation", "keret", "status"], 302)
        recording = support.broken(recording, ["workstation", "keret", "location"], location)
        assert support.verdicts(recording)["workstation.keret.reachable"][0] is verdict, location


def test_a_datum_is_good_through_its_lifetime():
    spans = {entry.id: entry.span for entry in support.catalogue()}
    shortest = min(spans.values())
    verdicts = support.verdicts(support.good(), support.TAKEN + shortest)
    assert verdicts[min(spans, key=spans.get)][0] is Verdict.PASS
