"""The firmware's tables: System Management BIOS (DMTF DSP0134, version 3.7).

A table is a row of structures: type (1 byte), length of the formatted part (1), handle (2), the formatted part, then
its strings, each ended by a zero byte, and another zero byte (section 6.1.2; two zero bytes where there are none).
"""

from __future__ import annotations

from collections.abc import Iterator

_HEADER_BYTES = 4
_END_OF_TABLE = 127
_MEMORY_DEVICE = 17
_SIZE_AT = 0x0C
_EXTENDED_SIZE_AT = 0x1C

# section 7.18.1, "Size": a word whose top bit gives the unit
_UNKNOWN = 0xFFFF
_SEE_EXTENDED = 0x7FFF
_IN_KIB = 0x8000


def memory_modules(table: bytes) -> tuple[int, ...]:
    """The sizes in bytes of the memory devices (section 7.18); empty slots and unknown sizes are left out.

    Raises ValueError for what is no such table.
    """
    sizes = (_size(structure) for structure in _structures(table) if structure[0] == _MEMORY_DEVICE)
    return tuple(size for size in sizes if size)


def _structures(table: bytes) -> Iterator[bytes]:
    at = 0
    while at + _HEADER_BYTES <= len(table):
        formatted = table[at : at + table[at + 1]]
        end = table.find(b"\0\0", at + len(formatted))
        if len(formatted) < _HEADER_BYTES or len(formatted) < table[at + 1] or end < 0:
            raise ValueError(f"the SMBIOS structure at byte {at} makes no sense")
        yield formatted
        if formatted[0] == _END_OF_TABLE:
            return
        at = end + 2


def _size(structure: bytes) -> int:
    """In bytes; 0 for an empty slot and for an unknown size."""
    word = int.from_bytes(structure[_SIZE_AT : _SIZE_AT + 2], "little")
    if word == _UNKNOWN:
        return 0
    if word == _SEE_EXTENDED:
        # section 7.18.5: bits 30:0 are the size in MiB, bit 31 is reserved
        extended = int.from_bytes(structure[_EXTENDED_SIZE_AT : _EXTENDED_SIZE_AT + 4], "little")
        return (extended & 0x7FFF_FFFF) << 20
    return (word & ~_IN_KIB) << 10 if word & _IN_KIB else word << 20
