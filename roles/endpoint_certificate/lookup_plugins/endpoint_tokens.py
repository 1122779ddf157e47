"""Lookup: one-time enrolment tokens, made on the control node at the moment of use."""

from __future__ import annotations

from ansible.errors import AnsibleLookupError
from ansible.plugins.lookup import LookupBase

DOCUMENTATION = r"""
name: endpoint_tokens
short_description: One-time enrolment tokens of a clerk, by KSH code
description:
  - Each is good for one certificate, for ten minutes. Use with C(no_log).
options:
  _terms: {description: KSH codes., required: true}
  environment: {description: Environment of the register., required: true}
  clerk: {description: The clerk's user name., required: true}
"""


class LookupModule(LookupBase):
    def run(self, terms, variables=None, *, environment, clerk):
        if not terms:
            return [{}]
        from inventory import register as registry
        from inventory.errors import RegisterError
        from inventory.vault import tokens, vault

        try:
            register = registry.load(environment)
            secrets = vault.load(register)
            return [{ksh: tokens.token(register, secrets, username=clerk, ksh=ksh) for ksh in terms}]
        except RegisterError as error:
            raise AnsibleLookupError(str(error)) from error
