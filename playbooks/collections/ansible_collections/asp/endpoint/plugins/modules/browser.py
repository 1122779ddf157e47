#!/usr/bin/python
"""Ansible module: one browser's managed policy file, as data. Runs on the workstation, standard library only."""

import contextlib
import glob
import hashlib
import json
import os
import tempfile

from ansible.module_utils.basic import AnsibleModule

DOCUMENTATION = r"""
module: browser
short_description: Managed policy of Chromium or Firefox, merged with what is there
description:
  - Our policies are merged into the browser's policy file; what others set there stays. What we set last is remembered,
    so that a policy or list item of ours that is no longer wanted goes.
  - The file is validated, replaced whole or not at all, and read back. A file that is no JSON is kept aside.
author: [ASP operations]
options:
  browser: {type: str, required: true, choices: [chromium, firefox], description: Whose policies.}
  path: {type: path, required: true, description: The policy file.}
  policies: {type: dict, required: true, description: Wanted policies by their names.}
  record: {type: path, required: true, description: File that remembers what we set last.}
"""

EXAMPLES = r"""
- name: Merge our policies into Chromium's
  asp.endpoint.browser:
    browser: chromium
    path: /etc/chromium/policies/managed/asp.json
    policies: {PasswordManagerEnabled: false}
    record: /var/lib/asp/endpoint_browser/chromium.json
"""

RETURN = r"""
sha256: {type: str, returned: always, description: Of the policy file as it should be (or in check mode would be).}
aside: {type: str, returned: when an unreadable file was kept aside, description: Its new path.}
"""

# The same as in DOCUMENTATION: a workstation has no YAML parser. A test compares the two.
ARGUMENTS = {
    "browser": {"type": "str", "required": True, "choices": ["chromium", "firefox"]},
    "path": {"type": "path", "required": True},
    "policies": {"type": "dict", "required": True},
    "record": {"type": "path", "required": True},
}

# Names that may be wanted, with the type of each. A misspelt policy would be ignored by the browser without a word.
KNOWN = {
    "chromium": {
        "AutoSelectCertificateForUrls": list,
        "AutofillAddressEnabled": bool,
        "AutofillCreditCardEnabled": bool,
        "BackgroundModeEnabled": bool,
        "BookmarkBarEnabled": bool,
        "BrowserSignin": int,
        "CACertificates": list,
        "CookiesAllowedForUrls": list,
        "DefaultBrowserSettingEnabled": bool,
        "DefaultPopupsSetting": int,
        "DeveloperToolsAvailability": int,
        "ExtensionInstallBlocklist": list,
        "HomepageIsNewTabPage": bool,
        "HomepageLocation": str,
        "HttpsOnlyMode": str,
        "ManagedBookmarks": list,
        "MetricsReportingEnabled": bool,
        "PasswordManagerEnabled": bool,
        "PopupsAllowedForUrls": list,
        "ProxyMode": str,
        "ProxyPacUrl": str,
        "ProxyServer": str,
        "RestoreOnStartup": int,
        "RestoreOnStartupURLs": list,
        "SSLErrorOverrideAllowed": bool,
        "SafeBrowsingProtectionLevel": int,
        "ShowHomeButton": bool,
        "SyncDisabled": bool,
        "URLAllowlist": list,
        "URLBlocklist": list,
    },
    "firefox": {
        "BlockAboutConfig": bool,
        "Certificates": dict,
        "Cookies": dict,
        "DisableAppUpdate": bool,
        "DisableFirefoxAccounts": bool,
        "DisableFirefoxStudies": bool,
        "DisableTelemetry": bool,
        "DontCheckDefaultBrowser": bool,
        "ExtensionSettings": dict,
        "Homepage": dict,
        "ManagedBookmarks": list,
        "OfferToSaveLogins": bool,
        "OverrideFirstRunPage": str,
        "OverridePostUpdatePage": str,
        "PopupBlocking": dict,
        "Preferences": dict,
        "Proxy": dict,
        "SecurityDevices": dict,
        "WebsiteFilter": dict,
    },
}


class PolicyFault(Exception):
    """What is wrong with a policy: name, value seen, value wanted, next step."""


def merge(foreign, own):
    """`own` with what `foreign` has besides. Of two values for one thing our own counts."""
    if isinstance(foreign, dict) and isinstance(own, dict):
        merged = {name: merge(foreign[name], value) if name in foreign else value for name, value in own.items()}
        return {**merged, **{name: value for name, value in foreign.items() if name not in own}}
    if isinstance(foreign, list) and isinstance(own, list):
        targets = {target(item) for item in own}
        return own + [item for item in foreign if item not in own and target(item) not in targets]
    return own


def subtract(present, own):
    """`present` without what `own` put there; None when nothing is left."""
    if isinstance(present, dict) and isinstance(own, dict):
        rest = {name: subtract(value, own[name]) if name in own else value for name, value in present.items()}
        return {name: value for name, value in rest.items() if value is not None} or None
    if isinstance(present, list) and isinstance(own, list):
        return [item for item in present if item not in own] or None
    return None


