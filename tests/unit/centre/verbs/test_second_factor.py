"""`asp second-factor`: asks, records who and why before anything is removed, and removes what signs in only."""

import json

import pytest

from centre import __main__ as asp
from centre.faults import UsageFault
from centre.identity.second_factor import reset
from centre.verbs import second_factor
from inventory import paths
from inventory.register import load


class Keycloak:
    """One user with a password, a one-time code and something else."""

    def __init__(self):
        kinds = ("password", "otp", "recovery")
        self.credentials = {f"c-{kind}": {"id": f"c-{kind}", "type": kind} for kind in kinds}
        self.ended = []

    def get(self, *parts, **query):
        if parts == ("users",):
            return [{"id": "u", "username": "minta.iktato"}] if query["username"] == "minta.iktato" else []
        assert parts == ("users", "u", "credentials")
        return list(self.credentials.values())

    def remove(self, *parts):
        del self.credentials[parts[-1]]

    def create(self, *parts, body):
        self.ended.append(parts)


def test_the_clerk_sets_it_up_anew_and_is_signed_out():
    keycloak = Keycloak()
    assert reset(keycloak, "minta.iktato") == ["password", "otp"]
    assert list(keycloak.credentials) == ["c-recovery"]
    assert keycloak.ended == [("users", "u", "logout")]
    assert reset(keycloak, "minta.iktato") == []


def test_somebody_who_never_joined_is_said_so():
    with pytest.raises(UsageFault, match="seen no such user.*asp join"):
        reset(Keycloak(), "senki.sehol")


def test_nothing_is_removed_without_the_clerks_name():
    with pytest.raises(UsageFault, match="seen minta.admin, wanted --confirm minta.iktato"):
        second_factor.confirm("minta.iktato", "minta.admin", lambda _: "")
    second_factor.confirm("minta.iktato", "minta.iktato", lambda _: "")


def test_only_clerks_of_the_register():
    register = load("test")
    second_factor.require_clerk(register, "minta.iktato")
    with pytest.raises(UsageFault, match="seen in no office"):
        second_factor.require_clerk(register, "senki.sehol")


def test_who_and_why_is_recorded(tmp_path, monkeypatch):
    monkeypatch.setattr(paths, "LOCAL", tmp_path)
    paths.environment_dir("test").mkdir(parents=True)
    second_factor.record("test", "minta.iktato", "lost")
    [line] = (paths.environment_dir("test") / second_factor.RECORD).read_text().splitlines()
    entry = json.loads(line)
    assert (entry["clerk"], entry["reason"]) == ("minta.iktato", "lost")
    assert entry["operator"] and entry["at"]


def test_the_command_offers_every_reason():
    text = asp.parse(["second-factor", "minta.iktato", "--reason", "lost"])
    assert text.reason == "lost"
    for reason in second_factor.REASONS:
        asp.parse(["second-factor", "minta.iktato", "--reason", reason])


@pytest.mark.parametrize("confirmation", ["minta.admin", "", None])
def test_without_the_very_name_nothing_is_removed(confirmation):
    with pytest.raises(UsageFault, match="nothing removed"):
        second_factor.confirm("minta.iktato", confirmation, lambda _: "minta.admin")


class Unreachable(Keycloak):
    """Answers until something is to be removed. Entered as the real one is."""

    def __enter__(self):
        return self

    def __exit__(self, *_):
        pass

    def remove(self, *parts):
        raise ConnectionError("the identity provider is gone")


@pytest.fixture
def command(monkeypatch, tmp_path):
    monkeypatch.setattr(paths, "LOCAL", tmp_path)
    paths.environment_dir("test").mkdir(parents=True)
    monkeypatch.setattr(second_factor, "Runtime", lambda register: None)
    monkeypatch.setattr(second_factor.vault, "load", lambda register: None)
    monkeypatch.setattr(second_factor, "Keycloak", lambda runtime, secrets: Unreachable())

    def run(clerk, confirmation):
        words = ["second-factor", clerk, "--env", "test", "--reason", "lost", "--confirm", confirmation]
        return second_factor.run(asp.parse(words))

    return run


def test_what_is_begun_is_on_record_also_when_it_fails(command):
    with pytest.raises(ConnectionError):
        command("minta.iktato", "minta.iktato")
    assert (paths.environment_dir("test") / second_factor.RECORD).read_text().count("minta.iktato") == 1


def test_nothing_is_on_record_of_somebody_else(command):
    for clerk, confirmation in (("senki.sehol", "senki.sehol"), ("minta.iktato", "minta.admin")):
        with pytest.raises(UsageFault):
            command(clerk, confirmation)
    assert not (paths.environment_dir("test") / second_factor.RECORD).exists()
