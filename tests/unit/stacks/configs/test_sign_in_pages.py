"""What sign-in pages say agrees with what the realm does."""

import json

import pytest

from inventory import paths
from stacks.configs import citizen_realm, realm, weak_passwords
from stacks.configs.realm_settings import SHORTEST_PASSWORD

THEMES = paths.ROOT / "stacks" / "images" / "keycloak" / "themes"


@pytest.fixture(scope="module")
def texts():
    lines = (THEMES / "asp-clerks/login/messages/messages_hu.properties").read_text(encoding="utf-8").splitlines()
    return dict(line.split("=", 1) for line in lines if not line.startswith("#"))


def test_each_realm_uses_a_theme_of_the_image(register):
    for module in (realm, citizen_realm):
        name = json.loads(module.render(register))["loginTheme"]
        assert (THEMES / name / "login" / "theme.properties").is_file(), f"{module.__name__}: {name}"


def test_a_clerk_reads_how_long_a_password_must_be(texts):
    assert f"legalább {SHORTEST_PASSWORD} betű" in texts["resetPasswordMessage"]


def test_a_clerk_reads_the_realms_waits_and_not_whether_the_password_was_right(register, texts):
    settings = realm.settings(register)
    assert (settings["failureFactor"], settings["waitIncrementSeconds"]) == (5, 60)
    assert settings["maxFailureWaitSeconds"] == 15 * 60
    text = texts["invalidPasswordMessage"]
    assert "Öt hibás próba után várni kell: először egy percet, később legfeljebb negyedórát." in text
    assert texts["accountTemporarilyDisabledMessage"] == text


@pytest.mark.parametrize(
    "word", ["onkormanyzat2026!", "önkormányzat1", "jelszó123456", "jelszojelszo", "123456789012", "qwertzuiopqwe"]
)
def test_what_somebody_tries_first_is_on_the_list_of_weak_passwords(word):
    assert word in weak_passwords.render().splitlines()


def test_the_list_of_weak_passwords_fits_into_one_config_of_docker():
    words = weak_passwords.render()
    assert len(words.encode()) < 450_000, "Docker takes 500 KB"
    assert min(map(len, words.splitlines())) == SHORTEST_PASSWORD, "shorter ones the policy refuses by their length"
