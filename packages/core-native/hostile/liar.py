"""A peer that speaks the protocol by hand, and may lie: connections, and the two ends of a link."""

from __future__ import annotations

import array
import os
import secrets
import select
import socket
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import layout
from layout import BLOCK, HALF, HEADER, INVITE, SEGMENT
from objects import Memory
from patterns import Kind, opposite

PATIENCE = 30.0  # seconds: a machine may be busy; nothing takes so long on purpose


@dataclass(frozen=True)
class Port:
    """A port of a victim, as its announcement names it."""

    kind: Kind
    endpoint: bytes
    number: int
    door: Path


def find_port(directory: Path, lane: str, kind: Kind, pid: int) -> Port:
    """Find the port of a process by the announcement in the lane's folder."""
    for entry in (directory / layout.lane_folder(lane)).glob(f"{kind.stem}-*"):
        _, endpoint, number = entry.name.split("-")
        if int.from_bytes(entry.read_bytes()[48:56], "little") == pid:
            return Port(kind, layout.text_to_words(endpoint), int(number, 16), directory / f"door-{endpoint}")
    raise LookupError(f"process {pid} has no {kind.name} on {lane}")


@dataclass
class Message:
    """What was heard."""

    type: int
    from_port: int
    to_port: int
    body: bytes
    handles: list[int]

    def close(self) -> None:
        """Close what came with it."""
        while self.handles:
            os.close(self.handles.pop())


class Line:
    """A connection to a door."""

    def __init__(self, port: Port, *, endpoint: bytes | None = None, hello: bool = True) -> None:
        self.port = port
        self.endpoint = endpoint or secrets.token_bytes(16)
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        deadline = time.monotonic() + PATIENCE
        while True:
            try:
                self.socket.setblocking(False)
                self.socket.connect(str(port.door))
                break
            except BlockingIOError:  # a crowd at the door
                assert time.monotonic() < deadline
                time.sleep(0.001)
        self.socket.settimeout(PATIENCE)
        if hello:
            self.say_hello()

    def say_hello(self) -> None:
        """Introduce itself."""
        self.send(self.message(layout.HELLO, 0, 0, self.hello_body()))

    def hello_body(self) -> bytes:
        """Return the body of a hello as it should be."""
        return layout.HELLO_BODY.pack(self.endpoint, self.port.endpoint, os.getpid(), b"liar")

    @staticmethod
    def message(
        kind: int,
        sender: int,
        to: int,
        body: bytes = b"",
        *,
        handles: int = 0,
        magic: int = layout.MESSAGE_MAGIC,
        version: int = layout.VERSION,
        size: int | None = None,
    ) -> bytes:
        """Make the bytes of a message."""
        size = HEADER.size + len(body) if size is None else size
        return HEADER.pack(magic, version, size, kind, handles, 0, sender, to) + body

    def send(self, data: bytes, handles: Iterable[int] = ()) -> bool:
        """Send bytes and handles in one piece. False: the other end is gone."""
        numbers = array.array("i", handles)
        control = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, numbers)] if numbers else []
        try:
            self.socket.sendmsg([data], control)
        except (BrokenPipeError, ConnectionResetError):
            return False
        return True

    def say(self, kind: int, sender: int, to: int, body: bytes = b"", handles: Iterable[int] = ()) -> bool:
        """Send a message."""
        handles = list(handles)
        return self.send(self.message(kind, sender, to, body, handles=len(handles)), handles)

    def hear(self) -> Message | None:
        """Return the next message, or None if it was hung up on."""
        try:
            data, control, _, _ = self.socket.recvmsg(
                layout.MAX_MESSAGE, socket.CMSG_SPACE(16), socket.MSG_CMSG_CLOEXEC
            )
        except ConnectionResetError:
            return self.hear()  # said once; what was sent before it comes after it
        if not data:
            return None
        handles = array.array("i")
        for _, _, numbers in control:
            handles.frombytes(numbers)
        _, _, _, kind, _, _, sender, to = HEADER.unpack(data[: HEADER.size])
        return Message(kind, sender, to, data[HEADER.size :], list(handles))

    def hear_only(self, kind: int, to: int | None = None) -> Message:
        """Skip to a message of that type, for that port."""
        while True:
            heard = self.hear()
            assert heard is not None, f"hung up on in place of message {kind}"
            if heard.type == kind and to in (None, heard.to_port):
                return heard
            heard.close()

    def is_hung_up_on(self) -> bool:
        """Wait for it."""
        while heard := self.hear():
            heard.close()
        return True

    def has_heard_nothing(self) -> bool:
        """Whether nothing is there to hear now."""
        return not select.select([self.socket], [], [], 0)[0]

    def settle(self) -> None:
        """Wait until everything that was said has been heard: a call to a port that is not there is answered."""
        nobody = 999_999_999
        assert self.say(INVITE, nobody, nobody)
        self.hear_only(layout.GONE, nobody)

    def close(self) -> None:
        """Hang up."""
        self.socket.close()


