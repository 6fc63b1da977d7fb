"""How coroutines wait for a port: the event loop itself looks at the port's bell. No thread, no polling."""

from __future__ import annotations

import asyncio
import contextlib
import math
import os
from typing import TYPE_CHECKING

from .errors import InvalidArgument

if TYPE_CHECKING:
    from . import _core

__all__ = ["BellWatch", "Deadline"]

_BELL_BYTES = 4096  # what the pipe holds: one read empties it


class Deadline:
    """A moment on the running event loop's clock: waits in several steps keep one end."""

    def __init__(self, timeout: float | None) -> None:
        self._loop = asyncio.get_running_loop()
        if timeout is not None and math.isnan(timeout):
            raise InvalidArgument("timeout is not a number")
        self._at = math.inf if timeout is None else self._loop.time() + timeout

    @property
    def remaining(self) -> float:
        """Seconds, at least 0."""
        return max(0.0, self._at - self._loop.time())


class BellWatch:
    """Wakes the coroutines that wait for one port whenever its bell rings, to look for themselves.

    Whoever looks into a port and finds nothing has armed its bell, so no ring is lost. The bell stays with the loop
    between two waits: it rings but once for a port that nobody looks into. Used by the loop's thread only.
    """

    def __init__(self, core: _core.Publisher | _core.Subscriber) -> None:
        self._core = core
        self._loop: asyncio.AbstractEventLoop | None = None
        self._bell = -1  # a descriptor of our own: the port may be closed, and its descriptors with it, in any thread
        self._process = 0  # that the loop runs in
        self._waiters: set[asyncio.Future[bool]] = set()

    async def rung(self, deadline: Deadline) -> bool:
        """Waits for the next ring. False: the time is over.

        Raises:
            Closed, Forked: the port cannot be used.
            RuntimeError: coroutines of another event loop wait for the same port.
        """
        loop = asyncio.get_running_loop()
        self._attach(loop)
        ring: asyncio.Future[bool] = loop.create_future()
        self._waiters.add(ring)
        remaining = deadline.remaining
        timer = None if remaining == math.inf else loop.call_later(remaining, _settle, ring, False)
        try:
            return await ring
        finally:
            self._waiters.discard(ring)
            if timer is not None:
                timer.cancel()

    def close(self) -> None:
        """Wakes whoever waits, and leaves the event loop. From any thread, when the port was closed."""
        loop = self._loop
        if loop is None or self._process != os.getpid():  # in the child of a fork, the loop is the parent's
            return
        if not loop.is_running() or asyncio._get_running_loop() is loop:
            self._leave()
            return
        with contextlib.suppress(RuntimeError):  # the loop was closed at this moment
            loop.call_soon_threadsafe(self._leave)

    def _attach(self, loop: asyncio.AbstractEventLoop) -> None:
        if self._loop is loop:
            return
        if self._waiters:
            raise RuntimeError(f"the port of lane {self._core.name()!r} is awaited in another event loop")
        self._leave()
        self._bell = self._core.own_fileno()  # rings once, so that whoever waits looks, and so arms it
        self._loop = loop
        self._process = os.getpid()
        loop.add_reader(self._bell, self._on_ring)

    def _leave(self) -> None:
        for ring in self._waiters:
            _settle(ring, True)
        if self._loop is None:
            return
        if not self._loop.is_closed():
            self._loop.remove_reader(self._bell)
        os.close(self._bell)
        self._loop = None

    def _on_ring(self) -> None:
        with contextlib.suppress(BlockingIOError):  # a thread that waits in the port has read it empty
            os.read(self._bell, _BELL_BYTES)
        for ring in self._waiters:
            _settle(ring, True)


def _settle(ring: asyncio.Future[bool], result: bool) -> None:
    if not ring.done():
        ring.set_result(result)
