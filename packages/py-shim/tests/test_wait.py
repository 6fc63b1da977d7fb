"""memlane.wait: many ports at once."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any

import pytest
from support import PATIENCE, take

import memlane

MakePublisher = Callable[..., memlane.Publisher]
MakeSubscriber = Callable[..., memlane.Subscriber]


def test_it_gives_those_that_are_ready(publisher: MakePublisher, subscriber: MakeSubscriber) -> None:
    senders = [publisher(name) for name in ("a", "b", "c")]
    receivers = [subscriber(name, depth=1) for name in ("a", "b", "c")]
    assert memlane.wait(receivers, 0) == []
    senders[1].send(b"")
    assert memlane.wait(receivers) == [receivers[1]]
    senders[0].send(b"")
    assert memlane.wait(iter(receivers), PATIENCE) == receivers[:2]
    assert memlane.wait(senders, 0) == [senders[2]]  # the others' queues are full
    take(receivers[1])
    assert memlane.wait([*senders, *receivers], PATIENCE) == [*senders[1:], receivers[0]]


def test_it_waits_for_the_first(publisher: MakePublisher, subscriber: MakeSubscriber) -> None:
    receivers = [subscriber(name) for name in ("a", "b")]
    sender = publisher("b")
    assert memlane.wait(receivers, 0.02) == []
    threading.Timer(0.05, sender.send, [b""]).start()
    assert memlane.wait(receivers, None) == [receivers[1]]


def test_nothing_to_wait_for() -> None:
    assert memlane.wait([], 0) == []
    begin = time.monotonic()
    assert memlane.wait([], 0.03) == []
    assert time.monotonic() - begin >= 0.03
    with pytest.raises(memlane.InvalidArgument, match="would never end"):
        memlane.wait([])


def test_what_is_no_port_is_refused(subscriber: MakeSubscriber) -> None:
    nothing: Any = [object()]
    with pytest.raises(TypeError, match="waits for ports, not object"):
        memlane.wait(nothing, 0)
    closed = subscriber()
    closed.close()
    with pytest.raises(memlane.Closed):
        memlane.wait([closed], 0)
