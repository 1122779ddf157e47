"""Both browsers' policies are ours, beside what municipal IT set; everybody may read them."""

import json

from testinfra.host import Host

CHROMIUM, FIREFOX = "/etc/chromium/policies/managed/asp.json", "/etc/firefox/policies/policies.json"


def verify(host: Host) -> None:
    chromium = json.loads(host.file(CHROMIUM).content_string)
    assert chromium["PasswordManagerEnabled"] is False
    assert chromium["PopupsAllowedForUrls"][0] == "https://a.asp.test"
    assert json.loads(host.file(FIREFOX).content_string) == {"policies": {"DisableTelemetry": True}}
    for path in (CHROMIUM, FIREFOX):
        assert (host.file(path).mode, host.file(path).user) == (0o644, "root")
