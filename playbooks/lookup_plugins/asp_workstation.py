"""Lookup: what a workstation should have, from the register and the vault's public half, as one dictionary."""

from __future__ import annotations

from ansible.errors import AnsibleLookupError
from ansible.plugins.lookup import LookupBase

DOCUMENTATION = r"""
name: asp_workstation
short_description: What a workstation should have
description:
  - A dictionary with C(clerk), C(tenants) ({ksh, tenant, organization}), C(issuer) (common name), C(root) (PEM),
    C(policies) (by browser), C(paths) (and the clerk's account) and C(clock_skew) (seconds). Holds no secret.
options:
  _terms: {description: Environment, then the workstation's name in the register., required: true}
"""


class LookupModule(LookupBase):
    def run(self, terms, variables=None, **kwargs):
        from inventory import register as registry
        from inventory import workstations
        from inventory.errors import RegisterError
        from inventory.vault import vault

        if len(terms) != 2:
            raise AnsibleLookupError(f"asp_workstation: seen {len(terms)} terms; wanted environment and workstation")
        try:
            register = registry.load(terms[0])
            found = workstations.seat(register, terms[1])
            root = vault.load(register).root_ca.certificate
        except RegisterError as error:
            raise AnsibleLookupError(str(error)) from error
        tenants = [{"ksh": t.ksh, "tenant": t.tenant, "organization": t.name} for t in found.tenants]
        return [
            {
                "clerk": found.clerk.username,
                "tenants": tenants,
                "issuer": found.issuer,
                "root": root,
                "policies": {browser: found.policies(browser) for browser in workstations.BROWSERS},
                "paths": {
                    "account": workstations.CLERK_ACCOUNT,
                    "bundle": workstations.SYSTEM_BUNDLE,
                    "certificates": workstations.CERTIFICATES_DIR,
                    "chromium": workstations.CHROMIUM_STORE,
                    "firefox": workstations.FIREFOX_PROFILES,
                    "policies": workstations.POLICY_FILES,
                    "root": found.root_file,
                },
                "clock_skew": register.sla["clock-skew"].value,
            }
        ]
