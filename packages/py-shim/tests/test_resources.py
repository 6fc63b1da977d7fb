"""Whoever forgets a port is told, and loses nothing."""

from __future__ import annotations

import gc
import warnings
from typing import Any

import numpy as np
import pytest
from support import eventually, open_descriptors, there

import memlane


@pytest.mark.parametrize("kind", [memlane.Publisher, memlane.Subscriber])
def test_a_forgotten_port_warns_and_is_closed(kind: Any) -> None:
    with pytest.warns(ResourceWarning, match=rf"<memlane.{kind.__name__} 'test' .*> was never closed"):
        kind("test")
        gc.collect()


def test_a_port_that_never_opened_does_not_warn() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for bad in ({"name": ""}, {"name": "a", "history": -1}):
            with pytest.raises(memlane.Error):
                memlane.Publisher(**bad)
        gc.collect()


def test_a_closed_port_does_not_warn() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with memlane.Publisher("test"):
            pass
        memlane.Subscriber("test").close()
        gc.collect()


def test_the_warning_names_its_source() -> None:
    """With tracemalloc, Python then shows where the port was made."""
    with pytest.warns(ResourceWarning) as caught:
        memlane.Publisher("test")
        gc.collect()
    source: Any = caught[0].source
    assert type(source) is memlane.Publisher
    caught.clear()
    source = None


def test_descriptors_come_back_when_a_port_is_closed() -> None:
    before = open_descriptors()
    sender, receiver = memlane.Publisher("test"), memlane.Subscriber("test")
    sender.send(np.arange(10))
    sample = there(receiver.take(10))
    assert open_descriptors() > before
    del sample
    sender.close()
    receiver.close()
    assert eventually(lambda: open_descriptors() <= before), open_descriptors() - before
    assert sender.closed
    assert receiver.closed


def test_opening_and_closing_leaks_nothing() -> None:
    before = open_descriptors()
    for _ in range(100):
        with memlane.Publisher("test") as sender, memlane.Subscriber("test") as receiver:
            sender.send(b"x")
            there(receiver.take(10))
    assert eventually(lambda: open_descriptors() <= before), open_descriptors() - before


def test_errors_leak_no_references() -> None:
    """A failed send gives its copy back."""
    with memlane.Publisher("test", memory_budget=4 << 20) as sender, memlane.Subscriber("test", depth=1) as receiver:
        sender.send(bytes(1 << 20))
        for _ in range(50):
            with pytest.raises(memlane.Timeout):
                sender.send(bytes(1 << 20), timeout=0)
        there(receiver.take(10))
        assert sender.stats().bytes <= 4 << 20
