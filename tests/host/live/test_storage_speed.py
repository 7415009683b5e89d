"""Measuring on this machine: figures that are true, room that stays free, and no file that stays behind."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from vorflug.host.live import LiveHost, Patience, storage_speed
from vorflug.host.live.storage_speed import LiveStorageSpeed, percentile
from vorflug.ports.storage_speed import LEAST_FREE, Latencies

KIB, MIB = 1 << 10, 1 << 20


@pytest.fixture
def folder(tmp_path):
    space = os.statvfs(tmp_path)
    if space.f_bavail * space.f_frsize < LEAST_FREE + 64 * MIB:
        pytest.skip("less than 2 GiB free where tests write")
    return tmp_path


def writes(folder, *, seconds=10.0, patience=30.0, total=2 * MIB):
    return LiveStorageSpeed(Patience(patience)).synchronous_writes(
        str(folder), block_bytes=2300, total_bytes=total, seconds=seconds
    )


def reads(folder, *, seconds=1.0, total=8 * MIB, block=4 * KIB):
    return LiveStorageSpeed(Patience(30)).random_reads(
        str(folder), block_bytes=block, total_bytes=total, at_once=4, seconds=seconds
    )


def consistent(took: Latencies) -> None:
    assert 0 < took.least_s <= took.p50_s <= took.p99_s <= took.p999_s <= took.most_s
    assert len(took.windows_p99_s) == len(took.windows_per_s) >= 1
    assert max(took.windows_p99_s) >= took.p99_s >= min(took.windows_p99_s)
    # the parts together are the whole
    rate = took.count / took.seconds
    assert min(took.windows_per_s) * 0.99 <= rate <= max(took.windows_per_s) * 1.01


def test_writes_are_counted_without_the_warm_up(folder):
    took = writes(folder)
    consistent(took)
    assert not took.cut and took.span_bytes == 2 * MIB // 2300 * 2300
    assert 2 * MIB // 2300 * 0.95 <= took.count <= 2 * MIB // 2300
    assert list(folder.iterdir()) == []


def test_what_takes_too_long_is_cut_and_still_told(folder):
    took = writes(folder, seconds=0.2, total=512 * MIB)
    consistent(took)
    assert took.cut and took.seconds < 0.5 and took.span_bytes < 512 * MIB


def test_the_question_ends_before_its_time_is_over(folder):
    took = writes(folder, seconds=30.0, patience=0.6, total=512 * MIB)
    assert took.cut and took.seconds < 0.5


def test_not_one_operation_is_no_figure(folder):
    with pytest.raises(TimeoutError, match="not one operation"):
        writes(folder, seconds=0.0)


def test_reads_go_past_the_cache(folder):
    try:
        took = reads(folder)
    except NotImplementedError as no_way:
        pytest.skip(str(no_way))
    consistent(took)
    assert took.span_bytes == 8 * MIB and not took.cut
    assert list(folder.iterdir()) == []


def test_a_file_that_is_not_written_in_time_is_read_as_far_as_it_goes(folder):
    try:
        took = reads(folder, seconds=0.2, total=1 << 30)
    except NotImplementedError as no_way:
        pytest.skip(str(no_way))
    assert took.cut and MIB <= took.span_bytes < 1 << 30


def test_a_block_that_is_no_sector_is_said_to_be_none(folder):
    try:
        reads(folder)
    except NotImplementedError as no_way:
        pytest.skip(str(no_way))
    with pytest.raises(NotImplementedError, match="1000 bytes"):
        reads(folder, block=1000)


def test_where_there_are_no_nameless_files_a_name_is_taken_away_at_once(folder):
    fd = storage_speed._without_tmpfile(str(folder))
    try:
        assert list(folder.iterdir()) == [] and os.fstat(fd).st_nlink == 0
        assert os.write(fd, b"x") == 1
    finally:
        os.close(fd)


@pytest.mark.tier("root")
def test_a_file_system_without_nameless_files_is_known_as_one():
    assert storage_speed._tmpfile("/proc") is None  # EOPNOTSUPP of open(2)


def test_other_refusals_are_not_hidden(folder):
    with pytest.raises(FileNotFoundError):
        writes(folder / "missing")


def test_the_percentiles_are_those_of_the_nearest_rank():
    hundred = [n * 10**9 for n in range(1, 101)]
    assert [percentile(hundred, share) for share in (0.5, 0.99, 0.999)] == [50, 99, 100]
    assert percentile([7 * 10**9], 0.5) == 7
    assert percentile([10**9, 2 * 10**9], 0.5) == 1


def test_parts_are_long_enough_for_a_percentile():
    def parts(count):
        taken = [(n * 1000 + 1000, 500) for n in range(count)]
        return storage_speed._latencies(taken, span_bytes=1, cut=False)

    assert [len(parts(count).windows_p99_s) for count in (1, 199, 200, 999, 1000, 5000)] == [1, 1, 2, 9, 10, 10]
    steady = parts(1000)
    assert steady.p50_s == steady.windows_p99_s[0] == 500e-9
    assert all(abs(rate - 1e6) < 1e4 for rate in steady.windows_per_s)


def test_a_slow_part_is_told_from_the_others():
    taken, now = [], 0
    for number in range(1000):
        took = 10_000_000 if 500 <= number < 600 else 1_000_000
        now += took
        taken.append((now, took))
    took = storage_speed._latencies(taken, span_bytes=1, cut=False)
    assert took.windows_p99_s == (0.001,) * 5 + (0.01,) + (0.001,) * 4
    assert [round(rate) for rate in took.windows_per_s] == [1000] * 5 + [100] + [1000] * 4
    assert took.seconds == pytest.approx(1.9)


@pytest.mark.parametrize(
    ("took_ms", "left"),
    [
        (1, 950),  # 5 % of the operations
        (10, 900 + 51),  # 5 % of 10 s are over after 50 of them: the same share
        (100, 996),  # 5 % of the time: 4 of them end before 0.5 s
        (1000, 1000),  # none ends that early
    ],
)
def test_the_warm_up_is_a_share_of_operations_or_of_time(took_ms, left):
    taken = [((n + 1) * took_ms * 10**6, took_ms * 10**6) for n in range(1000)]
    assert len(storage_speed._without_warm_up(taken, 1000, 10.0)) == left


def test_one_operation_is_never_taken_for_warm_up():
    assert len(storage_speed._without_warm_up([(5, 5)], 1000, 10.0)) == 1


# ---- room that stays free


SMALL = """
import errno, os, sys
from vorflug.host.live import LiveHost
from vorflug.ports import storage_speed as port
from vorflug.host.live import storage_speed as live
folder = sys.argv[1]
free = lambda: os.statvfs(folder).f_bavail * os.statvfs(folder).f_frsize
before = free()
for ask in (
    lambda s: s.synchronous_writes(folder, block_bytes=2300, total_bytes=4 << 20, seconds=5.0),
    lambda s: s.random_reads(folder, block_bytes=4096, total_bytes=4 << 20, at_once=2, seconds=1.0),
):
    try:
        ask(LiveHost(30).storage_speed)
        print("measured")
    except OSError as error:
        print(errno.errorcode[error.errno], end=" ")
    print(os.listdir(folder), before == free())
