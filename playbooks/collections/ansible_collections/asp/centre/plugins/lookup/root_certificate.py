"""Lookup: the root certificate of an environment, out of its vault."""

from __future__ import annotations

from typing import Any

from ansible.errors import AnsibleLookupError
from ansible.plugins.lookup import LookupBase

from inventory.errors import RegisterError
from inventory.register import load
from inventory.vault import vault

DOCUMENTATION = r"""
name: root_certificate
short_description: The root certificate of an environment (PEM)
description:
  - What workstations must trust. It is public; the vault is opened on the control node to read it.
author: [ASP operations]
options:
  _terms: {description: Environments of the register., required: true}
"""

EXAMPLES = r"""
- name: Look up what workstations must trust, once in the play
  ansible.builtin.set_fact:
    __root: "{{ lookup('asp.centre.root_certificate', asp_env) }}"
  run_once: true
"""

RETURN = r"""
_raw: {description: A certificate for each environment., type: list, elements: str}
"""


class LookupModule(LookupBase):
    def run(self, terms: list[str], variables: dict[str, Any] | None = None, **kwargs: Any) -> list[str]:
        try:
            return [vault.load(load(str(environment))).root_ca.certificate for environment in terms]
        except RegisterError as error:
            raise AnsibleLookupError(str(error)) from error
