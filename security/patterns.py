"""The patterns that lanes can carry, as visitors play them.

A test that takes the fixture `pattern` is about any of them, and is played with each. One that is about a single
pattern is in a folder of its name.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import memlane
from programs import Visitor


@dataclass(frozen=True)
class Kind:
    """A kind of port."""

    verb: str  # of programs/visitor.*, to open one; the names of its announcements begin with it
    port: Callable[..., Any]  # the same in this process

    def opens(self, directory: Path | str, group: int | str = "-", lane: str = "lane") -> str:
        """Returns the command that opens one."""
        return f"{self.verb} {lane} {directory} {group}"


@dataclass(frozen=True)
class Pattern:
    """A pattern."""

    name: str
    sender: Kind
    receiver: Kind
    # Sends until each of the receivers, which are all there are, has one: payloads of a size and seed.
    send_to_each: Callable[[Visitor, Sequence[Visitor], int, int], None]

    @property
    def kinds(self) -> tuple[Kind, Kind]:
        """Both."""
        return (self.sender, self.receiver)

    def exchange(self, sender: Visitor, receivers: Sequence[Visitor], size: int, seed: int) -> None:
        """Has something sent to each of the receivers, and taken."""
        self.send_to_each(sender, receivers, size, seed)
        for receiver in receivers:
            assert receiver.ask(f"take {seed}") == str(size)

    def wake(self, sender: Visitor, receivers: Sequence[Visitor], size: int, seed: int) -> None:
        """Has something sent to each of the receivers, which wait for it already."""
        for receiver in receivers:
            receiver.say(f"take {seed}")
        self.send_to_each(sender, receivers, size, seed)
        for receiver in receivers:
            assert receiver.answer() == str(size)


def publish(sender: Visitor, receivers: Sequence[Visitor], size: int, seed: int) -> None:
    """Sends once, to everybody."""
    assert sender.ask(f"send {size} {seed}") == str(len(receivers))


PATTERNS = [  # another pattern is another entry
    Pattern("publish-subscribe", Kind("pub", memlane.Publisher), Kind("sub", memlane.Subscriber), publish),
]
