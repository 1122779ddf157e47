"""The edge in one container of its image without a network: its real configuration behind a socket in a folder.

Signed certificates and the list of revocations come as files (`edge_program.py`), so neither step-ca nor an environment
has to run.
"""

from __future__ import annotations

import datetime as dt
import http.client
import io
import json
import re
import socket
import ssl
import tarfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import docker
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from docker.models.containers import Container

from inventory.names import Port
from inventory.register import Register
from inventory.vault import certificates
from inventory.vault.certificates import Pair
from stacks.configs import edge_answers, edge_config, edge_pages
from stacks.configs.places import CERTIFICATE_FILE, KEY_FILE, ROOT_FILE
from stacks.images.build import recipe
from tests.support.polling import poll

UID = 10001
PROGRAM = "/opt/edge_program.py"
CONTROL = ["python3", PROGRAM]
SECONDS = 20


class EdgeAlone:
    """Its hosts are open from the start. `folder`: short, for the path of a socket has 107 letters at most."""

    def __init__(self, register: Register, folder: Path, hosts: Iterable[str]):
        self.folder = folder
        folder.chmod(0o777)
        self._root = certificates.root("test")
        self.issuing = certificates.intermediate("test", "issuing", self._root)
        name = certificates.authority_name("test", "issuing")
        leaf = certificates.leaf("edge", [], certificates.intermediate("test", "internal", self._root))
        config = edge_config.render(register, name)
        for own, instead in (
            (f"bind :{Port.EDGE_HTTPS:d} ssl", "bind unix@/shared/https.sock mode 666 ssl"),
            ("init-addr libc,none", "init-addr none"),  # no name is known here
        ):
            assert own in config
            config = config.replace(own, instead)
        files = {
            edge_config.CONFIG_FILE: config,
            edge_config.CLIENT_CA_FILE: self._root.certificate + self.issuing.certificate,
            ROOT_FILE: self._root.certificate,
            CERTIFICATE_FILE: leaf.chain,
            KEY_FILE: leaf.key,
            PROGRAM: (Path(__file__).parent / "edge_program.py").read_text(),
            **{f"{edge_answers.PAGES_DIR}/{page}.html": edge_pages.render(page) for page in edge_pages.PAGES},
        }
        hosts = list(hosts)
        data = {f"certs/{host}.pem": self.pem(host) for host in hosts}
        data["maps/tenants.map"] = "".join(f"{host} 16054:baz1\n" for host in hosts)
        self.container: Container = docker.from_env(timeout=120).containers.create(
            recipe.reference("edge"),
            [*CONTROL, "serve"],
            entrypoint=["setpriv", "--no-new-privs", "--"],
            network_mode="none",
            cap_drop=["ALL"],
            volumes={str(folder): {"bind": "/shared", "mode": "rw"}},
            tmpfs={"/run/asp": f"mode=1777,uid={UID}"},
        )
        self.container.put_archive("/", _archive({name.lstrip("/"): text for name, text in files.items()}))
        self.container.put_archive("/data", _archive(data, ["certs", "maps"]))

    def __enter__(self) -> EdgeAlone:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.container.remove(force=True, v=True)

    def start(self) -> None:
        """Start the container, and wait until HAProxy answers."""
        self.container.start()
        poll(self._fault, lambda fault: not fault, SECONDS, "HAProxy answers")

    def is_closed(self) -> bool:
        """Whether no new connection is taken."""
        return bool(self._fault())

    def _fault(self) -> str:
        try:
            self.visit("nobody.test").close()
            return ""
        except OSError as error:
            return f"{error}: {self.container.logs(tail=5).decode()}"

    # -- what step-ca would give

    def pem(self, host: str, issuer: Pair | None = None) -> str:
        """A new certificate for a host, as the control program keeps it: chain, then key."""
        pair = certificates.leaf(host, [], issuer or self.issuing)
        return pair.chain + pair.key

    def clerk(self, unit: str) -> tuple[Path, int]:
        """A clerk's certificate with its key in a file, and its serial number."""
        key = certificates.ec.generate_private_key(certificates.ec.SECP256R1())
        issuer = x509.load_pem_x509_certificate(self.issuing.certificate.encode())
        now = dt.datetime.now(dt.UTC)
        oids = x509.NameOID
        names = [(oids.COMMON_NAME, "minta.iktato"), (oids.ORGANIZATIONAL_UNIT_NAME, unit)]
        certificate = (
            x509.CertificateBuilder()
            .subject_name(x509.Name([x509.NameAttribute(oid, value) for oid, value in names]))
            .issuer_name(issuer.subject)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number() | 1 << 158)
            .not_valid_before(now - dt.timedelta(minutes=5))
            .not_valid_after(now + dt.timedelta(days=1))
            .sign(_key(self.issuing), hashes.SHA256())
        )
        encoding, form = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8
        file = self.folder / f"clerk-{certificate.serial_number}.pem"
        file.write_bytes(
            certificate.public_bytes(encoding) + key.private_bytes(encoding, form, serialization.NoEncryption())
        )
        return file, certificate.serial_number

    def publish(self, *serials: int, issuer: Pair | None = None, minutes: int = 60) -> None:
        """The list of revocations that step-ca would give from now on."""
        issuer, now = issuer or self.issuing, dt.datetime.now(dt.UTC)
        builder = (
            x509.CertificateRevocationListBuilder()
            .issuer_name(x509.load_pem_x509_certificate(issuer.certificate.encode()).subject)
            .last_update(now)
            .next_update(now + dt.timedelta(minutes=minutes))
        )
        for serial in serials:
            entry = x509.RevokedCertificateBuilder().serial_number(serial).revocation_date(now).build()
            builder = builder.add_revoked_certificate(entry)
        der = builder.sign(_key(issuer), hashes.SHA256()).public_bytes(serialization.Encoding.DER)
        (self.folder / "list.der").write_bytes(der)

    # -- the control program

    def call(self, verb: str, question: dict[str, Any] | None = None, **environment: str) -> tuple[int, str, str]:
        """Exit code, answer and what it logged."""
        (self.folder / "question.json").write_text(json.dumps(question or {}))
        command = ["sh", "-c", f"{' '.join(CONTROL)} {verb} </shared/question.json"]
        code, (out, err) = self.container.exec_run(command, environment=environment, demux=True)
        return code, (out or b"").decode(), (err or b"").decode()

    def join(self, host: str, pem: str = "", cell: str = "baz1", **environment: str) -> tuple[int, str, str]:
        """Open a host with a new certificate."""
        (self.folder / "signed.pem").write_text(pem or self.pem(host))
        tenant = {"host": host, "ksh": "16054", "cell": cell, "token": "signed.pem"}
        return self.call("apply", {"present": [tenant]}, **environment)

    def haproxy(self, *commands: str) -> list[str]:
        """HAProxy's answers to commands on the master's socket."""
        script = (
            "import json, sys; from asp_edge import haproxy, settings; "
            "socket, texts = settings.Settings().master_socket, json.load(open('/shared/commands.json')); "
            "json.dump([haproxy.command(socket, text) for text in texts], sys.stdout)"
        )
        (self.folder / "commands.json").write_text(json.dumps(commands))
        code, out = self.container.exec_run(["python3", "-c", script])
        assert code == 0, out.decode()
        return list(json.loads(out))

    def worker(self) -> str:
        """The process that takes new connections."""
        match = re.search(r"^# workers\n(\d+)", self.haproxy("show proc")[0], re.MULTILINE)
        assert match
        return match[1]

    # -- its visitors

    def visit(self, host: str, certificate: Path | None = None) -> ssl.SSLSocket:
        """A new connection; the server's certificate is of this authority, whatever host it names."""
        context = ssl.create_default_context(cadata=self._root.certificate)
        context.check_hostname = False
        if certificate:
            context.load_cert_chain(certificate)
        raw = socket.socket(socket.AF_UNIX)
        raw.settimeout(SECONDS)
        try:
            raw.connect(str(self.folder / "https.sock"))
            return context.wrap_socket(raw, server_hostname=host)
        except OSError:
            raw.close()
            raise

    def certificate_of(self, host: str) -> tuple[str, str]:
        """(name, serial number) of the certificate that a new connection for a host gets."""
        with self.visit(host) as connection:
            subject = dict(pair[0] for pair in connection.getpeercert()["subject"])
            return subject["commonName"], connection.getpeercert()["serialNumber"]

    def refusal(self, host: str, connection: ssl.SSLSocket | None = None, certificate: Path | None = None) -> str:
        """Which page of its own the edge answers with, on an open connection or on a new one."""
        return ask(connection, host) if connection else ask(self.visit(host, certificate), host, last=True)


def ask(connection: ssl.SSLSocket, host: str, last: bool = False) -> str:
    """One request on a connection; the refusal's code without what all of them have in common."""
    client = http.client.HTTPConnection(host, timeout=SECONDS)
    client.sock = connection
    client.request("GET", "/keret/", headers={"Connection": "close"} if last else {})
    answer = client.getresponse()
    answer.read()
    if last:
        connection.close()
    return (answer.headers["Asp-Edge-Refusal"] or "").removeprefix("ASP-EDGE-")


def _key(pair: Pair) -> Any:
    return serialization.load_pem_private_key(pair.key.encode(), None)


def _archive(files: dict[str, str], folders: Iterable[str] = ()) -> bytes:
    """Everything owned by the edge's user."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as bundle:
        for folder in folders:
            entry = tarfile.TarInfo(folder)
            entry.type, entry.mode, entry.uid, entry.gid = tarfile.DIRTYPE, 0o700, UID, UID
            bundle.addfile(entry)
        for name, text in files.items():
            data = text.encode()
            entry = tarfile.TarInfo(name)
            entry.size, entry.mode, entry.uid, entry.gid = len(data), 0o600, UID, UID
            bundle.addfile(entry, io.BytesIO(data))
    return buffer.getvalue()
