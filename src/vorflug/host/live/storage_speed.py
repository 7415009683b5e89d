"""Measures a file system with a nameless file of its own.

Sources: open(2) for O_TMPFILE and O_DIRECT, fdatasync(2), fallocate(2), readv(2) for RWF_NOWAIT.  The writes are those
of the well-known test whether storage is fast enough for etcd (``fio --rw=write --ioengine=sync --fdatasync=1 --bs=2300
--size=22m``): one after the other, into space that is set aside first as fio does by default.
"""

from __future__ import annotations

import errno
import mmap
import os
import random
import tempfile
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import pairwise
from time import monotonic, perf_counter_ns

from vorflug.host.live import Patience
from vorflug.ports.storage_speed import LEAST_FREE, Latencies

WARM_UP = 0.05
"""The share that is not counted, of operations or of time, whichever is over first.

A share and no number: a fast disk has done its first operations (the journal's start, the first allocation, the clock
of a sleeping processor) in milliseconds, on a slow one each of them is worth having.
"""

_WINDOWS = 10
"""Parts that the measurement is told in."""
_WINDOW_LEAST = 100
"""Operations of a part: the fewest that a 99th percentile can be told from."""
_LOOK_EVERY = 256
"""Operations between two looks at the free space: at most 1 MiB of blocks of a page."""
_CHUNK = 1 << 20
_MARGIN_S = 0.3
"""Seconds that are left for working out the result, so that the question itself still ends in time."""
_READS_MOST = 200_000
"""Reads that are noted: a disk that does so many before the time is over is fast, and each of them takes memory."""
_CACHED_SAMPLE = 64
"""Places that are looked at to tell whether reading went past the cache."""


class LiveStorageSpeed:
    """Measures on this machine."""

    def __init__(self, patience: Patience) -> None:
        self._patience = patience

    def synchronous_writes(self, folder: str, *, block_bytes: int, total_bytes: int, seconds: float) -> Latencies:
        wanted = total_bytes // block_bytes
        with _nameless(folder) as fd:
            _must_leave_enough(fd, total_bytes)
            _set_aside(fd, total_bytes)
            # random bytes: storage that compresses or folds equal blocks must not look faster than it is
            taken, cut = _write(fd, os.urandom(block_bytes), wanted, monotonic() + self._seconds(seconds))
        kept = _without_warm_up(taken, wanted, seconds)
        return _latencies(kept, span_bytes=len(taken) * block_bytes, cut=cut)

    def random_reads(
        self, folder: str, *, block_bytes: int, total_bytes: int, at_once: int, seconds: float
    ) -> Latencies:
        half = self._seconds(seconds) / 2
        with _nameless(folder) as fd:
            direct = _direct(fd)
            try:
                _must_leave_enough(fd, total_bytes)
                span = _fill(fd, total_bytes, monotonic() + half)
                taken = _read(direct, block_bytes, span, at_once, half)
                _must_have_gone_past_the_cache(fd, block_bytes, span)
            finally:
                os.close(direct)
        kept = _without_warm_up(taken, len(taken), half)
        return _latencies(kept, span_bytes=span, cut=span < total_bytes)

    def _seconds(self, wanted: float) -> float:
        return max(0.0, min(wanted, self._patience.left() - _MARGIN_S))


@contextmanager
def _nameless(folder: str) -> Iterator[int]:
    """A file in *folder* that has no name, open for reading and writing."""
    fd = _without_tmpfile(folder) if (made := _tmpfile(folder)) is None else made
    try:
        yield fd
    finally:
        os.close(fd)


def _tmpfile(folder: str) -> int | None:
    try:
        return os.open(folder, os.O_TMPFILE | os.O_RDWR | os.O_CLOEXEC, 0o600)
    except OSError as error:
        # open(2): EOPNOTSUPP from file systems that have no such files, EISDIR from kernels that do not know the flag
        if error.errno not in {errno.EOPNOTSUPP, errno.EISDIR}:
            raise
        return None


def _without_tmpfile(folder: str) -> int:
    fd, name = tempfile.mkstemp(prefix=".vorflug-", dir=folder)
    os.unlink(name)  # noqa: PTH108 - next to the call that made it: nothing may come between the two
    return fd


def _must_leave_enough(fd: int, more: int) -> None:
    """Raises OSError ENOSPC where less than `LEAST_FREE` would stay free once *more* bytes are written."""
    space = os.fstatvfs(fd)
    if space.f_bavail * space.f_frsize - more < LEAST_FREE:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def _set_aside(fd: int, size: int) -> None:
    try:
        os.posix_fallocate(fd, 0, size)
    except OSError as error:
        # posix_fallocate(3): a file system may know no such thing; then the blocks are found while writing
        if error.errno not in {errno.EOPNOTSUPP, errno.EINVAL}:
            raise


# ---- writing ---------------------------------------------------------------------------------------------------------


_Taken = list[tuple[int, int]]
"""When each operation ended, and how long it took: nanoseconds."""


def _write(fd: int, block: bytes, wanted: int, ends: float) -> tuple[_Taken, bool]:
    taken: _Taken = []
    write, sync, now = os.write, os.fdatasync, perf_counter_ns
    for number in range(wanted):
        if number % _LOOK_EVERY == 0:
            _must_leave_enough(fd, 0)
        if monotonic() >= ends:
            return taken, True
        began = now()
        written = write(fd, block)
        sync(fd)
        ended = now()
        if written < len(block):  # write(2): the space is short, or a limit on the size of files was reached
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        taken.append((ended, ended - began))
    return taken, False


