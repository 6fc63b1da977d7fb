"""A sample: read-only, without a copy, and gone exactly when nobody needs it any more."""

from __future__ import annotations

import copy
import gc
import inspect
import pickle
import time
import weakref
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from support import PATIENCE, ask_for_writable_memory, take

import memlane

Pair = tuple[memlane.Publisher, memlane.Subscriber]


def held(subscriber: memlane.Subscriber) -> int:
    return subscriber.stats().held


def test_np_asarray_copies_nothing_and_is_read_only(pair: Pair) -> None:
    publisher, subscriber = pair
    publisher.send(np.arange(6, dtype=np.uint8).reshape(2, 3))
    sample = take(subscriber)
    one, other = np.asarray(sample), np.asarray(sample)
    assert one.__array_interface__["data"][0] == other.__array_interface__["data"][0]
    assert not one.flags.writeable
    with pytest.raises(ValueError, match="read-only"):
        one[0, 0] = 1
    with pytest.raises(ValueError, match="WRITEABLE"):
        one.flags.writeable = True
    with pytest.raises(TypeError, match="read-only"):
        memoryview(sample)[0, 0] = 1
    with pytest.raises(BufferError, match="a sample is read-only"):
        ask_for_writable_memory(sample)


def test_the_last_reference_releases(pair: Pair) -> None:
    publisher, subscriber = pair
    publisher.send(b"payload")
    sample = take(subscriber)
    assert held(subscriber) == 1
    assert not publisher.flush(0.0)
    del sample
    assert held(subscriber) == 0
    assert publisher.flush(PATIENCE)


def test_an_array_keeps_its_sample(pair: Pair) -> None:
    publisher, subscriber = pair
    publisher.send(np.arange(1000))
    array = np.asarray(take(subscriber))
    part = array[10:20][::2]
    del array
    gc.collect()
    # The publisher has plenty of memory to reuse, were this given back.
    for _ in range(10):
        publisher.send(np.zeros(1000, np.int64))
        take(subscriber)
    assert part.tolist() == [10, 12, 14, 16, 18]
    assert held(subscriber) == 1
    del part
    assert held(subscriber) == 0


def test_memory_comes_back_to_the_publisher(pair: Pair) -> None:
    publisher, subscriber = pair
    for _ in range(50):
        publisher.send(np.zeros(1 << 20, np.uint8))
        array = np.asarray(take(subscriber))
        assert array.size == 1 << 20
    assert publisher.stats().bytes < 20 << 20


def test_a_cycle_of_garbage_lets_go_of_its_sample(pair: Pair) -> None:
    publisher, subscriber = pair
    publisher.send(b"payload")
    cycle: dict[str, Any] = {"sample": take(subscriber)}
    cycle["self"] = cycle
    del cycle
    gc.collect()
    assert held(subscriber) == 0


def test_release_gives_the_memory_back_at_once(pair: Pair) -> None:
    publisher, subscriber = pair
    publisher.send(b"payload")
    sample = take(subscriber)
    released = [sample.released]
    sample.release()
    assert [*released, sample.released] == [False, True]
    assert held(subscriber) == 0
    sample.release()  # harmless


def test_release_is_refused_while_something_looks_in(pair: Pair) -> None:
    publisher, subscriber = pair
    publisher.send(np.arange(8))
    sample = take(subscriber)
    first = np.asarray(sample)
    with pytest.raises(BufferError, match="while 1 array or memoryview looks into it"):
        sample.release()
    second = memoryview(sample)
    with pytest.raises(BufferError, match="while 2 arrays or memoryviews look into it"):
        sample.release()
    assert first.tolist() == second.tolist() == list(range(8))
    del first
    second.release()
    sample.release()
    assert held(subscriber) == 0


def test_a_with_block_releases_at_its_end(pair: Pair) -> None:
    publisher, subscriber = pair
    publisher.send(b"payload")
    with take(subscriber) as sample:
        assert bytes(sample) == b"payload"
    assert sample.released
    assert held(subscriber) == 0
    with pytest.raises(memlane.Released), sample:
        pytest.fail("a released sample cannot be entered")


def test_an_array_may_outlive_the_with_block(pair: Pair) -> None:
    publisher, subscriber = pair
    publisher.send(np.arange(5))
    with take(subscriber) as sample:
        array = np.asarray(sample)
    assert sample.released
    assert held(subscriber) == 1
    assert array.tolist() == [0, 1, 2, 3, 4]
    with pytest.raises(memlane.Released):
        np.asarray(sample)
    del array
    assert held(subscriber) == 0


def test_a_with_block_releases_when_it_raises(pair: Pair) -> None:
    publisher, subscriber = pair
    publisher.send(b"payload")
    with pytest.raises(KeyError), take(subscriber):
        raise KeyError
    assert held(subscriber) == 0


