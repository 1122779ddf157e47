"""A request's tenant comes from the edge and the certificate, which must agree, and lasts as long as the request."""

import threading

import pytest

from systems import tenancy
from tests.unit.systems.support import certificate


def test_the_tenant_and_its_clerk_are_recognised():
    tenant = tenancy.of_request("16054", certificate(), True)
    assert tenant.name == "t16054"
    assert tenant.bearer == tenancy.Bearer("minta.iktato", "t16054", "Sajószentpéter")


def test_a_public_page_needs_no_certificate():
    assert tenancy.of_request("16054", None, False) == tenancy.Tenant("16054", None)


@pytest.mark.parametrize("ksh", [None, "", "1605", "160540", "t16054", "16054, 14915", "१६०५४", "16054\n"])
def test_anything_but_five_digits_is_misdirected(ksh):
    with pytest.raises(tenancy.Refusal, match="Asp-Tenant is .*, must be five digits") as error_info:
        tenancy.of_request(ksh, certificate(), True)
    assert error_info.value.status == 421


@pytest.mark.parametrize(
    ("header", "cause"),
    [
        (None, "no Client-Cert"),
        ("", "must be a byte sequence between colons"),
        (":", "must be a byte sequence between colons"),
        (certificate().strip(":"), "must be a byte sequence between colons"),
        (":?:", "Client-Cert: "),
        (":AAAA:", "Client-Cert: "),
        (certificate(unit="t14915"), "Client-Cert of t14915 at t16054"),
        (certificate(unit="16054"), "Client-Cert of 16054 at t16054"),
        (certificate(unit=None), "0 values of organizationalUnitName, must be one"),
        (certificate(second_unit="t14915"), "2 values of organizationalUnitName, must be one"),
        (certificate(username=None), "0 values of commonName, must be one"),
        (certificate(organization=None), "0 values of organizationName, must be one"),
    ],
)
def test_a_certificate_that_is_not_this_tenants_is_refused(header, cause):
    with pytest.raises(tenancy.Refusal) as error_info:
        tenancy.of_request("16054", header, True)
    assert cause in error_info.value.cause
    assert error_info.value.status == 403


def test_a_certificate_is_looked_at_even_where_none_is_needed():
    with pytest.raises(tenancy.Refusal, match="Client-Cert of t14915 at t16054"):
        tenancy.of_request("16054", certificate(unit="t14915"), False)


def test_without_a_request_there_is_no_tenant():
    with pytest.raises(tenancy.NoTenant, match="no tenant is being served"):
        tenancy.current()


def test_a_tenant_lasts_as_long_as_its_request_and_ends_with_an_error_too():
    with pytest.raises(ZeroDivisionError), tenancy.serving(tenancy.Tenant("16054", None)):
        assert tenancy.current().ksh == "16054"
        _ = 1 / 0
    with pytest.raises(tenancy.NoTenant):
        tenancy.current()


def test_another_thread_does_not_inherit_the_tenant():
    results = []

    def look():
        try:
            results.append(tenancy.current())
        except tenancy.NoTenant as error:
            results.append(error)

    with tenancy.serving(tenancy.Tenant("16054", None)):
        thread = threading.Thread(target=look)
        thread.start()
        thread.join(10)
    assert isinstance(results[0], tenancy.NoTenant)
