"""What a subscriber was given it cannot change, for nobody: neither the payload nor the other side's half of the link.

Other subscribers, who were given the same, are the witnesses.
"""

from __future__ import annotations

import ctypes
import signal
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import memlane
import numpy as np
import pytest
from marks import needs_root
from places import own
from programs import BUILT, Program, Visitor
from users import ALICE_OF_TEAM, BOB_OF_TEAM, CAROL_OF_TEAM, TEAM, User

StartVisitor = Callable[..., Visitor]

ATTACKS = 19
# What the kernel says where it refuses.
REFUSALS = {
    "Operation not permitted",
    "Permission denied",
    "Bad address",
    "Input/output error",
    "Operation not supported",
}
SIZES = [100, 5000, 3_000_000]


class Attacker(Program):
    """A subscriber in C++ that tries every way to write."""

    def __init__(self, directory: Path, group: str = "-", user: User | None = None) -> None:
        who = user or User(0, 0)
        words = ["lane", str(directory), group, str(who.uid), str(who.gid)]
        super().__init__([str(BUILT / "security_attacker"), *words])

    def results(self) -> list[tuple[str, str, str, str]]:
        """Returns piece of memory, attack, whether it changed, and what the kernel said."""
        found = []
        while (line := self.hear()) != "done":
            piece, attack, change, said = line.split(" ", 3)
            found.append((piece, attack, change, said.strip("()")))
        return found


def attack(attacker: Attacker, sender: Visitor, witness: Visitor, late: Callable[[], Visitor]) -> None:
    """Has a sample attacked, and looks at it through other eyes."""
    try:
        assert sender.ask("peers 2") == "yes"
        assert sender.ask("send 100000 3") == "2"
        results = attacker.results()
        attacker.say("go on")  # to the way of a program that is broken: the write itself
        ended = attacker.process.wait(60)
    finally:
        attacker.kill()
    assert Counter(piece for piece, *_ in results) == {"memlane-half": ATTACKS, "memlane-payload": ATTACKS}
    for piece, way, change, said in results:
        assert change == "unchanged", (piece, way, said)
        assert said == "allowed" if way == "mmap-private" else said in REFUSALS, (piece, way, said)
    assert ended == -signal.SIGSEGV
    assert witness.ask("take 3") == "100000", "as another subscriber sees it"
    assert late().ask("take 3") == "100000", "as one sees it who joins later"
    assert sender.ask("send 100000 4") == "2", "the sender goes on"
    assert witness.ask("take 4") == "100000"


def test_no_way_of_the_kernels_leads_to_a_write(place: Path, visitor: StartVisitor) -> None:
    directory = own(place)

    def subscriber() -> Visitor:
        one = visitor("cpp")
        one.ask(f"sub lane {directory} -")
        return one

    sender = visitor("cpp")
    sender.ask(f"pub lane {directory} -")
    attack(Attacker(directory), sender, subscriber(), subscriber)


@needs_root
def test_a_member_of_the_group_finds_none_either(place: Path, visitor: StartVisitor) -> None:
    around = place / "shared"
    around.mkdir()
    around.chmod(0o1777)
    directory = around / "lanes"

    def subscriber() -> Visitor:
        one = visitor("cpp", CAROL_OF_TEAM)
        one.ask(f"sub lane {directory} {TEAM}")
        return one

    sender = visitor("cpp", ALICE_OF_TEAM)
    sender.ask(f"pub lane {directory} {TEAM}")
    attack(Attacker(directory, str(TEAM), BOB_OF_TEAM), sender, subscriber(), subscriber)


def sender_and_witness(directory: Path, visitor: StartVisitor) -> tuple[Visitor, Visitor]:
    """Returns a publisher of the lane, and a subscriber that sees what another one's writes do."""
    sender, witness = visitor("cpp"), visitor("cpp")
    sender.ask(f"pub lane {directory} -")
    witness.ask(f"sub lane {directory} -")
    return sender, witness


def pattern(size: int, seed: int) -> np.ndarray:
    """Returns the payload of a seed, as visitors fill it."""
    return ((np.arange(size, dtype=np.uint64) + seed) % 251).astype(np.uint8)


@pytest.mark.parametrize("size", SIZES)
def test_python_arrays_are_read_only_and_a_raw_write_is_seen_by_nobody_else(
    size: int, place: Path, visitor: StartVisitor
) -> None:
    directory = own(place)
    sender, witness = sender_and_witness(directory, visitor)
    with memlane.Subscriber("lane", directory=directory) as sub:
        assert sender.ask(f"send {size} 1") == "2"
        with sub.take(30) as sample:  # type: ignore[union-attr]
            array = np.asarray(sample)
            assert not array.flags.writeable
            with pytest.raises(ValueError, match="read-only"):
                array[0] = 1
            with pytest.raises(ValueError, match="WRITEABLE"):
                array.flags.writeable = True
            with memoryview(sample) as view, pytest.raises(TypeError, match="read-only"):
                view[0] = 1
            assert np.array_equal(array, pattern(size, 1))
            # As a library in C that does not ask.
            ctypes.memset(array.ctypes.data, 0xEE, size)
            assert np.array_equal(array, np.full(size, 0xEE, np.uint8)), "the writer itself is unharmed"
            assert witness.ask("take 1") == str(size), "nobody else sees it"
    late = visitor("cpp")
    late.ask(f"sub lane {directory} -")
    assert late.ask("take 1") == str(size), "nor does who comes later"


@pytest.mark.parametrize("size", SIZES)
def test_writes_of_python_libraries_that_know_no_read_only_memory_are_undone(
    size: int, place: Path, visitor: StartVisitor
) -> None:
    directory = own(place)
    sender, witness = sender_and_witness(directory, visitor)
    with memlane.Subscriber("lane", directory=directory) as sub:
        for seed in range(1, 5):  # from the third on in memory that was written to
            assert sender.ask(f"send {size} {seed}") == "2"
            with sub.take(30) as sample:  # type: ignore[union-attr]
                array = np.from_dlpack(sample)  # as PyTorch would, which ignores the mark
                assert np.array_equal(array, pattern(size, seed)), "not what was written last time"
                ctypes.memset(array.ctypes.data, 0xEE, size)
                assert witness.ask(f"take {seed}") == str(size), "nobody else sees it"
                del array
            witness.ask("release")
            assert sender.ask("flushed") == "yes"


@pytest.mark.parametrize("size", SIZES)
def test_javascript_writes_are_seen_by_nobody_else_and_undone(size: int, place: Path, visitor: StartVisitor) -> None:
    directory = own(place)
    sender, witness, scribbler = visitor("cpp"), visitor("cpp"), visitor("typescript")
    sender.ask(f"pub lane {directory} -")
    witness.ask(f"sub lane {directory} -")
    scribbler.ask(f"sub lane {directory} -")
    for seed in range(1, 5):  # from the third on in memory that was written to
        assert sender.ask(f"send {size} {seed}") == "2"
        assert scribbler.ask(f"take {seed}") == str(size), "not what was written last time"
        scribbler.ask("scribble")
        assert scribbler.ask("read") == str(0xEE), "the writer itself is unharmed"
        assert witness.ask(f"take {seed}") == str(size), "nobody else sees it"
        scribbler.ask("release")
        witness.ask("release")
        assert sender.ask("flushed") == "yes"
