"""Publisher and subscriber: what is sent reaches whom it should, by the policy of who receives it."""

from __future__ import annotations

import itertools
import pickle
import re
import select
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from support import PATIENCE, eventually, take

import memlane

MakePublisher = Callable[..., memlane.Publisher]
MakeSubscriber = Callable[..., memlane.Subscriber]
Pair = tuple[memlane.Publisher, memlane.Subscriber]


def numbers(subscriber: memlane.Subscriber) -> list[int]:
    """Everything that has arrived, as the numbers that were sent."""
    found = []
    while sample := subscriber.take():
        found.append(int(np.asarray(sample)))
    return found


def test_every_subscriber_gets_every_sample(publisher: MakePublisher, subscriber: MakeSubscriber) -> None:
    senders, receivers = [publisher() for _ in range(2)], [subscriber() for _ in range(3)]
    for number in range(5):
        assert senders[0].send(np.int64(number)) == 3
    senders[1].send(np.int64(9))
    for receiver in receivers:
        assert sorted(numbers(receiver)) == [0, 1, 2, 3, 4, 9]


def test_an_integer_is_a_key(publisher: MakePublisher, subscriber: MakeSubscriber) -> None:
    receiver = subscriber(12331)
    assert receiver.name == "key/12331"
    assert publisher("key/12331").send(b"") == 1
    assert publisher(-5).name == "key/-5"
    assert publisher(1 << 70).name == f"key/{1 << 70}"


@pytest.mark.parametrize(
    "name", ["a", "camera/front", "日本/カメラ", "with space", "x" * 200, "ü" * 100, "...", "a/.b/c."]
)
def test_names_that_a_lane_may_have(publisher: MakePublisher, subscriber: MakeSubscriber, name: str) -> None:
    assert subscriber(name).name == name
    assert publisher(name).send(b"") == 1


def test_history_is_for_late_joiners(publisher: MakePublisher, subscriber: MakeSubscriber) -> None:
    sender = publisher(history=3)
    for number in range(10):
        assert sender.send(np.int64(number)) == 0
    late = subscriber()
    assert numbers(late) == [7, 8, 9]
    sender.send(np.int64(10))
    assert numbers(late) == [10]


@pytest.mark.parametrize(("overflow", "left"), [("drop-oldest", [7, 8, 9]), ("drop-newest", [0, 1, 2])])
def test_drops_are_counted_at_both_ends(
    publisher: MakePublisher, subscriber: MakeSubscriber, overflow: str, left: list[int]
) -> None:
    sender, receiver = publisher(), subscriber(depth=3, overflow=overflow)
    for number in range(10):
        sender.send(np.int64(number))
    assert numbers(receiver) == left
    assert sender.stats().dropped == receiver.stats().dropped == 7


def test_overflow_fail_is_an_error_of_the_sender(publisher: MakePublisher, subscriber: MakeSubscriber) -> None:
    sender, receiver, other = publisher(), subscriber(depth=1, overflow="fail", label="slow one"), subscriber()
    sender.send(np.int64(0))
    with pytest.raises(memlane.QueueFull, match="slow one"):
        sender.send(np.int64(1))
    assert sender.try_send(np.int64(1)) is None
    assert numbers(other) == [0]  # nobody got it
    assert numbers(receiver) == [0]
    assert sender.send(np.int64(2)) == 2


def test_overflow_block_keeps_the_sender_waiting(publisher: MakePublisher, subscriber: MakeSubscriber) -> None:
    sender, receiver = publisher(send_timeout=0.02), subscriber(depth=2, label="slow one")
    sender.send(np.int64(0))
    sender.send(np.int64(1))
    with pytest.raises(memlane.Timeout, match="slow one") as caught:
        sender.send(np.int64(2))
    assert (caught.value.code, caught.value.lane) == ("timeout", "test")
    with pytest.raises(TimeoutError):
        sender.send(np.int64(2), timeout=0)
    assert sender.try_send(np.int64(2)) is None
    assert numbers(receiver) == [0, 1]
    assert sender.send(np.int64(3)) == 1


