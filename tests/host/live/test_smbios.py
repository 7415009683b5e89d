"""Tables of type 17 as DSP0134 describes them, and what is no such table."""

from __future__ import annotations

import pytest

from vorflug.host.live.smbios import memory_modules

MIB = 2**20
GIB = 2**30


def structure(kind, formatted, strings=b""):
    """One structure: *formatted* without its first four bytes, *strings* each ended by a zero byte."""
    return bytes([kind, 4 + len(formatted), 0, 0x11]) + formatted + (strings or b"\0") + b"\0"


def module(size, extended=0, strings=b"DIMM 0\0BANK 0\0Some Maker\0SECRET-SERIAL\0"):
    """Type 17 of version 2.8 (0x28 bytes): size at 0Ch, extended size at 1Ch."""
    formatted = bytearray(0x24)
    formatted[0x0C - 4 : 0x0E - 4] = size.to_bytes(2, "little")
    formatted[0x1C - 4 : 0x20 - 4] = extended.to_bytes(4, "little")
    return structure(17, bytes(formatted), strings)


END = structure(127, b"")


@pytest.mark.parametrize(
    ("table", "sizes"),
    [
        (module(8192), (8 * GIB,)),
        (module(8192) + module(8192), (8 * GIB, 8 * GIB)),
        (module(1), (MIB,)),
        # an empty slot, and a size that the firmware does not know
        (module(0) + module(0xFFFF) + module(4096), (4 * GIB,)),
        # from 32 GiB - 1 MiB on the size stands in another field, of which bit 31 is reserved
        (module(0x7FFE), (0x7FFE * MIB,)),
        (module(0x7FFF, 64 * 1024), (64 * GIB,)),
        (module(0x7FFF, 0x8000_0000 | 128 * 1024), (128 * GIB,)),
        # bit 15: the size is in KiB
        (module(0x8000 | 512), (512 * 1024,)),
        (module(2048, 64 * 1024), (2 * GIB,)),
        # no strings at all
        (module(2048, strings=b""), (2 * GIB,)),
        (b"", ()),
    ],
)
def test_sizes(table, sizes):
    before = structure(0, bytes(20), b"Vendor\0Version\0") + structure(16, bytes(11))
    assert memory_modules(table + END) == sizes
    assert memory_modules(before + table + END) == sizes
    assert memory_modules(table) == sizes  # a table without its end


def test_nothing_after_the_end_counts():
    assert memory_modules(module(1024) + END + module(1024)) == (GIB,)


@pytest.mark.parametrize(
    "table",
    [
        bytes([17, 3, 0, 0, 0, 0]),  # shorter than its own head
        module(8192)[:20],  # cut off within
        module(8192)[:-1],  # cut off before the end of its strings
        bytes([17, 200, 0, 0]) + bytes(40),  # longer than the table
    ],
)
def test_what_is_no_table_is_refused(table):
    with pytest.raises(ValueError, match="makes no sense"):
        memory_modules(table)


def test_a_rest_that_is_too_short_for_a_structure_is_no_structure():
    assert memory_modules(module(1024) + b"\0\0\0") == (GIB,)
