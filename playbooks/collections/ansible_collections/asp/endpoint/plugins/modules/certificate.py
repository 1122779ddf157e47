#!/usr/bin/python
"""Ansible module: the clerk's client certificates on a workstation. Keys are made here and never leave."""

import base64
import glob
import http.client
import json
import os
import re
import ssl
import tempfile

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.asp.endpoint.plugins.module_utils.account import Account, EndpointFault, fingerprints, stores

DOCUMENTATION = r"""
module: certificate
short_description: A clerk's client certificates, one for each municipality served
description:
  - Looks at each certificate (subject, issuer, chain, key, remaining days, list of revocations) and at each browser's
    store. One that is missing, spoilt, another's, near its end or revoked is enrolled anew with a one-time token.
  - Certificates of municipalities no longer served are removed.
author: [ASP operations]
options:
  account: {type: str, required: true, description: The clerk's desktop account.}
  clerk: {type: str, required: true, description: The clerk's user name.}
  tenants:
    type: list
    elements: dict
    required: true
    description: Municipalities served.
    suboptions:
      ksh: {type: str, required: true, description: KSH code.}
      tenant: {type: str, required: true, description: Unit (OU) in the certificate.}
      organization: {type: str, required: true, description: Organization (O) in the certificate.}
  folder: {type: path, required: true, description: Where certificates and keys lie.}
  authority: {type: str, required: true, description: Host and port of the enrolment authority.}
  issuer: {type: str, required: true, description: Common name of the authority that signs.}
  root: {type: str, required: true, description: The centre's root certificate (PEM).}
  renew_before_days: {type: int, required: true, description: Days left below which a certificate is renewed.}
  chromium: {type: path, required: true, description: Folder of Chromium's NSS store.}
  firefox: {type: path, required: true, description: Folder of Firefox's profiles.}
  tokens: {type: dict, default: {}, description: "One-time tokens by KSH code, for those that need one."}
  act: {type: bool, default: true, description: Whether to act on what is found or only to tell it.}
"""

EXAMPLES = r"""
- name: Look at the clerk's certificates without changing anything
  asp.endpoint.certificate:
    account: ugyintezo
    clerk: minta.erika
    tenants: [{ksh: "16054", tenant: t16054, organization: Sajószentpéter}]
    folder: /home/ugyintezo/.config/asp
    authority: ca.asp.test:443
    issuer: ASP dev issuing CA
    root: "{{ lookup('ansible.builtin.file', 'root.crt') }}"
    renew_before_days: 30
    chromium: /home/ugyintezo/.pki/nssdb
    firefox: /home/ugyintezo/.config/mozilla/firefox
    act: false
  register: certificates
"""

RETURN = r"""
needed: {type: list, elements: str, returned: always, description: KSH codes whose certificate must be enrolled.}
steps: {type: list, elements: str, returned: always, description: What was (or in check mode would be) changed.}
certificates: {type: dict, returned: always, description: "State, serial number (hex) and end of each by tenant."}
"""

# The same as in DOCUMENTATION: a workstation has no YAML parser. A test compares the two.
ARGUMENTS = {
    "account": {"type": "str", "required": True},
    "clerk": {"type": "str", "required": True},
    "tenants": {
        "type": "list",
        "elements": "dict",
        "required": True,
        "options": {
            "ksh": {"type": "str", "required": True},
            "tenant": {"type": "str", "required": True},
            "organization": {"type": "str", "required": True},
        },
    },
    "folder": {"type": "path", "required": True},
    "authority": {"type": "str", "required": True},
    "issuer": {"type": "str", "required": True},
    "root": {"type": "str", "required": True},
    "renew_before_days": {"type": "int", "required": True},
    "chromium": {"type": "path", "required": True},
    "firefox": {"type": "path", "required": True},
    "tokens": {"type": "dict", "default": {}, "no_log": True},
    "act": {"type": "bool", "default": True},
}

SECONDS = 20


class Authority:
    """step-ca behind the edge, told apart from anything else by the centre's root."""

    def __init__(self, params):
        self.host, _, port = params["authority"].partition(":")
        self.port = int(port or 443)
        self.context = ssl.create_default_context(cadata=params["root"])

    def ask(self, method, path, body=None):
        """(status, body as bytes); EndpointFault when it does not answer or is not trusted."""
        connection = http.client.HTTPSConnection(self.host, self.port, timeout=SECONDS, context=self.context)
        try:
            headers = {"Content-Type": "application/json"} if body else {}
            connection.request(method, path, json.dumps(body) if body else None, headers)
            answer = connection.getresponse()
            return answer.status, answer.read()
        except (OSError, http.client.HTTPException) as error:
            place = f"https://{self.host}:{self.port}{path}"
            raise EndpointFault(f"{place}: no answer ({error}). Is the centre up?") from error
        finally:
            connection.close()

    def sign(self, tenant, request, token):
        """The certificate with its chain (PEM)."""
        status, body = self.ask("POST", "/1.0/sign", {"csr": request, "ott": token})
        if status != 201:
            try:
                message = json.loads(body)["message"]
            except (ValueError, KeyError, TypeError):
                message = body.decode(errors="replace")[:300]
            raise EndpointFault(
                f"{tenant}: enrolment was refused by {self.host} ({status}: {message}). "
                "A token works once and for minutes: run the playbook again, which takes a new one"
            )
        return "".join(part.strip() + "\n" for part in json.loads(body)["certChain"])


