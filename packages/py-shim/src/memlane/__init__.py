"""Large data between processes on one machine, at memory speed.

A C++, a Python and a TypeScript program open the same lane by name and exchange messages::

    import memlane, numpy as np

    with memlane.Publisher("camera/front", history=1) as frames:
        with frames.loan((1080, 1920, 3), "uint8") as frame:  # sent at the end of the block
            camera.read_into(np.asarray(frame))

    with memlane.Subscriber("camera/front", depth=4, overflow="drop-oldest") as sub:
        for sample in sub:
            image = np.asarray(sample)  # no copy, read-only; released with the last reference
"""

from __future__ import annotations

from ._core import Loan, Sample, Sender
from ._core import version as __version__
from .errors import (
    AlreadySent,
    BudgetSpent,
    Closed,
    Corrupt,
    Deadlock,
    DescriptorLimit,
    Error,
    ForeignDirectory,
    Forked,
    Interrupted,
    InvalidArgument,
    InvalidName,
    OutOfMemory,
    OutOfRange,
    PatternMismatch,
    PeerFrozen,
    PermissionDenied,
    QueueFull,
    Released,
    SystemFailure,
    Timeout,
    TypeMismatch,
    Unsupported,
    VersionMismatch,
)
from .port import Port
from .publisher import Publisher
from .samples import Samples
from .stats import PublisherStats, SubscriberStats
from .subscriber import Subscriber
from .waiting import wait

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
    "Loan",
    "OutOfMemory",
    "OutOfRange",
    "PatternMismatch",
    "PeerFrozen",
    "PermissionDenied",
    "Port",
    "Publisher",
    "PublisherStats",
    "QueueFull",
    "Released",
    "Sample",
    "Samples",
    "Sender",
    "Subscriber",
    "SubscriberStats",
    "SystemFailure",
    "Timeout",
    "TypeMismatch",
    "Unsupported",
    "VersionMismatch",
    "__version__",
    "wait",
]
