"""Whom a lane directory lets in, and as whom victim and survivors run."""

import os
import shutil
import tempfile
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import NamedTuple


class User(NamedTuple):
    """Numbers are enough for the kernel: nobody of this name need exist on the machine."""

    uid: int
    gid: int
    groups: tuple[int, ...]


@dataclass(frozen=True)
class Access:
    """One user's own, unless said otherwise."""

    group: int | None = None
    victim: User | None = None
    others: User | None = None

    def around(self, directory: Path) -> None:
        """Prepare a new folder for the lane directory in it."""
        if self.group is not None:
            directory.chmod(0o1777)  # so that each member may be the one who makes it

    def lane_directory(self, around: Path) -> Path:
        """The lane directory. That of a group is not there yet: whoever comes first makes it."""
        return around if self.group is None else around / "lanes"

    def command(self, command: list[str]) -> list[str]:
        """What runs a program as a user who may not look into the folder where it was built."""
        return command if self.victim is None else [str(reachable(Path(command[0]))), *command[1:]]


OWN = Access()

TEAM = 2345678
# The group is one of several of the one's, and the first one of the other's.
ALICE = User(1234501, 1234501, (1234599, TEAM))
BOB = User(1234502, TEAM, ())


def of_a_group() -> Access:
    """A group lets in two of its members, where the tests may become them; else the user who runs the tests."""
    if os.geteuid() != 0:
        return Access(os.getegid())
    return Access(TEAM, BOB, ALICE)


@cache
def _for_everybody() -> tempfile.TemporaryDirectory[str]:
    folder = tempfile.TemporaryDirectory(prefix="memlane-kill-programs-")
    Path(folder.name).chmod(0o755)
    return folder


@cache
def reachable(program: Path) -> Path:
    """A copy of a program that every user may run."""
    copy = Path(_for_everybody().name) / program.name
    shutil.copy(program, copy)
    copy.chmod(0o755)
    return copy