"""


@pytest.mark.tier("mounts")
@pytest.mark.parametrize(
    ("size", "said"),
    [("2051m", "ENOSPC [] True"), ("2052m", "measured")],
)
def test_below_two_gib_nothing_is_written(size, said):
    # 4 MiB are asked for
    script = f'mount -t tmpfs -o size={size} none /mnt && {sys.executable} -c "$0" /mnt'
    done = subprocess.run(
        ["unshare", "-m", "sh", "-c", script, SMALL], capture_output=True, text=True, check=False, timeout=60
    )
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert lines[0] == said and len(lines) == (2 if "ENOSPC" in said else 4), done.stdout


FILLING = """
import errno, os, sys, threading
from vorflug.host.live import LiveHost
folder = sys.argv[1]
free = lambda: os.statvfs(folder).f_bavail
before = free()
started = threading.Event()
def fill():
    started.set()
    while free() == before:  # until the space for the measurement is set aside
        pass
    fd = os.open(f"{folder}/neighbour", os.O_CREAT | os.O_WRONLY)
    os.posix_fallocate(fd, 0, 2 << 20)
threading.Thread(target=fill, daemon=True).start()
started.wait()
try:
    LiveHost(30).storage_speed.synchronous_writes(folder, block_bytes=2300, total_bytes=128 << 20, seconds=20.0)
    print("measured")
