"""The framing, against the kernel itself and against bytes as the kernel's headers describe them."""

from __future__ import annotations

import errno
import socket
import struct

import pytest

from vorflug.host.live import Patience, netlink

GET_LINK, NEW_LINK = 18, 16


def test_a_whole_table_is_given():
    found = netlink.dump(0, GET_LINK, bytes(16), Patience(10))
    assert found and {kind for kind, _ in found} == {NEW_LINK}


def test_a_refusal_is_told_with_the_kernels_own_number():
    with pytest.raises(OSError) as refused:
        netlink.dump(0, 1_000, bytes(16), Patience(10))
    assert refused.value.errno == errno.EOPNOTSUPP


def test_no_time_left_is_a_timeout():
    with pytest.raises(TimeoutError):
        netlink.dump(0, GET_LINK, bytes(16), Patience(-1))


def attribute(kind, data):
    return struct.pack("=HH", len(data) + 4, kind) + data + bytes(-len(data) % 4)


def test_attributes():
    data = attribute(1, b"abcde") + attribute(2 | 0x8000, b"") + attribute(3 | 0x4000, b"xy")
    assert netlink.attributes(data) == {1: b"abcde", 2: b"", 3: b"xy"}


@pytest.mark.parametrize("data", [b"", b"\x01", struct.pack("=HH", 3, 1), struct.pack("=HH", 0, 1) + bytes(8)])
def test_attributes_that_make_no_sense_are_none(data):
    assert netlink.attributes(data) == {}


# ---- a kernel that misbehaves: a real socket pair, with the test at its other end


def message(kind, body=b"", *, flags=0, sequence=1):
    return struct.pack("=IHHII", 16 + len(body), kind, flags, sequence, 0) + body + bytes(-len(body) % 4)


DONE = message(3, struct.pack("=i", 0))


def asked(*answers):
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
    with ours, theirs:
        for answer in answers:
            theirs.send(answer)
        return list(netlink._dump_once(ours, GET_LINK, b"", 1, Patience(1)))


def test_messages_of_several_answers():
    assert asked(message(16, b"one") + message(16, b"two"), message(16, b"three") + DONE) == [
        (16, b"one"),
        (16, b"two"),
        (16, b"three"),
    ]


def test_the_rest_of_a_dump_that_was_given_up_is_passed_over():
    assert asked(message(16, b"old", sequence=7), message(3, sequence=7), message(16, b"new") + DONE) == [(16, b"new")]


def test_an_old_kernel_ends_without_a_number():
    assert asked(message(16, b"one"), message(3)) == [(16, b"one")]


@pytest.mark.parametrize("kind", [2, 3])
def test_an_error_at_the_end_is_one(kind):
    with pytest.raises(PermissionError):
        asked(message(16, b"one"), message(kind, struct.pack("=i", -errno.EPERM) + bytes(16)))


def test_an_error_of_zero_ends_the_answer():
    assert asked(message(2, struct.pack("=i", 0))) == []


def test_a_table_that_changed_meanwhile_is_no_answer():
    with pytest.raises(netlink._Changed):
        asked(message(16, b"one", flags=0x10), message(16, b"two") + DONE)


def test_lengths_that_make_no_sense_are_refused():
    with pytest.raises(OSError, match="no sense"):
        asked(struct.pack("=IHHII", 8, 16, 0, 1, 0))


def test_silence_is_a_timeout():
    with pytest.raises(TimeoutError):
        asked()
