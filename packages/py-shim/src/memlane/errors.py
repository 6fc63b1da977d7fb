"""What can go wrong: one class for each code, all of them also the built-in exception that people catch.

The codes are the same in C++, Python and TypeScript. Arguments of a wrong type raise a plain `TypeError`: they are
mistakes to mend, not states to handle.
"""

from __future__ import annotations

from typing import ClassVar

__all__ = [
    "AlreadySent",
    "BudgetSpent",
    "Closed",
    "Corrupt",
    "Deadlock",
    "DescriptorLimit",
    "Error",
    "ForeignDirectory",
    "Forked",
    "Interrupted",
    "InvalidArgument",
    "InvalidName",
    "OutOfMemory",
    "OutOfRange",
    "PatternMismatch",
    "PeerFrozen",
    "PermissionDenied",
    "QueueFull",
    "Released",
    "SystemFailure",
    "Timeout",
    "TypeMismatch",
    "Unsupported",
    "VersionMismatch",
]


class Error(Exception):
    """Anything that memlane raises. The message says what happened, to which lane, and what to do."""

    code: ClassVar[str] = "unknown"
    """The kind of error, e.g. ``"queue-full"``: stable, and the same in every language."""

    lane: str
    """The lane it happened to, or an empty string."""

    system_error: int
    """The errno of the system call that failed, or 0."""

    def __init__(self, message: str, *, lane: str = "", system_error: int = 0) -> None:
        super().__init__(message)
        self.lane = lane
        self.system_error = system_error


class InvalidName(Error, ValueError):
    """A lane's name that is empty, longer than 200 bytes, or has a NUL or a ``..`` part."""

    code = "invalid-name"


class InvalidArgument(Error, ValueError):
    """An argument of the right type with a value that makes no sense."""

    code = "invalid-argument"


class OutOfRange(Error, ValueError):
    """A size, shape, depth or count beyond what is possible."""

    code = "out-of-range"


class Closed(Error, RuntimeError):
    """The port was closed, by this process."""

    code = "closed"


class Forked(Error, RuntimeError):
    """A port, loan or sample of the parent process, used in the child of a fork: open a new port there."""

    code = "forked"


class Released(Error, RuntimeError):
    """A sample that was released, or a loan that was given up."""

    code = "released"


class AlreadySent(Error, RuntimeError):
    """A loan that was sent already."""

    code = "already-sent"


class Timeout(Error, TimeoutError):
    """The time given for waiting is over; nothing was changed."""

    code = "timeout"


class QueueFull(Error, BlockingIOError):
    """A subscriber's queue is full, and it asked for such a send to fail."""

    code = "queue-full"


class Interrupted(Error, InterruptedError):
    """`stop()` ended a send that waited."""

    code = "interrupted"


class BudgetSpent(Error, MemoryError):
    """The port's own memory budget does not allow it."""

    code = "budget-spent"


class OutOfMemory(Error, MemoryError):
    """The control group's limit, or the machine's memory, does not allow it. Nothing was reserved."""

    code = "out-of-memory"


class DescriptorLimit(Error, OSError):
    """The process or the system has no file descriptor left."""

    code = "descriptor-limit"


class PermissionDenied(Error, PermissionError):
    """The operating system refused access."""

    code = "permission-denied"


class ForeignDirectory(Error, PermissionError):
    """The lane directory is not ours alone: another owner, looser rights than 0700, or a symbolic link."""

    code = "foreign-directory"


class VersionMismatch(Error, RuntimeError):
    """The other side speaks another version of the layout."""

    code = "version-mismatch"


class Corrupt(Error, RuntimeError):
    """What another process wrote makes no sense; its link was dropped, the others go on."""

    code = "corrupt"


class PatternMismatch(Error, RuntimeError):
    """The lane carries another pattern (publish/subscribe, work queue, request/reply)."""

    code = "pattern-mismatch"


class TypeMismatch(Error, TypeError):
    """A payload is not of the type that was asked for."""

    code = "type-mismatch"


class PeerFrozen(Error, TimeoutError):
    """A peer that is alive does not answer."""

    code = "peer-frozen"


class Deadlock(Error, RuntimeError):
    """The wait could never end: the thread that should make room is the one that waits."""

    code = "deadlock"


class Unsupported(Error, NotImplementedError):
    """This system cannot do it."""

    code = "unsupported"


class SystemFailure(Error, OSError):
    """A system call failed; `system_error` is its errno."""

    code = "system"


_classes: dict[str, type[Error]] = {kind.code: kind for kind in Error.__subclasses__()}


def from_core(code: str, message: str, lane: str, system_error: int) -> Error:
    """Makes the exception for an error of the core's. Called by the compiled module."""
    error = _classes.get(code, Error)(message, lane=lane, system_error=system_error)
    if isinstance(error, OSError) and system_error != 0:
        error.errno = system_error
    return error
