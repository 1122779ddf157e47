"""Pulumi's passphrase secrets: `v1:` salts and AES-256-GCM ciphertexts, PBKDF2 with 1,000,000 rounds of SHA-256."""

from __future__ import annotations

import base64
import hashlib
import os
import threading
from pathlib import Path
from typing import Any

from stacks.engine.errors import SecretsError
from stacks.engine.late import Late

exceptions: Any = Late("cryptography.exceptions")
aead: Any = Late("cryptography.hazmat.primitives.ciphers.aead")

ROUNDS = 1_000_000  # the CLI's own figure; about 0.25 s of one core
CHECK_TEXT = "pulumi"


def passphrase_from_environment() -> str:
    """`PULUMI_CONFIG_PASSPHRASE` or the content of `PULUMI_CONFIG_PASSPHRASE_FILE`; SecretsError when neither."""
    value = os.environ.get("PULUMI_CONFIG_PASSPHRASE")
    if value is not None:
        return value
    path = os.environ.get("PULUMI_CONFIG_PASSPHRASE_FILE")
    if not path:
        raise SecretsError(
            "passphrase must be set with PULUMI_CONFIG_PASSPHRASE or PULUMI_CONFIG_PASSPHRASE_FILE environment "
            "variables: neither is set"
        )
    try:
        return Path(path).read_text(encoding="utf-8").strip("\n")
    except OSError as cause:
        raise SecretsError(f"cannot read PULUMI_CONFIG_PASSPHRASE_FILE {path!r}: {cause.strerror}") from cause


class Crypter:
    """Opens and seals the secrets of one stack. Deriving its key takes 0.25 s of a core: see `prepare`."""

    _lock = threading.Lock()  # of all crypters: it is held for a moment

    def __init__(self, salt: str, passphrase: str):
        """`salt`: the `encryptionsalt` line, checked against `passphrase` on first use (SecretsError)."""
        pieces = salt.split(":", 2) if isinstance(salt, str) else []
        try:
            if len(pieces) != 3 or pieces[0] != "v1":
                raise ValueError
            self._salt = base64.b64decode(pieces[1], validate=True)
        except ValueError as cause:
            raise SecretsError(
                f"encryptionsalt {salt!r} is not of the form v1:<salt>:v1:<nonce>:<ciphertext>; restore it in "
                "Pulumi.<stack>.yaml or in the checkpoint. Nothing was touched."
            ) from cause
        self.state = salt
        self._check = pieces[2]
        self._passphrase = passphrase
        self._key = b""
        self._fault: SecretsError | None = None
        self._thread: threading.Thread | None = None

    @classmethod
    def fresh(cls, passphrase: str) -> Crypter:
        """A crypter with a new random salt."""
        raw = os.urandom(8)
        key = _derive(passphrase, raw)
        crypter = cls.__new__(cls)
        crypter.state = f"v1:{base64.b64encode(raw).decode()}:{_seal(key, CHECK_TEXT)}"
        crypter._key, crypter._fault, crypter._thread = key, None, None
        crypter._passphrase = passphrase
        return crypter

    def _derive(self) -> None:
        key = _derive(self._passphrase, self._salt)
        try:
            if _open(key, self._check) != CHECK_TEXT:
                raise SecretsError("wrong check text")
            self._key = key
        except SecretsError:
            self._fault = SecretsError(
                "incorrect passphrase: PULUMI_CONFIG_PASSPHRASE does not open this stack's encryptionsalt. "
                "Set the passphrase that the stack was made with; nothing was written."
            )

    def prepare(self) -> None:
        """Begin to derive the key in the background; a stack without secrets that does not change needs none."""
        with self._lock:
            if not self._key and self._thread is None:
                self._thread = threading.Thread(target=self._derive, name="key", daemon=True)
                self._thread.start()

    def key(self) -> bytes:
        """The AES key; waits for the derivation, raises SecretsError on a wrong passphrase."""
        self.prepare()
        if self._thread is not None:
            self._thread.join()
        if self._fault is not None:
            raise self._fault
        return self._key

    def seal(self, text: str) -> str:
        """`v1:<nonce>:<ciphertext>` of `text`."""
        return _seal(self.key(), text)

    def open(self, sealed: str) -> str:
        """Plain text of a ciphertext; SecretsError when it was sealed with another key."""
        return _open(self.key(), sealed)


def _derive(passphrase: str, salt: bytes) -> bytes:
    return hashlib.pbkdf2_hmac("sha256", passphrase.encode(), salt, ROUNDS, 32)


def _seal(key: bytes, text: str) -> str:
    nonce = os.urandom(12)
    body = aead.AESGCM(key).encrypt(nonce, text.encode(), None)
    return f"v1:{base64.b64encode(nonce).decode()}:{base64.b64encode(body).decode()}"


def _open(key: bytes, sealed: str) -> str:
    try:
        version, nonce, body = sealed.split(":")
        if version != "v1":
            raise ValueError(f"version {version!r}")
        return aead.AESGCM(key).decrypt(base64.b64decode(nonce), base64.b64decode(body), None).decode()
    except exceptions.InvalidTag as cause:
        raise SecretsError("a secret does not open with this stack's passphrase") from cause
    except ValueError as cause:
        raise SecretsError(f"a ciphertext is malformed ({cause}); wanted v1:<nonce>:<ciphertext>") from cause
