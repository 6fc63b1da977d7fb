"""How a play is set, and the list of all plays."""

from collections.abc import Callable
from dataclasses import dataclass

from ..company import Company

SIDE = "kill/side"  # a lane of the victim's own


@dataclass(frozen=True)
class Situation:
    """A play, and how it is set."""

    name: str
    role: str  # the victim's
    play: Callable[[Company], None]
    survivor_depth: int = 8
    survivor_overflow: str = "block"
    history: int = 0  # of the surviving publisher
    budget_slots: int = 12  # large samples that the surviving publisher may hold
    blocks_when_frozen: bool = False  # the victim's own policy holds the surviving publisher up
    returns: bool = False  # the victim's program ends with its ports open
    prelude: tuple[str, ...] = ()  # faults that belong to the situation
    only: tuple[str, ...] = ()  # the points that it is about; none: all that are passed


PLAYS: list[Situation] = []
ROLES = ("publisher", "subscriber")

Play = Callable[[Company], None]


def situation(
    *roles: str,
    survivor_depth: int = 8,
    survivor_overflow: str = "block",
    history: int = 0,
    budget_slots: int = 12,
    blocks_when_frozen: bool = False,
    returns: bool = False,
    prelude: tuple[str, ...] = (),
    only: tuple[str, ...] = (),
) -> Callable[[Play], Play]:
    """Enter a play into the list, for each of the roles that the victim may have in it."""

    def enter(play: Play) -> Play:
        for role in roles:
            verb = play.__name__.removeprefix(f"{role}_").replace("_", " ")
            PLAYS.append(
                Situation(
                    f"{role} {verb}",
                    role,
                    play,
                    survivor_depth=survivor_depth,
                    survivor_overflow=survivor_overflow,
                    history=history,
                    budget_slots=budget_slots,
                    blocks_when_frozen=blocks_when_frozen,
                    returns=returns,
                    prelude=prelude,
                    only=only,
                )
            )
        return play

    return enter


def opposite(role: str) -> str:
    """The kind of port that it links with."""
    return "subscriber" if role == "publisher" else "publisher"
