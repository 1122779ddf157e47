"""Verifiers are those of the standard, and the same input always gives the same text."""

import base64
import hmac

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stacks.configs.scram import salted_verifier, verifier

passwords = st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=1, max_size=60)


def test_the_example_of_rfc_7677():
    nonce = "rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0"
    salt = "W22ZaJ0SNY7soEsUEjb6gQ=="
    message = f"n=user,r=rOprNGfwEbeRWgbNEkqO,r={nonce},s={salt},i=4096,c=biws,r={nonce}"
    verifier = salted_verifier("pencil", base64.b64decode(salt))
    server_key = base64.b64decode(verifier.rpartition(":")[2])
    signature = base64.b64encode(hmac.digest(server_key, message.encode(), "sha256")).decode()
    assert signature == "6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4="
    assert verifier.startswith(f"SCRAM-SHA-256$4096:{salt}$")


@given(passwords)
def test_is_the_same_each_time_and_differs_by_role(password):
    assert verifier(password, "t16054_irat") == verifier(password, "t16054_irat")
    assert verifier(password, "t16054_irat") != verifier(password, "t16054_keret")
    assert password not in verifier(password, "t16054_irat") or len(password) < 8


def test_a_password_that_would_need_preparation_is_refused():
    with pytest.raises(ValueError, match="wanted an ASCII password"):
        verifier("jelszó", "t16054_irat")
