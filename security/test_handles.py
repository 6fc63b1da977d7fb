"""Handles and mappings stay in their process: not in what it executes, not in its children, not in core dumps."""

from __future__ import annotations

import re
import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest
from marks import needs_strace
from patterns import Pattern
from places import own
from programs import LANGUAGES, Visitor

StartVisitor = Callable[..., Visitor]

CLOSE_ON_EXEC = 0o2000000


def linked(pattern: Pattern, directory: Path, visitor: StartVisitor, language: str) -> tuple[Visitor, Visitor]:
    """Returns a sender and a receiver that holds a sample."""
    sender, receiver = visitor(language), visitor(language)
    sender.ask(pattern.sender.opens(directory))
    receiver.ask(pattern.receiver.opens(directory))
    pattern.exchange(sender, [receiver], 100_000, 1)
    return sender, receiver


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_descriptor_is_closed_by_exec(
    pattern: Pattern, language: str, place: Path, visitor: StartVisitor
) -> None:
    for process in linked(pattern, own(place), visitor, language):
        seen = []
        for link in Path(f"/proc/{process.pid}/fd").iterdir():
            if int(link.name) <= 2:
                continue
            what = str(link.readlink())
            info = Path(f"/proc/{process.pid}/fdinfo/{link.name}").read_text()
            (flags,) = re.findall(r"^flags:\t(\d+)$", info, re.MULTILINE)
            assert int(flags, 8) & CLOSE_ON_EXEC, f"{what} would be inherited"
            seen.append(what)
        for kind in ("socket:", "pipe:", "anon_inode:", "/mls-"):
            assert any(kind in what for what in seen), f"the process has none: {kind}"


CREATORS = {
    "openat": "O_CLOEXEC",
    "socket": "SOCK_CLOEXEC",
    "accept4": "SOCK_CLOEXEC",
    "pipe2": "O_CLOEXEC",
    "memfd_create": "MFD_CLOEXEC",
    "epoll_create1": "EPOLL_CLOEXEC",
    "eventfd2": "EFD_CLOEXEC",
    "recvmsg": "MSG_CMSG_CLOEXEC",
    "fcntl": "F_DUPFD_CLOEXEC",
}
# Those that cannot ask for it.
CARELESS = "open,creat,accept,pipe,epoll_create,eventfd,dup,dup2"


@needs_strace
def test_none_is_open_to_exec_for_a_moment(pattern: Pattern, place: Path, visitor: StartVisitor) -> None:
    """A flag that is set one system call later comes too late for a thread that executes a program in between."""
    directory, log = own(place), place / "log"
    trace = f"trace={','.join(CREATORS)},{CARELESS}"
    # A file for each thread, so that no call is torn in two by another's.
    receiver = visitor("cpp", before=["strace", "-ff", "-qq", "-o", str(log), "-e", trace])
    receiver.ask("umask 077")
    (main_thread,) = place.glob("log.*")
    loading = len(main_thread.read_text().splitlines())
    receiver.ask(pattern.receiver.opens(directory))
    sender = visitor("cpp")
    sender.ask(pattern.sender.opens(directory))
    pattern.exchange(sender, [receiver], 100_000, 1)
    receiver.ask("close")
    receiver.end()
    lines = []
    for file in place.glob("log.*"):
        lines += file.read_text().splitlines()[loading if file == main_thread else 0 :]
    seen = set()
    for line in lines:
        name = line.partition("(")[0]
        if name in CARELESS.split(","):
            pytest.fail(f"cannot be closed by exec from the first moment on: {line}")
        if name not in CREATORS or " = -1 " in line or (name == "fcntl" and "F_DUPFD" not in line):
            continue
        assert CREATORS[name] in line, line
        seen.add(name)
    assert {"openat", "socket", "accept4", "pipe2", "memfd_create", "recvmsg"} <= seen


def test_an_executed_program_inherits_nothing(pattern: Pattern, place: Path) -> None:
    directory = own(place)
    look = "import os; print(*[os.readlink(f.path) for f in os.scandir('/proc/self/fd') if os.path.lexists(f.path)])"

    def kinds() -> Counter[str]:
        command = [sys.executable, "-S", "-c", look]
        text = subprocess.run(command, close_fds=False, capture_output=True, text=True, check=True).stdout
        return Counter(re.sub(r"[\d[\]]+", "", text).split())

    before = kinds()
    with (
        pattern.sender.port("lane", directory=directory) as pub,
        pattern.receiver.port("lane", directory=directory) as sub,
    ):
        pub.send(b"x" * 100_000)
        with sub.take(30) as sample:
            assert sample.nbytes == 100_000
            assert kinds() == before


@pytest.mark.parametrize("language", LANGUAGES)
def test_shared_memory_is_in_no_core_dump_and_in_no_child(
    pattern: Pattern, language: str, place: Path, visitor: StartVisitor
) -> None:
    for process in linked(pattern, own(place), visitor, language):
        smaps = Path(f"/proc/{process.pid}/smaps").read_text()
        blocks = re.findall(r"^[0-9a-f]+-[0-9a-f]+ .*?/memfd:(memlane-\w+).*?^VmFlags: ([\w ]+)$", smaps, re.M | re.S)
        assert {name for name, _ in blocks} >= {"memlane-half", "memlane-payload"}
        for name, flags in blocks:
            assert {"dd", "dc"} <= set(flags.split()), f"{name}: MADV_DONTDUMP and MADV_DONTFORK"
