"""Samples one after the other, for `for` and `async for`."""

from __future__ import annotations

import asyncio
import sys
import weakref
from opcode import opmap
from typing import TYPE_CHECKING

from . import _core
from .errors import Closed

if TYPE_CHECKING:
    from .subscriber import Subscriber

__all__ = ["Samples"]

# A lane that is never empty must not keep the other tasks of an event loop from running: after so many samples that
# were there already, they get their turn. It costs some 10 us, and a sample 1.
_SAMPLES_IN_A_ROW = 32

_FOR_ITER = opmap["FOR_ITER"]


class Samples:
    """The samples of a subscriber until it is closed or stopped, or, if so asked, until it is idle.

    A sample is released with the last reference to it, or to an array over it. The variable of the loop does not count
    once the loop waits for the next sample: else the last one that was sent would be held for as long as no other
    comes, and its publisher's `flush` would wait in vain. Whatever else refers to a sample (a list, another variable)
    keeps it.
    """

    def __init__(self, subscriber: Subscriber, *, until_idle: bool) -> None:
        self._subscriber = subscriber
        self._until_idle = until_idle
        self._in_a_row = 0
        self._last: weakref.ref[_core.Sample] | None = None

    def __iter__(self) -> Samples:
        return self

    def __next__(self) -> _core.Sample:
        core = self._subscriber._core
        try:
            sample = core.take(0.0, False)
            if sample is None and not (self._until_idle and core.idle()):
                caller = sys._getframe(1)
                # next(samples), or list(samples), keeps what it was given: only a `for` is about to let go of it.
                if caller.f_code.co_code[caller.f_lasti] == _FOR_ITER:
                    self._let_go_of_last()
                sample = core.take(None, self._until_idle)
        except Closed:  # by another thread, at any time: the end of the loop and not a mistake
            raise StopIteration from None
        if sample is None:
            raise StopIteration
        self._last = weakref.ref(sample)
        return sample

    def __aiter__(self) -> Samples:
        return self

    async def __anext__(self) -> _core.Sample:
        self._in_a_row += 1
        if self._in_a_row >= _SAMPLES_IN_A_ROW:
            self._in_a_row = 0
            await asyncio.sleep(0)
        try:
            sample = self._subscriber._core.take(0.0, False)
            if sample is None:
                self._let_go_of_last()
                sample = await self._subscriber._next(None, self._until_idle)
        except Closed:
            raise StopAsyncIteration from None
        if sample is None:
            raise StopAsyncIteration
        self._last = weakref.ref(sample)
        return sample

    def _let_go_of_last(self) -> None:
        if self._last is not None:
            _core.leave_if_referred_to_once(self._last)
            self._last = None
