"""Somebody who has no business here: tries what a user of the machine can try, and prints what succeeded, as JSON.

    intruder.py UID GID GROUPS VERB WORDS...

It becomes that user first (GROUPS: numbers with commas between, or -), after it has read its own files.
"""

from __future__ import annotations

import ctypes
import json
import os
import select
import socket
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

libc = ctypes.CDLL(None, use_errno=True)

PTRACE_SEIZE = 0x4206
SYS_PIDFD_OPEN, SYS_PIDFD_GETFD = 434, 438


def checked(result: int) -> int:
    """Raises OSError for a call of the C library that failed."""
    if result < 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    return result


def connect(path: str) -> None:
    """Connects to a door."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as knocker:
        knocker.connect(path)


def read(path: str) -> None:
    """Opens a file for reading, never waiting."""
    os.close(os.open(path, os.O_RDONLY | os.O_NONBLOCK))


def write(path: str) -> None:
    """Opens a file for writing, never waiting."""
    os.close(os.open(path, os.O_WRONLY | os.O_NONBLOCK))


def plant(folder: str) -> None:
    """Puts a file into a folder."""
    name = Path(folder) / "planted"
    os.close(os.open(name, os.O_CREAT | os.O_WRONLY, 0o600))
    name.unlink()


def read_memory(pid: str) -> None:
    """Reads a byte of another process."""
    with Path(f"/proc/{pid}/mem").open("rb"):
        return


def steal_descriptor(pid: str) -> None:
    """Duplicates a descriptor of another process."""
    handle = checked(libc.syscall(SYS_PIDFD_OPEN, int(pid), 0))
    try:
        os.close(checked(libc.syscall(SYS_PIDFD_GETFD, handle, 1, 0)))
    finally:
        os.close(handle)


def debug(pid: str) -> None:
    """Attaches as a debugger does."""
    checked(libc.ptrace(PTRACE_SEIZE, int(pid), None, None))


Attempt = Callable[[str], object]

ON_PATHS: dict[str, Attempt] = {
    "stat": os.stat,
    "list": os.listdir,
    "read": read,
    "write": write,
    "connect": connect,
    "plant": plant,
    "remove": os.unlink,
    "remove folder": os.rmdir,
}
# Removing is only for who looks once: a spy leaves no trace.
OF_A_SPY = {name: ON_PATHS[name] for name in ("list", "read", "write", "connect", "plant")}

ON_PROCESSES: dict[str, Attempt] = {
    "signal": lambda pid: os.kill(int(pid), 0),
    "list descriptors": lambda pid: list(Path(f"/proc/{pid}/fd").iterdir()),
    "list mappings": lambda pid: list(Path(f"/proc/{pid}/map_files").iterdir()),
    "read maps": lambda pid: Path(f"/proc/{pid}/maps").read_text(),
    "memory": read_memory,
    "steal a descriptor": steal_descriptor,
    "debug": debug,
}


def successes(attempts: dict[str, Attempt], target: str) -> Iterator[str]:
    """Tells what can be done to a target."""
    for name, attempt in attempts.items():
        try:
            attempt(target)
        except OSError:
            continue
        yield f"{name} {target}"


def spy(directory: str) -> set[str]:
    """Looks again and again until its input ends."""
    found: set[str] = set()
    print("looking", flush=True)
    while not select.select([sys.stdin], [], [], 0)[0]:
        found.update(successes(OF_A_SPY, directory))
        for folder, folders, files in os.walk(directory):
            for name in folders + files:
                found.update(successes(OF_A_SPY, str(Path(folder) / name)))
    return found


def knock(door: str) -> list[str]:
    """Says hello at a door before it can answer, and tells how the connection ended."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as knocker:
        knocker.connect(door)
        knocker.send(b"a message that nobody may read")
        print("knocked", flush=True)
        sys.stdin.readline()
        knocker.settimeout(60)
        try:
            return [f"answered {knocker.recv(4096)!r}"]
        except ConnectionResetError:
            return ["reset with unread bytes"]


def stand_behind(door: socket.socket) -> list[str]:
    """Answers at a door that somebody else made, and tells what was said to it."""
    door.listen()
    print("standing", flush=True)
    sys.stdin.readline()
    door.setblocking(False)
    try:
        caller, _ = door.accept()
    except BlockingIOError:
        return ["nobody came"]
    caller.settimeout(60)
    with caller:
        return [f"was told {len(caller.recv(4096))} bytes"]


def main() -> None:
    """Becomes the user, does the verb, prints what came of it."""
    user, group, groups, verb, *words = sys.argv[1:]
    door = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    if verb == "stand behind":
        door.bind(words[0])  # as root still: the file is root's
    os.setgroups([] if groups == "-" else [int(each) for each in groups.split(",")])
    os.setresgid(int(group), int(group), int(group))
    os.setresuid(int(user), int(user), int(user))
    found: set[str] = set()
    if verb == "spy":
        found = spy(words[0])
    elif verb == "knock":
        found.update(knock(words[0]))
    elif verb == "stand behind":
        found.update(stand_behind(door))
    else:
        attempts = {"paths": ON_PATHS, "look": OF_A_SPY, "processes": ON_PROCESSES}[verb]
        for word in words:
            found.update(successes(attempts, word))
    print(json.dumps(sorted(found)), flush=True)


main()
