"""Files and file systems of this machine, read-only.

Mounts come from /proc/self/mountinfo (proc_pid_mountinfo(5)), space from statvfs(3), and XFS answers about itself
through the ioctl that ``xfs_info`` uses (ioctl_xfs_fsgeometry(2)), which needs no root and no helper program.
"""

from __future__ import annotations

import errno
import fcntl
import os
import stat
import struct
import zlib
from itertools import islice
from pathlib import Path

from vorflug.host import mounts, package_sources
from vorflug.host.live import quotas
from vorflug.host.live.descriptors import opened
from vorflug.host.mounts import Mount
from vorflug.host.secrets import redact
from vorflug.ports.files import FileKind, FileStatus, FileSystem, Quota, TreeSize

MOST_NAMES = 100_000
"""A folder with more names is refused, so that it cannot fill the memory."""

_XFS_IOC_FSGEOMETRY_V1 = 0x80705864
"""``_IOR('X', 100, struct xfs_fsop_geom_v1)``: 112 bytes, on every kernel that has XFS."""
_XFS_GEOMETRY_BYTES = 112
_XFS_FLAGS_AT = 92
_XFS_FLAG_FTYPE = 1 << 16

_GZIP = b"\x1f\x8b"
"""How a gzip file begins (RFC 1952, 2.3.1)."""

_BLOCK = 512
"""Bytes in a unit of st_blocks, whatever the file system's own blocks are (stat(3type))."""

_KINDS = (
    (stat.S_ISREG, FileKind.FILE),
    (stat.S_ISDIR, FileKind.FOLDER),
    (stat.S_ISLNK, FileKind.SYMLINK),
    (stat.S_ISSOCK, FileKind.SOCKET),
    (stat.S_ISBLK, FileKind.BLOCK),
    (stat.S_ISCHR, FileKind.CHARACTER),
    (stat.S_ISFIFO, FileKind.FIFO),
)


class LiveFiles:
    """Reads files and asks about file systems; opens nothing that could block or act."""

    def __init__(self, root: str = "/") -> None:
        """*root*: the folder below which files are read and named, so that a tree can stand for another machine."""
        self._root = root.rstrip("/")

    def read_text(self, path: str, *, limit: int = 1 << 20) -> str:
        return _text(path, self._read(path, limit))

    def _read(self, path: str, limit: int) -> bytes:
        path = self._root + path
        # looked at before it is opened: opening a FIFO waits, opening a tape rewinds it
        _must_be_file(path, Path(path).stat().st_mode)
        with opened(path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY) as fd:
            _must_be_file(path, os.fstat(fd).st_mode)
            found = bytearray()
            try:
                while len(found) < limit and (chunk := os.read(fd, min(limit - len(found), 1 << 16))):
                    found += chunk
            except BlockingIOError:
                raise TimeoutError(f"{path} has nothing to read now") from None
        return bytes(found)

    def lines_with(self, path: str, words: tuple[str, ...], *, limit: int = 1 << 23) -> tuple[str, ...]:
        found = self._read(path, limit)
        if found.startswith(_GZIP):
            found = _unpacked(path, found, limit)
        return tuple(line for line in _text(path, found).splitlines() if any(w in line for w in words))

    def lines_below(self, folder: str, file: str, words: tuple[str, ...]) -> tuple[tuple[str, str], ...]:
        found: list[tuple[str, str]] = []
        for name in self.list_folder(folder):
            try:
                lines = self.lines_with(f"{folder}/{name}/{file}", words, limit=4096)
            except (FileNotFoundError, NotADirectoryError):
                continue  # a plain file beside the devices, or a device that has just gone
            found += ((name, line) for line in lines)
        return tuple(found)

    def exists(self, path: str) -> bool:
        return _exists(self._root + path)

    def resolve(self, path: str) -> str:
        return os.path.realpath(self._root + path).removeprefix(self._real_root()) or "/"

    def read_link(self, path: str) -> str:
        return os.readlink(self._root + path)  # noqa: PTH115 - a Path would change what is written there

    def _real_root(self) -> str:
        return os.path.realpath(self._root) if self._root else ""

    def status(self, path: str, *, follow: bool = True) -> FileStatus:
        seen = Path(self._root + path).stat(follow_symlinks=follow)
        kind = next(kind for is_kind, kind in _KINDS if is_kind(seen.st_mode))
        return FileStatus(kind, stat.S_IMODE(seen.st_mode), seen.st_uid, seen.st_gid, seen.st_size)

    def list_folder(self, path: str) -> tuple[str, ...]:
        names: list[str] = []
        with os.scandir(self._root + path) as entries:
            for entry in entries:
                names.append(entry.name)
                if len(names) > MOST_NAMES:
                    raise ValueError(f"{path} holds more than {MOST_NAMES} names")
        return tuple(sorted(names))

    def file_system(self, path: str) -> FileSystem:
        real, asked = _nearest(path)
        # before the mount is looked up: statvfs(2) triggers an automount, opening with O_PATH does not
        space = os.statvfs(asked)
        mount = mount_of(asked, mounts.read(self))
        return FileSystem(
            asked=asked,
            exists=asked == real,
            mount_point=mount.point,
            kind=mount.kind,
            source=redact(mount.source),
            device=mount.device,
            options=mount.options,
            total_bytes=space.f_blocks * space.f_frsize,
            used_bytes=(space.f_blocks - space.f_bfree) * space.f_frsize,
            free_bytes=space.f_bavail * space.f_frsize,
            total_inodes=space.f_files,
            free_inodes=space.f_favail,
        )

    def quotas(self, path: str) -> tuple[Quota, ...]:
        _, asked = _nearest(path)
        os.statvfs(asked)  # triggers an automount, as above
        return quotas.limiting(asked, mount_of(asked, mounts.read(self)))

    def tree_size(self, path: str, *, most_entries: int = 200_000) -> TreeSize:
        top = self._root + path
        device = Path(top).stat().st_dev
        used, entries, complete = 0, 0, True
        linked: set[int] = set()
        waiting = [top]
        while waiting:
            path = waiting.pop()
            try:
                with os.scandir(path) as folder:
                    found = list(islice(folder, most_entries - entries + 1))
            except PermissionError:
                if path == top:
                    raise
                complete = False
                continue
            except FileNotFoundError:
                continue  # removed meanwhile
            for entry in found:
                if entries == most_entries:
                    return TreeSize(used, entries, complete=False)
                try:
                    seen = entry.stat(follow_symlinks=False)
                except FileNotFoundError:
                    continue
                entries += 1
                if seen.st_dev != device or (seen.st_nlink > 1 and seen.st_ino in linked):
                    continue
                if stat.S_ISDIR(seen.st_mode):
                    waiting.append(entry.path)
                elif seen.st_nlink > 1:
                    linked.add(seen.st_ino)
                used += seen.st_blocks * _BLOCK
        return TreeSize(used, entries, complete)

    def writable(self, path: str) -> bool:
        mode = os.W_OK | os.X_OK if stat.S_ISDIR(Path(path).stat().st_mode) else os.W_OK
        return os.access(path, mode, effective_ids=True)

    def has_acl(self, path: str) -> bool:
        try:
            return "system.posix_acl_access" in os.listxattr(path)
        except OSError as error:
            if error.errno == errno.EOPNOTSUPP:
                return False  # this file system keeps no lists, so there is none
            raise

    def xfs_ftype(self, path: str) -> bool:
        if (kind := mount_of(path, mounts.read(self)).kind) != "xfs":
            # other file systems have ioctls of their own under the same number
            raise NotImplementedError(f"{path} lies on {kind}, not on xfs")
        with opened(path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY) as fd:
            try:
                geometry = fcntl.ioctl(fd, _XFS_IOC_FSGEOMETRY_V1, bytes(_XFS_GEOMETRY_BYTES))
            except OSError as error:
                if error.errno in {errno.ENOTTY, errno.EOPNOTSUPP}:
                    raise NotImplementedError(f"{path}: this xfs does not describe itself ({error.strerror})") from None
                raise
        return has_ftype(geometry)


