#!/usr/bin/python
"""Ansible module: whether a workstation reaches the centre's hosts, trusts them and knows the time. Changes nothing."""

import socket
import ssl
import time

from ansible.module_utils.basic import AnsibleModule

DOCUMENTATION = r"""
module: endpoint_reach
short_description: Whether a workstation reaches the centre
description:
  - For each host, that its name leads to the address wanted, its port answers, and its certificate is the centre's; and
    that the clock is right. All faults are told at once.
options:
  hosts: {type: list, elements: str, required: true, description: Host names.}
  port: {type: int, required: true, description: HTTPS port.}
  address: {type: str, required: true, description: The address that every host must have.}
  root: {type: str, required: true, description: The centre's root certificate (PEM).}
  now: {type: float, required: true, description: The control node's clock (Unix time).}
  clock_skew: {type: float, required: true, description: Seconds that the clocks may differ.}
  resolve: {type: bool, default: true, description: Whether names must lead there already.}
  timeout: {type: float, default: 10, description: Seconds for each host.}
"""

RETURN = r"""
reached: {type: dict, returned: always, description: For each host its address, TLS version and milliseconds.}
clock_offset: {type: float, returned: always, description: Seconds that this clock is ahead.}
"""


def names(host):
    """IPv4 addresses of a name; empty when it has none."""
    try:
        return sorted({item[4][0] for item in socket.getaddrinfo(host, None, socket.AF_INET, socket.SOCK_STREAM)})
    except socket.gaierror:
        return []


def handshake(host, address, port, root, timeout):
    """TLS version and milliseconds of a verified handshake; OSError otherwise."""
    context = ssl.create_default_context(cadata=root)
    started = time.monotonic()
    with socket.create_connection((address, port), timeout) as plain:
        with context.wrap_socket(plain, server_hostname=host) as secured:
            return {
                "address": address,
                "tls": secured.version(),
                "milliseconds": round((time.monotonic() - started) * 1000, 1),
            }


def examine(params):
    """(what was reached, faults as sentences)."""
    reached, faults = {}, []
    address, port = params["address"], params["port"]
    for host in params["hosts"]:
        if params["resolve"] and names(host) != [address]:
            faults.append("%s leads to %s; wanted %s. Look at the hosts file and the resolver" % (host, names(host), address))
            continue
        try:
            reached[host] = handshake(host, address, port, params["root"], params["timeout"])
        except ssl.SSLCertVerificationError as error:
            faults.append(
                "%s: certificate not trusted (%s); wanted one of the centre's root. Is the tenant joined, or does a device "
                "between re-sign TLS?" % (host, error.verify_message)
            )
        except OSError as error:
            faults.append("%s: no answer at %s port %d (%s). Is the centre up, the port open?" % (host, address, port, error))
    return reached, faults


def main():
    module = AnsibleModule(
        {
            "hosts": {"type": "list", "elements": "str", "required": True},
            "port": {"type": "int", "required": True},
            "address": {"type": "str", "required": True},
            "root": {"type": "str", "required": True},
            "now": {"type": "float", "required": True},
            "clock_skew": {"type": "float", "required": True},
            "resolve": {"type": "bool", "default": True},
            "timeout": {"type": "float", "default": 10},
        },
        supports_check_mode=True,
    )
    params = module.params
    offset = round(time.time() - params["now"], 1)  # includes the way here, under a second
    reached, faults = examine(params)
    if abs(offset) > params["clock_skew"]:
        faults.append(
            "clock is %s s off; wanted at most %s. Switch time synchronisation on" % (offset, params["clock_skew"])
        )
    if faults:
        module.fail_json(msg="\n".join(faults), reached=reached, clock_offset=offset)
    module.exit_json(changed=False, reached=reached, clock_offset=offset)


if __name__ == "__main__":
    main()
