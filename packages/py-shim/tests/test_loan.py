"""A loan: writable memory inside the lane, sent once, and not lent again while somebody may still write to it."""

from __future__ import annotations

import gc
import threading
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from support import PATIENCE, eventually, take

import memlane

Pair = tuple[memlane.Publisher, memlane.Subscriber]
MakePublisher = Callable[..., memlane.Publisher]


def test_it_is_sent_at_the_end_of_its_block(pair: Pair) -> None:
    publisher, subscriber = pair
    with publisher.loan((2, 3), "int16") as frame:
        image = np.asarray(frame)
        image[:] = [[1, 2, 3], [4, 5, 6]]
        assert subscriber.take() is None
    sample = take(subscriber)
    assert np.asarray(sample).tolist() == [[1, 2, 3], [4, 5, 6]]
    assert publisher.stats().sent == 1


def test_it_is_given_up_if_the_block_raises(pair: Pair) -> None:
    publisher, subscriber = pair
    with pytest.raises(KeyError), publisher.loan(4) as frame:
        raise KeyError
    assert subscriber.take() is None
    with pytest.raises(memlane.Released, match="given up already"):
        frame.send()


def test_it_may_be_sent_or_given_up_inside_its_block(pair: Pair) -> None:
    publisher, subscriber = pair
    with publisher.loan(4) as frame:
        frame.send(encoding="raw", user_header=b"header")
    sample = take(subscriber)
    assert (sample.encoding, sample.user_header) == ("raw", b"header")
    with publisher.loan(4) as frame:
        frame.give_up()
    assert subscriber.take() is None
    assert publisher.stats().sent == 1


def test_send_takes_it_too(pair: Pair) -> None:
    publisher, subscriber = pair
    frame = publisher.loan(3, "float32")
    np.asarray(frame)[:] = 2.5
    assert publisher.send(frame, encoding="x") == 1
    assert publisher.try_send(publisher.loan(1)) == 1
    assert np.asarray(take(subscriber)).tolist() == [2.5, 2.5, 2.5]
    assert take(subscriber).nbytes == 1


def test_what_it_is(pair: Pair) -> None:
    publisher, _ = pair
    frame = publisher.loan((1080, 1920, 3), "uint8")
    assert (frame.shape, frame.dtype, frame.nbytes, len(frame)) == ((1080, 1920, 3), "uint8", 6220800, 6220800)
    assert repr(frame) == "<memlane.Loan shape=(1080, 1920, 3) dtype=uint8 nbytes=6220800>"
    frame.send()
    assert repr(frame).endswith(" sent>")
    assert frame.shape == (1080, 1920, 3)
    given_up = publisher.loan(5, None)
    given_up.give_up()
    given_up.give_up()  # harmless
    assert repr(given_up) == "<memlane.Loan shape=(5,) dtype=bytes nbytes=5 given up>"
    with publisher.loan(0) as empty:
        assert empty
        assert np.asarray(empty).shape == (0,)


@pytest.mark.parametrize(
    ("dtype", "name"),
    [
        ("uint8", "uint8"),
        ("bool", "bool"),
        ("bfloat16", "bfloat16"),
        ("bytes", "bytes"),
        (None, "bytes"),
        (np.uint16, "uint16"),
        (np.dtype("float32"), "float32"),
        (np.dtype("<i8"), "int64"),
        ("f4", "float32"),
        ("<u2", "uint16"),
        ("half", "float16"),
        (float, "float64"),
        (bool, "bool"),
        (complex, "complex128"),
        (np.zeros(1, np.int8).dtype, "int8"),
    ],
)
def test_dtypes_as_people_write_them(pair: Pair, dtype: object, name: str) -> None:
    publisher, _ = pair
    assert publisher.loan(2, dtype).dtype == name


def test_a_dtype_of_pytorch(pair: Pair) -> None:
    publisher, _ = pair

    class TorchDtype:
        def __str__(self) -> str:
            return "torch.bfloat16"

    assert publisher.loan(2, TorchDtype()).dtype == "bfloat16"


