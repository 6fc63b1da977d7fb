"""Random bits of a liar's own halves and payloads turn round while everybody is at work. Only its own links may end.

MEMLANE_FLIPS=10000000 pytest ... for a longer run; MEMLANE_FLIPS_SEED=N repeats one.
"""

from __future__ import annotations

import os
import random
from collections.abc import Callable

import layout
import pytest
from liar import Line, LyingReceiver, LyingSender
from patterns import PUBLISH_SUBSCRIBE, Kind
from scene import LANE, Scene
from victims import PeerError, lines

Stage = Callable[..., Scene]
FLIPS = int(os.environ.get("MEMLANE_FLIPS", "1000000"))
SEED = int(os.environ.get("MEMLANE_FLIPS_SEED", "0")) or random.SystemRandom().randrange(1 << 32)
PER_ROUND = 100


class _Flipper:
    """A liar whose link is made anew whenever it has ended."""

    def __init__(self, stage: Scene, dice: random.Random) -> None:
        self.stage = stage
        self.dice = dice
        self.line: Line | None = None
        self.end: LyingSender | LyingReceiver | None = None
        self.links = 0
        self.flips = 0

    def meet(self) -> None:
        """Link with the victim as it should be, if there is no link."""
        if self.end is not None:
            return
        if self.line is None:
            self.line = self.stage.line()
        self.links += 1
        if not self.stage.kind.sends:
            self.end = LyingSender(self.line, LANE, self.stage.next_number())
            self.end.hand_over_half()
            self.end.hand_over_segment()
        else:
            overflow = self.dice.choice((layout.DROP_OLDEST, layout.DROP_NEWEST))
            depth = self.dice.choice((1, 4, 100))
            self.end = LyingReceiver(self.line, LANE, self.stage.next_number(), depth=depth, overflow=overflow)

    def flip(self) -> None:
        """Work a little, as it should be, and turn bits round meanwhile."""
        assert self.end is not None
        for _ in range(PER_ROUND):
            memory = self.end.half
            # Mostly the words that everything hangs on, else anywhere.
            here = self.dice.randrange(4)
            if here == 0:
                bit = self.dice.choice((64, 128, 192, 264)) * 8 + self.dice.randrange(64)
            elif here == 1:
                bit = self.dice.choice((64, 128)) * 8 + self.dice.randrange(4)
            elif isinstance(self.end, LyingSender) and here == 2:
                memory = self.end.payload
                bit = self.dice.randrange(len(memory) * 8)
            else:
                bit = self.dice.randrange(64 * 8, len(memory) * 8)
            if isinstance(self.end, LyingSender):
                if self.dice.randrange(8) == 0:
                    self.end.push(flags=self.dice.randrange(2))
            elif self.dice.randrange(8) == 0:
                self.end.take()
            memory.flip(bit)
            self.flips += 1

    def look(self) -> None:
        """Whether the victim has ended the link."""
        assert self.line is not None
        while not self.line.has_heard_nothing():
            heard = self.line.hear()
            if heard is None:
                raise AssertionError("a liar's connection ended for what its memory says")
            heard.close()
            if self.end is not None and heard.to_port == self.end.number and heard.type in (layout.GONE, layout.LEAVE):
                self.end.close()
                self.end = None

    def close(self) -> None:
        """Leave, when everything that was said has been heard: what came of it shows before the next scene."""
        if self.line is not None:
            self.line.settle()
        if self.end is not None:
            self.end.close()
        if self.line is not None:
            self.line.close()


# Of publish/subscribe alone: all that is sent arrives at the healthy subscriber, whatever a lying one takes.
@pytest.mark.parametrize("kind", PUBLISH_SUBSCRIBE.kinds)
@pytest.mark.timeout(3600)
def test_only_the_flipped_link_may_end(scene: Stage, kind: Kind, language: str) -> None:
    dice = random.Random(f"{SEED} {kind.stem} {language}")
    stage = scene()
    flipper = _Flipper(stage, dice)
    rounds = FLIPS // PER_ROUND // 6  # in each of three languages and two roles
    sent = 0
    complaints = 0
    got: list[dict[str, str]] = []
    for _ in range(max(1, rounds)):
        flipper.meet()
        # The honest ones are at work while the bits turn.
        stage.sender.begin("send", count=10, bytes=500, seed=sent)
        flipper.flip()
        stage.sender.finish()
        sent += 10
        interrupted = False
        while (missing := sent - sum(int(run["count"]) for run in got)) > 0:
            # A complaint comes in the middle of a take: what that had taken before is told by the next one.
            count, timeout = (1, 0) if interrupted else (missing, 20_000)
            try:
                reply = stage.receiver.ask("take", count=count, timeout=timeout, report="runs")
            except PeerError as error:
                assert error.code == "corrupt", error
                assert f"the link to the {PUBLISH_SUBSCRIBE.sender.name}" in error.message, error
                complaints += 1
                interrupted = True
                continue
            runs = list(lines(reply, "run"))
            assert runs or interrupted, f"an honest sample is missing (seed {SEED})"
            interrupted = False
            got += [run for run in runs if run["sender"] == "honest"]
        flipper.look()
    numbers = [n for run in got for n in range(int(run["first"]), int(run["last"]) + 1)]
    assert numbers == list(range(1, sent + 1)), f"honest samples came once and in order (seed {SEED})"
    print(
        f"{kind.stem} {language}: {flipper.flips} flips, {flipper.links} links of the liar's, {complaints} complaints, "
        f"{sent} honest samples, 0 lost; seed {SEED}"
    )
    if flipper.flips >= 2000:
        assert flipper.links > 1, "a flipped bit is noticed"
    flipper.close()
    stage.drain()
