"""The patterns that lanes can carry: their kinds of port, what those are called, and which of them sends."""

from __future__ import annotations

from dataclasses import dataclass

import layout


@dataclass(frozen=True)
class Kind:
    """A kind of port."""

    number: int  # `PortKind` of docs/layout.md
    stem: str  # how the names of its announcements begin
    name: str  # what steps and complaints call it
    sends: bool  # a port that sends calls with INVITE; one that receives, with its half

    @property
    def open_step(self) -> str:
        """The step that opens one."""
        return f"open-{self.name}"

    @property
    def wait_step(self) -> str:
        """The step that waits for links with some."""
        return f"wait-for-{self.name}s"


@dataclass(frozen=True)
class Pattern:
    """Which ports are linked with each other."""

    sender: Kind
    receiver: Kind

    @property
    def kinds(self) -> list[Kind]:
        """Both."""
        return [self.sender, self.receiver]


PUBLISH_SUBSCRIBE = Pattern(
    sender=Kind(layout.PUBLISHER, "pub", "publisher", sends=True),
    receiver=Kind(layout.SUBSCRIBER, "sub", "subscriber", sends=False),
)
PATTERNS = [PUBLISH_SUBSCRIBE]  # another pattern is another entry

KINDS = [kind for pattern in PATTERNS for kind in pattern.kinds]
SENDERS = [pattern.sender for pattern in PATTERNS]
RECEIVERS = [pattern.receiver for pattern in PATTERNS]


def opposite(kind: Kind) -> Kind:
    """Return the kind at the other end of a link: what a liar plays."""
    others = {pattern.sender: pattern.receiver for pattern in PATTERNS}
    others |= {pattern.receiver: pattern.sender for pattern in PATTERNS}
    return others[kind]
