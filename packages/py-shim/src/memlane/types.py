"""Names for the values that the API takes, for type checkers."""

from __future__ import annotations

from typing import Literal, TypeAlias

__all__ = ["Overflow"]

Overflow: TypeAlias = Literal["block", "drop-oldest", "drop-newest", "fail"]
"""What happens to a sample that finds a subscriber's queue full.

- ``"block"``: the publisher waits; nothing is lost.
- ``"drop-oldest"``: the oldest sample that waits makes room.
- ``"drop-newest"``: the new sample does not reach this subscriber.
- ``"fail"``: the send raises `QueueFull`, and reaches nobody.
"""
