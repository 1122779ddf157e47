"""Bodies that come too slowly: which streams of HAProxy are looked at, and when one is ended."""

import pytest
from asp_edge import haproxy, pace
from asp_edge.pace import Body, Pace
from asp_edge.settings import Settings

STREAM = """\
0x7ffa6bfc0800: [30/Nov/2026:09:17:10.484804] id=44 proto=tcpv4 source=192.0.2.1:60674
  flags=0x84a, conn_retries=0, conn_exp=<NEVER> conn_et=0x000 srv_conn=0x7f, pend_pos=(nil) waiting=0 epoch=0x2
  frontend=https (id=4 mode=http), listener=? (id=1) addr=10.199.0.10:8443
  backend=baz1-elugy-upload (id=26 mode=http) addr=10.199.0.10:53012
  server=asp-test-baz1-elugy (id=1) addr=10.199.0.2:8443
  txn=0x7ffa6bf72a80 flags=0x0 meth=3 status=-1 req.st=MSG_DATA rsp.st=MSG_RPBEFORE req.f=0x10d rsp.f=0x00
  req=0x7ffa6bfc0828 (f=0x840001 an=0x8000 tofwd=-1 total=103107)
      an_exp=<NEVER> buf=0x7ffa6bfc0830 data=(nil) o=0 p=0 i=0 size=0
      htx=0x5587e75aa660 flags=0x0 size=0 data=0 used=0 wrap=NO extra=0
  res=0x7ffa6bfc0870 (f=0x80000000 an=0x1400000 tofwd=0 total=0)
      an_exp=<NEVER> buf=0x7ffa6bfc0878 data=(nil) o=0 p=0 i=0 size=0
      htx=0x5587e75aa660 flags=0x0 size=0 data=7 used=0 wrap=NO extra=0
"""
BODY = Body("0x7ffa6bfc0800", "44", "192.0.2.1", 103107, 0)


def later(total, waiting=0):
    return Body(BODY.key, BODY.number, BODY.source, total, waiting)


@pytest.fixture
def watch():
    """Eight kilobytes a second after ten seconds, with one body that came at second 100."""
    watch = Pace(10, 8000)
    assert watch.slow([later(30_000)], 100) == []
    return watch


def test_a_body_that_an_app_server_receives_is_read_with_its_bytes():
    assert list(pace.bodies(STREAM + STREAM.replace("0x7ffa6bfc0800:", "0x2:"))) == [
        BODY,
        Body("0x2", "44", "192.0.2.1", 103107, 0),
    ]


@pytest.mark.parametrize(
    ("field", "other"),
    [
        ("baz1-elugy-upload", "baz1-elugy"),  # complete before it came there
        ("server=asp-test-baz1-elugy", "server=<none>"),  # waits for a thread
        ("req.st=MSG_DATA", "req.st=MSG_DONE"),
    ],
)
def test_other_streams_are_left_alone(field, other):
    assert field in STREAM
    assert list(pace.bodies(STREAM.replace(field, other))) == []


def test_a_body_that_trickles_is_ended_after_the_time_for_a_whole_small_one(watch):
    assert watch.slow([later(30_100)], 109) == []
    assert watch.slow([later(30_200)], 110) == [later(30_200)]


def test_a_body_that_came_fast_and_then_trickles_is_ended_too():
    watch = Pace(10, 8000)
    watch.slow([later(1_000_000)], 100)
    assert watch.slow([later(1_000_200)], 110) == [later(1_000_200)]


def test_an_office_on_a_slow_line_is_let_finish(watch):
    for second in range(2, 300, 2):
        assert watch.slow([later(30_000 + 9000 * second)], 100 + second) == []


def test_a_body_that_the_app_server_does_not_take_is_not_the_senders_fault(watch):
    assert watch.slow([later(30_000, waiting=500)], 130) == []
    assert watch.slow([later(30_100)], 139) == []
    assert watch.slow([later(30_200)], 141) == [later(30_200)]


def test_a_later_stream_at_the_same_address_in_memory_starts_anew(watch):
    assert watch.slow([Body(BODY.key, "45", BODY.source, 30_000, 0)], 130) == []


def test_the_stream_that_is_too_slow_is_shut_down_and_its_address_logged(monkeypatch, capsys, tmp_path):
    commands = []

    def command(address, text):
        commands.append(text)
        return STREAM if text.startswith("show") else "\n"

    monkeypatch.setattr(haproxy, "command", command)
    settings = Settings(run=tmp_path, body_seconds=0, upload_rate=1)
    watch = Pace(0, 1)
    pace.check(settings, watch)
    monkeypatch.setattr(pace.time, "monotonic", lambda: 1e12)
    pace.check(settings, watch)
    assert commands == [
        f"show sess older {pace.YOUNG}",
        f"show sess older {pace.YOUNG}",
        f"shutdown session {BODY.key}",
    ]
    assert "192.0.2.1" in capsys.readouterr().err
