"""``python hung_fuse.py FOLDER PROGRAM...``: run PROGRAM while a file system that never answers is mounted at FOLDER.

It stands for a dead NFS server: the mount is made and says hello (FUSE_INIT), then nobody reads a request again, so that
whoever touches it waits, and can only be killed.  Run it in a mount namespace of its own.  However it ends, the kernel
gives the mount up with the last reference to /dev/fuse, which no other process gets.
Source: the kernel's document filesystems/fuse and linux/fuse.h, protocol 7.23.
"""

from __future__ import annotations

import ctypes
import os
import struct
import subprocess
import sys

_REQUEST = struct.Struct("=IIQQIIIHH")
"""``struct fuse_in_header``: length, opcode, unique, node, user, group, process, length of extensions, padding."""
_ANSWER = struct.Struct("=IiQ")
"""``struct fuse_out_header``: length, error, unique."""
_HELLO = struct.Struct("=IIIIHHIIHHI28x")
"""``struct fuse_init_out``."""
_INIT = 26
_LARGEST = 1 << 17


def mount(folder: str, fd: int) -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    options = f"fd={fd},rootmode=40000,user_id=0,group_id=0,allow_other"
    if libc.mount(b"nas.example:/export", folder.encode(), b"fuse.dead", 0, options.encode()) != 0:
        code = ctypes.get_errno()
        raise OSError(code, os.strerror(code), folder)


def say_hello(fd: int) -> None:
    request = os.read(fd, _LARGEST)
    _, opcode, unique, *_ = _REQUEST.unpack_from(request)
    if opcode != _INIT:
        raise ValueError(f"wanted FUSE_INIT ({_INIT}) first, saw {opcode}")
    body = _HELLO.pack(7, 23, 0, 0, 16, 12, 4096, 1, 0, 0, 0)
    os.write(fd, _ANSWER.pack(_ANSWER.size + len(body), 0, unique) + body)


def main() -> int:
    folder, *program = sys.argv[1:]
    fd = os.open("/dev/fuse", os.O_RDWR | os.O_CLOEXEC)
    mount(folder, fd)
    say_hello(fd)
    try:
        return subprocess.call(program)
    finally:
        os.close(fd)


if __name__ == "__main__":
    sys.exit(main())
