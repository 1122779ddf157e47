"""Ciphertexts of the real CLI open here, and what is sealed here has its form."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from stacks.engine.errors import SecretsError
from stacks.engine.project import Project, StackConfig
from stacks.engine.secrets import Crypter

RECORDED = Path(__file__).parents[1] / "conformance" / "config" / "Pulumi.dev.yaml"


@pytest.fixture(scope="module")
def recorded() -> dict:
    return yaml.safe_load(RECORDED.read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def crypter(recorded) -> Crypter:
    return Crypter(recorded["encryptionsalt"], "conformance")


def test_a_ciphertext_of_the_cli_opens(recorded, crypter):
    assert crypter.open(recorded["config"]["conformance-config:token"]["secure"]) == "s3cret-token"


def test_what_is_sealed_opens_again_and_differs_each_time(crypter):
    first, second = crypter.seal("árvíztűrő"), crypter.seal("árvíztűrő")
    assert first != second
    assert first.startswith("v1:") and first.count(":") == 2
    assert crypter.open(first) == crypter.open(second) == "árvíztűrő"


def test_a_key_is_derived_only_when_it_is_needed(recorded):
    crypter = Crypter(recorded["encryptionsalt"], "conformance")
    assert crypter._thread is None
    crypter.prepare()
    thread = crypter._thread
    crypter.prepare()
    assert crypter._thread is thread and len(crypter.key()) == 32


def test_a_wrong_passphrase_is_told(recorded):
    with pytest.raises(SecretsError, match="incorrect passphrase"):
        Crypter(recorded["encryptionsalt"], "other").seal("x")


def test_a_fresh_salt_is_checked_like_the_clis(crypter):
    fresh = Crypter.fresh("p")
    assert Crypter(fresh.state, "p").open(fresh.seal("x")) == "x"
    with pytest.raises(SecretsError, match="does not open with this stack's passphrase"):
        crypter.open(fresh.seal("x"))


@pytest.mark.parametrize("text", ["", "v1", "v2:a:b", "plain"])
def test_a_malformed_salt_is_refused(text):
    with pytest.raises(SecretsError, match="is not of the form"):
        Crypter(text, "p")


def test_a_malformed_ciphertext_is_refused(crypter):
    with pytest.raises(SecretsError, match="malformed"):
        crypter.open("v1:only")


def test_the_configuration_reaches_the_program_as_the_cli_gives_it(tmp_path, crypter):
    (tmp_path / "Pulumi.yaml").write_text("name: conformance-config\nruntime: python\n", encoding="utf-8")
    (tmp_path / "Pulumi.dev.yaml").write_bytes(RECORDED.read_bytes())
    config, secret_keys = StackConfig(Project(tmp_path), "dev").resolved(crypter)
    assert config == {
        "conformance-config:greeting": "sajo",
        "conformance-config:token": "s3cret-token",
        "conformance-config:count": "2",
        "conformance-config:cells": '{"borsod":{"capacity":256},"heves":{"capacity":128}}',
    }
    assert secret_keys == ["conformance-config:token"]
