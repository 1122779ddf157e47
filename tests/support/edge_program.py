"""Runs in a container of the edge's image: its control program, with files in place of step-ca's answers.

A token is the name of the file that holds the signed certificate. `refresh` takes the list of revocations once.
ASP_BY_RELOAD: each change by a reload, as before the runtime interface. ASP_KILLED_AFTER: end at once, as by a kill,
after so many commands to HAProxy.
"""

import os
import pathlib
import signal
import sys

from asp_edge import __main__ as program
from asp_edge import certificates, haproxy, revocation, running

SHARED = pathlib.Path("/shared")


def reload(settings, change):
    haproxy.reload(settings)
    settings.unloaded.unlink()


def validate_and_reload(settings, change):
    haproxy.validate(settings)
    reload(settings, change)


def killed_after(count, command=haproxy.command):
    def counted(address, text):
        nonlocal count
        if count == 0:
            os.kill(os.getpid(), signal.SIGKILL)
        count -= 1
        return command(address, text)

    return counted


certificates.issue = lambda settings, host, token: (SHARED / token).read_text()
revocation.request = lambda settings, path: (SHARED / "list.der").read_bytes()
program.ANSWERS["refresh"] = lambda settings, request: revocation.refresh(settings)
if "ASP_BY_RELOAD" in os.environ:
    running.load, running.load_list = validate_and_reload, reload
if limit := os.environ.get("ASP_KILLED_AFTER"):
    haproxy.command = killed_after(int(limit))
if sys.argv[1:] == ["serve"]:
    revocation.watch = lambda settings, stop: None  # the tests say when
sys.exit(program.main(sys.argv[1:]))
