"""The clerk's certificate and key lie with the clerk, and the system and both browsers trust and hold them."""

from testinfra.host import Host

FOLDER = "/home/ugyintezo/.config/asp"
NICKNAME = "ASP t16054 proba.clerk"


def verify(host: Host) -> None:
    for kind, mode in (("crt", 0o600), ("key", 0o600)):
        file = host.file(f"{FOLDER}/t16054.{kind}")
        assert (file.user, file.mode) == ("ugyintezo", mode), kind
    subject = host.check_output(
        f"openssl x509 -in {FOLDER}/t16054.crt -noout -subject -nameopt multiline,utf8,-esc_msb"
    )
    for part in ("proba.clerk", "t16054", "Sajószentpéter"):
        assert part in subject
    assert host.run(f"openssl verify -untrusted {FOLDER}/t16054.crt {FOLDER}/t16054.crt").succeeded, "root is trusted"
    profiles = host.check_output("ls -d /home/ugyintezo/.config/mozilla/firefox/*.default-esr").split()
    assert profiles, "Firefox has a profile"
    for store in ("/home/ugyintezo/.pki/nssdb", *profiles):
        listing = host.check_output(f"sudo -u ugyintezo certutil -L -d sql:{store}")
        assert "ASP scenario root CA" in listing and NICKNAME in listing, listing
