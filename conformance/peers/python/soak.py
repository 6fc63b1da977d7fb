"""Many samples in few steps, each checked where it arrives: the same as ../cpp/soak.hpp, which says why."""

import struct
import time
import zlib
from collections import deque
from collections.abc import Callable
from typing import TypeVar

import memlane
from buffers import flat
from form import Form
from payload import fill
from ports import Ports
from verbs import Verb

T = TypeVar("T")

_HEADER = struct.Struct("<IIQQ")  # who sent it, the sum of its bytes, its number, its size
_NO_ROOM = ("timeout", "queue-full", "budget-spent")


class Stall:
    """How much longer than asked for the slowest call took."""

    def __init__(self) -> None:
        self.longest = 0.0  # seconds

    def time(self, patience: float, call: Callable[[], T]) -> T:
        """Call, and time it."""
        begin = time.monotonic()
        try:
            return call()
        finally:
            self.longest = max(self.longest, time.monotonic() - begin - patience)


class Runs:
    """Samples that came one after the other, by publisher."""

    def __init__(self) -> None:
        self.all: list[list[int]] = []
        self._latest: dict[int, list[int]] = {}

    def add(self, sender: int, sequence: int) -> None:
        """Add one that came next."""
        run = self._latest.get(sender)
        if run is not None and run[2] + 1 == sequence:
            run[2] = sequence
        else:
            run = self._latest[sender] = [sender, sequence, sequence]
            self.all.append(run)


class Soak:
    """Sends, takes and keeps samples; its methods answer with the fields of a reply."""

    def __init__(self, ports: Ports) -> None:
        self._ports = ports
        self._kept: deque[tuple[memlane.Sample, int]] = deque()
        self.verbs: dict[str, Verb] = {
            "soak-send": self._soak_send,
            "soak-take": self._soak_take,
            "soak-release": self._soak_release,
        }

    @staticmethod
    def send(
        port: memlane.Publisher, sender: int, count: int, sizes: list[int], how: str, patience: float
    ) -> list[tuple[str, object]]:
        """Send `count` samples, or as many as there is room for."""
        sequence = port.stats().sent
        total = 0
        refused = ""
        stall = Stall()
        for i in range(count):
            size = sizes[i % len(sizes)]

            def send_one(size: int = size, sequence: int = sequence) -> None:
                _send_one(port, how, size, patience, sender, sequence + 1)

            try:
                stall.time(patience, send_one)
            except memlane.Error as error:
                if error.code not in _NO_ROOM:
                    raise
                refused = error.code
                break
            sequence += 1
            total += size
        return [("sequence", sequence), ("bytes", total), ("refused", refused), ("stall", stall.longest * 1000)]

    def take(
        self, port: memlane.Subscriber, count: int, keep: int, patience: float, via: str, fault: str
    ) -> list[tuple[str, object]]:
        """Take up to `count` samples, and keep every n-th of them if `keep` is n."""
        reply: list[tuple[str, object]] = []
        runs = Runs()
        taken = 0
        total = 0
        stall = Stall()

        def take_one() -> memlane.Sample | None:
            if via == "bell":
                memlane.wait([port], timeout=patience)
            return port.take(timeout=0 if via == "bell" else patience)

        while taken < count:
            sample = stall.time(patience, take_one)
            if sample is None:
                break
            taken += 1
            total += sample.nbytes
            sender, crc = _check(sample, reply, 1 if fault == "change" else 0)
            for _ in range({"lose": 0, "twice": 2}.get(fault, 1)):
                runs.add(sender, sample.sequence)
            fault = ""
            if keep != 0 and taken % keep == 0:
                self._kept.append((sample, crc))
            else:
                sample.release()
        reply += [("run", f"{sender}:{first}-{last}") for sender, first, last in runs.all]
        return [
            *reply,
            ("taken", taken),
            ("bytes", total),
            ("held", len(self._kept)),
            ("stall", stall.longest * 1000),
        ]

    def release(self, count: int) -> list[tuple[str, object]]:
        """Let go of the samples that were kept longest, whose payloads must still be what they were."""
        reply: list[tuple[str, object]] = []
        count = min(count, len(self._kept))
        for _ in range(count):
            sample, crc = self._kept.popleft()
            if _sum_of(sample) != crc:
                reply.append(("wrong", f"changed: sample {sample.sequence} of {sample.sender.label} while it was held"))
            sample.release()
        return [*reply, ("released", count), ("held", len(self._kept))]

    def clear(self) -> None:
        """Let go of all."""
        self.release(len(self._kept))

    def _soak_send(self, step: Form, reply: Form) -> None:
        """Send many samples that can be checked where they arrive."""
        sizes = [int(size) for size in step.all("bytes")]
        count, patience = step.integer("count"), step.seconds("timeout") or 0.0
        port = self._ports.publisher(step)
        for name, value in self.send(port, step.integer("id"), count, sizes, step.text("how"), patience):
            reply.add(name, value)

    def _soak_take(self, step: Form, reply: Form) -> None:
        """Take many such samples, and check each."""
        count, keep, patience = step.integer("count"), step.integer("keep", 0), step.seconds("timeout") or 0.0
        via, fault = step.find("via") or "take", step.find("fault") or ""
        for name, value in self.take(self._ports.subscriber(step), count, keep, patience, via, fault):
            reply.add(name, value)

    def _soak_release(self, step: Form, reply: Form) -> None:
        """Let go of such samples that were kept."""
        for name, value in self.release(step.integer("count")):
            reply.add(name, value)


def _send_one(port: memlane.Publisher, how: str, size: int, patience: float, sender: int, sequence: int) -> None:
    seed = sender + sequence
    if how == "copy":
        data = bytearray(size)
        fill(memoryview(data), seed)
        port.send(data, user_header=_HEADER.pack(sender, zlib.crc32(data), sequence, size))
        return
    if how == "waste":
        port.loan(size, None).give_up()
    loan = port.loan(size, None)
    view = flat(loan)
    fill(view, seed)
    header = _HEADER.pack(sender, zlib.crc32(view), sequence, size)
    try:
        if how != "try":
            port.send(loan, user_header=header, timeout=patience)
        elif port.try_send(loan, user_header=header) is None:
            raise memlane.QueueFull("there is no room")
    except memlane.Error:
        loan.give_up()
        raise


def _sum_of(sample: memlane.Sample) -> int:
    return zlib.crc32(flat(sample))


def _check(sample: memlane.Sample, reply: list[tuple[str, object]], flip: int) -> tuple[int, int]:
    """Return who sent it, and its sum; what is wrong with it goes into the reply. `flip` is what a fault does."""
    sent = sample.user_header
    sender, crc, sequence, size = _HEADER.unpack(sent) if len(sent) == _HEADER.size else (0, 0, 0, 0)
    label = sample.sender.label
    if (sequence, size, crc, f"soak-{sender}") != (sample.sequence, sample.nbytes, _sum_of(sample) ^ flip, label):
        said = f"number {sequence} of soak-{sender}, {size} bytes for {sample.nbytes}"
        reply.append(("wrong", f"changed: sample {sample.sequence} of {label}, whose header says {said}"))
    return sender, crc
