"""What can be handed over: memory as it should be, and everything that it should not be."""

from __future__ import annotations

import fcntl
import mmap
import os
import socket
import struct
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

F_ADD_SEALS = 1033
SEAL_SEAL, SEAL_SHRINK, SEAL_GROW, SEAL_FUTURE_WRITE = 1, 2, 4, 16
MFD_HUGETLB = 4
PAGE = 4096


class Memory:
    """A memfd that its owner goes on writing, as docs/layout.md tells to make it."""

    def __init__(self, size: int, *, seals: int = SEAL_SHRINK | SEAL_GROW | SEAL_FUTURE_WRITE | SEAL_SEAL) -> None:
        self.fd = os.memfd_create("hostile", os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
        os.ftruncate(self.fd, size)
        os.posix_fallocate(self.fd, 0, size)
        self.map = mmap.mmap(self.fd, size, mmap.MAP_SHARED, mmap.PROT_READ | mmap.PROT_WRITE)
        fcntl.fcntl(self.fd, F_ADD_SEALS, seals)
        self._words = memoryview(self.map).cast("Q")

    def __len__(self) -> int:
        return len(self.map)

    def word(self, offset: int) -> int:
        """Read a word of it."""
        return self._words[offset // 8]

    def put(self, offset: int, value: int) -> None:
        """Write a word of it, with whatever it should not be."""
        self._words[offset // 8] = value % (1 << 64)

    def flip(self, bit: int) -> None:
        """Turn one bit round."""
        self._words[bit // 64] ^= 1 << bit % 64

    def close(self) -> None:
        """Let go of it."""
        self._words.release()
        self.map.close()
        os.close(self.fd)


def _memfd(size: int, seals: int, *, flags: int = 0, reserve: bool = True) -> int:
    fd = os.memfd_create("hostile", os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING | flags)
    os.ftruncate(fd, size)
    if reserve and size:
        os.posix_fallocate(fd, 0, size)
    if seals:
        fcntl.fcntl(fd, F_ADD_SEALS, seals)
    return fd


def _lingering_socket() -> int:
    """Make a TCP connection with unsent data that is never read: to close it takes as long as its owner likes."""
    listener = socket.create_server(("127.0.0.1", 0))
    client = socket.create_connection(listener.getsockname())
    other, _ = listener.accept()
    listener.close()
    client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 100))
    client.setblocking(False)
    try:
        while True:
            client.send(b"x" * 65536)
    except BlockingIOError:
        pass
    _unread.append(other)  # stays open, and is never read
    return client.detach()


_unread: list[socket.socket] = []


def forget_sockets() -> None:
    """Close the far ends of the lingering sockets."""
    while _unread:
        _unread.pop().close()


def _file(size: int) -> int:
    with tempfile.TemporaryFile() as file:
        file.truncate(size)
        return os.dup(file.fileno())


_SEALS = SEAL_SHRINK | SEAL_GROW | SEAL_FUTURE_WRITE

# Made as large as the true thing would be. The words are those by which the victim must refuse it as memory.
BAD_MEMORY: dict[str, tuple[Callable[[int], int], str]] = {
    "a directory": (lambda _: os.open("/", os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC), "neither memory nor a bell"),
    "a socket that lingers": (lambda _: _lingering_socket(), "neither memory nor a bell"),
    "a Unix socket": (lambda _: socket.socket(socket.AF_UNIX).detach(), "neither memory nor a bell"),
    "a device": (lambda _: os.open("/dev/zero", os.O_RDWR | os.O_CLOEXEC), "neither memory nor a bell"),
    "a path only": (lambda _: os.open("/dev/zero", os.O_PATH | os.O_CLOEXEC), "neither memory nor a bell"),
    "a pidfd": (lambda _: os.pidfd_open(os.getpid()), "neither memory nor a bell"),
    "a pipe": (lambda _: _pipe_end(), "not a regular file"),
    "memory without seals": (lambda size: _memfd(size, 0), "not sealed"),
    "memory that may shrink": (lambda size: _memfd(size, _SEALS & ~SEAL_SHRINK), "not sealed"),
    "memory that may grow": (lambda size: _memfd(size, _SEALS & ~SEAL_GROW), "not sealed"),
    "memory that others may write": (lambda size: _memfd(size, _SEALS & ~SEAL_FUTURE_WRITE), "not sealed"),
    "memory with holes": (lambda size: _memfd(size, _SEALS, reserve=False), "it has holes"),
    "no memory": (lambda _: _memfd(0, _SEALS), "size is not what"),
    "memory that is a page short": (lambda size: _memfd(max(0, size - PAGE), _SEALS), "size is not what"),
    "memory that is a page too long": (lambda size: _memfd(size + PAGE, _SEALS), "size is not what"),
    "a file on a disk": (_file, "neither memory nor a bell|not sealed|not on tmpfs"),
    "huge pages": (lambda _: _memfd(2 << 20, _SEALS, flags=MFD_HUGETLB, reserve=False), "not on tmpfs"),
}


def _pipe_end() -> int:
    read, write = os.pipe2(os.O_CLOEXEC)
    os.close(read)
    return write


@contextmanager
def bad_memory(name: str, size: int) -> Iterator[int]:
    """Make one of BAD_MEMORY. The caller's descriptor is closed at the end; the victim may then have the last one."""
    fd = BAD_MEMORY[name][0](size)
    try:
        yield fd
    finally:
        os.close(fd)


def descriptors(pid: int) -> int:
    """Count the open descriptors of a process, but for those on its own page map, which the core keeps."""
    found = []
    for entry in Path(f"/proc/{pid}/fd").iterdir():
        with suppress(FileNotFoundError):  # closed meanwhile
            found.append(str(entry.readlink()))
    return sum(not what.endswith("/pagemap") for what in found)


def mappings(pid: int) -> int:
    """Count the mappings of shared memory of a process."""
    return Path(f"/proc/{pid}/maps").read_text().count("memfd:")


def resident(pid: int) -> int:
    """Return how many bytes of a process are in memory."""
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * PAGE