def test_take_waits_as_long_as_it_is_told(pair: Pair) -> None:
    publisher, subscriber = pair
    assert subscriber.take() is None
    assert subscriber.take(0) is None
    assert subscriber.take(-1) is None
    assert subscriber.take(0.01) is None
    threading.Timer(0.05, publisher.send, [b"late"]).start()
    assert bytes(take(subscriber)) == b"late"
    threading.Timer(0.05, publisher.send, [b"later"]).start()
    sample = subscriber.take(timeout=None)
    assert sample is not None
    assert bytes(sample) == b"later"


def test_stop_ends_what_waits(pair: Pair) -> None:
    _, subscriber = pair
    threading.Timer(0.05, subscriber.stop).start()
    assert subscriber.take(None) is None
    threading.Timer(0.05, subscriber.stop).start()
    assert list(subscriber) == []
    threading.Timer(0.05, subscriber.stop).start()
    assert subscriber.wait_for_publishers(2) is False
    assert subscriber.take() is None  # open as before


def test_stop_ends_a_send_that_waits(publisher: MakePublisher, subscriber: MakeSubscriber) -> None:
    sender, receiver = publisher(send_timeout=PATIENCE), subscriber(depth=1)
    sender.send(b"fills the queue")
    threading.Timer(0.05, sender.stop).start()
    with pytest.raises(memlane.Interrupted, match="stopped"):
        sender.send(b"")
    assert take(receiver).sequence == 1
    assert receiver.take() is None


def test_a_loop_ends_when_the_port_is_closed(pair: Pair) -> None:
    publisher, subscriber = pair
    for number in range(3):
        publisher.send(np.int64(number))
    threading.Timer(0.05, subscriber.close).start()
    assert [int(np.asarray(sample)) for sample in subscriber] == [0, 1, 2]
    assert list(subscriber) == []


def test_a_loop_until_idle_ends_with_the_last_publisher(publisher: MakePublisher, subscriber: MakeSubscriber) -> None:
    receiver = subscriber(depth=100)
    senders = [publisher(), publisher()]
    for sender in senders:
        for number in range(20):
            sender.send(np.int64(number))
    senders[0].close()
    threading.Timer(0.05, senders[1].close).start()
    # Every sample of the list is held, and stays valid.
    kept = list(receiver.samples(until_idle=True))
    assert sorted(int(np.asarray(sample)) for sample in kept) == sorted([*range(20), *range(20)])


def test_a_loop_holds_no_sample_of_its_own(pair: Pair) -> None:
    publisher, subscriber = pair
    for _ in range(3):
        publisher.send(b"")
    loop = iter(subscriber)
    next(loop)
    assert subscriber.stats().held == 0


def flush_then_close(publisher: memlane.Publisher, subscriber: memlane.Subscriber) -> list[bool]:
    """In another thread: whether everything was given back while the subscriber's loop waited for more."""
    flushed: list[bool] = []

    def work() -> None:
        flushed.append(publisher.flush(2))
        subscriber.close()

    threading.Thread(target=work).start()
    return flushed


def test_a_loop_that_waits_holds_nothing_by_its_variable(pair: Pair) -> None:
    publisher, subscriber = pair
    publisher.send(b"first")
    publisher.send(b"last")
    flushed = flush_then_close(publisher, subscriber)
    received = []
    for sample in subscriber:
        received.append(bytes(sample))  # noqa: PERF401
    assert flushed == [True]
    assert received == [b"first", b"last"]


def test_what_a_loop_puts_elsewhere_is_kept(pair: Pair) -> None:
    publisher, subscriber = pair
    for number in range(4):
        publisher.send(np.int64(number))
    flushed = flush_then_close(publisher, subscriber)
    kept, arrays, last = [], [], None
    for sample in subscriber:
        if sample.sequence == 1:
            kept.append(sample)
        elif sample.sequence == 2:
            arrays.append(np.asarray(sample))
        last = sample
    assert flushed == [False]
    assert last is not None
    assert [int(np.asarray(kept[0])), int(arrays[0]), int(np.asarray(last))] == [0, 1, 3]


