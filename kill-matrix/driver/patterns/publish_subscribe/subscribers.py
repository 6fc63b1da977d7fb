"""The victim subscribes."""

from ...company import Company
from ...places import LARGE
from .moves import returns_as_messages, survivor_takes_all, victim_takes_all
from .roles import SUBSCRIBER
from .situation import situation


def subscribe(stage: Company) -> None:
    """Small and large samples, some held for a while."""
    stage.send("P", 100, 2)
    victim_takes_all(stage)
    stage.send("P", LARGE, 2)
    stage.take_and_hold("V", 1)
    stage.take("V", 1)
    stage.send("P", 100)
    victim_takes_all(stage)
    stage.release("V")
    stage.victim_step("close")


@situation(SUBSCRIBER, history=2)
def subscriber_first(stage: Company) -> None:
    """It waits for publishers; they call."""
    stage.open_victim(depth=8)
    stage.open_survivors()
    stage.meet()
    subscribe(stage)


@situation(SUBSCRIBER)
def subscriber_second(stage: Company) -> None:
    """It calls a publisher that is there."""
    stage.open_survivors()
    stage.open_victim(depth=8)
    subscribe(stage)


@situation(SUBSCRIBER, history=2)
def subscriber_gets_history(stage: Company) -> None:
    """It comes late."""
    stage.open_survivors()
    stage.send("P", LARGE, 3)
    stage.open_victim(depth=8)
    stage.take("V", 2)
    stage.send("P", 100)
    victim_takes_all(stage)


@situation(SUBSCRIBER, returns=True)
def subscriber_returns_from_main(stage: Company) -> None:
    """Its program ends with samples held and samples waiting."""
    stage.open_survivors()
    stage.open_victim(depth=8)
    stage.send("P", LARGE, 3)
    stage.take_and_hold("V", 1)


@situation(SUBSCRIBER)
def subscriber_holds_and_closes(stage: Company) -> None:
    """It closes with samples held, and gives them back later."""
    stage.open_survivors()
    stage.open_victim(depth=8)
    stage.send("P", LARGE, 4)
    stage.take_and_hold("V", 2)
    stage.victim_step("close")
    stage.release("V")


@situation(SUBSCRIBER, blocks_when_frozen=True)
def subscriber_with_a_full_queue(stage: Company) -> None:
    """Policy block: the publisher sleeps until it takes."""
    stage.open_survivors()
    stage.open_victim(depth=2)
    stage.send("P", LARGE, 2)
    stage.begin_send("P", LARGE)
    stage.sleeps("P")
    stage.take("V", 1)
    stage.end_send("P")
    victim_takes_all(stage)


@situation(SUBSCRIBER)
def subscriber_that_drops_the_oldest(stage: Company) -> None:
    """The publisher takes back what it has not taken."""
    stage.open_survivors()
    stage.open_victim(depth=2, overflow="drop-oldest")
    stage.send("P", LARGE, 5)
    stage.take("V", 2)
    stage.send("P", LARGE, 3)
    stage.take("V", 1)
    stage.drain("V")


@situation(SUBSCRIBER)
def subscriber_that_drops_the_newest(stage: Company) -> None:
    """The publisher leaves out what finds no room."""
    stage.open_survivors()
    stage.open_victim(depth=2, overflow="drop-newest")
    stage.send("P", LARGE, 4)
    stage.take("V", 2)
    stage.drain("V")


@situation(SUBSCRIBER, blocks_when_frozen=True)
def subscriber_that_makes_sends_fail(stage: Company) -> None:
    """The publisher is told that it is full."""
    stage.open_survivors()
    stage.open_victim(depth=2, overflow="fail")
    stage.send("P", LARGE, 3)
    stage.take("V", 2)
    stage.send("P", LARGE)
    victim_takes_all(stage)


@situation(SUBSCRIBER)
def subscriber_sleeps(stage: Company) -> None:
    """It waits for a sample, and is woken."""
    stage.open_survivors()
    stage.open_victim(depth=8)
    stage.victim_start("take", count=1, timeout=20000)
    stage.victim_sleeps()
    stage.send("P", LARGE)
    stage.note("V", stage.victim_finish(), 1)
    victim_takes_all(stage)


@situation(SUBSCRIBER)
def subscriber_wakes_a_publisher(stage: Company) -> None:
    """The publisher waits in a flush."""
    stage.open_survivors()
    stage.open_victim(depth=8)
    stage.send("P", LARGE)
    survivor_takes_all(stage)
    stage.start("P", "flush")
    stage.sleeps("P")
    victim_takes_all(stage)
    stage.finish("P")


@situation(SUBSCRIBER, budget_slots=24, blocks_when_frozen=True)
def subscriber_whose_publisher_shrinks(stage: Company) -> None:
    """Memory that it has mapped is given back."""
    stage.open_survivors()
    stage.open_victim(depth=8)
    # One of these leaves room for what is sent before a death is heard, two of them are too much.
    for size in (700000, 800000, 700000):
        stage.send("P", size)
        survivor_takes_all(stage)
        victim_takes_all(stage)
        stage.step("P", "flush", timeout=10000)


@situation(SUBSCRIBER, survivor_depth=16)
def subscriber_gives_back_by_messages(stage: Company) -> None:
    """So many at once that the ring of returns is full."""
    stage.open_survivors()
    stage.open_victim(depth=16)
    returns_as_messages(stage, "P")


@situation(SUBSCRIBER)
def subscriber_hears_a_publisher_close(stage: Company) -> None:
    """Of one whose samples it has not taken."""
    stage.open_survivors()
    stage.open_victim(depth=8)
    stage.understudy_plays = True
    stage.step("U", "open-publisher", **stage.where("U"))
    stage.send("U", 100, 2)
    survivor_takes_all(stage)
    stage.step("U", "close")
    stage.take("V", sum(each.reached > 1 for each in stage.ledger.sends["U"]))  # none, if it was frozen meanwhile
    stage.victim_step("await-stats", peers=1, timeout=10000)
