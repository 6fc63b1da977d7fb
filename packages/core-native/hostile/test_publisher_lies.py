"""A sending port that lies to a receiving one. It may spoil its own link, of which the other is told once."""

from __future__ import annotations

import contextlib
import os
import re
from collections.abc import Callable

import layout
import pytest
from layout import CLOSING, GONE, HALF, INVITE, LEAVE, RETURNS, SEGMENT, SEGMENT_DROP
from liar import LyingSender, port_body
from objects import BAD_MEMORY, bad_memory
from patterns import RECEIVERS, opposite
from scene import LANE, Scene
from victims import eventually, lines

Stage = Callable[..., Scene]
HUGE = (1 << 64) - 1

pytestmark = pytest.mark.parametrize("kind", RECEIVERS)


@pytest.mark.parametrize("what", BAD_MEMORY)
def test_what_is_no_memory_is_refused_as_a_half_and_as_a_segment(scene: Stage, what: str) -> None:
    stage = scene()
    line = stage.line()
    words = BAD_MEMORY[what][1]
    with stage.lying_sender(line, up=False) as liar:
        with bad_memory(what, len(liar.half)) as memory:
            line.say(HALF, liar.number, liar.to, liar.body(), [memory, liar.bell])
        assert re.search(words, stage.complaint())
        line.hear_only(GONE, liar.number)
    with stage.lying_sender(line) as liar:
        with bad_memory(what, layout.PAGE) as memory:
            line.say(SEGMENT, liar.number, liar.to, layout.SEGMENT_BODY.pack(2, layout.PAGE), [memory])
        assert re.search(words, stage.complaint())
        line.hear_only(GONE, liar.number)
    line.close()


@pytest.mark.parametrize("what", [name for name in BAD_MEMORY if name != "a pipe"] + ["good memory"])
def test_what_is_no_pipe_is_refused_as_a_bell(scene: Stage, what: str) -> None:
    stage = scene()
    line = stage.line()
    with stage.lying_sender(line, up=False) as liar:
        if what == "good memory":
            line.say(HALF, liar.number, liar.to, liar.body(), [liar.half.fd, liar.half.fd])
        else:
            with bad_memory(what, len(liar.half)) as bell:
                line.say(HALF, liar.number, liar.to, liar.body(), [liar.half.fd, bell])
        assert "not a pipe" in stage.complaint()
    line.close()


@pytest.mark.parametrize("size", [0, 1, 4096, 1 << 40, 1 << 63, HUGE, HUGE - 4095])
def test_sizes_that_are_not_true_are_refused(scene: Stage, size: int) -> None:
    stage = scene()
    line = stage.line()
    with stage.lying_sender(line, up=False) as liar:
        assert size != len(liar.half)
        line.say(HALF, liar.number, liar.to, liar.body(size), [liar.half.fd, liar.bell])
        assert "wrong size" in stage.complaint()
    with stage.lying_sender(line) as liar:
        size += size == layout.PAGE
        line.say(SEGMENT, liar.number, liar.to, layout.SEGMENT_BODY.pack(2, size), [liar.payload.fd])
        assert "size is not what" in stage.complaint()
    line.close()


@pytest.mark.parametrize("count", [0, 1, 3, 4])
def test_more_or_fewer_handles_than_belong_to_a_message(scene: Stage, count: int) -> None:
    stage = scene()
    line = stage.line()
    with stage.lying_sender(line, up=False) as liar:
        line.say(HALF, liar.number, liar.to, liar.body(), [liar.half.fd, liar.bell, liar.bell, liar.bell][:count])
        assert "a half for another lane" in stage.complaint()
    with stage.lying_sender(line) as liar:
        handles = [liar.payload.fd] * (count if count != 1 else 2)
        line.say(SEGMENT, liar.number, liar.to, layout.SEGMENT_BODY.pack(2, layout.PAGE), handles)
        assert "a segment without its memory" in stage.complaint()
    line.close()


@pytest.mark.parametrize("field", ["magic", "version", "capacity", "bytes"])
def test_a_half_with_another_header(scene: Stage, field: str) -> None:
    stage = scene()
    line = stage.line()
    with stage.lying_sender(line, up=False) as liar:
        liar.half.flip({"magic": 0, "version": 64, "capacity": 96, "bytes": 128}[field])
        liar.hand_over_half()
        assert "wrong header" in stage.complaint()
    line.close()