def has_ftype(geometry: bytes) -> bool:
    """Whether a ``struct xfs_fsop_geom_v1`` has XFS_FSOP_GEOM_FLAGS_FTYPE set (xfs_fs.h)."""
    flags: int = struct.unpack_from("=I", geometry, _XFS_FLAGS_AT)[0]
    return bool(flags & _XFS_FLAG_FTYPE)


def mount_of(path: str, table: tuple[Mount, ...]) -> Mount:
    """The mount that *path*, which must exist and hold no symlink, lies on.

    The kernel knows it by number (mnt_id of proc_pid_fdinfo(5)), which is right under overmounts too; without that the
    longest mount point above *path* counts, the last of equal ones being on top.
    Raises NotImplementedError where no mount is known (a chroot whose root is no mount point).
    """
    number = _mount_id(path)
    by_number = [mount for mount in table if mount.id == number]
    above = [m for m in table if path == m.point or path.startswith(m.point.rstrip("/") + "/")]
    found = by_number or sorted(above, key=lambda m: len(m.point))
    if not found:
        raise NotImplementedError(f"no mount in /proc/self/mountinfo holds {path}")
    return found[-1]


def _mount_id(path: str) -> int | None:
    with opened(path, os.O_PATH) as fd:
        try:
            with Path(f"/proc/self/fdinfo/{fd}").open(encoding="utf-8") as lines:
                return next((int(line.split()[1]) for line in lines if line.startswith("mnt_id:")), None)
        except OSError:
            return None  # the caller finds the mount by its path instead


def _nearest(path: str) -> tuple[str, str]:
    """*path* with symlinks resolved, and its nearest existing ancestor.  Raises ValueError for a relative path."""
    if not path.startswith("/"):
        raise ValueError(f"wanted an absolute path, saw {path!r}")
    # symlinks first, so that a link to a folder that is yet to be made leads to the disk that will hold it
    real = asked = os.path.realpath(path)
    while not _exists(asked):
        asked = str(Path(asked).parent)
    return real, asked


def _exists(path: str) -> bool:
    try:
        Path(path).stat()
    except (FileNotFoundError, NotADirectoryError):
        return False
    return True


def _text(path: str, found: bytes) -> str:
    """As text; secrets are struck out where they are read, so that neither a fact nor a recording can hold them."""
    text = found.decode("utf-8", "replace")
    if path.endswith("/mountinfo"):
        return mounts.strike_secrets(text)
    return package_sources.strike_secrets(text) if package_sources.concerns(path) else text


def _unpacked(path: str, found: bytes, limit: int) -> bytes:
    """What a gzip file holds, *limit* bytes at most."""
    unpacker = zlib.decompressobj(wbits=zlib.MAX_WBITS | 16)  # 16: with gzip's header
    try:
        whole = unpacker.decompress(found, limit)
    except zlib.error:
        whole = b""
    if not unpacker.eof and len(whole) < limit:
        raise OSError(errno.EBADMSG, "this gzip file is cut or damaged", path)
    return whole


def _must_be_file(path: str, mode: int) -> None:
    if stat.S_ISDIR(mode):
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), path)
    if not stat.S_ISREG(mode):
        kind = next(kind for is_kind, kind in _KINDS if is_kind(mode))
        raise ValueError(f"{path} is no file but a {kind}")
