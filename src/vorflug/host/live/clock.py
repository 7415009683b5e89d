"""The system clock of this machine: adjtimex(2) without a mode, so that nothing is set."""

from __future__ import annotations

import ctypes
import os
from typing import TYPE_CHECKING

from vorflug.ports.clock import KernelClock

if TYPE_CHECKING:
    from vorflug.host.live import Patience

# linux/timex.h
_TIME_ERROR = 5
_STA_UNSYNC = 0x0040
_STA_NANO = 0x2000


class _Timex(ctypes.Structure):
    """``struct timex`` of adjtimex(2), glibc and musl on 64-bit Linux."""

    _fields_ = (
        ("modes", ctypes.c_uint),
        ("offset", ctypes.c_long),
        ("freq", ctypes.c_long),
        ("maxerror", ctypes.c_long),
        ("esterror", ctypes.c_long),
        ("status", ctypes.c_int),
        ("constant", ctypes.c_long),
        ("precision", ctypes.c_long),
        ("tolerance", ctypes.c_long),
        ("time", ctypes.c_long * 2),
        ("tick", ctypes.c_long),
        ("ppsfreq", ctypes.c_long),
        ("jitter", ctypes.c_long),
        ("shift", ctypes.c_int),
        ("stabil", ctypes.c_long),
        ("jitcnt", ctypes.c_long),
        ("calcnt", ctypes.c_long),
        ("errcnt", ctypes.c_long),
        ("stbcnt", ctypes.c_long),
        ("tai", ctypes.c_int),
        ("room", ctypes.c_int * 11),
        ("spare", ctypes.c_long * 8),  # libraries differ in their padding: room to spare
    )


class LiveClock:
    """Reads the clock's state, sets nothing."""

    def __init__(self, patience: Patience) -> None:
        self._patience = patience

    def kernel(self) -> KernelClock:
        self._patience.left()
        timex = _Timex()
        try:
            adjtimex = ctypes.CDLL(None, use_errno=True).adjtimex
        except AttributeError as error:
            raise NotImplementedError("this C library has no adjtimex") from error
        state = adjtimex(ctypes.byref(timex))
        if state < 0:
            code = ctypes.get_errno()
            raise OSError(code, os.strerror(code))  # Python makes a PermissionError of EPERM and EACCES
        return KernelClock(
            unsynchronised=state == _TIME_ERROR or bool(timex.status & _STA_UNSYNC),
            offset_s=timex.offset / (1e9 if timex.status & _STA_NANO else 1e6),
            max_error_s=timex.maxerror / 1e6,
            estimated_error_s=timex.esterror / 1e6,
        )
