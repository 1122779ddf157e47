"""Ansible inventory plugin: the register of one environment as hosts and groups; `inventory.hosts` derives them."""

from __future__ import annotations

import sys
from pathlib import Path

from ansible.errors import AnsibleParserError
from ansible.inventory.data import InventoryData
from ansible.parsing.dataloader import DataLoader
from ansible.plugins.inventory import BaseInventoryPlugin

DOCUMENTATION = r"""
name: register
short_description: Hosts of the ASP centre and of municipal offices, from the register
description:
  - Host C(centre) is the computer that plays run on; group C(machines) holds the machines that are prepared over SSH,
    C(workstations) the municipal computers, C(office_<seat>) those of one office. Variables start with C(asp_);
    secrets are not among them.
  - The register is read and validated first; its faults are shown and nothing is run. Every action and lookup of this
    collection uses that reading.
author: [ASP operations]
options:
  plugin: {description: Must be asp.centre.register., required: true, choices: [asp.centre.register]}
  environment:
    description: Environment of the register.
    default: dev
    env: [{name: ASP_ENV}]
"""

EXAMPLES = r"""
# inventory/asp.yml; another environment: ASP_ENV=test ansible-playbook ...
plugin: asp.centre.register
"""

ROOT = Path(__file__).resolve().parents[7]


class InventoryModule(BaseInventoryPlugin):
    """Reads `inventory/asp.yml`."""

    NAME = "asp.centre.register"

    def verify_file(self, path: str) -> bool:
        return super().verify_file(path) and Path(path).name == "asp.yml"

    def parse(self, inventory: InventoryData, loader: DataLoader, path: str, cache: bool = True) -> None:
        super().parse(inventory, loader, path, cache)
        self._read_config_data(path)
        if str(ROOT) not in sys.path:  # this copy of the project, wherever the tool was started
            sys.path.insert(0, str(ROOT))
        from inventory import hosts
        from inventory.errors import RegisterError
        from inventory.register import load

        try:
            register = load(self.get_option("environment"))
        except RegisterError as error:
            raise AnsibleParserError(f"the register has faults, nothing was run:\n{error}") from error
        for group in (hosts.WORKSTATIONS, hosts.MACHINES):  # they exist even when empty
            self.inventory.add_group(group)
        for name, value in hosts.shared(register).items():
            self.inventory.set_variable("all", name, value)
        for host in hosts.hosts(register):
            self.inventory.add_host(host.name)
            for group in host.groups:
                self.inventory.add_host(host.name, group=self.inventory.add_group(group))
            for name, value in host.variables.items():
                self.inventory.set_variable(host.name, name, value)
