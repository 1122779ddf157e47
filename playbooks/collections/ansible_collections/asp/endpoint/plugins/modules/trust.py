#!/usr/bin/python
"""Ansible module: the centre's root certificate in the operating system's store and in every browser's."""

import os
import shutil
import subprocess
import tempfile

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.asp.endpoint.plugins.module_utils.account import Account, EndpointFault, fingerprints, stores

DOCUMENTATION = r"""
module: trust
short_description: The centre's root certificate in a workstation's certificate stores
description:
  - Puts it into the operating system's store and into the clerk's NSS stores of Chromium and Firefox. A store that does
    not exist yet is made, so that a browser's first start is right already.
author: [ASP operations]
options:
  root: {type: str, required: true, description: The root certificate (PEM).}
  file: {type: path, required: true, description: Where it lies for the operating system's store.}
  bundle: {type: path, required: true, description: The operating system's store.}
  nickname: {type: str, required: true, description: Its name in NSS stores.}
  account: {type: str, required: true, description: The clerk's desktop account.}
  chromium: {type: path, required: true, description: Folder of Chromium's NSS store.}
  firefox: {type: path, required: true, description: Folder of Firefox's profiles.}
"""

EXAMPLES = r"""
- name: Trust the centre's root
  asp.endpoint.trust:
    root: "{{ lookup('ansible.builtin.file', 'root.crt') }}"
    file: /usr/local/share/ca-certificates/asp-dev.crt
    bundle: /etc/ssl/certs/ca-certificates.crt
    nickname: ASP dev root CA
    account: ugyintezo
    chromium: /home/ugyintezo/.pki/nssdb
    firefox: /home/ugyintezo/.config/mozilla/firefox
"""

RETURN = r"""
steps: {type: list, elements: str, returned: always, description: What was (or in check mode would be) changed.}
"""

# The same as in DOCUMENTATION: a workstation has no YAML parser. A test compares the two.
ARGUMENTS = {
    "root": {"type": "str", "required": True},
    "file": {"type": "path", "required": True},
    "bundle": {"type": "path", "required": True},
    "nickname": {"type": "str", "required": True},
    "account": {"type": "str", "required": True},
    "chromium": {"type": "path", "required": True},
    "firefox": {"type": "path", "required": True},
}


def system(params, check):
    """Steps for the operating system's store."""
    steps, root = [], params["root"].strip() + "\n"
    try:
        with open(params["file"], encoding="utf-8") as stream:
            present = stream.read()
    except FileNotFoundError:
        present = None
    if present != root:
        steps.append("{} written".format(params["file"]))
        if not check:
            os.makedirs(os.path.dirname(params["file"]), exist_ok=True)
            with tempfile.NamedTemporaryFile("w", dir=os.path.dirname(params["file"]), delete=False) as whole:
                os.fchmod(whole.fileno(), 0o644)
                whole.write(root)
            os.replace(whole.name, params["file"])
    if steps or not trusted(params["bundle"], root):
        steps.append("{} made again".format(params["bundle"]))
        if not check:
            process = subprocess.run(
                ["update-ca-certificates"], stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=120
            )
            if process.returncode or not trusted(params["bundle"], root):
                reason = f"update-ca-certificates: {process.stderr.strip()[-300:]}"
                raise EndpointFault(f"{params['bundle']}: the root is not in it. {reason}")
    return steps


def trusted(bundle, root):
    try:
        with open(bundle, encoding="utf-8") as stream:
            return set(fingerprints(root)) <= set(fingerprints(stream.read()))
    except FileNotFoundError:
        return False


def browsers(params, check):
    """Steps for the clerk's NSS stores."""
    account, steps = Account(params["account"]), []
    databases = stores(account, params["chromium"], params["firefox"])
    if not databases[0].exists:
        steps.append(f"{databases[0].folder} made")
        if not check:
            databases[0].create()
    if len(databases) == 1 and shutil.which("firefox-esr"):
        steps.append("Firefox's profile made")
        if not check:
            first_start(account)
            databases = stores(account, params["chromium"], params["firefox"])
            if len(databases) == 1:
                raise EndpointFault("Firefox made no profile with a certificate store in {}".format(params["firefox"]))
    for store in databases:
        if check and not store.exists:
            continue
        # "c" shows up beside "C" where NSS adds it; what counts is that servers are vouched for.
        flags = store.entries().get(params["nickname"], "")
        if "C" not in flags.split(",")[0] or store.holds(params["nickname"]) != fingerprints(params["root"]):
            steps.append("{} in {}".format(params["nickname"], store.folder))
            if not check:
                store.trust(params["nickname"], params["root"])
    return steps


def first_start(account):
    """Firefox names its profile by itself, at its first start only."""
    with account.acting():
        folder = tempfile.mkdtemp()
    try:
        picture = os.path.join(folder, "blank.png")
        account.run(["firefox-esr", "--headless", "--screenshot", picture, "about:blank"], limit=120)
    finally:
        with account.acting():
            shutil.rmtree(folder)


def main():
    module = AnsibleModule(ARGUMENTS, supports_check_mode=True)
    try:
        if len(fingerprints(module.params["root"])) != 1:
            raise EndpointFault("endpoint_certificate_root: wanted one certificate (PEM)")
        steps = system(module.params, module.check_mode) + browsers(module.params, module.check_mode)
        differences = [] if module.check_mode or not steps else browsers(module.params, True)
        if differences:
            raise EndpointFault("read back otherwise than written: {}".format("; ".join(differences)))
    except (EndpointFault, OSError) as fault:
        module.fail_json(msg=str(fault))
    diff = {"before": "", "after": "".join(f"{step}\n" for step in steps)}
    module.exit_json(changed=bool(steps), steps=steps, diff=diff)


if __name__ == "__main__":
    main()
