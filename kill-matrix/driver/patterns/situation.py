"""How a play is set."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from .pattern import Pattern, Role

if TYPE_CHECKING:
    from ..company import Company


@dataclass(frozen=True, kw_only=True)
class Situation:
    """What a victim is in the middle of. Each of its steps may be its last, at any fault point that it passes."""

    name: str
    pattern: Pattern
    role: Role  # the victim's
    play: Callable[[Company], None]
    blocks_when_frozen: bool = False  # the victim's own policy holds a survivor up
    returns: bool = False  # the victim's program ends with its ports open
    prelude: tuple[str, ...] = ()  # faults that belong to the situation
    only: tuple[str, ...] = ()  # the points that it is about; none: all that are passed
