"""A sending port with checksums whose own memory changes between a send and the take. Nothing changed is shown.

MEMLANE_CHECKSUM_FLIPS=100000 pytest ... for a longer run; MEMLANE_FLIPS_SEED=N repeats one.
"""

from __future__ import annotations

import os
import random
from collections.abc import Callable

import layout
import pytest
from layout import GONE, LEAVE
from liar import LyingSender, descriptor
from patterns import RECEIVERS, opposite
from payload import fill
from scene import LANE, Scene

Stage = Callable[..., Scene]

pytestmark = pytest.mark.parametrize("kind", RECEIVERS)

FLIPS = int(os.environ.get("MEMLANE_CHECKSUM_FLIPS", "6000"))
SEED = int(os.environ.get("MEMLANE_FLIPS_SEED", "0")) or random.SystemRandom().randrange(1 << 32)
META_AT = 128  # behind a payload of 100 bytes
TICKET = range(layout.TICKET_AT * 8, layout.TICKET_AT * 8 + 32)  # the one part that is not counted
SEGMENT = range(layout.SEGMENT_AT * 8, layout.SEGMENT_AT * 8 + 32)


def _send(liar: LyingSender, *, ticket: int = 0) -> None:
    """Send 100 bytes with an encoding and a user header, as they should be."""
    fill(memoryview(liar.payload.map)[:100], 7)
    meta = layout.META.pack(4, 9, b"text", b"user data")
    liar.payload.map[META_AT : META_AT + len(meta)] = meta
    words = descriptor(1, flags=layout.HAS_META, ticket=ticket)
    liar.push_bytes(layout.with_checksum(words, bytes(liar.payload.map[:100]), meta))


def test_what_is_whole_is_shown(scene: Stage) -> None:
    """By a sum that is computed here, from the page on the layout."""
    stage = scene()
    line = stage.line()
    with stage.lying_sender(line, checksum=True) as liar:
        _send(liar, ticket=5)
        reply = stage.victim.ask("take", count=1, timeout=20_000)
        assert "encoding=text" in reply["sample"][0]
        liar.leave()
    line.close()


@pytest.mark.timeout(3600)
def test_no_flipped_bit_is_missed(scene: Stage, language: str) -> None:
    dice = random.Random(f"{SEED} {language}")
    stage = scene()
    line = stage.line()
    flips = {"payload": 0, "meta": 0, "descriptor": 0}
    missed = []
    for number in range(max(3, FLIPS // 3)):
        where = list(flips)[number % 3]
        with stage.lying_sender(line, checksum=True) as liar:
            _send(liar)
            if where == "payload":
                bit = dice.randrange(100 * 8)
                liar.payload.flip(bit)
            elif where == "meta":
                bit = dice.randrange(layout.META.size * 8)
                liar.payload.flip(META_AT * 8 + bit)
            else:
                bit = dice.choice([bit for bit in range(128 * 8) if bit not in TICKET])
                liar.half.flip(liar.place_of(0) * 8 + bit)
                if bit in SEGMENT:
                    liar.leave()  # until then its memory might still be on the way
            flips[where] += 1
            error = stage.error_of(lambda: stage.victim.ask("take", count=1, timeout=20_000))
            if error is None or not error.startswith("corrupt: "):
                missed.append(f"{where}, bit {bit}: {error}")
                liar.leave()
            elif not (where == "descriptor" and bit in SEGMENT):
                line.hear_only(LEAVE, liar.number)
    print(f"{language}: {sum(flips.values())} flips {flips}, {len(missed)} missed; seed {SEED}")
    assert not missed, f"seed {SEED}"
    stage.exchange()
    line.close()


def test_without_a_checksum_nothing_is_checked(scene: Stage) -> None:
    stage = scene()
    line = stage.line()
    with stage.lying_sender(line) as liar:
        _send(liar)
        liar.payload.flip(5)
        assert stage.victim.ask("take", count=1, timeout=20_000)["sample"]
        liar.leave()
    line.close()


def test_the_error_says_whose_sample_it_was_and_what_to_do(scene: Stage) -> None:
    stage = scene()
    line = stage.line()
    with stage.lying_sender(line, checksum=True) as liar:
        _send(liar)
        liar.payload.flip(5)
        complaint = stage.complaint()
        other = opposite(stage.kind).name
        assert f'the {other} in process {os.getpid()} on lane "{LANE}"' in complaint
        assert "sample 1 does not match its checksum" in complaint
        assert f"open its {other} anew" in complaint
        line.hear_only(LEAVE, liar.number)
    line.close()


@pytest.mark.parametrize("checksum", [2, 255])
def test_a_checksum_that_nobody_knows_is_refused(scene: Stage, checksum: int) -> None:
    stage = scene()
    line = stage.line()
    with stage.lying_sender(line, up=False) as liar:
        line.say(layout.HALF, liar.number, liar.to, liar.body(checksum=checksum), [liar.half.fd, liar.bell])
        assert "impossible options" in stage.complaint()
        line.hear_only(GONE, liar.number)
    line.close()
