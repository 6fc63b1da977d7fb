"""The visitor of visitor.cpp in Python: the same commands and answers."""

from __future__ import annotations

import os
import sys

import memlane
import numpy as np  # before it becomes somebody who may not read these files

PATIENCE = 30.0


def pattern(size: int, seed: int) -> np.ndarray:
    """Returns the payload of a seed."""
    return ((np.arange(size, dtype=np.uint64) + seed) % 251).astype(np.uint8)


class Visitor:
    """Does commands, one after the other."""

    port: memlane.Publisher | memlane.Subscriber | None = None
    sample: memlane.Sample | None = None

    def become(self, user: str, group: str, groups: str) -> None:
        """Becomes another user, for good."""
        os.setgroups([] if groups == "-" else [int(each) for each in groups.split(",")])
        os.setresgid(int(group), int(group), int(group))
        os.setresuid(int(user), int(user), int(user))

    def umask(self, mask: str) -> None:
        """Sets the rights that new files do not get."""
        os.umask(int(mask, 8))

    def pub(self, lane: str, directory: str, group: str) -> None:
        """Opens a publisher."""
        # A number as an int, since that is how Python says it.
        who = None if group == "-" else int(group) if group.isdigit() else group
        self.port = memlane.Publisher(lane, history=1, directory=None if directory == "-" else directory, group=who)

    def sub(self, lane: str, directory: str, group: str) -> None:
        """Opens a subscriber."""
        place, who = (None if word == "-" else word for word in (directory, group))
        self.port = memlane.Subscriber(lane, directory=place, group=who)

    def peers(self, count: str) -> str:
        """Waits until so many are linked."""
        assert self.port is not None
        if isinstance(self.port, memlane.Publisher):
            return "yes" if self.port.wait_for_subscribers(int(count), PATIENCE) else "no"
        return "yes" if self.port.wait_for_publishers(int(count), PATIENCE) else "no"

    def send(self, size: str, seed: str) -> str:
        """Sends a sample."""
        assert isinstance(self.port, memlane.Publisher)
        return str(self.port.send(pattern(int(size), int(seed))))

    def take(self, seed: str) -> str:
        """Takes a sample, and keeps it."""
        assert isinstance(self.port, memlane.Subscriber)
        self.sample = self.port.take(PATIENCE)
        self.check(seed)
        assert self.sample is not None
        return str(self.sample.nbytes)

    def check(self, seed: str) -> None:
        """Looks at the kept sample again."""
        assert self.sample is not None, "no sample came"
        seen = np.asarray(self.sample)
        assert np.array_equal(seen, pattern(seen.size, int(seed))), "the sample is not as it was sent"

    def close(self) -> None:
        """Leaves."""
        self.sample = None
        if self.port is not None:
            self.port.close()


def answer(visitor: Visitor, line: str) -> str:
    """Returns what a command answers."""
    verb, *words = line.split()
    try:
        return f"ok {getattr(visitor, verb)(*words) or ''}"
    except memlane.Error as error:
        return f"error {error.code}: {error}"
    except Exception as error:
        return f"error unexpected: {error!r}"


def main() -> None:
    """Obeys until the input ends."""
    visitor = Visitor()
    for line in sys.stdin:
        print(answer(visitor, line), flush=True)
    visitor.close()


main()
