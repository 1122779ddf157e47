"""Lookup: workstations that get no new certificate, because of a revocation."""

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
name: enrolment_bars
short_description: Workstations that get no new certificate, and why
description:
  - After C(asp revoke) of a clerk, a workstation or an office no new certificate is issued until that is lifted.
author: [ASP operations]
options:
  _terms: {description: Environment of the register., required: true}
"""

EXAMPLES = r"""
- name: Leave out a workstation whose certificates were revoked
  ansible.builtin.meta: end_host
  when: inventory_hostname in lookup('asp.centre.enrolment_bars', asp_env)
"""

RETURN = r"""
_raw: {description: One dictionary of reasons by workstation., type: list, elements: dict}
"""


class LookupModule(LookupBase):
    def run(self, terms: list[str], variables: dict[str, Any] | None = None) -> list[dict[str, str]]:
        try:
            register = load(str(terms[0]))
            return [issuance.seat_bars(register, vault.load(register))]
        except (RegisterError, CentreFault) as error:
            raise AnsibleLookupError(str(error)) from error
