"""Waiting on many ports at once."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from . import _core
from .port import Port

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["wait"]

AnyPort = TypeVar("AnyPort", bound=Port)


def wait(ports: Iterable[AnyPort], timeout: float | None = None) -> list[AnyPort]:
    """Waits until at least one of the ports is ready, and returns those that are, in the order given.

    A subscriber is ready when it has something to take, a publisher when a send would find room.

    Args:
        ports: Ports of any kind.
        timeout: Seconds; None waits for ever. When it is over, the list is empty.

    Raises:
        TypeError: something is no port.
        InvalidArgument: there are no ports, and no timeout: that would never end.
        Closed, Forked: one of the ports cannot be used, or was closed while waiting.
    """
    asked = list(ports)
    for port in asked:
        if not isinstance(port, Port):
            raise TypeError(f"wait waits for ports, not {type(port).__name__}")
    return [asked[index] for index in _core.wait([port._core for port in asked], timeout)]
