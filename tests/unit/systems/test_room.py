"""Large requests get the memory that there is, in turn; who cannot have it soon is told so."""

import threading

import pytest

from systems.core.room import NoRoom, Room


def test_bodies_are_admitted_while_they_fit_and_then_wait_for_one_that_leaves():
    room, inside, leave = Room(10, patience=5), threading.Event(), threading.Event()

    def hold() -> None:
        with room.body(8):
            inside.set()
            leave.wait(5)

    thread = threading.Thread(target=hold)
    thread.start()
    assert inside.wait(5)
    with room.body(2):
        pass
    threading.Timer(0.05, leave.set).start()
    with room.body(3):
        assert leave.is_set()
    thread.join(5)


def test_who_waits_too_long_is_refused_and_holds_nothing():
    room = Room(10, patience=0.01)
    with room.body(10), pytest.raises(NoRoom), room.body(1):
        pass
    with room.body(10):
        pass


def test_when_enough_wait_the_next_is_refused_at_once():
    room = Room(10, patience=60, most_waiting=0)
    with room.body(10), pytest.raises(NoRoom), room.body(1):
        pass


def test_a_body_larger_than_the_room_is_admitted_alone():
    room = Room(10, patience=0.01)
    with room.body(64), pytest.raises(NoRoom), room.body(1):
        pass


def test_large_work_is_done_one_at_a_time():
    room = Room(patience=0.01)
    with room.work(), pytest.raises(NoRoom), room.work():
        pass
    with room.work():
        pass