LIES: dict[str, tuple[Callable[[LyingSender], object], str]] = {
    "the tail runs away": (lambda liar: liar.half.put(layout.TAIL, 1 << 40), "tail is out of range"),
    "the tail is -1": (lambda liar: liar.half.put(layout.TAIL, HUGE), "the sender's tail"),
    "an offset behind the segment": (lambda liar: liar.push(offset=4096), "makes no sense"),
    "an offset near the end": (lambda liar: liar.push(offset=4000), "makes no sense"),
    "an offset of -1": (lambda liar: liar.push(offset=HUGE), "makes no sense"),
    "an offset that wraps": (lambda liar: liar.push(offset=HUGE - 95, length=112, shape=(112,)), "makes no sense"),
    "an offset that is not aligned": (lambda liar: liar.push(offset=8), "makes no sense"),
    "a length beyond the segment": (lambda liar: liar.push(length=4097), "makes no sense"),
    "a length of -1": (lambda liar: liar.push(length=HUGE), "makes no sense"),
    "a length of 2^63": (lambda liar: liar.push(length=1 << 63), "makes no sense"),
    "a length that the shape does not have": (lambda liar: liar.push(shape=(99,)), "makes no sense"),
    "a dtype that nobody knows": (lambda liar: liar.push(dtype=16), "makes no sense"),
    "the last dtype": (lambda liar: liar.push(dtype=255), "makes no sense"),
    "a dtype that does not fit": (lambda liar: liar.push(dtype=5), "makes no sense"),
    "nine dimensions": (lambda liar: liar.push(ndim=9), "makes no sense"),
    "255 dimensions": (lambda liar: liar.push(ndim=255), "makes no sense"),
    "a shape that overflows": (lambda liar: liar.push(shape=(1 << 63, 2, 50)), "makes no sense"),
    "a shape that overflows to the length": (
        lambda liar: liar.push(length=0, shape=(1 << 32, 1 << 32)),
        "makes no sense",
    ),
    "an extent beyond all arrays, times nothing": (
        lambda liar: liar.push(length=0, shape=(0, HUGE)),
        "makes no sense",
    ),
    "extents whose product overflows, times nothing": (
        lambda liar: liar.push(length=0, shape=(1 << 62, 1 << 62, 0), dtype=9),
        "makes no sense",
    ),
    "a header behind the segment": (lambda liar: liar.push(offset=3984, flags=layout.HAS_META), "makes no sense"),
    "a header of ones": (lambda liar: _push_meta(liar, b"\xff" * 136), "header makes no sense"),
    "an encoding that is too long": (lambda liar: _push_meta(liar, layout.META.pack(64, 0, b"x" * 64, b"")), "header"),
    "a user header that is too long": (lambda liar: _push_meta(liar, layout.META.pack(0, 65, b"", b"")), "header"),
    "an encoding that is no text": (lambda liar: _push_meta(liar, layout.META.pack(2, 0, b"\xc3(", b"")), "header"),
    "an encoding with a control character": (
        lambda liar: _push_meta(liar, layout.META.pack(3, 0, b"a\x1bb", b"")),
        "header",
    ),
    "a segment twice": (lambda liar: liar.hand_over_segment(), "announced twice"),
    "a half twice": (lambda liar: liar.hand_over_half(), "a second half"),
    "a message of the other kind": (
        lambda liar: liar.line.say(CLOSING, liar.number, liar.to),
        "a message that no sender sends",
    ),
    "returns": (
        lambda liar: liar.line.say(RETURNS, liar.number, liar.to, layout.RETURNS_BODY.pack(0, 0)),
        "a message that no sender sends",
    ),
    "half a segment": (
        lambda liar: liar.line.say(SEGMENT, liar.number, liar.to, b"1234567", [liar.payload.fd]),
        "a segment without its memory",
    ),
    "half a drop": (lambda liar: liar.line.say(SEGMENT_DROP, liar.number, liar.to, b"1234567"), "no sender sends"),
}


def _push_meta(liar: LyingSender, block: bytes) -> None:
    liar.payload.map[128 : 128 + len(block)] = block
    liar.push(flags=layout.HAS_META)


@pytest.mark.parametrize("lie", LIES)
def test_a_lie_ends_the_link_and_is_told_once(scene: Stage, lie: str) -> None:
    stage = scene()
    line = stage.line()
    with stage.lying_sender(line) as liar:
        LIES[lie][0](liar)
        complaint = stage.complaint()
        assert LIES[lie][1] in complaint
        assert LANE in complaint
        stage.exchange()  # told once, and the honest sender goes on while the liar is still connected
        stage.no_links_but_the_honest()
    line.close()


def test_words_that_go_back(scene: Stage) -> None:
    stage = scene()
    line = stage.line()
    for word, there, back in ((layout.TAIL, 3, 1), (layout.TAIL, 1, 0)):
        with stage.lying_sender(line) as liar:
            for _ in range(there):
                liar.push()
            for _ in range(there):
                stage.victim.ask("take", count=1, timeout=20_000)
            liar.half.put(word, back)
            liar.ring()
            assert "went back" in stage.complaint()
    line.close()


