"""What runs on a workstation: standard library only, one JSON a line, nothing kept, nothing changed.

The control node sends this file with its question over SSH to `python3 -` and judges nothing here. Private keys are
used where they lie and never printed.
"""

import base64
import glob
import hashlib
import http.client
import json
import os
import re
import socket
import ssl
import subprocess
import time

SECONDS = 8
REFUSAL = "Asp-Edge-Refusal"


def main(question):
    """Print the clock at once (the control node compares it on arrival), then everything else."""
    print(json.dumps({"now": time.time()}), flush=True)
    parts = {
        "gateway": lambda: gateway(),
        "hosts": lambda: {host: guard(lambda host=host: resolve(host)) for host in question["hosts"]},
        "tls": lambda: {host: guard(lambda host=host: handshake(question, host)) for host in question["hosts"]},
        "keret": lambda: keret(question),
        "foreign": lambda: foreign(question),
        "certificate_pem": lambda: read(question["certificate"]),
        "crl": lambda: crl(question),
        "stores": lambda: {name: guard(lambda path=path: nss(path)) for name, path in question["nss"].items()},
        "system_store": lambda: bundle(question["bundle"]),
        "policies": lambda: {name: guard(lambda path=path: read(path)) for name, path in question["policies"].items()},
        "browsers": lambda: {
            name: guard(lambda argv=argv: version(argv)) for name, argv in question["browsers"].items()
        },
    }
    print(json.dumps({name: guard(part) for name, part in parts.items()}))


def guard(part):
    """A part's value, or {"fault": why not}: one that fails hides no other."""
    try:
        return part()
    except Exception as error:
        return {"fault": " ".join(str(error).split())[:300] or type(error).__name__}


def gateway():
    """Address of the default route: where a stand-in finds the centre."""
    with open("/proc/net/route", encoding="ascii") as stream:
        for line in list(stream)[1:]:
            fields = line.split()
            if fields[1] == "00000000" and int(fields[3], 16) & 2:
                return socket.inet_ntoa(int(fields[2], 16).to_bytes(4, "little"))
    raise OSError("no default route")


def resolve(host):
    """IPv4 addresses of a name; None when it has none."""
    try:
        return sorted({item[4][0] for item in socket.getaddrinfo(host, 443, socket.AF_INET, socket.SOCK_STREAM)})
    except socket.gaierror:
        return None


def context(question, clerk=False):
    tls = ssl.create_default_context(cafile=question["bundle"])
    if clerk:
        tls.load_cert_chain(question["certificate"], question["key"])
    return tls


def connect(question, host, tls, address=None):
    plain = socket.create_connection((address or host, question["port"]), SECONDS)
    try:
        return tls.wrap_socket(plain, server_hostname=host)
    except BaseException:
        plain.close()
        raise


def handshake(question, host):
    """Whether this machine's own store trusts what the host shows."""
    try:
        with connect(question, host, context(question)) as secured:
            return {"error": None, "version": secured.version()}
    except ssl.SSLCertVerificationError as error:
        return {"error": error.verify_message, "version": None}


def get(question, host, path, address=None):
    """One request with the clerk's certificate: (answer, body)."""
    connection = http.client.HTTPConnection(host, question["port"], timeout=SECONDS)
    started = time.monotonic()
    connection.sock = connect(question, host, context(question, clerk=True), address)
    try:
        connection.request("GET", path)
        reply = connection.getresponse()
        body = reply.read()
    finally:
        connection.close()
    answer = {
        "status": reply.status,
        "code": reply.getheader(REFUSAL),
        "location": (reply.getheader("Location") or "").partition("?")[0] or None,
        "milliseconds": round((time.monotonic() - started) * 1000, 1),
    }
    return answer, body


def keret(question):
    """The framework's first page, asked five times; the middle one counts, so that one hiccup of a busy PC does not."""
    answers = [get(question, question["own"], "/keret/")[0] for _ in range(5)]
    return sorted(answers, key=lambda answer: answer["milliseconds"])[2]


def foreign(question):
    """Another tenant's host with this clerk's certificate, at the address where the own host is."""
    if not question["foreign"]:
        raise LookupError("no other tenant to try with")
    addresses = resolve(question["own"])
    answer, _ = get(question, question["foreign"], "/keret/", addresses and addresses[0])
    return {"host": question["foreign"], **answer}


def crl(question):
    """The authority's list of revoked certificates, as it reaches this machine (DER, base64)."""
    answer, body = get(question, question["authority"], "/1.0/crl")
    if answer["status"] != 200:
        raise OSError(f"list of revocations: status {answer['status']}")
    return base64.b64encode(body).decode()


def read(path):
    """A file's text; None when there is none."""
    try:
        with open(path, encoding="utf-8") as stream:
            return stream.read()
    except FileNotFoundError:
        return None


def pems(text):
    """SHA-256 of each certificate in PEM text."""
    blocks = re.findall(r"-----BEGIN CERTIFICATE-----.+?-----END CERTIFICATE-----", text, re.S)
    return [hashlib.sha256(ssl.PEM_cert_to_DER_cert(block)).hexdigest() for block in blocks]


def bundle(path):
    return pems(read(path) or "")


def nss(pattern):
    """Certificates of an NSS store: personal ones (with their key) and trusted authorities, by SHA-256.

    A store that was never made holds none.
    """
    store: dict[str, list[str]] = {"personal": [], "authorities": []}
    files = sorted(glob.glob(os.path.join(pattern, "cert9.db")))
    if not files:
        return store
    folder = os.path.dirname(files[0])
    for line in certutil("-L", "-d", "sql:" + folder).splitlines():
        match = re.match(r"(.+?)\s+([A-Za-z]*),([A-Za-z]*),([A-Za-z]*)\s*$", line)
        if not match:
            continue
        digests = pems(certutil("-L", "-d", "sql:" + folder, "-n", match.group(1), "-a"))
        if "u" in match.group(2):
            store["personal"] += digests
        if "C" in match.group(2):
            store["authorities"] += digests
    return store


def certutil(*arguments):
    # A wrong password makes it ask forever: no input, and a time limit.
    process = subprocess.run(
        ["certutil", *arguments], stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=SECONDS
    )
    if process.returncode:
        raise OSError(f"certutil: {process.stderr.strip()}")
    return process.stdout


def version(argv):
    """Version number that a program reports; None when it is not installed."""
    try:
        process = subprocess.run(argv, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=SECONDS)
    except FileNotFoundError:
        return None
    match = re.search(r"\d+(\.\d+)+\w*", process.stdout)
    if not match:
        raise OSError(f"{argv[0]} said no version: {(process.stderr or process.stdout).strip()[:200]}")
    return match.group(0)
