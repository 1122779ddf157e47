"""Lookup: what a workstation should have, from the register and the vault's public half, as one dictionary."""

from __future__ import annotations

from ansible.errors import AnsibleLookupError
from ansible.plugins.lookup import LookupBase

DOCUMENTATION = r"""
name: asp_workstation
short_description: What a workstation should have
description:
  - A dictionary with C(clerk), C(tenants) ({ksh, tenant, organization}), C(issuer) (common name), C(root) (PEM),
    C(policies) (by browser) and C(clock_skew) (seconds). Holds no secret.
options:
  _terms: {description: Environment, then the workstation's name in the register., required: true}
"""


class LookupModule(LookupBase):
    def run(self, terms, variables=None, **kwargs):
        from inventory import register as registry
        from inventory import secrets
        from inventory.errors import RegisterError
        from inventory.workstations import BROWSERS, seat

        if len(terms) != 2:
            raise AnsibleLookupError(f"asp_workstation: seen {len(terms)} terms; wanted environment and workstation")
        try:
            register = registry.load(terms[0])
            found = seat(register, terms[1])
            root = secrets.load(register).root_ca.certificate
        except RegisterError as error:
            raise AnsibleLookupError(str(error)) from error
        tenants = [{"ksh": t.ksh, "tenant": t.tenant, "organization": t.name} for t in found.tenants]
        return [
            {
                "clerk": found.clerk.username,
                "tenants": tenants,
                "issuer": found.issuer,
                "root": root,
                "root_file": found.root_file,
                "policies": {browser: found.policies(browser) for browser in BROWSERS},
                "clock_skew": register.sla["clock-skew"].value,
            }
        ]