def test_an_invitation_to_another_lane_or_of_another_kind(scene: Stage) -> None:
    stage = scene()
    line = stage.line()
    to = stage.port().number
    right = opposite(stage.kind).number
    for body in (
        port_body("other", right),
        *(port_body(LANE, number) for number in (*range(8), 200) if number != right),
        b"",
        b"x",
    ):
        line.say(INVITE, stage.next_number(), to, body)
        line.hear_only(GONE)
        assert "another lane" in stage.complaint()
    line.close()


def test_a_liar_that_refuses_with_any_reason(scene: Stage) -> None:
    stage = scene()
    line = stage.line()
    for code, reason in (
        (layout.CORRUPT, b"\x1b[31mred\xff\xfe" * 12),
        (0, b""),
        (65535, b"x" * 120),
        (3, b"\0" * 120),
    ):
        with stage.lying_sender(line) as liar:
            line.say(GONE, liar.number, liar.to, layout.GONE_BODY.pack(code, reason))
            error = stage.error_of(lambda: stage.victim.ask("take", count=1, timeout=20_000))
            assert error is not None
            assert "it says" in error
            assert "\x1b" not in error
    line.close()


def test_memory_that_never_comes_holds_nobody_up(scene: Stage) -> None:
    stage = scene()
    line = stage.line()
    with stage.lying_sender(line) as liar:
        liar.push(segment=77)
        stage.exchange()
        line.say(LEAVE, liar.number, liar.to)
        assert "never handed over" in stage.complaint()
    line.close()


def test_samples_of_nothing_but_zeros_and_odd_shapes_are_samples(scene: Stage) -> None:
    """What is allowed, however odd, must arrive in every language."""
    stage = scene()
    line = stage.line()
    with stage.lying_sender(line) as liar:
        odd: list[dict[str, object]] = [
            {"length": 0, "shape": (0,)},
            {"length": 1, "shape": ()},
            {"length": 1, "shape": (1,) * 8},
            {"length": 0, "shape": (0, 0, 0, 0, 0, 0, 0, 0), "dtype": 9},
            {"length": 0, "shape": (0, 1 << 40), "dtype": 1},
            {"length": 16, "shape": (1,), "dtype": 15, "offset": 4080},
            {"length": 0, "shape": (0,), "offset": 4096},
        ]
        for description in odd:
            liar.push(**description)
        for description in odd:
            reply = stage.victim.ask("take", count=1, timeout=20_000)
            assert len(reply["sample"]) == 1, description
        liar.leave()
    line.close()


def test_a_bell_that_blocks_and_one_in_a_storm(scene: Stage) -> None:
    stage = scene()
    line = stage.line()
    with stage.lying_sender(line) as liar:
        for end in (liar.victims_bell, liar.bell):
            os.set_blocking(end, False)
            try:
                while True:
                    os.write(end, b"\1" * 4096)
            except BlockingIOError:
                pass
            os.set_blocking(end, True)
        liar.half.put(layout.SENDER_ARMED, 1)  # "ring me"
        for _ in range(30):
            liar.push()
            assert stage.victim.ask("take", count=1, timeout=20_000)["sample"]
            liar.half.put(layout.SENDER_ARMED, liar.half.word(layout.SENDER_ARMED) + 1)
        stage.exchange()
        os.set_blocking(liar.victims_bell, False)
        for _ in range(20_000):
            with contextlib.suppress(BlockingIOError):
                os.write(liar.victims_bell, b"\1")
        stage.exchange(10)
    line.close()


def test_what_it_said_before_it_died_with_answers_unread_arrives(scene: Stage) -> None:
    """No liar, but a peer that was killed: the kernel tells of a reset first, and hands out what was sent second."""
    stage = scene()
    line = stage.line()
    liar = LyingSender(line, LANE, stage.next_number())
    line.say(INVITE, 77, 999_999)  # answered, and the answer is never read
    eventually(lambda: not line.has_heard_nothing(), "there is an answer")
    with stage.victim.frozen():
        liar.hand_over_half()
        liar.hand_over_segment()
        for _ in range(3):
            liar.push()
        line.close()
        liar.close()
    got = list(lines(stage.victim.ask("take", count=3, timeout=20_000), "sample"))
    assert [(sample["sender"], sample["sequence"], sample["bytes"]) for sample in got] == [
        ("liar", str(number), "100") for number in (1, 2, 3)
    ]
    stage.drain()
    assert stage.victim.stat("broken") == 0
