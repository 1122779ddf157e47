"""Ansible inventory plugin: hosts and variables derived from the register, nothing of its own.

Group `hosting`: the one host `centre`, on which modules act through the Docker API. Group `workstations`: one host for each
workstation of the register, reached by SSH.
"""

import os

from ansible.errors import AnsibleParserError
from ansible.plugins.inventory import BaseInventoryPlugin

DOCUMENTATION = r"""
name: asp_register
short_description: The register as inventory
description: Hosts of one environment of the register. The environment is ASP_ENV (default dev).
options:
  plugin: {description: Must be asp_register., required: true, choices: [asp_register]}
  environment:
    {description: Environment of the register., type: str, default: dev, env: [{name: ASP_ENV}]}
"""


class InventoryModule(BaseInventoryPlugin):
    NAME = "asp_register"

    def verify_file(self, path):
        return super().verify_file(path) and os.path.basename(path) == "asp.yml"

    def parse(self, inventory, loader, path, cache=True):
        super().parse(inventory, loader, path, cache)
        self._read_config_data(path)
        try:
            from inventory import ansible
            from inventory.errors import RegisterError
            from inventory.register import load
        except ImportError as error:
            raise AnsibleParserError(
                f"{error}; wanted: ansible of the project's own environment, see make up"
            ) from error
        try:
            register = load(self.get_option("environment"))
        except RegisterError as error:
            raise AnsibleParserError(f"the register is not sound:\n{error}") from error
        for group, hosts in ansible.groups(register).items():
            inventory.add_group(group)
            for host, variables in hosts.items():
                inventory.add_host(host, group)
                for name, value in variables.items():
                    inventory.set_variable(host, name, value)
