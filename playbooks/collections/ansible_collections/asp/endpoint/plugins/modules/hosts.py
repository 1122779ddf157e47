#!/usr/bin/python
"""Ansible module: the centre's hosts in a workstation's hosts file. Standard library only."""

import ipaddress
import socket

from ansible.module_utils.basic import AnsibleModule

DOCUMENTATION = r"""
module: hosts
short_description: The centre's hosts in a workstation's hosts file
description:
  - One block between markers; every other line stays. A line outside the block that names one of the hosts is a fault,
    since the first line found counts.
author: [ASP operations]
options:
  hosts: {type: list, elements: str, required: true, description: Host names. None removes the block.}
  address: {type: str, required: true, description: IPv4 address of all; C(gateway) is the default gateway's.}
  name: {type: str, required: true, description: Names the block.}
  path: {type: path, default: /etc/hosts, description: The hosts file.}
"""

EXAMPLES = r"""
- name: Lead two names to the centre
  asp.endpoint.hosts:
    hosts: [sajoszentpeter.asp.test, id.asp.test]
    address: 10.0.0.10
    name: asp dev
"""

RETURN = r"""
address: {type: str, returned: always, description: The address that the hosts have.}
"""

# The same as in DOCUMENTATION: a workstation has no YAML parser. A test compares the two.
ARGUMENTS = {
    "hosts": {"type": "list", "elements": "str", "required": True},
    "address": {"type": "str", "required": True},
    "name": {"type": "str", "required": True},
    "path": {"type": "path", "default": "/etc/hosts"},
}


class HostsFault(Exception):
    """What is wrong: value seen, value wanted, next step."""


def gateway(routes):
    """Address of the default route in the text of /proc/net/route; HostsFault without one."""
    for line in routes.splitlines()[1:]:
        fields = line.split()
        if fields[1] == "00000000" and int(fields[3], 16) & 2:
            return socket.inet_ntoa(int(fields[2], 16).to_bytes(4, "little"))
    raise HostsFault("no default route on this machine; wanted one, or endpoint_connectivity_address = an IPv4 address")


def edit(text, name, address, hosts):
    """The hosts file's text with the block of `name` as wanted, every other line as it was."""
    begin, end = f"# BEGIN {name}", f"# END {name}"
    result, inside = [], False
    for line in text.splitlines():
        if line.strip() == begin:
            inside = True
        elif inside and line.strip() == end:
            inside = False
        elif not inside:
            result.append(line)
    if inside:
        raise HostsFault(f"hosts file: {begin!r} is not followed by {end!r}. Put the marker back by hand")
    for line in result:
        fields = line.partition("#")[0].split()
        conflicts = sorted(set(fields[1:]) & set(hosts))
        if conflicts and fields[0] != address:
            raise HostsFault(
                f"hosts file: {conflicts[0]} is {fields[0]} by a line of somebody else; wanted {address}. "
                "Find out who wrote it, then remove the line"
            )
    block = [begin, *(f"{address}\t{host}" for host in hosts), end] if hosts else []
    return "\n".join([*result, *block]) + "\n"


def main():
    module = AnsibleModule(ARGUMENTS, supports_check_mode=True)
    params, path = module.params, module.params["path"]
    try:
        if params["address"] == "gateway":
            with open("/proc/net/route", encoding="ascii") as stream:
                address = gateway(stream.read())
        else:
            address = str(ipaddress.IPv4Address(params["address"]))
        with open(path, encoding="utf-8") as stream:
            before = stream.read()
        after = edit(before, params["name"], address, params["hosts"])
    except ValueError:
        value = params["address"]
        module.fail_json(msg=f"endpoint_connectivity_address = {value}; wanted an IPv4 address or gateway. Correct it")
    except (HostsFault, OSError) as fault:
        module.fail_json(msg=str(fault))
    changed = after != before
    if changed and not module.check_mode:
        # In place: a container's hosts file is a mount, which nothing can be moved over.
        with open(path, "r+", encoding="utf-8") as stream:
            stream.write(after)
            stream.truncate()
    diff = {"before_header": path, "after_header": path, "before": before, "after": after}
    module.exit_json(changed=changed, address=address, diff=diff)


if __name__ == "__main__":
    main()
