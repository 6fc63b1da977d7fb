"""The victim publishes."""

from ...company import Company
from ...places import LARGE
from .moves import returns_as_messages, survivor_holds_one, survivor_takes_all
from .roles import PUBLISHER
from .situation import situation


def publish(stage: Company) -> None:
    """Small and large samples, a loan that is given up, all taken."""
    stage.send("V", 100, 2)
    survivor_takes_all(stage)
    stage.send("V", LARGE)
    survivor_takes_all(stage)
    stage.victim_step("loan", loan="unused", bytes=LARGE)
    stage.victim_step("give-up", loan="unused")
    stage.send("V", 100)
    survivor_takes_all(stage)
    stage.victim_step("flush", timeout=10000)
    stage.victim_step("close")


@situation(PUBLISHER)
def publisher_first(stage: Company) -> None:
    """It waits for subscribers; they call."""
    stage.open_victim(history=1)
    stage.open_survivors()
    stage.meet()
    publish(stage)


@situation(PUBLISHER)
def publisher_second(stage: Company) -> None:
    """It calls a subscriber that is there."""
    stage.open_survivors()
    stage.open_victim(history=1)
    publish(stage)


@situation(PUBLISHER, returns=True)
def publisher_returns_from_main(stage: Company) -> None:
    """Its program ends with a port and a loan open, and samples on their way."""
    stage.open_survivors()
    stage.open_victim()
    stage.victim_step("loan", loan="kept", bytes=LARGE)
    stage.send("V", 100, 2)


@situation(PUBLISHER)
def publisher_with_history(stage: Company) -> None:
    """Who comes late gets the last samples from it."""
    stage.open_victim(history=3)
    stage.send("V", 100, 5)
    stage.open_survivors()
    stage.meet()
    survivor_takes_all(stage)
    stage.send("V", 100)
    survivor_takes_all(stage)


@situation(PUBLISHER, survivor_depth=2)
def publisher_sleeps_before_a_full_queue(stage: Company) -> None:
    """Policy block; it holds a loan meanwhile."""
    stage.open_survivors()
    stage.open_victim()
    stage.victim_step("loan", loan="held", bytes=LARGE, seed=0)
    stage.send("V", 100, 2)
    stage.begin_send("V")
    stage.victim_sleeps()
    survivor_takes_all(stage)
    stage.end_send("V")
    survivor_takes_all(stage)


def overfill(stage: Company, *sends: int) -> None:
    """So many samples each time, and then whatever of them is there is taken."""
    stage.open_survivors()
    stage.open_victim()
    for count in sends:
        stage.send("V", 100, count)
        survivor_takes_all(stage)


@situation(PUBLISHER, survivor_depth=2, survivor_overflow="drop-oldest")
def publisher_drops_the_oldest(stage: Company) -> None:
    """A full queue of a subscriber that wants the newest."""
    overfill(stage, 5, 1)


@situation(PUBLISHER, survivor_depth=2, survivor_overflow="drop-newest")
def publisher_drops_the_newest(stage: Company) -> None:
    """A full queue of a subscriber that wants the oldest."""
    overfill(stage, 4)


@situation(PUBLISHER, survivor_depth=2, survivor_overflow="fail")
def publisher_fails_at_a_full_queue(stage: Company) -> None:
    """A full queue of a subscriber that wants sends to fail."""
    overfill(stage, 3, 1)


@situation(PUBLISHER)
def publisher_grows_and_shrinks(stage: Company) -> None:
    """Its budget makes it give memory back to have other memory."""
    stage.open_survivors()
    stage.open_victim(budget=340000)
    stage.send("V", 100000)
    survivor_takes_all(stage)
    stage.send("V", 300000)
    survivor_takes_all(stage)
    stage.send("V", 100000)
    survivor_takes_all(stage)


@situation(PUBLISHER)
def publisher_sleeps_until_all_is_taken(stage: Company) -> None:
    """A flush waits for what the subscriber still has."""
    stage.open_survivors()
    stage.open_victim()
    stage.send("V", 100, 2)
    survivor_holds_one(stage)
    stage.victim_start("flush")
    stage.victim_sleeps()
    survivor_takes_all(stage)
    stage.release("S")
    stage.victim_finish()


@situation(PUBLISHER)
def publisher_wakes_a_subscriber(stage: Company) -> None:
    """The subscriber sleeps in a take. New memory would wake it too, before there is a sample: so there is none."""
    stage.open_survivors()
    stage.open_victim()
    stage.send("V", 100)
    survivor_takes_all(stage)
    stage.start("S", "take", count=1, timeout=20000)
    stage.sleeps("S")
    stage.send("V", 100)
    stage.note("S", stage.finish("S"), None)


@situation(PUBLISHER)
def publisher_holds_loans(stage: Company) -> None:
    """It closes while loans are out."""
    stage.open_survivors()
    stage.open_victim()
    for name in ("one", "two", "three"):
        stage.victim_step("loan", loan=name, bytes=LARGE, seed=0)
    stage.send("V", 100)
    survivor_takes_all(stage)
    stage.victim_step("close")
    stage.victim_step("give-up", loan="one")


@situation(PUBLISHER)
def publisher_hears_a_subscriber_close(stage: Company) -> None:
    """One who still holds a sample, of which it must be told."""
    stage.open_survivors()
    stage.open_victim()
    stage.understudy_plays = True
    stage.step("U", "open-subscriber", **stage.where("U"), depth=4)
    stage.send("V", 100, 2)
    survivor_takes_all(stage)
    stage.take_and_hold("U", 1)
    stage.step("U", "close")
    stage.release("U")
    stage.victim_step("await-stats", waiting=0, peers=1, timeout=10000)
    stage.send("V", 100)
    survivor_takes_all(stage)


@situation(PUBLISHER, survivor_depth=16)
def publisher_gets_returns_as_messages(stage: Company) -> None:
    """So many at once that the ring of returns is full."""
    stage.open_survivors()
    stage.open_victim()
    returns_as_messages(stage, "V")
