"""Who plays in these tests. Numbers are enough for the kernel: nobody of this name need exist on the machine."""

from __future__ import annotations

from typing import NamedTuple


class User(NamedTuple):
    """A user, as `become` and the intruder take one."""

    uid: int
    gid: int
    groups: tuple[int, ...] = ()

    def words(self) -> list[str]:
        """Returns the three words that stand for the user in a command."""
        return [str(self.uid), str(self.gid), ",".join(map(str, self.groups)) or "-"]


TEAM = 2345678

ALICE = User(1234501, 1234501)
# Two ways to be in a group: as one of several, and with it as the first.
ALICE_OF_TEAM = User(1234501, 1234501, (1234599, TEAM))
BOB_OF_TEAM = User(1234502, TEAM)
CAROL_OF_TEAM = User(1234503, 1234503, (TEAM,))
MALLORY = User(65534, 65534)
# In Alice's first group, which is not the one that is let in.
NEIGHBOUR = User(1234504, 1234501, (1234599,))
