"""Lies about what a full queue lets go of. Overflow policies are of publish/subscribe alone."""

from __future__ import annotations

from collections.abc import Callable

import layout
import pytest
from patterns import PUBLISH_SUBSCRIBE
from scene import Scene

Stage = Callable[..., Scene]
HUGE = (1 << 64) - 1


@pytest.mark.parametrize("kind", [PUBLISH_SUBSCRIBE.receiver])
def test_a_floor_that_nobody_reached(scene: Stage) -> None:
    stage = scene(overflow="drop-oldest")
    line = stage.line()
    with stage.lying_sender(line) as liar:
        liar.push()
        liar.half.put(layout.FLOOR, 7)
        assert "took back what it never sent" in stage.complaint()
    with stage.lying_sender(line) as liar:
        liar.half.put(layout.TAIL, HUGE)
        liar.half.put(layout.FLOOR, HUGE - 3)
        liar.ring()
        with_something = stage.error_of(lambda: stage.victim.ask("take", count=1, timeout=20_000))
        assert with_something is not None
        assert with_something.startswith("corrupt")
    line.close()


@pytest.mark.parametrize("kind", [PUBLISH_SUBSCRIBE.sender])
def test_yields_of_everything_cost_the_liar_its_own_samples_only(scene: Stage) -> None:
    stage = scene()
    line = stage.line()
    with stage.lying_receiver(line, depth=2, overflow=layout.DROP_OLDEST) as liar:
        for _ in range(5):
            stage.exchange(2, flush=False)
        liar.half.put(layout.HEAD, 10)
        for position in range(10):
            liar.give_back(position, layout.YIELDED)
        stage.exchange(2, flush=False)
        assert stage.victim.stat("waiting") <= 2
    line.close()