def test_everything_about_a_released_sample_raises(pair: Pair) -> None:
    publisher, subscriber = pair
    publisher.send(np.arange(3))
    sample = take(subscriber)
    sample.release()
    uses: list[Callable[[], object]] = [
        lambda: np.asarray(sample),
        lambda: np.array(sample),
        lambda: np.from_dlpack(sample),
        lambda: memoryview(sample),
        lambda: bytes(sample),
        lambda: len(sample),
        lambda: sample.copy(),
        lambda: sample.__dlpack_device__(),
        *(lambda name=name: getattr(sample, name) for name in ATTRIBUTES),
    ]
    for use in uses:
        with pytest.raises(memlane.Released, match="was released already"):
            use()
    assert bool(sample)
    assert repr(sample) == "<memlane.Sample released>"


ATTRIBUTES = [
    "shape",
    "dtype",
    "nbytes",
    "sequence",
    "sent_time",
    "received_time",
    "sender",
    "encoding",
    "user_header",
]


def test_samples_outlive_their_ports(pair: Pair) -> None:
    publisher, subscriber = pair
    publisher.send(np.arange(100))
    sample = take(subscriber)
    publisher.close()
    subscriber.close()
    assert np.asarray(sample).sum() == 4950
    assert sample.sender.pid > 0
    sample.release()


def test_a_sample_tells_what_was_sent_with_it(publisher: Any, subscriber: Any) -> None:
    sender, receiver = publisher(label="left camera"), subscriber()
    before = time.monotonic()
    sender.send(np.zeros((2, 3), np.float32), encoding="image/raw", user_header=b"\x00\x01")
    sender.send(b"", user_header=memoryview(b"abcdef")[::2])
    first, second = take(receiver), take(receiver)
    after = time.monotonic()
    assert (first.sequence, first.shape, first.dtype, first.nbytes, len(first)) == (1, (2, 3), "float32", 24, 24)
    assert (first.encoding, first.user_header) == ("image/raw", b"\x00\x01")
    assert (second.sequence, second.shape, second.dtype, second.encoding) == (2, (0,), "bytes", "")
    assert second.user_header == b"ace"
    assert before <= first.sent_time <= first.received_time <= after
    assert first.sender == second.sender
    assert hash(first.sender) == hash(second.sender)
    assert first.sender.label == "left camera"
    assert repr(first.sender).startswith(
        f"<memlane.Sender {first.sender.id} pid={first.sender.pid} label='left camera'"
    )
    assert repr(first) == "<memlane.Sample 1 shape=(2, 3) dtype=float32 nbytes=24>"


def test_an_empty_sample_is_not_false(pair: Pair) -> None:
    publisher, subscriber = pair
    publisher.send(b"")
    sample = take(subscriber)
    assert sample
    assert len(sample) == 0
    assert np.asarray(sample).shape == (0,)


def test_copy_is_yours(pair: Pair) -> None:
    publisher, subscriber = pair
    publisher.send(b"bytes")
    publisher.send(np.arange(4, dtype=np.float32).reshape(2, 2))
    first, second = take(subscriber), take(subscriber)
    plain, array = first.copy(), second.copy()
    first.release()
    second.release()
    assert plain == b"bytes"
    assert isinstance(array, np.ndarray)
    array += 1
    assert array.tolist() == [[1, 2], [3, 4]]


def test_np_array_follows_the_wishes_of_its_caller(pair: Pair) -> None:
    publisher, subscriber = pair
    publisher.send(np.arange(3, dtype=np.uint8))
    sample = take(subscriber)
    assert np.array(sample).flags.writeable
    assert np.asarray(sample, dtype=np.float64).tolist() == [0.0, 1.0, 2.0]
    assert sample.__array__().dtype == np.uint8
    assert sample.__array__(np.dtype(np.int64), copy=True).flags.writeable
    with pytest.raises(ValueError, match="copy"):
        sample.__array__(np.dtype(np.int64), copy=False)


def test_fortran_order_is_refused(pair: Pair) -> None:
    publisher, subscriber = pair
    publisher.send(np.zeros((2, 3)))
    sample = take(subscriber)
    view = memoryview(sample)
    assert view.c_contiguous
    assert not view.f_contiguous
    view.release()


def test_a_sample_cannot_be_pickled_or_copied(pair: Pair) -> None:
    publisher, subscriber = pair
    publisher.send(b"payload")
    sample = take(subscriber)
    with pytest.raises(TypeError, match="pickle"):
        pickle.dumps(sample)
    with pytest.raises(TypeError, match="pickle"):
        copy.copy(sample)
    with pytest.raises(TypeError, match="No constructor"):
        memlane.Sample()


def test_a_sample_can_be_referred_to_weakly(pair: Pair) -> None:
    publisher, subscriber = pair
    publisher.send(b"payload")
    sample = take(subscriber)
    reference = weakref.ref(sample)
    assert reference() is sample
    del sample
    assert reference() is None


def test_the_documentation_is_the_stubs() -> None:
    assert "read-only" in (memlane.Sample.__doc__ or "")
    assert "looks into it" in (memlane.Sample.release.__doc__ or "")
    assert str(inspect.signature(memlane.Loan.send)).startswith("(self, *, encoding=None, user_header=None, timeout=")
    assert memlane.Sample.__module__ == memlane.Loan.__module__ == "memlane"
