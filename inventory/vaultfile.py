"""Opening an ansible-vault file (format 1.1 and 1.2, AES256) without Ansible.

Code that runs inside an Ansible module has only a part of the package `ansible` and cannot import its vault.
"""

import binascii
import hashlib
import hmac

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.padding import PKCS7

ITERATIONS = 10_000  # fixed by the format


class VaultFault(Exception):
    """Not a vault file, or not opened by this password."""


def decrypt(content: bytes, password: bytes) -> bytes:
    """Plain text of a whole vault file. VaultFault when the password or the file is wrong."""
    header, _, body = content.partition(b"\n")
    fields = header.strip().split(b";")
    if len(fields) < 3 or fields[0] != b"$ANSIBLE_VAULT" or fields[2] != b"AES256":
        raise VaultFault(f"wanted a line $ANSIBLE_VAULT;1.1;AES256 first, seen {header[:40]!r}")
    try:
        salt, wanted, cipher_text = map(binascii.unhexlify, binascii.unhexlify(b"".join(body.split())).split(b"\n"))
    except ValueError as error:
        raise VaultFault("the body is not three hexadecimal lines") from error
    keys = hashlib.pbkdf2_hmac("sha256", password, salt, ITERATIONS, 80)
    if not hmac.compare_digest(hmac.digest(keys[32:64], cipher_text, "sha256"), wanted):
        raise VaultFault("the password does not open it, or it was changed by hand")
    decryptor = Cipher(algorithms.AES(keys[:32]), modes.CTR(keys[64:])).decryptor()
    unpadder = PKCS7(128).unpadder()
    return unpadder.update(decryptor.update(cipher_text) + decryptor.finalize()) + unpadder.finalize()
