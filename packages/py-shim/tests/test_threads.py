"""Ports, samples and loans in several threads, and who may run meanwhile."""

from __future__ import annotations

import contextlib
import sys
import threading
import time
from collections.abc import Callable
from typing import Any

import numpy as np
from support import PATIENCE, eventually, take

import memlane

MakePublisher = Callable[..., memlane.Publisher]
MakeSubscriber = Callable[..., memlane.Subscriber]


def run_all(*works: Callable[[], object]) -> None:
    """Runs each in a thread of its own, and raises what any of them raised."""
    problems: list[BaseException] = []

    def guarded(work: Callable[[], object]) -> None:
        try:
            work()
        except BaseException as problem:
            problems.append(problem)

    threads = [threading.Thread(target=guarded, args=(work,), daemon=True) for work in works]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(PATIENCE)
        assert not thread.is_alive()
    for problem in problems:
        raise problem


def test_many_threads_share_two_ports(publisher: MakePublisher, subscriber: MakeSubscriber) -> None:
    sender, receiver = publisher(send_timeout=PATIENCE), subscriber(depth=4)
    count, threads = 200, 4
    received: list[int] = []

    def send(first: int) -> None:
        for number in range(first, first + count):
            if number % 2:
                sender.send(np.int64(number))
            else:
                with sender.loan((), "int64") as loan:
                    np.asarray(loan)[...] = number

    def receive() -> None:
        received.extend(int(np.asarray(take(receiver))) for _ in range(count))

    run_all(*(lambda i=i: send(i * count) for i in range(threads)), *([receive] * threads))
    assert sorted(received) == list(range(count * threads))


def test_samples_may_be_released_in_any_thread(publisher: MakePublisher, subscriber: MakeSubscriber) -> None:
    sender, receiver = publisher(send_timeout=PATIENCE), subscriber()
    samples: list[memlane.Sample] = []
    for _ in range(16):
        sender.send(bytes(100))
        samples.append(take(receiver))

    def release() -> None:
        while samples:
            try:
                sample = samples.pop()
            except IndexError:
                return
            memoryview(sample).release()
            sample.release()

    run_all(*[release] * 4)
    assert sender.flush(PATIENCE)


def test_other_threads_run_while_one_waits(publisher: MakePublisher, subscriber: MakeSubscriber) -> None:
    sender, receiver = publisher(), subscriber(depth=1)
    sender.send(b"fills the queue")
    waits: list[Callable[[], object]] = [
        lambda: receiver.wait_for_publishers(2),
        lambda: sender.wait_for_subscribers(2),
        sender.flush,
        lambda: sender.send(b"", timeout=None),
    ]

    def guarded(wait: Callable[[], object]) -> None:
        with contextlib.suppress(memlane.Interrupted):
            wait()

    threads = [threading.Thread(target=guarded, args=(wait,), daemon=True) for wait in waits]
    for thread in threads:
        thread.start()

    # This thread runs on, or we would never get here; now it ends them all.
    def stop_all() -> bool:
        receiver.stop()
        sender.stop()
        return not any(thread.is_alive() for thread in threads)

    assert eventually(stop_all)


def test_closing_while_others_work_breaks_nothing(publisher: MakePublisher, subscriber: MakeSubscriber) -> None:
    for _ in range(20):
        sender, receiver = publisher(), subscriber(depth=2, overflow="drop-oldest")
        started = threading.Barrier(3)

        def send() -> None:
            started.wait(PATIENCE)  # noqa: B023
            try:
                while True:
                    sender.send(bytes(1000))  # noqa: B023
            except memlane.Closed:
                pass

        def receive() -> None:
            started.wait(PATIENCE)  # noqa: B023
            try:
                while True:
                    receiver.take(0.01)  # noqa: B023
                    receiver.stats()  # noqa: B023
            except memlane.Closed:
                pass

        def close() -> None:
            started.wait(PATIENCE)  # noqa: B023
            time.sleep(0.002)
            sender.close()  # noqa: B023
            receiver.close()  # noqa: B023

        run_all(send, receive, close)


def test_a_big_copy_puts_the_gil_down(publisher: MakePublisher, subscriber: MakeSubscriber, monkeypatch: Any) -> None:
    """Another thread gets to run in the middle of send(), though the interpreter would not switch by itself."""
    interval = sys.getswitchinterval()
    sender, receiver = publisher(), subscriber()
    big = np.ones(64 << 20, np.uint8)
    sender.reserve(big.nbytes, 1)
    ran = threading.Event()
    go = threading.Event()

    def other() -> None:
        go.wait(PATIENCE)
        ran.set()

    thread = threading.Thread(target=other)
    thread.start()
    sys.setswitchinterval(1000)
    try:
        go.set()
        sender.send(big)
        assert ran.is_set()
    finally:
        sys.setswitchinterval(interval)
        thread.join()
    assert take(receiver).nbytes == big.nbytes