def _fill(fd: int, total: int, ends: float) -> int:
    """Write random bytes until *ends*, on to the disk and out of the cache; how many there are now."""
    done = 0
    while done < total and (done == 0 or monotonic() < ends):
        _must_leave_enough(fd, min(_CHUNK, total - done))
        done += os.write(fd, os.urandom(min(_CHUNK, total - done)))
        os.fdatasync(fd)
    os.posix_fadvise(fd, 0, 0, os.POSIX_FADV_DONTNEED)
    return done


# ---- reading ---------------------------------------------------------------------------------------------------------


def _direct(fd: int) -> int:
    """The same file again, past the page cache.  Raises NotImplementedError where the file system has no such way."""
    try:
        return os.open(f"/proc/self/fd/{fd}", os.O_RDONLY | os.O_DIRECT | os.O_CLOEXEC)
    except FileNotFoundError:
        raise NotImplementedError("/proc is not mounted: a file without a name cannot be opened again") from None
    except OSError as error:
        if error.errno != errno.EINVAL:
            raise
        raise NotImplementedError("this file system has no way past its cache (O_DIRECT)") from None


def _read(fd: int, block: int, span: int, at_once: int, seconds: float) -> _Taken:
    """Read for *seconds*, *at_once* threads at a time: the interpreter is free while one of them waits for the disk."""
    places = span // block
    ends = monotonic() + seconds
    taken: list[_Taken] = [[] for _ in range(at_once)]
    failed: list[OSError] = []
    most = _READS_MOST // at_once

    def reader(mine: _Taken, seed: int) -> None:
        pick = random.Random(seed)  # noqa: S311 - places to read from, not a secret
        now = perf_counter_ns
        # O_DIRECT wants memory that begins with a page
        with mmap.mmap(-1, max(block, mmap.PAGESIZE)) as page, memoryview(page)[:block] as buffer:
            while monotonic() < ends and len(mine) < most and not failed:
                place = pick.randrange(places) * block
                began = now()
                try:
                    os.preadv(fd, [buffer], place)
                except OSError as error:
                    failed.append(error)
                    return
                ended = now()
                mine.append((ended, ended - began))

    threads = [
        threading.Thread(target=reader, args=(mine, seed), name="storage_speed", daemon=True)
        for seed, mine in enumerate(taken)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failed:
        if failed[0].errno == errno.EINVAL:
            raise NotImplementedError(f"this file system does not read {block} bytes past its cache (O_DIRECT)")
        raise failed[0]
    return sorted(one for mine in taken for one in mine)


def _must_have_gone_past_the_cache(fd: int, block: int, span: int) -> None:
    """Raises NotImplementedError where what was read is in the page cache now.

    Some file systems take O_DIRECT and read through the cache all the same (ext4 with data=journal).  RWF_NOWAIT of
    readv(2) gives what the cache holds and nothing else.
    """
    pick = random.Random(0)  # noqa: S311 - the places that the first reader began with
    buffer = bytearray(block)
    places = [pick.randrange(span // block) * block for _ in range(_CACHED_SAMPLE)]
    cached = 0
    for place in places:
        try:
            cached += os.preadv(fd, [buffer], place, os.RWF_NOWAIT) > 0
        except BlockingIOError:
            continue
        except OSError:
            return  # this file system cannot say
    if cached > len(places) // 2:
        raise NotImplementedError("this file system reads through its cache in spite of O_DIRECT")


# ---- what it comes to ------------------------------------------------------------------------------------------------


def _without_warm_up(taken: _Taken, wanted: int, seconds: float) -> _Taken:
    if not taken:
        raise TimeoutError(f"not one operation ended in {seconds:g} s")
    began = taken[0][0] - taken[0][1]
    warm = sum(1 for ended, _ in taken[: int(wanted * WARM_UP)] if ended - began < seconds * WARM_UP * 1e9)
    return taken[min(warm, len(taken) - 1) :]


def _latencies(taken: _Taken, *, span_bytes: int, cut: bool) -> Latencies:
    times = sorted(took for _, took in taken)
    parts = max(1, min(_WINDOWS, len(taken) // _WINDOW_LEAST))
    edges = [len(taken) * part // parts for part in range(parts + 1)]
    windows = [taken[low:high] for low, high in pairwise(edges)]
    # a part begins where the one before it ended
    begins = [taken[0][0] - taken[0][1], *(window[-1][0] for window in windows[:-1])]
    return Latencies(
        count=len(taken),
        p50_s=percentile(times, 0.5),
        p99_s=percentile(times, 0.99),
        p999_s=percentile(times, 0.999),
        least_s=times[0] / 1e9,
        most_s=times[-1] / 1e9,
        seconds=(taken[-1][0] - begins[0]) / 1e9,
        windows_p99_s=tuple(percentile(sorted(took for _, took in window), 0.99) for window in windows),
        windows_per_s=tuple(
            len(window) / max(1, window[-1][0] - begin) * 1e9 for window, begin in zip(windows, begins, strict=True)
        ),
        span_bytes=span_bytes,
        cut=cut,
    )


def percentile(ordered: Sequence[int], share: float) -> float:
    """The least of *ordered* (nanoseconds) that *share* of them do not exceed, in seconds (nearest-rank method)."""
    rank = -(-len(ordered) * round(share * 1000) // 1000)  # rounded up, in whole numbers
    return ordered[max(1, rank) - 1] / 1e9
