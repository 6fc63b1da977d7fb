"""The patterns that the matrix is played with: each is a folder beside this file, and an entry of the table."""

import os

from .pattern import Pattern, Role
from .publish_subscribe import PUBLISH_SUBSCRIBE
from .situation import Situation

PATTERNS: dict[str, Pattern] = {pattern.name: pattern for pattern in (PUBLISH_SUBSCRIBE,)}

SITUATIONS: list[Situation] = [
    each for pattern in PATTERNS.values() for each in (*pattern.plays, *pattern.in_the_middle)
]
BY_NAME: dict[str, Situation] = {each.name: each for each in SITUATIONS}
assert len(BY_NAME) == len(SITUATIONS), "a combination is known by the name of its situation: no two may have the same"


def picked(name: str = os.environ.get("MEMLANE_KILL_PATTERN", "")) -> tuple[Pattern, ...]:
    """Return the one pattern that is wanted; all, if none is named."""
    if not name:
        return tuple(PATTERNS.values())
    if name not in PATTERNS:
        raise ValueError(f"MEMLANE_KILL_PATTERN={name}: the patterns are {', '.join(PATTERNS)}")
    return (PATTERNS[name],)


__all__ = ["BY_NAME", "PATTERNS", "Pattern", "Role", "Situation", "picked"]
