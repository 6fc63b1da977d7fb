"""The compiled half. People use what `memlane` exports; `Publisher` and `Subscriber` here are behind its classes."""

import os
from collections.abc import Sequence
from types import EllipsisType, TracebackType
from typing import Any, Final, final
from weakref import ReferenceType

import numpy.typing as npt
from typing_extensions import CapsuleType, Never, Self

version: Final[str]
dtypes: Final[tuple[str, ...]]

@final
class Sender:
    """Who sent a sample."""

    def __init__(self, *args: Never, **kwargs: Never) -> None: ...
    @property
    def id(self) -> str:
        """Unique for the port, never reused."""

    @property
    def pid(self) -> int:
        """In the sender's own pid namespace."""

    @property
    def label(self) -> str:
        """As the sender chose it."""

    def __eq__(self, other: object, /) -> bool: ...
    def __hash__(self) -> int: ...

@final
class Sample:
    """What a subscriber holds: the payload where the sender wrote it, read-only, and what was sent with it.

    ``np.asarray(sample)``, ``memoryview(sample)`` and ``torch.from_dlpack(sample)`` copy nothing. The memory goes back
    to the sender when the last reference to the sample, and to arrays over it, is gone; at the end of a ``with`` block
    (or, if arrays still look into it, with the last of them); or on `release()`. From any thread, and also after the
    subscriber was closed.

    Every attribute raises `Released` after the release, and `Forked` in the child of a fork.
    """

    def __init__(self, *args: Never, **kwargs: Never) -> None: ...
    @property
    def shape(self) -> tuple[int, ...]:
        """Extents in elements, outermost first."""

    @property
    def dtype(self) -> str:
        """The element type's name, e.g. ``"uint8"``; ``"bytes"`` for plain bytes.

        NumPy has no bfloat16: ``np.asarray`` shows such elements as uint16, DLPack as what they are.
        """

    @property
    def nbytes(self) -> int:
        """Bytes of the payload."""

    @property
    def sequence(self) -> int:
        """1, 2, 3, ... for each publisher; a gap where samples were dropped."""

    @property
    def sent_time(self) -> float:
        """When it was sent: seconds, on the clock of `time.monotonic`, comparable across processes."""

    @property
    def received_time(self) -> float:
        """When it was taken, on the same clock."""

    @property
    def sender(self) -> Sender:
        """Who sent it."""

    @property
    def encoding(self) -> str:
        """What the bytes are, as the sender named it; empty if it did not."""

    @property
    def user_header(self) -> bytes:
        """The sender's own bytes beside the payload; at most 64."""

    @property
    def released(self) -> bool:
        """Whether it was released, or its ``with`` block is over. Never raises."""

    def copy(self) -> bytes | npt.NDArray[Any]:
        """A copy that is yours: bytes for plain bytes, else a NumPy array."""

    def release(self) -> None:
        """Gives the memory back to the sender now. The second time does nothing.

        Raises:
            BufferError: an array or memoryview still looks into it.
        """

    def __enter__(self) -> Self: ...
    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None, /
    ) -> None: ...
    def __len__(self) -> int:
        """Bytes of the payload."""

    def __bool__(self) -> bool:
        """True, also for an empty payload: what `take` returns is falsy only if it is None."""

    def __buffer__(self, flags: int, /) -> memoryview: ...
    def __array__(self, dtype: npt.DTypeLike | None = None, *, copy: bool | None = None) -> npt.NDArray[Any]: ...
    def __dlpack__(
        self,
        *,
        stream: None = None,
        max_version: tuple[int, int] | None = None,
        dl_device: tuple[int, int] | None = None,
        copy: bool | None = None,
    ) -> CapsuleType:
        """A DLPack capsule, marked as read-only for consumers that know DLPack 1.0.

        Some (PyTorch is one) ignore the mark: what they write is seen by nobody else, and gone with the release. A
        payload of less than 2 KB is copied.
        """

    def __dlpack_device__(self) -> tuple[int, int]: ...

