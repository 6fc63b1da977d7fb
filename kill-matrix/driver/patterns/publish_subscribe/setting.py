"""What may be different for the survivors from one play to the next."""

from dataclasses import dataclass

from ..situation import Situation


@dataclass(frozen=True, kw_only=True)
class Setting(Situation):
    """A play with its survivors' options."""

    survivor_depth: int = 8
    survivor_overflow: str = "block"
    history: int = 0  # of the surviving publisher
    budget_slots: int = 12  # large samples that the surviving publisher may hold


def setting(situation: Situation) -> Setting:
    """Return the situation as what it is in this pattern."""
    assert isinstance(situation, Setting)
    return situation
