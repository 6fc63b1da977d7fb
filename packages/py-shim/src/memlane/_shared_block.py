"""What the older library called its shared memory: one body of bytes, a flag that says whose turn it is, and a head.

The same as memlane/compat/shared_block.hpp of the C++ core, which says why it is as it is, and in the same bytes.
"""

from __future__ import annotations

import struct
import time
from typing import NamedTuple

from . import Publisher, Sample, Subscriber, wait

__all__ = ["CAN_READ", "CAN_WRITE", "FINISHED", "PROCESSING", "SharedBlock"]

CAN_WRITE = 0
CAN_READ = 1
PROCESSING = 2
FINISHED = 3

_LAYOUT = struct.Struct("=qIiQQ")
_RESTLESS = 0.001  # seconds: a reply that is on its way comes sooner than that
_NAP = 0.0002  # seconds: short, since a thread may ask several blocks in turn


class _State(NamedTuple):
    """What is said of the block, as it travels."""

    body: int  # which body it speaks of: when that was put (ns, monotonic clock); 0: there is none yet
    step: int  # how often the flag has been set since that body was put
    flag: int
    rows: int  # both 0: nothing is said of them
    cols: int


def _parse(data: bytes) -> _State | None:
    if len(data) != _LAYOUT.size:
        return None
    state = _State(*_LAYOUT.unpack(data))
    return state if 0 <= state.body < 2**62 else None


class SharedBlock:
    """The block of one key. Used by one thread at a time."""

    def __init__(self, key: int) -> None:
        status = f"key/{key}/status"
        self._bodies = Subscriber(key, depth=1, overflow="drop-oldest")
        self._statuses = Subscriber(status, depth=1, overflow="drop-oldest")
        self._body_out = Publisher(key, history=1)
        self._status_out = Publisher(status, history=1)
        self._state = _State(0, 0, CAN_WRITE, 0, 0)
        self._body: Sample | None = None  # the last that has come
        self._body_put = -1  # which one that is
        self._own_body = -1  # the last that was put here
        self._news = time.monotonic()
        self.look()

    @property
    def flag(self) -> int:
        """Whose turn it is. A body of which nothing but the news has come cannot be read yet."""
        unread = self._state.flag == CAN_READ
        return CAN_WRITE if unread and not self._is_here() and not self._is_own() else self._state.flag

    @property
    def rows(self) -> int:
        """The height that was said last."""
        return self._state.rows

    @property
    def cols(self) -> int:
        """The width that was said last."""
        return self._state.cols

    @property
    def body(self) -> Sample | None:
        """The body if it can be read."""
        return self._body if self._state.flag == CAN_READ and self._is_here() else None

    def look(self) -> None:
        """Takes in what the others have said."""
        answered = False
        while (message := self._statuses.take()) is not None:
            if (state := _parse(bytes(message))) is not None:
                answered |= self._adopt(state)
        while (sample := self._bodies.take()) is not None:
            self._take_body(sample)
        if answered and self._is_own():
            self._tell()

    def look_calmly(self) -> None:
        """The same. If nothing has come for a while, it waits for something a little first."""
        self.look()
        if time.monotonic() - self._news >= _RESTLESS:
            self.wait(_NAP)
            self.look()

    def wait(self, timeout: float | None, *, to_put: bool = False) -> None:
        """Waits until there is something to look at, at most `timeout` seconds; `to_put`: or until `put` finds room."""
        full = to_put and self._state.flag == CAN_WRITE
        wait([self._body_out] if full else [self._statuses, self._bodies], timeout)

    def put(self, body: object) -> bool:
        """Puts a body if the last one was read. False: it was not, and nothing has changed."""
        self.look()
        if self._state.flag != CAN_WRITE:
            return False
        self._body = None
        rows, cols = _head_of(body) or (self._state.rows, self._state.cols)
        state = _State(max(time.monotonic_ns(), self._state.body + 1), 0, CAN_READ, rows, cols)
        if self._body_out.try_send(body, user_header=_LAYOUT.pack(*state)) is None:
            return False  # somebody else who listens to the lane has a full queue
        self._own_body = state.body
        self._adopt(state)  # the body itself comes back like everybody else's
        return True

    def set_flag(self, flag: int) -> None:
        """Sets the flag for the body that was last seen. Setting it to what it is says nothing."""
        if flag != self.flag:
            self._state = self._state._replace(flag=flag, step=self._state.step + 1)
            self._tell()

    def close(self) -> None:
        """Leaves the block. The second time does nothing."""
        self._body = None
        for port in (self._body_out, self._status_out, self._bodies, self._statuses):
            port.close()

    def _is_here(self) -> bool:
        return self._body is not None and self._body_put == self._state.body

    def _is_own(self) -> bool:
        return self._own_body == self._state.body

    def _adopt(self, said: _State) -> bool:
        """True: the flag is news."""
        if said.rows != 0 or said.cols != 0:
            self._state = self._state._replace(rows=said.rows, cols=said.cols)
        if said[:3] <= self._state[:3]:
            return False
        self._state = self._state._replace(body=said.body, step=said.step, flag=said.flag)
        self._news = time.monotonic()
        return True

    def _take_body(self, sample: Sample) -> None:
        # A publisher that is not one of ours says nothing more than what is in the sample itself.
        said = _parse(sample.user_header) or _State(int(sample.sent_time * 1e9), 0, CAN_READ, 0, 0)
        self._adopt(said)
        if said.body == self._state.body:
            self._body = sample
            self._body_put = said.body

    def _tell(self) -> None:
        self._status_out.send(_LAYOUT.pack(*self._state))


def _head_of(body: object) -> tuple[int, int] | None:
    """Height and width of an image, or of the images of a batch: (height, width) or (..., height, width, channels)."""
    shape: tuple[int, ...] = getattr(body, "shape", ())
    if len(shape) < 2:
        return None
    rows, cols = shape if len(shape) == 2 else shape[-3:-1]
    return int(rows), int(cols)