@pytest.mark.parametrize(
    "collect",
    [
        list,
        tuple,
        lambda samples: [*samples],
        lambda samples: [sample for sample in samples],  # noqa: C416
        lambda samples: list(itertools.islice(samples, 3)),
        lambda samples: [next(samples) for _ in range(3)],
        lambda samples: [sample for _, sample in zip(range(3), samples, strict=False)],
        lambda samples: [sample for _, sample in enumerate(samples)],
        lambda samples: list(map(lambda sample: sample, samples)),  # noqa: C417
    ],
)
def test_samples_that_are_collected_are_kept(
    publisher: MakePublisher, subscriber: MakeSubscriber, collect: Callable[[Any], Sequence[memlane.Sample]]
) -> None:
    sender, receiver = publisher(), subscriber()

    def send() -> None:
        for number in range(3):
            time.sleep(0.02)  # so that the loop has to wait for each
            sender.send(np.int64(number))
        sender.close()

    threading.Thread(target=send).start()
    samples = collect(receiver.samples(until_idle=True))
    assert [int(np.asarray(sample)) for sample in samples] == [0, 1, 2]


def test_wait_for_the_others(publisher: MakePublisher, subscriber: MakeSubscriber) -> None:
    sender = publisher()
    assert sender.wait_for_subscribers(timeout=0.01) is False
    assert sender.wait_for_subscribers(0) is True
    receiver = subscriber()
    assert sender.wait_for_subscribers(timeout=PATIENCE) is True
    assert sender.wait_for_subscribers(2, 0.01) is False
    assert receiver.wait_for_publishers(1, PATIENCE) is True
    sender.close()
    assert eventually(lambda: receiver.wait_for_publishers(1, 0) is False)


def test_flush_waits_until_everything_is_released(pair: Pair) -> None:
    publisher, subscriber = pair
    publisher.send(b"payload")
    assert publisher.flush(0.01) is False
    sample = take(subscriber)
    assert publisher.flush(0.01) is False
    timer = threading.Timer(0.05, sample.release)
    timer.start()
    assert publisher.flush(PATIENCE) is True
    timer.join()


def test_reserve_makes_memory_ready(publisher: MakePublisher) -> None:
    sender = publisher()
    sender.reserve(1 << 20, 4)
    ready = sender.stats().bytes
    assert ready >= 4 << 20
    loans = [sender.loan(1 << 20) for _ in range(4)]
    assert sender.stats().bytes == ready
    del loans


def test_a_budget_is_kept(publisher: MakePublisher, subscriber: MakeSubscriber) -> None:
    sender, receiver = publisher(memory_budget=1 << 20), subscriber()
    with pytest.raises(memlane.BudgetSpent, match="memory budget") as caught:
        sender.loan(2 << 20)
    assert isinstance(caught.value, MemoryError)
    with pytest.raises(memlane.BudgetSpent):
        sender.send(bytes(2 << 20))
    with pytest.raises(memlane.BudgetSpent):
        sender.reserve(1 << 19, 4)
    assert sender.stats().sent == 0
    assert sender.send(bytes(1000)) == 1
    assert take(receiver).nbytes == 1000


def test_stats_count(pair: Pair) -> None:
    publisher, subscriber = pair
    publisher.send(bytes(10))
    publisher.send(bytes(20))
    sample = take(subscriber)
    sent, received = publisher.stats(), subscriber.stats()
    assert (sent.sent, sent.sent_bytes, sent.dropped, sent.waiting, sent.peers, sent.broken) == (2, 30, 0, 2, 1, 0)
    assert sent.bytes > 0
    assert received == memlane.SubscriberStats(received=1, bytes=10, dropped=0, waiting=1, held=1, peers=1, broken=0)
    sample.release()
    assert publisher.stats().waiting == 1


