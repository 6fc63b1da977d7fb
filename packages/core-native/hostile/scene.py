"""A lane with a victim on it, a healthy peer at the other end, and room for a liar."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from liar import Line, LyingReceiver, LyingSender, Port, find_port
from patterns import Kind, opposite
from payload import fill
from victims import PeerError, Victim, eventually, lines

LANE = "hostile/lane"


class Scene:
    """One lane directory. `kind` is that of the victim's port; the healthy one has the opposite, as the liar has."""

    def __init__(self, directory: Path, victim: Victim, healthy: Victim, kind: Kind, **options: object) -> None:
        self.directory = directory
        self.victim = victim
        self.healthy = healthy
        self.kind = kind
        other = opposite(kind)
        self.sender, self.receiver = (victim, healthy) if kind.sends else (healthy, victim)
        sends, receives = (kind, other) if kind.sends else (other, kind)
        self._numbers = 0
        self._lines: list[Line] = []
        # A sender that gives up waiting shows who holds it up.
        common = {"lane": LANE, "directory": directory}
        self.sender.ask(sends.open_step, label="honest", send_timeout=20_000, **common)
        self.receiver.ask(receives.open_step, label="honest", **common, **options)
        self.sender.ask(receives.wait_step, n=1, timeout=20_000)

    def port(self) -> Port:
        """The victim's port, as its announcement tells."""
        return find_port(self.directory, LANE, self.kind, self.victim.pid)

    def line(self, **options: object) -> Line:
        """Connect to the victim."""
        line = Line(self.port(), **options)  # type: ignore[arg-type]
        self._lines.append(line)
        return line

    def hang_up(self) -> None:
        """Close every connection of the liar's."""
        while self._lines:
            self._lines.pop().close()

    def next_number(self) -> int:
        """A port number that the liar has not used yet."""
        self._numbers += 1
        return self._numbers

    @contextmanager
    def lying_sender(self, line: Line, *, up: bool = True, **options: bool) -> Iterator[LyingSender]:
        """Link with the victim, a receiver; `up`: with a half and a segment as they should be."""
        liar = LyingSender(line, LANE, self.next_number(), **options)
        try:
            if up:
                liar.hand_over_half()
                liar.hand_over_segment()
            yield liar
        finally:
            liar.close()

    @contextmanager
    def lying_receiver(self, line: Line, **options: int) -> Iterator[LyingReceiver]:
        """Link with the victim, a sender."""
        liar = LyingReceiver(line, LANE, self.next_number(), **options)  # type: ignore[arg-type]
        try:
            yield liar
        finally:
            liar.close()

    def complaint(self) -> str:
        """The victim, a receiver, takes; it must be told of a corrupt link. Returns the message."""
        error = self.error_of(lambda: self.victim.ask("take", count=1, timeout=20_000))
        assert error is not None, "the victim was told nothing"
        assert error.startswith("corrupt: "), error
        return error

    @staticmethod
    def error_of(step: Callable[[], object]) -> str | None:
        """Do a step; return the error that it was answered with."""
        try:
            step()
        except PeerError as error:
            return str(error)
        return None

    def exchange(self, count: int = 3, *, flush: bool = True) -> None:
        """Between the honest all is well: what is sent arrives, once, in order, and is given back (`flush`: by all)."""
        self.sender.ask("send", count=count, bytes=1000, seed=1)
        got = list(lines(self.receiver.ask("take", count=count, timeout=20_000), "sample"))
        assert len(got) == count, "a sample was lost"
        assert {sample["sender"] for sample in got} == {"honest"}
        numbers = [int(sample["sequence"]) for sample in got]
        assert numbers == list(range(numbers[0], numbers[0] + count))
        assert {sample["crc"] for sample in got} == self._crcs(count)
        if flush:
            assert self.sender.ask("flush", timeout=20_000)["value"] == ["true"]

    @staticmethod
    def _crcs(count: int) -> set[str]:
        crcs = set()
        for seed in range(1, count + 1):
            content = bytearray(1000)
            fill(memoryview(content), seed)
            crcs.add(str(zlib.crc32(content)))
        return crcs

    def no_links_but_the_honest(self) -> None:
        """The liar's links end."""
        eventually(lambda: self.victim.stat("peers") == 1, "the liar's link is still there")

    def drain(self) -> None:
        """Take what the liar has left behind, complaints and samples, when it has gone."""
        self.no_links_but_the_honest()
        while not self.kind.sends and self._something_is_left():
            pass

    def _something_is_left(self) -> bool:
        try:
            return "sample" in self.victim.ask("take", count=1, timeout=0)
        except PeerError as error:
            assert error.code in ("corrupt", "out-of-memory"), error
            return True

    def end(self) -> None:
        """Close the ports."""
        for peer in (self.sender, self.receiver):
            assert peer.is_alive(), f"{peer.language} ended ({peer.process.poll()})"
            peer.ask("reset")
