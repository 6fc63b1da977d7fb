"""What all kinds of port share."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, NoReturn

from ._bell_watch import BellWatch, Deadline

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType

    from typing_extensions import Self

    from . import _core

__all__ = ["Port"]


class Port:
    """One end of a lane. Every method may be called from any thread."""

    _core: _core.Publisher | _core.Subscriber
    _watch: BellWatch  # for coroutines
    _stops: int  # how often stop() was called

    def _opened(self) -> None:
        """To be called at the end of a constructor."""
        self._watch = BellWatch(self._core)
        self._stops = 0

    @property
    def name(self) -> str:
        """The lane's name; ``key/N`` for the integer key N."""
        return self._core.name()

    @property
    def closed(self) -> bool:
        """Whether the port was closed; also True in the child of a fork, for a port of the parent's."""
        return self._core.closed()

    def fileno(self) -> int:
        """The port's one waitable descriptor, for `select`, `poll` and event loops; the port keeps and closes it.

        Readable whenever there may be something. A `take` or `try_send` that finds nothing makes it quiet again.

        Raises:
            Closed, Forked: the port cannot be used.
        """
        return self._core.fileno()

    def stop(self) -> None:
        """Ends every call that waits in this port now, as if its time were over. Later calls wait again."""
        self._stops += 1
        self._core.stop()

    def close(self) -> None:
        """Leaves the lane. The second time does nothing."""
        self._core.close()
        self._watch.close()

    async def _until(self, reached: Callable[[], bool], timeout: float | None) -> bool:
        """Waits, for coroutines, until a look says so. False: the time is over, or `stop()` was called."""
        deadline = Deadline(timeout)
        stops = self._stops
        while not reached():
            if not await self._watch.rung(deadline):
                return reached()
            if self._stops != stops:
                return False
        return True

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def __del__(self) -> None:
        if not hasattr(self, "_core") or self.closed:  # the constructor failed, or all is well
            return
        warnings.warn(f"{self!r} was never closed", ResourceWarning, stacklevel=2, source=self)
        self.close()

    def __reduce__(self) -> NoReturn:
        raise TypeError("a port cannot be pickled: open another one of the same lane in the other process")
