"""Lookup: one-time enrolment tokens, made on the control node at the moment of use."""

from __future__ import annotations

from typing import Any

from ansible.errors import AnsibleLookupError
from ansible.plugins.lookup import LookupBase

from centre.edge import issuance
from centre.faults import CentreFault
from inventory.errors import RegisterError
from inventory.register import load
from inventory.vault import vault

DOCUMENTATION = r"""
name: enrolment_tokens
short_description: One-time enrolment tokens of a clerk, by KSH code
description:
  - Each is good for one certificate, for ten minutes. Use with C(no_log).
  - The serial number of each certificate is written down. Nobody whose certificates were revoked gets a token until
    that is lifted.
author: [ASP operations]
options:
  _terms: {description: KSH codes., required: true}
  environment: {description: Environment of the register., required: true}
  clerk: {description: The clerk's user name., required: true}
  seat: {description: The workstation's name., required: true}
"""

EXAMPLES = r"""
- name: Take one token for each certificate that must be enrolled
  ansible.builtin.include_role: {name: asp.endpoint.endpoint_certificate}
  vars:
    endpoint_certificate_tokens: >-
      {{ lookup('asp.centre.enrolment_tokens', *endpoint_certificate_needed, environment=asp_env,
             clerk=asp_clerk, seat=inventory_hostname) }}
"""

RETURN = r"""
_raw: {description: One dictionary of tokens by KSH code., type: list, elements: dict}
"""


class LookupModule(LookupBase):
    def run(
        self, terms: list[str], variables: dict[str, Any] | None = None, *, environment: str, clerk: str, seat: str
    ) -> list[dict[str, str]]:
        if not terms:
            return [{}]
        try:
            register = load(str(environment))
            secrets = vault.load(register)
            names = [str(ksh) for ksh in terms]
            return [{ksh: issuance.token(register, secrets, str(clerk), ksh, str(seat)) for ksh in names}]
        except (RegisterError, CentreFault) as error:
            raise AnsibleLookupError(str(error)) from error
