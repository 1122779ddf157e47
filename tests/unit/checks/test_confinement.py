"""What a container may is read from its own /proc: of the service's process, not of its init or a health check."""

import pytest

from centre.reach.runtime import RuntimeFault
from checks.probes import confinement

PROCESS = "Name:\t{name}\nPid:\t{pid}\nPPid:\t{parent}\nUid:\t{uid}\t{uid}\t{uid}\t{uid}\nCapBnd:\t{caps}\n{rest}\n"
BOUND, FREE = "NoNewPrivs:\t1\nSeccomp:\t2", "NoNewPrivs:\t0\nSeccomp:\t0"
NONE = "0000000000000000"
MOUNTS = "1021 900 0:231 / / ro,relatime - overlay overlay rw\n1022 1021 0:234 / /proc rw,nosuid - proc proc rw\n"
ROUTES = "Iface\tDestination\tGateway\tFlags\tRefCnt\tUse\tMetric\tMask\n"
INSIDE = "eth0\t0001C70A\t00000000\t0001\t0\t0\t0\t00FFFFFF\n"
WAY_OUT = "eth1\t00000000\t010012AC\t0003\t0\t0\t0\t00000000\n"


def process(name, pid, parent, uid=10001, caps=NONE, rest=BOUND):
    return PROCESS.format(name=name, pid=pid, parent=parent, uid=uid, caps=caps, rest=rest)


def printout(*processes, mounts=MOUNTS, routes=INSIDE, pids="max\n"):
    return "".join(processes) + f"\n[mounts]\n{mounts}[routes]\n{ROUTES}{routes}[pids]\n{pids}"


INIT = process("docker-init", 1, 0, rest=FREE)
CHECK = process("sh", 6, 0, uid=0, caps="00000000a80425fb", rest=FREE)  # begun by Docker: no child of the init
CONFINED = printout(INIT, process("gunicorn", 7, 1), process("gunicorn", 19, 7), CHECK)
SOUND = {
    "uid": 10001,
    "no_new_privileges": True,
    "seccomp": True,
    "capabilities": "",
    "read_only": True,
    "default_route": False,
    "processes_limit": "max",
}


def test_a_confined_service_is_seen_through_its_init_and_its_health_checks():
    assert confinement.read(CONFINED) == SOUND


@pytest.mark.parametrize(
    ("text", "fact", "value"),
    [
        (printout(INIT, process("gunicorn", 7, 1, uid=0)), "uid", 0),
        (printout(INIT, process("gunicorn", 7, 1, rest=FREE)), "no_new_privileges", False),
        (printout(INIT, process("gunicorn", 7, 1, rest=FREE)), "seccomp", False),
        (printout(INIT, process("gunicorn", 7, 1, caps="0000000000000400")), "capabilities", "400"),
        (printout(INIT, process("x", 7, 1), mounts=MOUNTS.replace(" ro,", " rw,")), "read_only", False),
        (printout(INIT, process("x", 7, 1), routes=INSIDE + WAY_OUT), "default_route", True),
        (printout(INIT, process("x", 7, 1), pids="512\n"), "processes_limit", "512"),
    ],
)
def test_one_right_too_many_is_seen(text, fact, value):
    assert confinement.read(text) == {**SOUND, fact: value} or fact in ("no_new_privileges", "seccomp")
    assert confinement.read(text)[fact] == value


def test_an_answer_without_a_process_is_no_confinement():
    with pytest.raises(RuntimeFault, match="no process is seen"):
        confinement.read("")