except OSError as error:
    print(errno.errorcode[error.errno], os.listdir(folder))
"""


@pytest.mark.tier("mounts")
@pytest.mark.parametrize(("spare", "said"), [(1, "ENOSPC ['neighbour']"), (4, "measured")])
def test_the_free_space_is_looked_at_again_while_writing(spare, said):
    # a neighbour takes 2 MiB while the 128 MiB are written, of which *spare* MiB can be spared
    script = f'mount -t tmpfs -o size={2048 + 128 + spare}m none /mnt && {sys.executable} -c "$0" /mnt'
    done = subprocess.run(
        ["unshare", "-m", "sh", "-c", script, FILLING], capture_output=True, text=True, check=False, timeout=60
    )
    assert (done.returncode, done.stdout.strip()) == (0, said), done.stderr


JOURNALLED = """
import sys
from vorflug.host.live import LiveHost
try:
    LiveHost(30).storage_speed.random_reads(
        sys.argv[1], block_bytes=4096, total_bytes=4 << 20, at_once=2, seconds=1.0)
    print("measured")
except NotImplementedError as error:
    print(error)
"""


@pytest.mark.tier("mounts")
@pytest.mark.skipif(shutil.which("mkfs.ext4") is None, reason="no mkfs.ext4")
@pytest.mark.parametrize(
    ("options", "said"), [("data=journal", "reads through its cache in spite of O_DIRECT"), ("noatime", "measured")]
)
def test_ext4_that_journals_its_data_reads_through_its_cache(tmp_path, options, said):
    image = tmp_path / "image"
    with image.open("wb") as file:
        file.truncate(3 << 30)
    subprocess.run(["mkfs.ext4", "-q", str(image)], check=True, capture_output=True)
    script = f'mount -o loop,{options} {image} /mnt && {sys.executable} -c "$0" /mnt'
    done = subprocess.run(
        ["unshare", "-m", "sh", "-c", script, JOURNALLED], capture_output=True, text=True, check=False, timeout=60
    )
    if "loop device" in done.stderr:
        pytest.skip("no loop devices here")
    assert done.returncode == 0 and said in done.stdout, done


# ---- against fio


FIO = ("fio", "--name=t", "--rw=write", "--ioengine=sync", "--fdatasync=1", "--bs=2300", "--size=22m", "--unlink=1")
ROUNDS = 6
REPEATS = 3
FACTOR = 1.5


def fio(folder: Path) -> tuple[float, float]:
    """The 50th and 99th percentile in seconds: of fdatasync, with the mean time of the write before it."""
    import json

    done = subprocess.run(
        [*FIO, f"--directory={folder}", "--output-format=json"], capture_output=True, text=True, check=True, timeout=300
    )
    (job,) = json.loads(done.stdout)["jobs"]
    synced, written = job["sync"]["lat_ns"]["percentile"], job["write"]["clat_ns"]["mean"]
    return (synced["50.000000"] + written) / 1e9, (synced["99.000000"] + written) / 1e9


@pytest.mark.tier("fio")
def test_within_a_factor_of_fio(folder, capsys):
    from statistics import median

    for _round in range(ROUNDS):
        theirs, ours = [], []
        for _repeat in range(REPEATS):  # in turn, so that both meet the same neighbours
            theirs.append(fio(folder))
            took = LiveHost(90).storage_speed.synchronous_writes(
                str(folder), block_bytes=2300, total_bytes=22 * MIB, seconds=60.0
            )
            ours.append((took.p50_s, took.p99_s))
        ratios = [median(o[i] for o in ours) / median(t[i] for t in theirs) for i in (0, 1)]
        with capsys.disabled():
            print(
                f"\nfio p50 {median(t[0] for t in theirs) * 1e3:.3f} ms, p99 {median(t[1] for t in theirs) * 1e3:.3f} ms;"
                f" ours p50 {median(o[0] for o in ours) * 1e3:.3f} ms, p99 {median(o[1] for o in ours) * 1e3:.3f} ms;"
                f" ratios {ratios[0]:.2f} and {ratios[1]:.2f}"
            )
        if all(1 / FACTOR <= ratio <= FACTOR for ratio in ratios):
            return
    pytest.fail(f"{ROUNDS} rounds, and none within a factor of {FACTOR}: the last ratios were {ratios}")
