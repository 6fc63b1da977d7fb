"""At no moment, not between two system calls, is anything open to somebody who is not let in."""

from __future__ import annotations

import re
import stat
import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from conftest import eventually
from marks import NO_STRACE, needs_root
from patterns import Pattern
from places import home, names
from programs import LANGUAGES, Intruder, Visitor
from users import ALICE_OF_TEAM, MALLORY, NEIGHBOUR, TEAM

pytestmark = needs_root

CALLS = (
    "mkdir,mkdirat,open,openat,bind,listen,chmod,fchmod,fchmodat,chown,fchown,fchownat,"
    "link,linkat,rename,renameat,renameat2"
)


def slowly() -> list[str]:
    """Returns what to put before a command so that whoever looks sees it between any two system calls."""
    if NO_STRACE:
        return []
    return ["strace", "-f", "-qq", "-o", "/dev/null", "-e", f"trace={CALLS}", "-e", f"inject={CALLS}:delay_exit=4000"]


class Recorder(threading.Thread):
    """Looks at every name again and again, as root, and keeps what it saw."""

    def __init__(self, directory: Path) -> None:
        super().__init__()
        self._directory = directory
        self._told_to_stop = threading.Event()
        self.seen: set[tuple[str, int, int, str]] = set()

    def run(self) -> None:
        """Looks until it is told to stop."""
        while not self._told_to_stop.is_set():
            for path in names(self._directory.parent):
                try:
                    status = path.lstat()
                except FileNotFoundError:
                    continue
                kind = {stat.S_IFDIR: "folder", stat.S_IFSOCK: "door"}.get(stat.S_IFMT(status.st_mode), "file")
                self.seen.add((kind, stat.S_IMODE(status.st_mode), status.st_gid, path.name))

    def has_seen_hidden_names(self) -> bool:
        """Tells whether it looked between two system calls."""
        names_seen = {re.sub(r"-[0-9a-f-]+$", "", name) for _, _, _, name in self.seen.copy()}
        return {".door", "door", ".lane", "lane"} <= names_seen

    def stop(self) -> None:
        """Ends the looking."""
        self._told_to_stop.set()
        self.join()


ALLOWED_TO_GROUP = {"folder": 0o2770, "file": 0o640, "door": 0o660}


def is_tight(kind: str, mode: int, gid: int, group: int | None) -> bool:
    """Tells whether rights let nobody in who should not be."""
    if mode & 0o077 == 0:
        return True
    return gid == group and mode == ALLOWED_TO_GROUP[kind]


def live_and_leave(pattern: Pattern, visitor: Visitor, directory: Path, group: int | None) -> bool:
    """Goes through the life of two lanes."""
    for lane in ("one", "two", "one"):
        visitor.ask(pattern.sender.opens(directory, group or "-", lane))
        visitor.ask("send 100000 1")
        visitor.ask("close")
    return True


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("group", [None, TEAM], ids=["private", "group"])
@pytest.mark.parametrize("umask", ["000", "027", "077"])
def test_nothing_is_open_to_others_at_any_moment(
    pattern: Pattern,
    language: str,
    group: int | None,
    umask: str,
    place: Path,
    visitor: Callable[..., Visitor],
    intruder: Callable[..., Intruder],
) -> None:
    around = home(place, ALICE_OF_TEAM)
    directory = around / "lanes"
    # An interpreter opens thousands of files before it comes to ours.
    before = slowly() if language == "cpp" else []
    alice, slowed = visitor(language, ALICE_OF_TEAM, before=before), before != []
    alice.ask(f"umask {umask}")
    spies = [intruder(user, "spy", directory) for user in (MALLORY, NEIGHBOUR)]
    for spy in spies:
        assert spy.hear() == "looking"
    recorder = Recorder(directory)
    recorder.start()
    try:
        # Until the recorder has seen what is there only between two calls: on a busy machine it may sleep through some.
        looked = eventually(
            lambda: (
                live_and_leave(pattern, alice, directory, group) and (recorder.has_seen_hidden_names() or not slowed)
            )
        )
    finally:
        recorder.stop()
    assert [spy.found() for spy in spies] == [[], []]
    assert [each for each in recorder.seen if each[3] != around.name and not is_tight(*each[:3], group)] == []
    assert looked, "the recorder looked between the system calls"
