"""The counters of a port, as they stood when it was asked."""

from __future__ import annotations

from typing import NamedTuple

__all__ = ["PublisherStats", "SubscriberStats"]


class PublisherStats(NamedTuple):
    """What `Publisher.stats()` tells."""

    sent: int
    """Samples, each counted once however many subscribers it went to."""
    sent_bytes: int
    """Their payloads."""
    dropped: int
    """Samples times subscribers that did not get them, by their policy."""
    waiting: int
    """Given to a subscriber and not yet released by it."""
    bytes: int
    """Memory held by this port."""
    peers: int
    """Subscribers linked."""
    broken: int
    """Links dropped because what the other side wrote made no sense."""


class SubscriberStats(NamedTuple):
    """What `Subscriber.stats()` tells."""

    received: int
    """Samples taken."""
    bytes: int
    """Their payloads."""
    dropped: int
    """Samples that did not reach this port, by its policy."""
    waiting: int
    """Arrived and not yet taken."""
    held: int
    """Taken and not yet released."""
    peers: int
    """Publishers linked."""
    broken: int
    """Links dropped because what the other side wrote made no sense."""
