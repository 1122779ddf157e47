"""A browser's policy is the register's, merged with what municipal IT set, and never half-written or misspelt."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inventory.errors import RegisterError
from inventory.register import load
from inventory.workstations import BROWSERS, POLICY_FILES, differences, seat
from tests.support.modules import endpoint_module

policy = endpoint_module("browser")


@pytest.fixture(scope="module")
def own():
    """Seat at an office that serves its own municipality only."""
    return seat(load("test"), "sajoszentpeter-1")


@pytest.fixture(scope="module")
def joint():
    """Seat at a joint office with several municipalities joined."""
    return seat(load("test"), "malyinka-1")


@pytest.fixture
def files(tmp_path):
    """Parameters of the module for a policy folder of its own."""
    folder = tmp_path / "managed"
    folder.mkdir()

    def params(browser, policies):
        record = str(tmp_path / "record.json")
        return {"browser": browser, "path": str(folder / "asp.json"), "policies": policies, "record": record}

    return folder, params


def selections(seat_):
    return [json.loads(item) for item in seat_.policies("chromium")["AutoSelectCertificateForUrls"]]


def test_every_tenant_host_gets_its_own_certificate(joint):
    filters = {item["pattern"]: item["filter"] for item in selections(joint)}
    assert len(joint.tenants) > 1
    for tenant in joint.tenants:
        assert filters[tenant.origin]["SUBJECT"] == {"CN": "proba.kozos", "OU": tenant.tenant}
        assert filters[tenant.origin]["ISSUER"] == {"CN": "ASP test issuing CA"}


def test_every_other_asp_host_gets_the_seats_certificate(joint):
    other = selections(joint)[-1]
    assert other["pattern"].startswith("https://[*.]")  # https://*.domain makes headless Chromium wait forever
    assert other["filter"]["SUBJECT"]["OU"] == f"t{joint.office.seat}"


def test_firefox_picks_by_itself_only_where_there_is_one_certificate(own, joint):
    assert own.policies("firefox")["Preferences"]["security.default_personal_cert"]["Value"] == "Select Automatically"
    assert joint.policies("firefox")["Preferences"]["security.default_personal_cert"]["Value"] == "Ask Every Time"


@pytest.mark.parametrize("browser", BROWSERS)
def test_what_the_register_wants_is_known_to_the_browser(own, joint, browser):
    for seat_ in (own, joint):
        policy.validate(browser, seat_.policies(browser))


def test_a_misspelt_policy_is_refused_with_the_known_names():
    with pytest.raises(policy.PolicyFault, match=r"PopupAllowedForUrls: not known .* one of .*PopupsAllowedForUrls"):
        policy.validate("chromium", {"PopupAllowedForUrls": []})


def test_a_policy_of_the_wrong_type_is_refused_with_both_types():
    with pytest.raises(policy.PolicyFault, match=r'SyncDisabled = "yes": is str; wanted bool'):
        policy.validate("chromium", {"SyncDisabled": "yes"})


@pytest.mark.parametrize("browser", BROWSERS)
def test_foreign_policies_stay_and_ours_win(own, files, browser):
    folder, params = files
    policies = own.policies(browser)
    foreign = {"Foreign": 1, **({"SyncDisabled": False} if browser == "chromium" else {"DisableTelemetry": False})}
    (folder / "asp.json").write_text(policy.render(foreign, browser))
    text, *_ = policy.plan(params(browser, policies))
    assert policy.parse(text, browser) == {**policies, "Foreign": 1}
    assert differences(text, browser, policies) == []


def test_items_of_municipal_it_stay_in_lists_but_not_another_choice_for_our_host(own, files):
    folder, params = files
    policies = own.policies("chromium")
    rival = json.dumps({"pattern": own.tenants[0].origin, "filter": {}})
    theirs = json.dumps({"pattern": "https://example.test", "filter": {}})
    theirs_in_file = {"AutoSelectCertificateForUrls": [rival, theirs], "PopupsAllowedForUrls": ["https://example.test"]}
    (folder / "asp.json").write_text(policy.render(theirs_in_file, "chromium"))
    merged = policy.parse(policy.plan(params("chromium", policies))[0], "chromium")
    assert merged["AutoSelectCertificateForUrls"] == [*policies["AutoSelectCertificateForUrls"], theirs]
    assert merged["PopupsAllowedForUrls"] == [*policies["PopupsAllowedForUrls"], "https://example.test"]


def test_what_we_no_longer_want_goes_though_foreign_items_stay(files):
    folder, params = files
    before = {"PopupsAllowedForUrls": ["https://a.test", "https://b.test"], "SyncDisabled": True}
    text, _, record, _ = policy.plan(params("chromium", before))
    content = policy.parse(text, "chromium")
    content["PopupsAllowedForUrls"].append("https://theirs.test")
    (folder / "asp.json").write_text(policy.render(content, "chromium"))
    after = params("chromium", {"PopupsAllowedForUrls": ["https://b.test"]})
    with open(after["record"], "w", encoding="utf-8") as stream:
        stream.write(record)
    merged = policy.parse(policy.plan(after)[0], "chromium")
    assert merged == {"PopupsAllowedForUrls": ["https://b.test", "https://theirs.test"]}


def test_an_earlier_file_of_chromium_is_taken_over_because_ours_would_hide_it(files):
    folder, params = files
    (folder / "00-it.json").write_text(json.dumps({"PopupsAllowedForUrls": ["https://it.test"], "Foreign": 1}))
    merged = policy.parse(policy.plan(params("chromium", {"PopupsAllowedForUrls": ["https://a.test"]}))[0], "chromium")
    assert merged == {"PopupsAllowedForUrls": ["https://a.test", "https://it.test"]}


def test_a_later_file_of_chromium_that_would_hide_ours_is_refused_by_name(files):
    folder, params = files
    (folder / "zz-it.json").write_text(json.dumps({"PopupsAllowedForUrls": []}))
    with pytest.raises(policy.PolicyFault, match=r"PopupsAllowedForUrls: .*zz-it\.json is read after .* and hides it"):
        policy.plan(params("chromium", {"PopupsAllowedForUrls": ["https://a.test"]}))


@pytest.mark.parametrize("text", ["", "{", "[]", "nonsense"])
def test_an_unreadable_file_is_told_apart(files, text):
    folder, params = files
    (folder / "asp.json").write_text(text)
    policies = {"SyncDisabled": True}
    merged, _, _, unreadable = policy.plan(params("chromium", policies))
    assert unreadable and policy.parse(merged, "chromium") == policies


values = st.recursive(
    st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=3), inner, max_size=4),
    max_leaves=12,
)
objects = st.dictionaries(st.text(max_size=3), values, max_size=5)


@given(objects, objects)
def test_merging_twice_is_merging_once(foreign, ours):
    once = policy.merge(foreign, ours)
    assert policy.merge(policy.subtract(once, ours) or {}, ours) == once


@given(objects, objects)
def test_after_merging_nothing_wanted_is_missing(foreign, ours):
    assert differences(policy.render(policy.merge(foreign, ours), "chromium"), "chromium", ours) == []


@pytest.mark.parametrize("browser", BROWSERS)
def test_a_policy_changed_by_hand_is_seen(own, browser):
    policies = own.policies(browser)
    for name in policies:
        changed = {**policies, name: None}
        assert differences(policy.render(changed, browser), browser, policies) == [name]
    assert differences(None, browser, policies) == differences("{", browser, policies) == sorted(policies)


def test_an_unknown_workstation_is_refused_with_the_known_ones():
    with pytest.raises(RegisterError, match="no such workstation here. Known: malyinka-1, sajoszentpeter-1"):
        seat(load("test"), "nowhere-1")


def test_policy_files_are_where_the_browsers_look():
    assert POLICY_FILES["chromium"].startswith("/etc/chromium/policies/managed/")
    assert POLICY_FILES["firefox"] == "/etc/firefox/policies/policies.json"


@pytest.mark.parametrize(("name", "value"), [("BrowserSignin", True), ("SyncDisabled", 1)])
def test_a_truth_is_no_number_and_a_number_no_truth(name, value):
    with pytest.raises(policy.PolicyFault, match=f"{name} = {json.dumps(value)}: is {type(value).__name__}; wanted"):
        policy.validate("chromium", {name: value})
