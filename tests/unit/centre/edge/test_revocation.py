"""What the edge's HAProxy says that it refuses."""

import socket
import subprocess
import sys
import threading
import time
from types import SimpleNamespace

import pytest

from centre.edge import revocation
from centre.reach.runtime import RuntimeFault

REGISTER = SimpleNamespace(names=SimpleNamespace(edge="asp-x-edge"))


def answering(text):
    return SimpleNamespace(check=lambda service, argv: text)


def test_the_running_workers_list_counts():
    assert revocation.serials_at_edge(REGISTER, answering("0x7f5b7a629540 0A01\n0x7f5b7a6295b0 FF\n\n")) == {
        0xA01,
        0xFF,
    }
    assert revocation.serials_at_edge(REGISTER, answering("\n")) == set()


def test_an_answer_that_is_no_list_is_a_fault():
    with pytest.raises(RuntimeFault, match="seen: 'Unknown ACL identifier"):
        revocation.serials_at_edge(REGISTER, answering("Unknown ACL identifier. Please use #<id> or <file>.\n"))


def test_the_master_is_asked_again_while_it_reloads(tmp_path):
    """HAProxy's master refused connections for an instant after each new list: a run ended with a stack trace."""
    path = tmp_path / "master.sock"
    script = revocation.WORKERS_LIST.replace("/run/asp/master.sock", str(path))

    def master():
        with socket.socket(socket.AF_UNIX) as listening:
            listening.bind(str(path))
            time.sleep(0.5)  # bound and not listening: refused
            listening.listen()
            connection, _ = listening.accept()
            with connection:
                assert connection.recv(200) == b"@1 show acl /data/crl/revoked.lst\n"
                connection.sendall(b"0x1 0A01\n\n")

    thread = threading.Thread(target=master)
    thread.start()
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=20)
    thread.join()
    assert done.stdout == "0x1 0A01\n\n", done.stderr
