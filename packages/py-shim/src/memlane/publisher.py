"""The publisher: every subscriber of its lane gets every sample it sends."""

from __future__ import annotations

from types import EllipsisType
from typing import TYPE_CHECKING

from . import _core
from ._bell_watch import Deadline
from ._dtype import dtype_name
from .errors import Interrupted, Timeout
from .port import Port
from .stats import PublisherStats

if TYPE_CHECKING:
    import os
    from collections.abc import Sequence

    from ._core import Loan

__all__ = ["Publisher"]


class Publisher(Port):
    """Sends samples to every subscriber of a lane."""

    _core: _core.Publisher

    def __init__(
        self,
        name: str | int,
        *,
        history: int = 0,
        memory_budget: int | None = None,
        max_held: int | None = None,
        send_timeout: float | None = None,
        checksum: bool = False,
        join_timeout: float | None = 1.0,
        label: str = "",
        directory: str | os.PathLike[str] | None = None,
        group: str | int | None = None,
        spin: float | None = None,
    ) -> None:
        """Opens the port; when this returns, every live subscriber is linked.

        Args:
            name: The lane: 1 to 200 bytes of UTF-8, parts separated by ``/``; an integer N is the lane ``key/N``.
            history: How many of the last samples a late joiner is given first, 0 to 65,536.
            memory_budget: The most memory this port may hold, in bytes. None: what the machine allows.
            max_held: How many samples one subscriber may hold, taken and not released, before its queue counts as
                full; what waits in it then can still be taken. None: as many as it likes.
            send_timeout: How long a send lets itself be kept waiting by a subscriber whose queue is full and who
                asked for ``"block"``, in seconds. None: for ever.
            checksum: Each sample travels with a CRC-32C, and subscribers check it when they take it: one that was
                changed after it was sent, by a stray write of this process or by failing memory, raises `Corrupt`
                there.
            join_timeout: How long opening waits for a peer that is alive but does not answer, in seconds; its link
                comes up when it does. None: for ever.
            label: Shown to peers in messages and by `memlane ls`; at most 63 bytes.
            directory: Where lanes meet. None: ``$MEMLANE_DIR``, else ``$XDG_RUNTIME_DIR/memlane``, else
                ``/run/user/UID/memlane``, else ``/tmp/memlane-UID``.
            group: A group of users whose members are let in, and nobody else: its name or number. None: this user
                alone. Every port in the directory must say the same; where no directory is chosen it is
                ``/tmp/memlane-group-GID``.
            spin: How long a wait looks again and again before it sleeps, in seconds. None: up to 20 us, as long as
                that has lately been worth it.

        Raises:
            InvalidName, InvalidArgument, OutOfRange: an argument that makes no sense.
            ForeignDirectory, PermissionDenied: the directory, or the group, is not ours to use.
            PatternMismatch, VersionMismatch, Corrupt: the lane is another's.
            DescriptorLimit, SystemFailure: the system cannot do it.
        """
        self._send_timeout = send_timeout
        self._core = _core.Publisher(
            name,
            history,
            memory_budget,
            max_held,
            send_timeout,
            checksum,
            join_timeout,
            label,
            directory,
            group,
            spin,
        )
        self._opened()

    def loan(self, shape: int | Sequence[int], dtype: object = "uint8") -> Loan:
        """Lends uninitialised memory inside the lane, to be written and sent; it costs the same whatever its size.

        Used as a context manager, it is sent at the end of the block, and given up if the block raises.

        Args:
            shape: Extents in elements, outermost first, at most 8; an int is a row of as many.
            dtype: ``"bool"``, ``"int8"`` to ``"uint64"``, ``"float16"``, ``"bfloat16"``, ``"float32"``, ``"float64"``,
                ``"complex64"``, ``"complex128"``, or a NumPy dtype of these; None: plain bytes.

        Raises:
            InvalidArgument: an unknown dtype.
            OutOfRange: a negative extent, too many dimensions, too many bytes.
            BudgetSpent, OutOfMemory: there is no room for it; nothing was reserved.
            DescriptorLimit, Closed, Forked: the port cannot do it.
        """
        return self._core.loan(shape, dtype_name(dtype))

    def send(
        self,
        obj: object,
        *,
        encoding: str | None = None,
        user_header: object = None,
        timeout: float | EllipsisType | None = ...,
    ) -> int:
        """Sends a copy of an array or of bytes, or a loan itself; returns how many subscribers it went to.

        Element type and shape are taken from the object's buffer. An array that is not contiguous is copied in C order.

        Args:
            obj: A loan of this publisher; bytes or anything else with a buffer; an array with DLPack (a PyTorch tensor
                on the CPU) or with NumPy's array interface.
            encoding: What the bytes are, e.g. ``"arrow/stream"``; at most 63 bytes.
            user_header: Bytes for your own use that travel beside the payload; at most 64.
            timeout: How long to wait for a subscriber whose queue is full, in seconds; None waits for ever, ``...`` is
                the port's `send_timeout`.

        Raises:
            TypeError: it has no memory to send, or elements that a lane cannot carry (objects, text, structs).
            Timeout: a subscriber's queue stayed full; nobody got it, and a loan is still yours.
            QueueFull: a subscriber with overflow ``"fail"`` has a full queue; nobody got it.
            AlreadySent, Released: the loan is no longer yours.
            BudgetSpent, OutOfMemory: there is no room for the copy.
            Interrupted: `stop()` was called meanwhile.
            Closed, Forked: the port cannot be used.
        """
        return self._core.send(obj, encoding, user_header, timeout)

    def try_send(self, obj: object, *, encoding: str | None = None, user_header: object = None) -> int | None:
        """As `send`, but never waits: None if a subscriber's queue is full. Then nobody got it."""
        return self._core.try_send(obj, encoding, user_header)

    async def send_async(
        self,
        obj: object,
        *,
        encoding: str | None = None,
        user_header: object = None,
        timeout: float | EllipsisType | None = ...,
    ) -> int:
        """As `send`, for coroutines: the event loop goes on while a subscriber's queue is full.

        The copy is made at once, so the object may be changed while this waits. If it is cancelled, nobody got it, and
        a loan is still yours.

        Raises:
            RuntimeError: the port is awaited in another event loop.
        """
        loan = obj if isinstance(obj, _core.Loan) else self._core.loan_copy(obj)
        deadline = Deadline(self._send_timeout if isinstance(timeout, EllipsisType) else timeout)
        stops = self._stops
        while True:
            try:
                return self._core.send(loan, encoding, user_header, 0.0)
            except Timeout:  # a queue is full, and from now on room in it rings the bell
                if deadline.remaining == 0.0:
                    raise
            await self._watch.rung(deadline)
            if self._stops != stops:
                raise Interrupted(f"a send on lane {self.name!r} was stopped while it waited", lane=self.name)

    def reserve(self, nbytes: int, count: int = 1) -> None:
        """Makes memory ready (reserved and touched) for `count` loans of `nbytes` each, so that none waits for it.

        Raises:
            BudgetSpent, OutOfMemory, OutOfRange: there is no room for it.
        """
        self._core.reserve(nbytes, count)

    def wait_for_subscribers(self, n: int = 1, timeout: float | None = None) -> bool:
        """Waits until `n` subscribers are linked. False: the time (seconds) is over, or `stop()` was called."""
        return self._core.wait_for_subscribers(n, timeout)

    async def wait_for_subscribers_async(self, n: int = 1, timeout: float | None = None) -> bool:
        """As `wait_for_subscribers`, for coroutines."""
        return await self._until(lambda: self._core.wait_for_subscribers(n, 0.0), timeout)

    def flush(self, timeout: float | None = None) -> bool:
        """Waits until everything that was sent has been taken and released by everybody.

        False: the time (seconds) is over, or `stop()` was called.
        """
        return self._core.flush(timeout)

    async def flush_async(self, timeout: float | None = None) -> bool:
        """As `flush`, for coroutines."""
        return await self._until(lambda: self._core.flush(0.0), timeout)

    def stats(self) -> PublisherStats:
        """The port's counters."""
        return PublisherStats(*self._core.stats())

    def __repr__(self) -> str:
        if self.closed:
            return f"<memlane.Publisher {self.name!r} closed>"
        stats = self.stats()
        return f"<memlane.Publisher {self.name!r} subscribers={stats.peers} sent={stats.sent} waiting={stats.waiting}>"