@pytest.mark.parametrize(
    "dtype", ["uint9", "object", ">i4", "datetime64[ns]", "U3", np.dtype(object), np.longdouble, str]
)
def test_dtypes_that_a_lane_does_not_know(pair: Pair, dtype: object) -> None:
    publisher, _ = pair
    with pytest.raises(memlane.InvalidArgument, match=r"a lane knows no dtype .*; it knows bytes bool int8"):
        publisher.loan(2, dtype)


@pytest.mark.parametrize("dtype", [1.5, 3, object(), ["uint8"]])
def test_what_is_no_dtype_at_all(pair: Pair, dtype: object) -> None:
    publisher, _ = pair
    with pytest.raises(TypeError):
        publisher.loan(2, dtype)


@pytest.mark.parametrize(
    "shape", [-1, (2, -1), (1 << 62, 4), 1 << 62, 1 << 63, 1 << 64, 1 << 100, -(1 << 100), (1,) * 9]
)
def test_shapes_beyond_what_is_possible(pair: Pair, shape: Any) -> None:
    publisher, _ = pair
    with pytest.raises(memlane.OutOfRange):
        publisher.loan(shape, "uint16")


@pytest.mark.parametrize("shape", ["23", 1.5, None, (1.5,), ("2",), object()])
def test_what_is_no_shape_at_all(pair: Pair, shape: Any) -> None:
    publisher, _ = pair
    with pytest.raises(TypeError, match="shape is an int"):
        publisher.loan(shape)


@pytest.mark.parametrize("shape", [(), 3, [2, 2], np.array([2, 2]), (np.int64(2), 3), range(1, 4), iter([2, 5])])
def test_shapes_as_people_write_them(pair: Pair, shape: Any) -> None:
    publisher, _ = pair
    assert all(isinstance(extent, int) for extent in publisher.loan(shape).shape)


def test_twice_is_too_often(pair: Pair) -> None:
    publisher, subscriber = pair
    frame = publisher.loan(4)
    frame.send()
    for use in (frame.send, lambda: publisher.send(frame), lambda: publisher.try_send(frame), frame.__enter__):
        with pytest.raises(memlane.AlreadySent, match="sent already; ask for a new one"):
            use()
    for look in (np.asarray, memoryview, bytes, np.from_dlpack, frame.write):
        with pytest.raises(memlane.AlreadySent):
            look(frame)
    frame.give_up()  # harmless: there is nothing to give back
    assert take(subscriber).sequence == 1
    assert publisher.stats().sent == 1


def test_a_loan_of_another_publisher_is_refused(publisher: MakePublisher) -> None:
    one, other = publisher("one"), publisher("other")
    frame = one.loan(4)
    with pytest.raises(memlane.InvalidArgument, match='belongs to another publisher, of lane "one"'):
        other.send(frame)
    assert frame.send() == 0


def test_dropped_without_being_sent_it_is_given_up(publisher: MakePublisher) -> None:
    sender = publisher(memory_budget=4 << 20)
    for _ in range(50):
        np.asarray(sender.loan(1 << 20))[:] = 1
    gc.collect()
    assert sender.loan(3 << 20).nbytes == 3 << 20


def test_dlpack_is_writable(pair: Pair) -> None:
    publisher, subscriber = pair
    with publisher.loan((2, 2), "float64") as frame:
        array = np.from_dlpack(frame)
        assert array.flags.writeable
        array[:] = 0.5
        np.from_dlpack(frame, copy=True)[:] = 9
    assert np.asarray(take(subscriber)).tolist() == [[0.5, 0.5], [0.5, 0.5]]


def test_write_fills_it(pair: Pair) -> None:
    publisher, subscriber = pair
    with publisher.loan((2, 3), "uint8") as frame:
        frame.write(np.arange(6, dtype=np.uint8).reshape(2, 3))
    with publisher.loan(4, None) as frame:
        frame.write(b"data")
    assert np.asarray(take(subscriber)).tolist() == [[0, 1, 2], [3, 4, 5]]
    assert bytes(take(subscriber)) == b"data"


def test_write_refuses_what_is_not_contiguous_or_not_as_large(pair: Pair) -> None:
    publisher, _ = pair
    frame = publisher.loan((2, 3), "uint8")
    with pytest.raises(memlane.InvalidArgument, match="not contiguous"):
        frame.write(np.zeros((3, 2), np.uint8).T)
    with pytest.raises(memlane.InvalidArgument, match="the loan has 6 bytes, the data has 5"):
        frame.write(b"12345")
    with pytest.raises(TypeError):
        frame.write([1, 2, 3])
    frame.write(b"123456")