@final
class Loan:
    """Writable memory inside the lane, uninitialised, to be sent or given up.

    Write to it through ``np.asarray(loan)``, a memoryview or DLPack. As a context manager it is sent at the end of
    the block, given up if the block raises, and left alone if the block did either itself. Dropped without being sent,
    it is given up. To be used by one thread at a time.

    An array may outlive the loan, as ``image = np.asarray(loan)`` at the end of a ``with`` block does. It stays valid,
    and its memory is not lent again while it lives. But do not write to it after the sending: subscribers read the
    same memory.
    """

    def __init__(self, *args: Never, **kwargs: Never) -> None: ...
    @property
    def shape(self) -> tuple[int, ...]:
        """Extents in elements, outermost first."""

    @property
    def dtype(self) -> str:
        """The element type's name."""

    @property
    def nbytes(self) -> int:
        """Bytes of the payload."""

    def write(self, data: object) -> None:
        """Copies a contiguous array, or bytes, into the loan.

        Raises:
            InvalidArgument: it is not contiguous, or not as large as the loan.
            AlreadySent, Released, Forked: the loan cannot be used.
        """

    def send(
        self,
        *,
        encoding: str | None = None,
        user_header: object = None,
        timeout: float | EllipsisType | None = ...,
    ) -> int:
        """Sends it: see `Publisher.send`. Returns how many subscribers it went to."""

    def give_up(self) -> None:
        """Gives the memory back unsent. Harmless if there is nothing to give back."""

    def __enter__(self) -> Self: ...
    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None, /
    ) -> None: ...
    def __len__(self) -> int: ...
    def __bool__(self) -> bool: ...
    def __buffer__(self, flags: int, /) -> memoryview: ...
    def __array__(self, dtype: npt.DTypeLike | None = None, *, copy: bool | None = None) -> npt.NDArray[Any]: ...
    def __dlpack__(
        self,
        *,
        stream: None = None,
        max_version: tuple[int, int] | None = None,
        dl_device: tuple[int, int] | None = None,
        copy: bool | None = None,
    ) -> CapsuleType: ...
    def __dlpack_device__(self) -> tuple[int, int]: ...

@final
class Publisher:
    def __init__(
        self,
        name: str | int,
        history: int,
        memory_budget: int | None,
        max_held: int | None,
        send_timeout: float | None,
        checksum: bool,
        join_timeout: float | None,
        label: str,
        directory: str | os.PathLike[str] | None,
        group: str | int | None,
        spin: float | None,
        /,
    ) -> None: ...
    def loan(self, shape: int | Sequence[int], dtype: str, /) -> Loan: ...
    def loan_copy(self, obj: object, /) -> Loan: ...
    def send(
        self, obj: object, encoding: str | None, user_header: object, timeout: float | EllipsisType | None, /
    ) -> int: ...
    def try_send(self, obj: object, encoding: str | None, user_header: object, /) -> int | None: ...
    def reserve(self, nbytes: int, count: int, /) -> None: ...
    def wait_for_subscribers(self, n: int, timeout: float | None, /) -> bool: ...
    def flush(self, timeout: float | None, /) -> bool: ...
    def name(self) -> str: ...
    def stats(self) -> tuple[int, int, int, int, int, int, int]: ...
    def fileno(self) -> int: ...
    def own_fileno(self) -> int: ...
    def close(self) -> None: ...
    def closed(self) -> bool: ...
    def stop(self) -> None: ...

@final
class Subscriber:
    def __init__(
        self,
        name: str | int,
        depth: int,
        overflow: str,
        join_timeout: float | None,
        label: str,
        directory: str | os.PathLike[str] | None,
        group: str | int | None,
        spin: float | None,
        /,
    ) -> None: ...
    def take(self, timeout: float | None, until_idle: bool, /) -> Sample | None: ...
    def idle(self) -> bool: ...
    def wait_for_publishers(self, n: int, timeout: float | None, /) -> bool: ...
    def name(self) -> str: ...
    def stats(self) -> tuple[int, int, int, int, int, int, int]: ...
    def fileno(self) -> int: ...
    def own_fileno(self) -> int: ...
    def close(self) -> None: ...
    def closed(self) -> bool: ...
    def stop(self) -> None: ...

def wait(ports: list[Publisher | Subscriber], timeout: float | None, /) -> list[int]: ...
def leave_if_referred_to_once(sample: ReferenceType[Sample], /) -> None: ...
