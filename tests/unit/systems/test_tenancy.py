"""Whose request it is: the edge's word, checked again against the certificate."""

import threading

import pytest
from django.db import connection

from systems import tenancy
from systems.tenancy import Refused, Tenant, of_request
from tests.support.certificates import client_cert

OWN = (("CN", "minta.iktato"), ("OU", "t16054"), ("O", "Sajószentpéter"))


def test_own_certificate_is_accepted():
    tenant = of_request("16054", client_cert(*OWN), True)
    assert (tenant.name, tenant.bearer.username, tenant.bearer.municipality) == (
        "t16054",
        "minta.iktato",
        "Sajószentpéter",
    )


@pytest.mark.parametrize("ksh", [None, "", "1605", "160540", "t16054", "16054; x"])
def test_without_the_edges_word_there_is_no_tenant(ksh):
    with pytest.raises(Refused, match="Asp-Tenant: seen .*, wanted five digits") as refusal:
        of_request(ksh, client_cert(*OWN), True)
    assert refusal.value.status == 421


@pytest.mark.parametrize(
    ("header", "message"),
    [
        (None, "no Client-Cert"),
        ("plain", "wanted a byte sequence between colons"),
        (":%%%:", "Client-Cert: "),
        (":AAAA:", "Client-Cert: "),
        (client_cert(("CN", "a"), ("OU", "t14915"), ("O", "x")), "Client-Cert of t14915 at t16054"),
        (
            client_cert(("CN", "a"), ("OU", "t16054"), ("OU", "t14915"), ("O", "x")),
            "2 values of organizationalUnitName",
        ),
        (client_cert(("OU", "t16054"), ("O", "x")), "0 values of commonName"),
    ],
)
def test_every_other_certificate_is_refused(header, message):
    with pytest.raises(Refused, match=message) as refusal:
        of_request("16054", header, True)
    assert refusal.value.status == 403


def test_pages_for_everyone_need_no_certificate_but_refuse_a_foreign_one():
    assert of_request("16054", None, False).bearer is None
    with pytest.raises(Refused, match="t14915 at t16054"):
        of_request("16054", client_cert(("CN", "a"), ("OU", "t14915"), ("O", "x")), False)


def test_no_tenant_no_database():
    with pytest.raises(LookupError):
        connection.cursor()


def test_database_and_role_follow_from_the_tenant():
    with tenancy.serving(Tenant("16054", None)):
        first = connection.get_connection_params()
    with tenancy.serving(Tenant("14915", None)):
        second = connection.get_connection_params()
    assert (first["dbname"], first["user"]) == ("t16054", "t16054_irat")
    assert (second["dbname"], second["user"]) == ("t14915", "t14915_irat")
    assert first["password"] != second["password"]
    assert first["sslmode"] == "verify-full"


def test_a_thread_never_sees_another_threads_tenant():
    seen = {}
    barrier = threading.Barrier(2, timeout=10)

    def work(ksh):
        with tenancy.serving(Tenant(ksh, None)):
            barrier.wait()
            seen[ksh] = tenancy.current().ksh

    threads = [threading.Thread(target=work, args=(ksh,)) for ksh in ("16054", "14915")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert seen == {"16054": "16054", "14915": "14915"}
    with pytest.raises(LookupError):
        tenancy.current()
