"""How coroutines wait for a port: the event loop itself looks at the port's descriptor. No thread, no polling."""

from __future__ import annotations

import asyncio
import math
from typing import TYPE_CHECKING

from .errors import InvalidArgument

if TYPE_CHECKING:
    from . import _core

__all__ = ["BellWatch", "Deadline"]


class Deadline:
    """A moment on an event loop's clock: waits in several steps keep one end."""

    def __init__(self, loop: asyncio.AbstractEventLoop, timeout: float | None) -> None:
        if timeout is not None and math.isnan(timeout):
            raise InvalidArgument("timeout is not a number")
        self._loop = loop
        self._at = None if timeout is None else loop.time() + timeout

    def remaining(self) -> float | None:
        """Seconds, at least 0; None: there is no end."""
        return None if self._at is None else max(0.0, self._at - self._loop.time())


class BellWatch:
    """Wakes the coroutines that wait for one port whenever its bell rings, to look for themselves.

    The descriptor stays with the loop between two waits, since registering it costs two system calls, and leaves it at
    the first ring that nobody waits for. Used by the loop's thread only.
    """

    def __init__(self, core: _core.Publisher | _core.Subscriber) -> None:
        self._core = core  # keeps the descriptor open for as long as a loop looks at it
        self._loop: asyncio.AbstractEventLoop | None = None
        self._descriptor = -1
        self._waiters: set[asyncio.Future[bool]] = set()

    async def rung(self, timeout: float | None) -> bool:
        """Waits for the next ring. False: the time (seconds) is over.

        A ring says that there may be something; whoever looks and finds nothing has armed the bell again.

        Raises:
            RuntimeError: coroutines of another event loop wait for the same port.
        """
        loop = asyncio.get_running_loop()
        self._attach(loop)
        ring: asyncio.Future[bool] = loop.create_future()
        self._waiters.add(ring)
        timer = None if timeout is None or timeout == math.inf else loop.call_later(timeout, _settle, ring, False)
        try:
            return await ring
        finally:
            self._waiters.discard(ring)
            if timer is not None:
                timer.cancel()

    def _attach(self, loop: asyncio.AbstractEventLoop) -> None:
        if self._loop is loop:
            return
        if self._loop is not None and not self._loop.is_closed():
            if self._waiters:
                raise RuntimeError(f"lane {self._core.name()!r}: the port is awaited in another event loop")
            self._detach()
        self._descriptor = self._core.fileno()  # rings once, so that we look once, and so arm the bell
        loop.add_reader(self._descriptor, self._on_ring)
        self._loop = loop

    def _detach(self) -> None:
        if self._loop is not None and not self._loop.is_closed():
            self._loop.remove_reader(self._descriptor)
        self._loop = None

    def _on_ring(self) -> None:
        if not self._waiters:
            self._detach()
        for ring in self._waiters:
            _settle(ring, True)


def _settle(ring: asyncio.Future[bool], result: bool) -> None:
    if not ring.done():
        ring.set_result(result)