def port_body(
    lane: str, kind: int, *, depth: int = 0, overflow: int = BLOCK, checksum: int = 0, label: bytes = b"liar"
) -> bytes:
    """Return the body of an invitation, or the first part of a half's."""
    return layout.PORT_BODY.pack(layout.lane_hash(lane), kind, overflow, checksum, depth, os.getpid(), label)


class _End:
    """One end of a link: a port of the kind that the victim's is linked with."""

    def __init__(self, line: Line, lane: str, number: int) -> None:
        self.line = line
        self.lane = lane
        self.number = number
        self.to = line.port.number
        self.kind = opposite(line.port.kind)
        self._pipe = os.pipe2(os.O_CLOEXEC | os.O_NONBLOCK)
        self.bell = self._pipe[1]
        self.half: Memory

    def close(self) -> None:
        """Let go of what it has. For the victim the link is up until the line is closed, or leave() was called."""
        self.half.close()
        for end in self._pipe:
            os.close(end)

    def leave(self) -> None:
        """End the link as it should be ended."""
        self.line.say(layout.LEAVE, self.number, self.to)


class LyingSender(_End):
    """A sending port by hand: it may hand over its half, a segment, and descriptors, as they should be or not."""

    def __init__(self, line: Line, lane: str, number: int, *, invite: bool = True, checksum: int = 0) -> None:
        super().__init__(line, lane, number)
        self.depth = 16
        self.checksum = checksum
        self.victims_bell = -1
        self.victims_half = -1
        if invite:
            line.say(INVITE, number, self.to, port_body(lane, self.kind.number))
            heard = line.hear_only(HALF, number)
            self.depth = layout.PORT_BODY.unpack(heard.body[:96])[4]
            self.victims_half, self.victims_bell = heard.handles
        self.capacity = layout.sender_capacity(self.depth)
        self.half = Memory(layout.pages(layout.ENTRIES + 128 * self.capacity))
        self.half.map[:64] = layout.HALF_HEADER.pack(
            layout.SENDER_HALF_MAGIC, layout.VERSION, self.capacity, len(self.half)
        )
        self.payload = Memory(layout.PAGE)

    def body(self, size: int | None = None, **changes: Any) -> bytes:
        """Return the body of its half's message."""
        options: dict[str, Any] = {"kind": self.kind.number, "checksum": self.checksum, **changes}
        return layout.HALF_BODY.pack(port_body(self.lane, **options), len(self.half) if size is None else size)

    def hand_over_half(self) -> None:
        """As it should be."""
        self.line.say(HALF, self.number, self.to, self.body(), [self.half.fd, self.bell])

    def hand_over_segment(self, segment: int = 1) -> None:
        """As it should be."""
        body = layout.SEGMENT_BODY.pack(segment, len(self.payload))
        self.line.say(SEGMENT, self.number, self.to, body, [self.payload.fd])

    def push(self, **changes: Any) -> None:
        """Push the description of 100 bytes, with changes, and ring."""
        self.push_bytes(descriptor(self.half.word(layout.TAIL) + 1, **changes))

    def push_bytes(self, words: bytes) -> None:
        """Push a description as it is, and ring."""
        position = self.half.word(layout.TAIL)
        at = self.place_of(position)
        self.half.map[at : at + 128] = words
        self.half.put(layout.TAIL, position + 1)
        self.ring()

    def place_of(self, position: int) -> int:
        """Return where in the half a description lies."""
        return layout.ENTRIES + 128 * (position % self.capacity)

    def ring(self) -> None:
        """Ring the victim's bell."""
        # A pipe with something in it has rung, and one that blocks would hold us up as well.
        if self.victims_bell >= 0 and select.select([], [self.victims_bell], [], 0)[1]:
            os.write(self.victims_bell, b"\1")

    def close(self) -> None:
        """Let go of what it has."""
        super().close()
        self.payload.close()
        for handle in (self.victims_bell, self.victims_half):
            if handle >= 0:
                os.close(handle)


