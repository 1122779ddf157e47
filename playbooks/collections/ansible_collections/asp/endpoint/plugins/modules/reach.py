#!/usr/bin/python
"""Ansible module: whether a workstation reaches the centre's hosts, trusts them and knows the time. Changes nothing."""

import email.utils
import http.client
import socket
import ssl
import time

from ansible.module_utils.basic import AnsibleModule

DOCUMENTATION = r"""
module: reach
short_description: Whether a workstation reaches the centre
description:
  - For each host, that its name leads to the address wanted, its port answers, and its certificate is the centre's; and
    that the clock is right. All faults are told at once.
author: [ASP operations]
options:
  hosts: {type: list, elements: str, required: true, description: Host names.}
  port: {type: int, required: true, description: HTTPS port.}
  address: {type: str, required: true, description: The address that every host must have.}
  root: {type: str, required: true, description: The centre's root certificate (PEM).}
  clock_host: {type: str, required: true, description: The host whose answers tell the centre's time.}
  clock_skew: {type: float, required: true, description: Seconds that the clocks may differ.}
  resolve: {type: bool, default: true, description: Whether names must lead there already.}
  timeout: {type: float, default: 10, description: Seconds for each host.}
"""

EXAMPLES = r"""
- name: Prove that the centre is reached
  asp.endpoint.reach:
    hosts: [sajoszentpeter.asp.test, ca.asp.test]
    port: 443
    address: 10.0.0.10
    root: "{{ lookup('ansible.builtin.file', 'root.crt') }}"
    clock_host: ca.asp.test
    clock_skew: 5
"""

RETURN = r"""
reached: {type: dict, returned: always, description: "For each host its address, TLS version and milliseconds."}
clock_offset: {type: float, returned: always, description: Seconds that this clock is ahead.}
"""

# The same as in DOCUMENTATION: a workstation has no YAML parser. A test compares the two.
ARGUMENTS = {
    "hosts": {"type": "list", "elements": "str", "required": True},
    "port": {"type": "int", "required": True},
    "address": {"type": "str", "required": True},
    "root": {"type": "str", "required": True},
    "clock_host": {"type": "str", "required": True},
    "clock_skew": {"type": "float", "required": True},
    "resolve": {"type": "bool", "default": True},
    "timeout": {"type": "float", "default": 10},
}


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
    with (
        socket.create_connection((address, port), timeout) as plain,
        context.wrap_socket(plain, server_hostname=host) as secured,
    ):
        milliseconds = round((time.monotonic() - started) * 1000, 1)
        return {"address": address, "tls": secured.version(), "milliseconds": milliseconds}


def clock(host, address, port, root, timeout):
    """Seconds that this machine's clock is ahead of the centre's, to half a second; OSError if it tells no time."""
    connection = http.client.HTTPSConnection(address, port, timeout=timeout)
    connection.sock = ssl.create_default_context(cadata=root).wrap_socket(
        socket.create_connection((address, port), timeout), server_hostname=host
    )
    try:
        connection.request("GET", "/health", headers={"Host": host})
        date = connection.getresponse().getheader("Date")
        local = time.time()
    finally:
        connection.close()
    if not date:
        raise OSError("its answer has no Date")
    # The header tells whole seconds, cut off: on average half a second ago.
    return round(local - email.utils.parsedate_to_datetime(date).timestamp() - 0.5, 1)


def clock_fault(offset, skew):
    """What is wrong with this clock, which is so many seconds ahead (None: not known); None when nothing is."""
    if offset is None or abs(offset) <= skew:
        return None
    return f"clock is {offset} s off; wanted at most {skew}. Switch time synchronisation on"


def examine(params):
    """(what was reached, faults as sentences)."""
    reached, faults = {}, []
    address, port = params["address"], params["port"]
    for host in params["hosts"]:
        if params["resolve"] and names(host) != [address]:
            faults.append(f"{host} leads to {names(host)}; wanted {address}. Look at the hosts file and the resolver")
            continue
        try:
            reached[host] = handshake(host, address, port, params["root"], params["timeout"])
        except ssl.SSLCertVerificationError as error:
            faults.append(
                f"{host}: certificate not trusted ({error.verify_message}); wanted one of the centre's root. "
                "Is the tenant joined, or does a device between re-sign TLS?"
            )
        except OSError as error:
            faults.append(f"{host}: no answer at {address} port {port} ({error}). Is the centre up, the port open?")
    return reached, faults


def main():
    module = AnsibleModule(ARGUMENTS, supports_check_mode=True)
    params = module.params
    reached, faults = examine(params)
    offset = None
    if params["clock_host"] in reached:
        try:
            offset = clock(params["clock_host"], params["address"], params["port"], params["root"], params["timeout"])
        except (OSError, http.client.HTTPException) as error:
            faults.append(f"{params['clock_host']}: does not tell the time ({error}). Is the centre's PKI up?")
    if fault := clock_fault(offset, params["clock_skew"]):
        faults.append(fault)
    if faults:
        module.fail_json(msg="\n".join(faults), reached=reached, clock_offset=offset)
    module.exit_json(changed=False, reached=reached, clock_offset=offset)


if __name__ == "__main__":
    main()
