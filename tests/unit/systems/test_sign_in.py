"""Which tokens begin a session: signed for this tenant, this sign-in, a member."""

import time

import pytest
from joserfc.errors import JoseError

from systems.configuration import CatalogueEntry
from systems.core.clerk import Clerk
from systems.core.sign_in import SignInRefused, check_claims, clerk_of
from systems.keret.tiles import tiles

GOOD = {
    "iss": "https://id.asp.test/realms/asp",
    "aud": "t16054",
    "azp": "t16054",
    "nonce": "n",
    "preferred_username": "minta.iktato",
    "family_name": "Minta",
    "given_name": "Ilona",
    "organization": ["t16054"],
    "resource_access": {
        "t16054": {"roles": ["keret.felhasznalo", "irat.iktato"]},
        "t14915": {"roles": ["irat.olvaso"]},
    },
}


def claims(**changes):
    merged = {**GOOD, "exp": int(time.time()) + 300, **changes}
    return {name: value for name, value in merged.items() if value is not None}


def test_a_good_token_passes_and_names_the_clerk_in_hungarian_order():
    check_claims(claims(), "t16054", "n")
    clerk = clerk_of(claims(), "t16054", "raw")
    assert clerk.name == "Minta Ilona"
    assert clerk.roles_in("irat") == {"iktato"}


@pytest.mark.parametrize(
    "change",
    [
        {"iss": "https://id.asp.test/realms/other"},
        {"aud": "t14915"},
        {"nonce": "another"},
        {"nonce": None},
        {"exp": 1},
        {"preferred_username": None},
        {"azp": "t14915"},
    ],
)
def test_a_token_for_something_else_is_refused(change):
    with pytest.raises((JoseError, SignInRefused)):
        check_claims(claims(**change), "t16054", "n")


@pytest.mark.parametrize("organization", [None, [], ["t14915"], {"t14915": {}}])
def test_who_is_no_member_is_refused(organization):
    with pytest.raises(SignInRefused, match="not a member"):
        clerk_of(claims(organization=organization), "t16054", "raw")


def test_roles_of_another_tenant_do_not_count():
    only_elsewhere = {"t14915": {"roles": ["irat.iktato"]}}
    assert clerk_of(claims(resource_access=only_elsewhere), "t16054", "raw").roles == ()


def test_tiles_are_installed_systems_with_a_role():
    def entry(name, installed):
        return CatalogueEntry(name, name, "", False, installed)

    catalogue = [entry("keret", True), entry("irat", True), entry("ado", False), entry("gazd", True)]
    clerk = Clerk("a", "A", ("keret.felhasznalo", "irat.olvaso", "ado.ugyintezo"), "raw")
    assert [tile.id for tile in tiles(catalogue, clerk)] == ["irat"]
