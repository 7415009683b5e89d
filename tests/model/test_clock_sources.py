"""What programs that keep the clock print, and what is read out of it."""

from __future__ import annotations

import pytest

from conftest import FakePort, fake_host
from vorflug.model.clock_sources import (
    SILENT,
    ChronyQuery,
    KernelClockQuery,
    NtpqQuery,
    ReferenceFact,
    TimesyncQuery,
    said,
)
from vorflug.model.evidence import Evidence
from vorflug.model.message import render
from vorflug.model.query import Observation, Reason, Seen, Unseen
from vorflug.ports.clock import KernelClock
from vorflug.ports.commands import Completed

# as printed by chronyc 4.3
TRACKING = "C0A80A01,192.168.10.1,3,1700000000.123456789,-0.000012345,0.000010000,0.000020000,-12.345,0.001,0.030,0.010000000,0.002000000,64.2,Normal\n"
LOST = "00000000,,0,0.000000000,0.000000000,0.0,0.0,0.0,0.0,0.0,1.0,1.0,0.0,Not synchronised\n"
NO_STRATUM = "00000000,,0,0.000000000,0.000000000,0.0,0.0,0.0,0.0,0.0,1.0,1.0,0.0,Normal\n"
STRAYING = TRACKING.replace("Normal", "Not synchronised")
# "local stratum 10": in step with itself
ITSELF = TRACKING.replace("C0A80A01,192.168.10.1,3", "7F7F0101,,10")
GONE = FileNotFoundError("no such program")
ASTRAY = ReferenceFact(answered=True, synchronised=False)


def asked(answer):
    return fake_host(commands=FakePort(run=answer))


def in_step(offset):
    return ReferenceFact(answered=True, synchronised=True, offset_s=offset)


@pytest.mark.parametrize(
    ("answer", "fact"),
    [
        (GONE, SILENT),
        (Completed(1, "506 Cannot talk to daemon\n", ""), SILENT),
        (Completed(1, TRACKING, ""), SILENT),
        (Completed(0, "", ""), SILENT),
        (Completed(0, TRACKING, ""), in_step(0.000012345)),
        (Completed(0, LOST, ""), ASTRAY),
        (Completed(0, NO_STRATUM, ""), ASTRAY),
        (Completed(0, STRAYING, ""), ReferenceFact(answered=True, offset_s=0.000012345)),
        (Completed(0, ITSELF, ""), ReferenceFact(answered=True, offset_s=0.000012345)),
    ],
)
def test_what_chrony_says(answer, fact):
    assert ChronyQuery().observe(asked(answer)) == fact


def rv(leap="00", stratum=3, refid="192.168.1.1", offset="-0.523"):
    return Completed(0, f"leap={leap}, stratum={stratum}, refid={refid}, offset={offset}\n", "")


@pytest.mark.parametrize(
    ("answer", "fact"),
    [
        (GONE, SILENT),
        (Completed(1, "", "ntpq: read: Connection refused"), SILENT),
        (Completed(0, "ntpq: read: Connection refused\n", ""), SILENT),
        (Completed(0, "leap=00, stratum=3\n", ""), SILENT),
        (rv(), in_step(0.000523)),
        (rv(offset="1500.0"), in_step(1.5)),
        (rv(leap="01"), in_step(0.000523)),
        (rv(stratum=1, refid="GPS"), in_step(0.000523)),
        (rv(stratum=15), in_step(0.000523)),
        (rv(leap="11"), ReferenceFact(answered=True, offset_s=0.000523)),
        (rv(leap="3"), ReferenceFact(answered=True, offset_s=0.000523)),
        (rv(stratum=16, refid="INIT"), ReferenceFact(answered=True, offset_s=0.000523)),
        (rv(stratum=0), ReferenceFact(answered=True, offset_s=0.000523)),
        # the local clock driver: in step with itself
        (rv(stratum=11, refid="127.127.1.0"), ReferenceFact(answered=True, offset_s=0.000523)),
        (rv(stratum=11, refid="LOCAL(0)"), ReferenceFact(answered=True, offset_s=0.000523)),
    ],
)
def test_what_ntpd_says(answer, fact):
    assert NtpqQuery().observe(asked(answer)) == fact


# as printed by systemd 252
STATUS = """\
       Server: 192.168.1.1 (ntp.corp.example)
Poll interval: 34min 8s (min: 32s; max 34min 8s)
         Leap: {leap}
      Version: 4
      Stratum: 2
    Reference: C0A80A01
    Precision: 1us (-25)
Root distance: 20.735ms (max: 5s)
       Offset: {offset}
        Delay: 14.862ms
       Jitter: 2.318ms
 Packet count: 34
"""


@pytest.mark.parametrize(
    ("answer", "fact"),
    [
        (GONE, SILENT),
        (Completed(1, "", "Failed to connect to bus"), SILENT),
        # before the first answer of a server there is no offset
        (
            Completed(0, "       Server: n/a (ntp.corp.example)\nPoll interval: 0 (min: 32s; max 34min 8s)\n", ""),
            SILENT,
        ),
        (Completed(0, STATUS.format(leap="normal", offset="-1.020ms"), ""), in_step(0.00102)),
        (Completed(0, STATUS.format(leap="normal", offset="+123us"), ""), in_step(0.000123)),
        (Completed(0, STATUS.format(leap="normal", offset="+123μs"), ""), in_step(0.000123)),
        (Completed(0, STATUS.format(leap="normal", offset="+1min 2.5s"), ""), in_step(62.5)),
        (Completed(0, STATUS.format(leap="normal", offset="+1d 1h"), ""), in_step(90000.0)),
        (
            Completed(0, STATUS.format(leap="not synchronized", offset="+1s"), ""),
            ReferenceFact(answered=True, offset_s=1.0),
        ),
    ],
)
def test_what_timesyncd_says(answer, fact):
    seen = TimesyncQuery().observe(asked(answer))
    assert seen.offset_s == pytest.approx(fact.offset_s)
    assert (seen.answered, seen.synchronised) == (fact.answered, fact.synchronised)


def test_the_kernel_is_asked():
    clock = KernelClock(unsynchronised=True, offset_s=0.0, max_error_s=16.0, estimated_error_s=16.0)
    assert KernelClockQuery().observe(fake_host(clock=FakePort(kernel=clock))).clock == clock


def test_a_program_that_could_not_be_asked_says_nothing():
    query = ChronyQuery()
    for reason in Reason:
        assert said(Evidence([Observation(query, Unseen(reason))]), query) == SILENT
    assert said(Evidence([Observation(query, Seen(ASTRAY))]), query) == ASTRAY


def test_the_questions_read_well():
    for query, name in ((ChronyQuery(), "chrony"), (NtpqQuery(), "ntpd"), (TimesyncQuery(), "systemd-timesyncd")):
        assert name in render(query.asks())
    assert "kernel" in render(KernelClockQuery().asks())