def value_of(pattern, text):
    """What the pattern's group matches in openssl's words; EndpointFault when it says nothing of the kind."""
    match = re.search(pattern, text)
    if match is None:
        raise EndpointFault(f"openssl x509: seen {text.strip()[:300]!r}; wanted {pattern!r} in it")
    return match.group(1)


class Wallet:
    """The certificates of one clerk."""

    def __init__(self, params, check, foretelling=False):
        self.params, self.check, self.foretelling = params, check, foretelling
        self.account = Account(params["account"])
        self.authority = Authority(params)
        self.stores = stores(self.account, params["chromium"], params["firefox"])
        self.steps = []

    def path(self, tenant, kind):
        return os.path.join(self.params["folder"], "{}.{}".format(tenant["tenant"], kind))

    def nickname(self, tenant):
        return "ASP {} {}".format(tenant["tenant"], self.params["clerk"])

    def look(self):
        """{tenant: {status, serial, until}}; status is ok, or the reason why it must be enrolled."""
        states = {tenant["tenant"]: self._examine(tenant) for tenant in self.params["tenants"]}
        sound = [name for name, state in states.items() if state["status"] == "ok"]
        if sound:
            revoked = self._revoked(self.account.read(os.path.join(self.params["folder"], f"{sound[0]}.crt")))
            for name in sound:
                if states[name]["serial"] in revoked:
                    states[name]["status"] = "revoked"
        return states

    def _examine(self, tenant):
        state = {"status": "missing", "serial": None, "until": None}
        certificate, key = self.path(tenant, "crt"), self.path(tenant, "key")
        if not self.account.read(certificate) or not self.account.read(key):
            return state
        fields = ["-noout", "-serial", "-enddate", "-subject", "-issuer", "-pubkey", "-nameopt", "sep_multiline,utf8"]
        code, out, _ = self._openssl("x509", "-in", certificate, *fields)
        if code:
            return {**state, "status": "spoilt: no certificate"}
        names = {}
        for name in ("subject", "issuer"):
            names[name] = [line.strip() for line in value_of(name + r"=\n((?:    .+\n)*)", out).splitlines()]
        state["serial"] = value_of(r"serial=([0-9A-F]+)", out).lstrip("0")
        state["until"] = value_of(r"notAfter=(.+)", out)
        expected = sorted(["CN=" + self.params["clerk"], "OU=" + tenant["tenant"], "O=" + tenant["organization"]])
        if sorted(names["subject"]) != expected or names["issuer"] != ["CN=" + self.params["issuer"]]:
            holder = f"{', '.join(names['subject'])} by {', '.join(names['issuer'])}"
            return {**state, "status": f"another's: {holder}"}
        code, public, _ = self._openssl("pkey", "-in", key, "-pubout")
        if code or public.strip() not in out:
            return {**state, "status": "spoilt: the key is not its own"}
        seconds = str(self.params["renew_before_days"] * 86400)
        if self._openssl("x509", "-in", certificate, "-noout", "-checkend", seconds)[0]:
            return {**state, "status": "near its end: {}".format(state["until"])}
        root = self._scratch(self.params["root"])
        try:
            code, _, errors = self._openssl(
                "verify", "-purpose", "sslclient", "-CAfile", root, "-no-CApath", "-untrusted", certificate, certificate
            )
        finally:
            self.account.remove(root)
        return {**state, "status": f"not of this centre: {errors.strip().splitlines()[-1]}" if code else "ok"}

    def _revoked(self, chain):
        """Serial numbers (hex, upper case, no leading zeros) on the authority's list, whose signature is verified."""
        try:
            status, body = self.authority.ask("GET", "/1.0/crl")
        except EndpointFault:
            if self.foretelling:
                return set()  # the way there may be among what is not done yet
            raise
        if status != 200:
            place = f"https://{self.authority.host}/1.0/crl"
            raise EndpointFault(f"{place}: answered {status}; wanted 200 and the list of revocations")
        pem = f"-----BEGIN X509 CRL-----\n{base64.encodebytes(body).decode()}-----END X509 CRL-----\n"
        issuers = self._scratch(chain + self.params["root"])
        try:
            code, out, errors = self.account.run(
                ["openssl", "crl", "-noout", "-text", "-CAfile", issuers], stdin=pem, accept=None
            )
        finally:
            self.account.remove(issuers)
        if code or "verify OK" not in errors:
            raise EndpointFault(f"list of revocations: is not signed by the centre: {errors.strip()[-300:]}")
        return {serial.upper().lstrip("0") for serial in re.findall(r"Serial Number: *([0-9A-Fa-f]+)", out)}

    def enrol(self, states):
        """New key and certificate where one is needed. The old pair stays until the new one is whole."""
        for tenant in self.params["tenants"]:
            status = states[tenant["tenant"]]["status"]
            if status == "ok":
                continue
            self.steps.append("{} enrolled (was {})".format(tenant["tenant"], status))
            if self.check:
                continue
            token = self.params["tokens"].get(tenant["ksh"])
            if not token:
                raise EndpointFault("{}: no one-time token came for it".format(tenant["tenant"]))
            key = self.path(tenant, "new")
            with self.account.acting():
                os.makedirs(self.params["folder"], mode=0o700, exist_ok=True)
            command = ["openssl", "req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-noenc"]
            try:
                _, request, _ = self.account.run([*command, "-keyout", key, "-subj", "/CN=" + self.params["clerk"]])
                chain = self.authority.sign(tenant["tenant"], request, token)
                with self.account.acting():
                    os.replace(key, self.path(tenant, "key"))
                self.account.write(self.path(tenant, "crt"), chain)
            finally:
                self.account.remove(key)

    def fill(self, states):
        """Every browser's store holds exactly these certificates of ours."""
        by_nickname = {self.nickname(tenant): tenant for tenant in self.params["tenants"]}
        for store in self.stores:
            if self.check and not store.exists:
                continue
            entries = store.entries()
            for nickname in sorted(entries):
                # Ours by name and by having a key; the authority's own entry begins alike.
                if nickname not in by_nickname and re.match(r"ASP t\d{5} ", nickname) and "u" in entries[nickname]:
                    self._step(f"{nickname} out of {store.folder}", store.forget, nickname)
            for nickname, tenant in by_nickname.items():
                own = fingerprints(self.account.read(self.path(tenant, "crt")))[:1]
                if self.check and states[tenant["tenant"]]["status"] != "ok":
                    own = None  # it will be another one
                if own is None or "u" not in entries.get(nickname, "") or store.holds(nickname) != own:
                    self._step(f"{nickname} into {store.folder}", self._replace, store, nickname, tenant)

    def _replace(self, store, nickname, tenant):
        store.forget(nickname)
        store.take_in(nickname, self.path(tenant, "crt"), self.path(tenant, "key"))

    def tidy(self):
        """Certificates and keys of municipalities no longer served go."""
        paths = {self.path(tenant, kind) for tenant in self.params["tenants"] for kind in ("crt", "key")}
        with self.account.acting():
            files = sorted(glob.glob(os.path.join(self.params["folder"], "t*.*")))
        for file in files:
            if file not in paths:
                self._step(f"{file} removed", self.account.remove, file)

    def _step(self, text, act, *arguments):
        self.steps.append(text)
        if not self.check:
            act(*arguments)

    def _openssl(self, *arguments):
        return self.account.run(["openssl", *arguments], accept=None)

    def _scratch(self, text):
        with self.account.acting():
            descriptor, path = tempfile.mkstemp()
            with os.fdopen(descriptor, "w", encoding="utf-8") as stream:
                stream.write(text)
        return path