def target(item):
    """What a list's item is about: the pattern of a certificate selection, else the item itself."""
    with contextlib.suppress(TypeError, ValueError, KeyError):
        item = json.loads(item)["pattern"]
    return json.dumps(item, sort_keys=True)


def validate(browser, policies):
    """Raise PolicyFault for a name that the browser would ignore or a value of the wrong type."""
    types = KNOWN[browser]
    for name, value in policies.items():
        if name not in types:
            raise PolicyFault(
                f"{browser} policy {name}: not known to this role; wanted one of {', '.join(sorted(types))}. "
                "Correct its name, or add it to KNOWN in this module"
            )
        if type(value) is not types[name]:
            raise PolicyFault(
                f"{browser} policy {name} = {json.dumps(value)}: is {type(value).__name__}; "
                f"wanted {types[name].__name__}. Correct the variable endpoint_browser_policies"
            )


def parse(text, browser):
    """Policies of a file's text; ValueError when it is none."""
    data = json.loads(text)
    if browser == "firefox":
        data = data.get("policies", {}) if isinstance(data, dict) else data
    if not isinstance(data, dict):
        raise ValueError("wanted a JSON object")
    return data


def render(policies, browser):
    """A policy file's text."""
    data = {"policies": policies} if browser == "firefox" else policies
    return json.dumps(data, indent=2, ensure_ascii=False) + "\n"


def neighbours(path):
    """Other files of Chromium's policy folder with their policies: (before ours, after ours) in the order it reads.

    It takes the last file's value for a policy whole, so an earlier one's is taken over into ours, and a later one's
    would hide ours.
    """
    before: dict[str, tuple] = {}
    after: dict[str, tuple] = {}
    for other in sorted(glob.glob(os.path.join(os.path.dirname(path), "*.json"))):
        if other == path:
            continue
        try:
            policies = parse(read(other), "chromium")
        except ValueError:
            continue  # the browser ignores it too
        (before if other < path else after).update({name: (other, value) for name, value in policies.items()})
    return before, after


def plan(params):
    """(text that the file should have, text it has or None, record's text, whether the file is unreadable)."""
    browser, policies = params["browser"], params["policies"]
    validate(browser, policies)
    present = read(params["path"])
    unreadable, current = False, {}
    if present is not None:
        try:
            current = parse(present, browser)
        except ValueError:
            unreadable = True
    own = policies
    if browser == "chromium":
        before, after = neighbours(params["path"])
        for name in sorted(set(after) & set(policies)):
            other, value = after[name]
            raise PolicyFault(
                f"chromium policy {name}: {other} is read after {params['path']} and hides it; "
                f"seen {json.dumps(value)}. Take the policy out of that file"
            )
        own = merge({name: value for name, (_, value) in before.items() if name in policies}, policies)
    try:
        last = json.loads(read(params["record"]) or "{}")
    except ValueError:
        last = {}
    merged = merge(subtract(current, last) or {}, own)
    return render(merged, browser), present, json.dumps(own, ensure_ascii=False) + "\n", unreadable


def read(path):
    """A file's text; None when there is none."""
    try:
        with open(path, encoding="utf-8", errors="replace") as stream:
            return stream.read()
    except FileNotFoundError:
        return None


def write(module, path, text):
    """Whole or not at all, readable by everyone (a browser runs as the clerk)."""
    os.makedirs(os.path.dirname(path), mode=0o755, exist_ok=True)
    descriptor, temporary = tempfile.mkstemp(dir=os.path.dirname(path), prefix=".asp-")
    with os.fdopen(descriptor, "w", encoding="utf-8") as stream:
        os.fchmod(stream.fileno(), 0o644)
        stream.write(text)
        stream.flush()
        os.fsync(stream.fileno())
    module.atomic_move(temporary, path)


def mode_is_right(path):
    return os.stat(path).st_mode & 0o777 == 0o644 and os.stat(path).st_uid == 0


def main():
    module = AnsibleModule(ARGUMENTS, supports_check_mode=True)
    params, path = module.params, module.params["path"]
    try:
        text, present, record, unreadable = plan(params)
    except PolicyFault as fault:
        module.fail_json(msg=str(fault))
    changed = text != present or not mode_is_right(path)
    result = {
        "changed": changed,
        "sha256": hashlib.sha256(text.encode()).hexdigest(),
        "diff": {"before_header": path, "after_header": path, "before": present or "", "after": text},
    }
    if changed and not module.check_mode:
        if unreadable:
            aside = f"{path}.unreadable-{hashlib.sha256(present.encode()).hexdigest()[:8]}"
            result["aside"] = aside
            os.replace(path, aside)
        write(module, path, text)
        if read(path) != text:
            module.fail_json(msg=f"{path}: read back otherwise than written. Find out what else writes it")
    if read(params["record"]) != record and not module.check_mode:
        write(module, params["record"], record)
    module.exit_json(**result)


if __name__ == "__main__":
    main()
