"""For victims that end by themselves: what they do at their end, they do in the middle of things."""

from ...company import Company
from ...places import LARGE
from .pattern import PUBLISH_SUBSCRIBE
from .roles import PUBLISHER, SUBSCRIBER
from .setting import Setting


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


PUBLISH_SUBSCRIBE.in_the_middle += [
    Setting(name=f"{role.name} in the middle", pattern=PUBLISH_SUBSCRIBE, role=role, play=play)
    for role, play in ((PUBLISHER, publisher_in_the_middle), (SUBSCRIBER, subscriber_in_the_middle))
]