def settle(params, foretelling):
    """Result of the module for its parameters; in check mode it foretells."""
    check = foretelling or not params["act"]
    wallet = Wallet(params, check, foretelling)
    before = wallet.look()
    wallet.enrol(before)
    wallet.fill(before)
    wallet.tidy()
    after = before
    if wallet.steps and not check:
        after = wallet.look()
        again = Wallet(params, True)
        again.fill(after)
        faults = ["{} is {}".format(name, state["status"]) for name, state in after.items() if state["status"] != "ok"]
        if faults or again.steps:
            raise EndpointFault("read back otherwise than written: {}".format("; ".join(faults + again.steps)))
    return {
        "changed": bool(wallet.steps) and params["act"],
        "steps": wallet.steps,
        "needed": [t["ksh"] for t in params["tenants"] if before[t["tenant"]]["status"] != "ok"],
        "certificates": after,
        "diff": {"before": "", "after": "".join(f"{step}\n" for step in wallet.steps)},
    }


def main():
    module = AnsibleModule(ARGUMENTS, supports_check_mode=True)
    try:
        result = settle(module.params, module.check_mode)
    except (EndpointFault, OSError) as fault:
        module.fail_json(msg=str(fault))
    module.exit_json(**result)


if __name__ == "__main__":
    main()
