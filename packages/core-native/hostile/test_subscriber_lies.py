"""A receiving port that lies to a sending one. It may spoil its own link; what was lent to it comes back."""

from __future__ import annotations

from collections.abc import Callable

import layout
import pytest
from layout import CLOSING, GONE, HALF, LEAVE, RETURNS, SEGMENT
from liar import LyingReceiver
from objects import BAD_MEMORY, bad_memory
from patterns import PUBLISH_SUBSCRIBE, SENDERS
from scene import Scene

Stage = Callable[..., Scene]
HUGE = (1 << 64) - 1


# Most of them are of publish/subscribe alone: they expect that what is sent goes to every subscriber.
of_all_patterns = pytest.mark.parametrize("kind", SENDERS)
of_publish_subscribe = pytest.mark.parametrize("kind", [PUBLISH_SUBSCRIBE.sender])


def refused(stage: Scene, **changes: object) -> None:
    """Hand over a half that is wrong, and hear why it is."""
    line = stage.line()
    with stage.lying_receiver(line, hand_over=False) as liar:
        size = changes.pop("size", None)
        handles = changes.pop("handles", None) or [liar.half.fd, liar.bell]
        line.say(HALF, liar.number, liar.to, liar.body(size, **changes), handles)  # type: ignore[arg-type]
        answer = line.hear_only(GONE, liar.number)
        assert layout.GONE_BODY.unpack(answer.body)[0] == layout.CORRUPT
    line.close()


@of_all_patterns
@pytest.mark.parametrize("what", BAD_MEMORY)
def test_what_is_no_memory_is_refused(scene: Stage, what: str) -> None:
    stage = scene()
    with bad_memory(what, layout.pages(layout.ENTRIES + 16 * 128)) as memory:
        line = stage.line()
        with stage.lying_receiver(line, hand_over=False) as liar:
            line.say(HALF, liar.number, liar.to, liar.body(), [memory, liar.bell])
            line.hear_only(GONE, liar.number)
        with stage.lying_receiver(line, hand_over=False) as liar:
            line.say(HALF, liar.number, liar.to, liar.body(), [liar.half.fd, memory])
            # A pipe is a bell, whichever of its ends it is.
            line.hear_only(HALF if what == "a pipe" else GONE, liar.number).close()
            liar.leave()
        stage.exchange()
        line.close()


@of_all_patterns
@pytest.mark.parametrize(
    "changes",
    [
        {"depth": 0},
        {"depth": 65537},
        {"depth": 0xFFFFFFFF},
        {"depth": 5000},
        {"overflow": 4},
        {"overflow": 255},
        {"kind": layout.PUBLISHER},
        {"kind": 200},
        {"size": 0},
        {"size": 1},
        {"size": 1 << 63},
        {"size": HUGE},
    ],
)
def test_options_and_sizes_that_cannot_be(scene: Stage, changes: dict[str, object]) -> None:
    refused(scene(), **dict(changes))


LIES: dict[str, Callable[[LyingReceiver], object]] = {
    "the head runs away": lambda liar: liar.half.put(layout.HEAD, 500),
    "the head is -1": lambda liar: liar.half.put(layout.HEAD, HUGE),
    "the returns run away": lambda liar: liar.half.put(layout.RETURNS_TAIL, 1000),
    "the returns are -1": lambda liar: liar.half.put(layout.RETURNS_TAIL, HUGE),
    "a return of what still waits": lambda liar: liar.give_back(0, 0),
    "a return from the future": lambda liar: liar.take_and_give_back(5, 0),
    "a return of -1": lambda liar: liar.take_and_give_back(HUGE, 0),
    "a return with a foreign ticket": lambda liar: liar.take_and_give_back(0, 77),
    "a return with a ticket of -1": lambda liar: liar.take_and_give_back(0, HUGE),
    "a return with a flag that nobody knows": lambda liar: liar.take_and_give_back(0, 1 << 33),
    "a return twice": lambda liar: liar.take_and_give_back(0, 0, times=2),
    "a yield of what still waits": lambda liar: liar.give_back(0, layout.YIELDED),
    "a return by message of what still waits": lambda liar: liar.line.say(
        RETURNS, liar.number, liar.to, layout.RETURNS_BODY.pack(0, 0)
    ),
    "half a return by message": lambda liar: liar.line.say(RETURNS, liar.number, liar.to, b"1234567"),
    "a segment": lambda liar: liar.line.say(
        SEGMENT, liar.number, liar.to, layout.SEGMENT_BODY.pack(1, 4096), [liar.half.fd]
    ),
    "a second half": lambda liar: liar.line.say(HALF, liar.number, liar.to, liar.body(), [liar.half.fd, liar.bell]),
    "a message that nobody knows": lambda liar: liar.line.say(999, liar.number, liar.to),
}


@of_publish_subscribe
@pytest.mark.parametrize("lie", LIES)
def test_a_lie_ends_the_link_and_no_other(scene: Stage, lie: str) -> None:
    stage = scene()
    held = stage.victim.stat("bytes")
    line = stage.line()
    with stage.lying_receiver(line) as liar:
        stage.victim.ask("send", count=2, bytes=1000)
        LIES[lie](liar)
        stage.victim.ask("stats")
        stage.victim.ask("send", count=4, bytes=1000)  # more than its queue has room for: needs a look at the head
        line.hear_only(GONE, liar.number)
        stage.no_links_but_the_honest()
        reply = stage.healthy.ask("take", count=6, timeout=20_000)
        assert len(reply["sample"]) == 6
        assert stage.victim.stat("waiting") == 0, "what the liar had is back"
        stage.exchange()
    line.close()
    assert stage.victim.stat("bytes") <= max(held, 1 << 20)


@of_publish_subscribe
def test_a_head_that_goes_back(scene: Stage) -> None:
    stage = scene()
    line = stage.line()
    with stage.lying_receiver(line) as liar:
        stage.victim.ask("send", count=3, bytes=10)
        liar.take(3)
        stage.victim.ask("send", count=4, bytes=10)  # needs a look at the head
        liar.half.put(layout.HEAD, 1)
        assert len(stage.healthy.ask("take", count=7, timeout=20_000)["sample"]) == 7
        stage.victim.ask("send", count=1, bytes=10)
        line.hear_only(GONE, liar.number)
        assert len(stage.healthy.ask("take", count=1, timeout=20_000)["sample"]) == 1
    line.close()


@of_publish_subscribe
def test_last_words_twice_and_too_late_mean_nothing(scene: Stage) -> None:
    stage = scene()
    line = stage.line()
    with stage.lying_receiver(line) as liar:
        stage.victim.ask("send", count=2, bytes=10)
        for kind in (CLOSING, CLOSING, LEAVE, LEAVE, CLOSING, RETURNS, GONE, 11, 65535):
            line.say(kind, liar.number, liar.to)
        line.settle()
        stage.no_links_but_the_honest()
        assert len(stage.healthy.ask("take", count=2, timeout=20_000)["sample"]) == 2
        assert stage.victim.stat("waiting") == 0
    line.close()
