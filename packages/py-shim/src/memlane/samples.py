"""Samples one after the other, for `for` and `async for`."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from .errors import Closed

if TYPE_CHECKING:
    from ._core import Sample
    from .subscriber import Subscriber

__all__ = ["Samples"]

# A lane that is never empty must not keep the other tasks of an event loop from running: after so many samples that
# were there already, they get their turn. It costs some 10 us, and a sample 1.
_SAMPLES_IN_A_ROW = 32


class Samples:
    """The samples of a subscriber until it is closed or stopped, or, if so asked, until it is idle.

    Holds no sample itself: each is released with the last reference to it that you hold.
    """

    def __init__(self, subscriber: Subscriber, *, until_idle: bool) -> None:
        self._subscriber = subscriber
        self._until_idle = until_idle
        self._in_a_row = 0

    def __iter__(self) -> Samples:
        return self

    def __next__(self) -> Sample:
        try:
            sample = self._subscriber._core.take(None, self._until_idle)
        except Closed:  # by another thread, at any time: the end of the loop and not a mistake
            raise StopIteration from None
        if sample is None:
            raise StopIteration
        return sample

    def __aiter__(self) -> Samples:
        return self

    async def __anext__(self) -> Sample:
        self._in_a_row += 1
        if self._in_a_row >= _SAMPLES_IN_A_ROW:
            self._in_a_row = 0
            await asyncio.sleep(0)
        try:
            sample = await self._subscriber._next(None, self._until_idle)
        except Closed:
            raise StopAsyncIteration from None
        if sample is None:
            raise StopAsyncIteration
        return sample