def test_several_loans_at_once(pair: Pair) -> None:
    publisher, subscriber = pair
    loans = [publisher.loan(1000) for _ in range(10)]
    for number, loan in enumerate(loans):
        np.asarray(loan)[:] = number
    for loan in reversed(loans):
        loan.send()
    assert [np.asarray(take(subscriber))[999] for _ in loans] == list(range(9, -1, -1))


def test_memory_of_an_array_that_outlives_its_loan_is_not_lent_again(publisher: MakePublisher) -> None:
    """Otherwise a late write would end up in somebody else's sample."""
    sender = publisher()
    with sender.loan(1 << 16) as frame:
        late = np.asarray(frame)
        late[:] = 1
    with pytest.raises(KeyError), sender.loan(1 << 16) as given_up:
        later = np.asarray(given_up)
        raise KeyError
    addresses = {array.__array_interface__["data"][0] for array in (late, later)}
    assert len(addresses) == 2

    def lend() -> set[int]:
        loans = [sender.loan(1 << 16) for _ in range(20)]
        return {np.asarray(loan).__array_interface__["data"][0] for loan in loans}

    assert not addresses & lend()
    late[:] = later[:] = 2  # still there, and harmless
    del late, later
    assert addresses & lend()


def test_arrays_in_a_loop_do_not_pile_up(pair: Pair) -> None:
    publisher, subscriber = pair
    for number in range(100):
        with publisher.loan(1 << 20, "uint8") as frame:
            image = np.asarray(frame)
            image[:] = number
        assert np.asarray(take(subscriber))[-1] == number
    assert publisher.stats().bytes < 20 << 20


def test_a_loan_outlives_its_port(pair: Pair) -> None:
    publisher, _ = pair
    frame = publisher.loan(1 << 20)
    publisher.close()
    array = np.asarray(frame)
    array[:] = 7
    with pytest.raises(memlane.Closed):
        frame.send()
    frame.give_up()
    assert array[-1] == 7


def test_a_failed_send_leaves_the_loan_to_its_owner(publisher: MakePublisher, subscriber: Any) -> None:
    sender, receiver = publisher(send_timeout=0.01), subscriber(depth=1)
    sender.send(b"fills the queue")
    frame = sender.loan(4, None)
    view = memoryview(frame)
    attempts: list[Callable[[], int]] = [
        frame.send,
        lambda: sender.send(frame, timeout=0),
        lambda: frame.send(timeout=0.02),
    ]
    for attempt in attempts:
        with pytest.raises(memlane.Timeout):
            attempt()
    assert sender.try_send(frame) is None
    view[:] = b"late"
    take(receiver)
    assert frame.send() == 1
    assert bytes(take(receiver)) == b"late"


def test_the_end_of_a_block_waits_for_room(publisher: MakePublisher, subscriber: Any) -> None:
    sender, receiver = publisher(), subscriber(depth=1)
    sender.send(b"fills the queue")
    received: list[bytes] = []

    def receive() -> None:
        assert eventually(lambda: sending.is_set())
        received.extend(bytes(take(receiver)) for _ in range(2))

    sending = threading.Event()
    thread = threading.Thread(target=receive)
    thread.start()
    with sender.loan(4, None) as frame:
        frame.write(b"next")
        sending.set()
    thread.join(PATIENCE)
    assert received == [b"fills the queue", b"next"]


def test_another_thread_must_keep_away_while_it_is_sent(publisher: MakePublisher, subscriber: Any) -> None:
    sender, receiver = publisher(), subscriber(depth=1)
    sender.send(b"fills the queue")
    frame = sender.loan(4, None)
    thread = threading.Thread(target=frame.send)
    thread.start()

    def is_busy() -> bool:
        try:
            memoryview(frame).release()
        except memlane.InvalidArgument as error:
            assert "another thread is at work with the loan" in str(error)
            return True
        return False

    assert eventually(is_busy)
    with pytest.raises(memlane.InvalidArgument):
        frame.give_up()
    take(receiver)
    thread.join(PATIENCE)
    assert take(receiver).nbytes == 4