def descriptor(
    sequence: int,
    *,
    offset: int = 0,
    length: int = 100,
    segment: int = 1,
    ticket: int = 0,
    dtype: int = 0,
    ndim: int | None = None,
    flags: int = 0,
    shape: tuple[int, ...] | None = None,
) -> bytes:
    """Make a descriptor: that of 100 bytes in segment 1, unless told otherwise."""
    shape = (length,) if shape is None else shape
    extents = (*shape, *(0,) * (8 - len(shape)))
    ndim = len(shape) if ndim is None else ndim
    sent = time.monotonic_ns()
    return layout.DESCRIPTOR.pack(sequence, sent, offset, length, segment, ticket, dtype, ndim, flags, 0, *extents)


class LyingReceiver(_End):
    """A receiving port by hand: it hands over its half, and gives back what it likes."""

    def __init__(
        self, line: Line, lane: str, number: int, *, depth: int = 4, overflow: int = BLOCK, hand_over: bool = True
    ) -> None:
        super().__init__(line, lane, number)
        self.depth = depth
        self.overflow = overflow
        self.capacity = layout.receiver_capacity(depth)
        self.half = Memory(layout.pages(layout.ENTRIES + 16 * self.capacity))
        self.half.map[:64] = layout.HALF_HEADER.pack(
            layout.RECEIVER_HALF_MAGIC, layout.VERSION, self.capacity, len(self.half)
        )
        if hand_over:
            self.hand_over_half()

    def body(self, size: int | None = None, **changes: Any) -> bytes:
        """Return the body of its half's message."""
        options: dict[str, Any] = {
            "kind": self.kind.number,
            "depth": self.depth,
            "overflow": self.overflow,
            **changes,
        }
        return layout.HALF_BODY.pack(port_body(self.lane, **options), len(self.half) if size is None else size)

    def hand_over_half(self) -> None:
        """As it should be, and wait for the answer."""
        self.line.say(HALF, self.number, self.to, self.body(), [self.half.fd, self.bell])
        self.line.hear_only(HALF, self.number).close()

    def take(self, count: int = 1) -> None:
        """Say that so many were taken."""
        self.half.put(layout.HEAD, self.half.word(layout.HEAD) + count)

    def give_back(self, position: int, ticket: int) -> None:
        """Give something back."""
        at = self.half.word(layout.RETURNS_TAIL)
        place = layout.ENTRIES + 16 * (at % self.capacity)
        self.half.put(place, position)
        self.half.put(place + 8, ticket)
        self.half.put(layout.RETURNS_TAIL, at + 1)

    def take_and_give_back(self, position: int, ticket: int, *, times: int = 1) -> None:
        """Take one, and give something back, perhaps more than once."""
        self.take()
        for _ in range(times):
            self.give_back(position, ticket)


def opposite_end(line: Line, lane: str, number: int) -> LyingSender | LyingReceiver:
    """Link with the victim, as the kind of port that its own is linked with."""
    return (LyingReceiver if line.port.kind.sends else LyingSender)(line, lane, number)
