"""For victims that end by themselves: what they do at their end, they do in the middle of things."""

from ..company import Company
from ..places import LARGE
from .setting import Situation


def publisher_in_the_middle(stage: Company) -> None:
    """It holds a loan, one of its samples is held, one waits."""
    stage.open_survivors()
    stage.open_victim(history=1)
    stage.victim_step("loan", loan="kept", bytes=LARGE, seed=0)
    stage.send("V", LARGE, 3)
    stage.take("S", 1)
    stage.take_and_hold("S", 1)
    stage.strike()


def subscriber_in_the_middle(stage: Company) -> None:
    """It holds a sample, and one waits."""
    stage.open_survivors()
    stage.open_victim(depth=8)
    stage.send("P", LARGE, 3)
    stage.take("V", 1)
    stage.take_and_hold("V", 1)
    stage.strike()


# For victims that end by themselves: what they do at their end, they do in the middle of things.


IN_THE_MIDDLE = [
    Situation("publisher in the middle", "publisher", publisher_in_the_middle),
    Situation("subscriber in the middle", "subscriber", subscriber_in_the_middle),
]