def test_repr_shows_lane_state_and_counters(pair: Pair) -> None:
    publisher, subscriber = pair
    publisher.send(b"")
    assert repr(publisher) == "<memlane.Publisher 'test' subscribers=1 sent=1 waiting=1>"
    assert repr(subscriber) == "<memlane.Subscriber 'test' depth=16 waiting=1 publishers=1>"
    publisher.close()
    subscriber.close()
    assert repr(publisher) == "<memlane.Publisher 'test' closed>"
    assert repr(subscriber) == "<memlane.Subscriber 'test' closed>"


def test_a_closed_port_says_so(pair: Pair) -> None:
    publisher, subscriber = pair
    closed = [publisher.closed]
    publisher.close()
    subscriber.close()
    publisher.close()  # the second time does nothing
    assert [*closed, publisher.closed, subscriber.closed] == [False, True, True]
    assert publisher.name == subscriber.name == "test"
    uses: list[Callable[[], object]] = [
        lambda: publisher.send(b""),
        lambda: publisher.try_send(b""),
        lambda: publisher.loan(1),
        lambda: publisher.reserve(1),
        publisher.flush,
        publisher.wait_for_subscribers,
        publisher.stats,
        publisher.fileno,
        publisher.stop,
        subscriber.take,
        subscriber.wait_for_publishers,
        subscriber.stats,
        subscriber.fileno,
        subscriber.stop,
        lambda: memlane.wait([publisher], 0),
    ]
    for use in uses:
        with pytest.raises(memlane.Closed, match='lane "test" is closed') as caught:
            use()
        assert caught.value.lane == "test"


def test_closing_ends_what_waits_in_other_threads(publisher: MakePublisher, subscriber: MakeSubscriber) -> None:
    receiver = subscriber()
    threading.Timer(0.05, receiver.close).start()
    assert receiver.take(None) is None
    sender = publisher()
    threading.Timer(0.05, sender.close).start()
    with pytest.raises(memlane.Closed):
        sender.wait_for_subscribers()


def test_the_descriptor_is_readable_when_there_is_something(pair: Pair) -> None:
    publisher, subscriber = pair

    def readable(timeout: float) -> bool:
        return bool(select.select([subscriber], [], [], timeout)[0])

    def quiet() -> bool:
        return subscriber.take() is None and not readable(0)

    subscriber.fileno()
    assert eventually(quiet)  # the link's coming up may ring once more
    publisher.send(b"")
    assert readable(PATIENCE)
    assert subscriber.take() is not None
    assert eventually(quiet)


def test_a_directory_of_ones_own(tmp_path: Path, publisher: MakePublisher, subscriber: MakeSubscriber) -> None:
    tmp_path.chmod(0o700)
    here, there, elsewhere = publisher(directory=tmp_path), subscriber(directory=str(tmp_path)), subscriber()
    assert here.send(b"") == 1
    assert take(there).nbytes == 0
    assert elsewhere.take() is None
    here.close()
    there.close()
    assert list(tmp_path.iterdir()) == []


def test_a_port_cannot_be_pickled(pair: Pair) -> None:
    for port in pair:
        with pytest.raises(TypeError, match="cannot be pickled: open another one"):
            pickle.dumps(port)


def test_a_publisher_that_leaves_at_once_loses_nothing(publisher: MakePublisher, subscriber: MakeSubscriber) -> None:
    receiver = subscriber()
    with memlane.Publisher("test") as sender:
        sender.send(b"last words")
    assert bytes(take(receiver)) == b"last words"
    assert eventually(lambda: receiver.stats().peers == 0)


@pytest.mark.parametrize("spin", [None, 0, 0.0001])
def test_spinning_changes_nothing_but_speed(
    publisher: MakePublisher, subscriber: MakeSubscriber, spin: float | None
) -> None:
    sender, receiver = publisher(spin=spin), subscriber(spin=spin)
    threading.Timer(0.02, sender.send, [b"x"]).start()
    assert bytes(take(receiver)) == b"x"


def test_the_version_is_the_packages() -> None:
    project = (Path(__file__).parent.parent / "pyproject.toml").read_text(encoding="utf-8")
    assert re.search(rf'^version = "{re.escape(memlane.__version__)}"$', project, re.MULTILINE)
