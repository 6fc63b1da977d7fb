"""The subscriber: gets every sample of every publisher of its lane, in order for each of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from . import _core
from ._bell_watch import Deadline
from .port import Port
from .samples import Samples
from .stats import SubscriberStats

if TYPE_CHECKING:
    import os

    from ._core import Sample

__all__ = ["Subscriber"]


class Subscriber(Port):
    """Receives the samples of a lane. Every send that begins after the constructor has returned reaches it.

    Iterating over it (``for`` or ``async for``) gives samples until it is closed or stopped.
    """

    _core: _core.Subscriber

    def __init__(
        self,
        name: str | int,
        *,
        depth: int = 16,
        overflow: Literal["block", "drop-oldest", "drop-newest", "fail"] = "block",
        join_timeout: float | None = 1.0,
        label: str = "",
        directory: str | os.PathLike[str] | None = None,
        group: str | int | None = None,
        spin: float | None = None,
    ) -> None:
        """Opens the port; when this returns, every live publisher is linked.

        Args:
            name: The lane: 1 to 200 bytes of UTF-8, parts separated by ``/``; an integer N is the lane ``key/N``.
            depth: How many samples of each publisher may wait here, 1 to 65,536.
            overflow: What happens to a sample that finds the queue full: ``"block"`` (the publisher waits),
                ``"drop-oldest"``, ``"drop-newest"``, or ``"fail"`` (its send raises `QueueFull`).
            join_timeout: How long opening waits for a peer that is alive but does not answer, in seconds; its link
                comes up when it does. None: for ever.
            label: Shown to peers in messages and by `memlane ls`; at most 63 bytes.
            directory: Where lanes meet: see `Publisher`.
            group: Whose members are let in: see `Publisher`.
            spin: How long a wait looks again and again before it sleeps: see `Publisher`.

        Raises:
            InvalidName, InvalidArgument, OutOfRange: an argument that makes no sense.
            ForeignDirectory, PermissionDenied: the directory, or the group, is not ours to use.
            PatternMismatch, VersionMismatch, Corrupt: the lane is another's.
            DescriptorLimit, SystemFailure: the system cannot do it.
        """
        self._depth = depth
        self._core = _core.Subscriber(name, depth, overflow, join_timeout, label, directory, group, spin)
        self._opened()

    def take(self, timeout: float | None = 0.0) -> Sample | None:
        """Gives the next sample, waiting for it at most `timeout` seconds; None waits for ever.

        Returns None when the time is over, or when the port was stopped or closed meanwhile.

        Raises:
            Corrupt: once for each publisher whose link was dropped because what it wrote made no sense; the others go
                on.
            Closed, Forked: the port cannot be used.
        """
        return self._core.take(timeout, False)

    async def next(self, timeout: float | None = None) -> Sample | None:
        """As `take`, for coroutines. Several may wait at once; cancelling one loses no sample.

        Raises:
            Corrupt, Closed, Forked: as in `take`.
            RuntimeError: the port is awaited in another event loop.
        """
        return await self._next(timeout, False)

    async def _next(self, timeout: float | None, until_idle: bool) -> Sample | None:
        sample = self._core.take(0.0, False)
        if sample is not None:
            return sample
        deadline = Deadline(timeout)
        stops = self._stops
        while not (until_idle and self._core.idle()):
            if not await self._watch.rung(deadline) or self.closed or self._stops != stops:
                return None
            sample = self._core.take(0.0, False)
            if sample is not None:
                return sample
        return None

    def samples(self, *, until_idle: bool = False) -> Samples:
        """Gives samples one after the other, for ``for`` or ``async for``, until the port is closed or stopped.

        Args:
            until_idle: End as well when the last publisher has left and everything it sent was taken.
        """
        return Samples(self, until_idle=until_idle)

    def __iter__(self) -> Samples:
        return Samples(self, until_idle=False)

    def __aiter__(self) -> Samples:
        return Samples(self, until_idle=False)

    def wait_for_publishers(self, n: int = 1, timeout: float | None = None) -> bool:
        """Waits until `n` publishers are linked. False: the time (seconds) is over, or `stop()` was called."""
        return self._core.wait_for_publishers(n, timeout)

    async def wait_for_publishers_async(self, n: int = 1, timeout: float | None = None) -> bool:
        """As `wait_for_publishers`, for coroutines."""
        return await self._until(lambda: self._core.wait_for_publishers(n, 0.0), timeout)

    def stats(self) -> SubscriberStats:
        """The port's counters."""
        return SubscriberStats(*self._core.stats())

    def __repr__(self) -> str:
        if self.closed:
            return f"<memlane.Subscriber {self.name!r} closed>"
        stats = self.stats()
        return (
            f"<memlane.Subscriber {self.name!r} depth={self._depth} waiting={stats.waiting} publishers={stats.peers}>"
        )
