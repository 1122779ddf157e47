"""The clerk's desktop account and its NSS certificate stores. Runs on the workstation, standard library only."""

import base64
import contextlib
import glob
import hashlib
import os
import pwd
import re
import ssl
import subprocess
import tempfile

LIMIT = 30  # seconds for one command: a wrong password makes NSS's tools ask forever


class EndpointFault(Exception):
    """What is wrong on the workstation: what, value seen, value wanted, next step."""


class Account:
    """A local account. Commands run as it; files are made and read as it, so a planted link leads nowhere new."""

    def __init__(self, name):
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            raise EndpointFault(
                f"account {name}: not on this machine; wanted the clerk's desktop account. "
                "Correct endpoint_certificate_account"
            ) from None
        self.name, self.uid, self.gid, self.home = name, entry.pw_uid, entry.pw_gid, entry.pw_dir

    @contextlib.contextmanager
    def acting(self):
        """File operations inside happen with the account's rights."""
        groups, mask = os.getgroups(), os.umask(0o077)
        os.setgroups([])
        os.setegid(self.gid)
        os.seteuid(self.uid)
        try:
            yield
        finally:
            os.seteuid(0)
            os.setegid(0)
            os.setgroups(groups)
            os.umask(mask)

    def run(self, argv, stdin=None, limit=LIMIT, accept=(0,)):
        """(exit code, output, error output) of a command; EndpointFault on a time-out or an exit code not accepted."""
        environment = {"HOME": self.home, "USER": self.name, "LC_ALL": "C.UTF-8", "PATH": "/usr/bin:/bin"}
        try:
            process = subprocess.run(
                argv,
                input=stdin,
                stdin=subprocess.DEVNULL if stdin is None else None,
                capture_output=True,
                text=True,
                timeout=limit,
                env=environment,
                cwd=self.home,
                user=self.uid,
                group=self.gid,
                extra_groups=[],
                umask=0o077,
            )
        except FileNotFoundError:
            remedy = "Install its package (libnss3-tools, openssl)"
            raise EndpointFault(f"{argv[0]}: not installed on this machine. {remedy}") from None
        except subprocess.TimeoutExpired:
            raise EndpointFault(f"{argv[0]} {argv[1]}: no end after {limit} s") from None
        if accept is not None and process.returncode not in accept:
            output = (process.stderr.strip() or process.stdout.strip())[-500:]
            raise EndpointFault(f"{argv[0]} {argv[1]}: exited with {process.returncode}: {output}")
        return process.returncode, process.stdout, process.stderr

    def read(self, path):
        """A file's text; None when there is none."""
        with self.acting():
            try:
                with open(path, encoding="utf-8", errors="replace") as stream:
                    return stream.read()
            except (FileNotFoundError, NotADirectoryError):
                return None

    def write(self, path, text):
        """Whole or not at all, for the account's eyes only."""
        with self.acting():
            os.makedirs(os.path.dirname(path), mode=0o700, exist_ok=True)
            descriptor, temporary = tempfile.mkstemp(dir=os.path.dirname(path), prefix=".new-")
            with os.fdopen(descriptor, "w", encoding="utf-8") as stream:
                stream.write(text)
                stream.flush()
                os.fsync(stream.fileno())
            os.replace(temporary, path)

    def remove(self, path):
        with self.acting(), contextlib.suppress(FileNotFoundError):
            os.remove(path)


def fingerprints(text):
    """SHA-256 of every certificate in PEM text, in order; a broken block is left out."""
    blocks = re.findall(r"-----BEGIN CERTIFICATE-----.+?-----END CERTIFICATE-----", text or "", re.S)
    digests = []
    for block in blocks:
        with contextlib.suppress(ValueError):
            digests.append(hashlib.sha256(ssl.PEM_cert_to_DER_cert(block)).hexdigest())
    return digests


class Store:
    """One NSS store (`cert9.db`) of the account, without a password."""

    def __init__(self, account, folder):
        self.account, self.folder = account, folder

    @property
    def exists(self):
        with self.account.acting():
            return os.path.isfile(os.path.join(self.folder, "cert9.db"))

    def create(self):
        with self.account.acting():
            os.makedirs(self.folder, mode=0o700, exist_ok=True)
        self._certutil("-N", "--empty-password")

    def entries(self):
        """{nickname: trust flags}."""
        trust = {}
        for line in self._certutil("-L").splitlines():
            match = re.match(r"(.+?)\s+([A-Za-z]*,[A-Za-z]*,[A-Za-z]*)\s*$", line)
            if match:
                trust[match.group(1)] = match.group(2)
        return trust

    def holds(self, nickname):
        """SHA-256 of the certificates under a nickname."""
        code, out, _ = self.account.run(["certutil", "-L", "-d", self._database, "-n", nickname, "-a"], accept=(0, 255))
        return fingerprints(out) if code == 0 else []

    def trust(self, nickname, pem):
        """Make an authority trusted to vouch for servers and clients."""
        self.forget(nickname)
        self._certutil("-A", "-n", nickname, "-t", "CT,C,", "-a", stdin=pem)

    def forget(self, nickname):
        """Remove a nickname with all its certificates and their keys."""
        for _ in range(20):
            flags = self.entries().get(nickname)
            if flags is None:
                return
            self._certutil("-F" if "u" in flags else "-D", "-n", nickname)
        raise EndpointFault(f"{self.folder}: {nickname} cannot be removed. Look with: certutil -L -d sql:{self.folder}")

    def take_in(self, nickname, certificate, key):
        """Import a certificate with its key (paths). They travel in a file of the account that lives for the moment."""
        with self.account.acting():
            scratch = tempfile.mkdtemp(prefix=".import-", dir=os.path.dirname(key))
        bundle, password = os.path.join(scratch, "bundle.p12"), os.path.join(scratch, "password")
        try:
            self.account.write(password, base64.b32encode(os.urandom(20)).decode() + "\n")
            command = ["openssl", "pkcs12", "-export", "-in", certificate, "-inkey", key, "-name", nickname]
            self.account.run([*command, "-out", bundle, "-passout", "file:" + password])
            self.account.run(["pk12util", "-i", bundle, "-d", self._database, "-w", password, "-K", ""])
        finally:
            for file in (bundle, password):
                self.account.remove(file)
            with self.account.acting():
                os.rmdir(scratch)

    @property
    def _database(self):
        return "sql:" + self.folder

    def _certutil(self, verb, *arguments, stdin=None):
        return self.account.run(["certutil", verb, "-d", self._database, *arguments], stdin)[1]


def stores(account, chromium, firefox):
    """Stores that browsers on this machine use: Chromium's (which may not exist yet) and every Firefox profile's."""
    with account.acting():
        profiles = sorted(os.path.dirname(file) for file in glob.glob(os.path.join(firefox, "*", "cert9.db")))
    return [Store(account, chromium), *(Store(account, folder) for folder in profiles)]
