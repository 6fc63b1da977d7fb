"""A fork: what was the parent's says so in the child, and new ports work there."""

from __future__ import annotations

import multiprocessing
import multiprocessing.forkserver
import multiprocessing.resource_tracker
import os
import sys
from collections.abc import Callable, Iterator
from multiprocessing.connection import Connection
from multiprocessing.context import BaseContext
from pathlib import Path

import numpy as np
import pytest
from support import PATIENCE, eventually, run_python, take

import memlane

MakePublisher = Callable[..., memlane.Publisher]
MakeSubscriber = Callable[..., memlane.Subscriber]


@pytest.fixture(scope="module", autouse=True)
def helper_processes() -> Iterator[None]:
    """Those of multiprocessing live on when a test is over, and so do the descriptors for them."""
    multiprocessing.resource_tracker.ensure_running()
    multiprocessing.forkserver.ensure_running()
    yield
    # They would end with us, some moments later; what runs the tests looks at once whether anything is left running.
    multiprocessing.forkserver._forkserver._stop()  # type: ignore[attr-defined]
    multiprocessing.resource_tracker._resource_tracker._stop()  # type: ignore[attr-defined]


def in_child(work: Callable[[], None]) -> None:
    """Runs it in the child of a plain fork, which must end well, and soon."""
    child = os.fork()
    if child == 0:
        try:
            work()
        except BaseException:
            sys.excepthook(*sys.exc_info())
            os._exit(1)
        os._exit(0)
    ended: list[int] = []

    def has_ended() -> bool:
        done, status = os.waitpid(child, os.WNOHANG)
        if done:
            ended.append(os.waitstatus_to_exitcode(status))
        return bool(done)

    if not eventually(has_ended):
        os.kill(child, 9)
        os.waitpid(child, 0)
    assert ended == [0]


def test_everything_of_the_parents_says_so(publisher: MakePublisher, subscriber: MakeSubscriber) -> None:
    sender, receiver = publisher(), subscriber()
    sender.send(np.arange(1000))
    sender.send(b"next")
    sample = take(receiver)
    array = np.asarray(sample)
    loan = sender.loan(10)

    def work() -> None:
        uses: list[Callable[[], object]] = [
            lambda: sender.send(b""),
            lambda: sender.try_send(b""),
            lambda: sender.loan(1),
            lambda: sender.flush(0),
            lambda: sender.reserve(1),
            lambda: sender.wait_for_subscribers(1, 0),
            sender.stats,
            sender.fileno,
            receiver.take,
            lambda: receiver.wait_for_publishers(1, 0),
            receiver.stats,
            lambda: next(iter(receiver)),
            lambda: memlane.wait([receiver], 0),
            loan.send,
            lambda: np.asarray(loan),
            lambda: sender.send(loan),
            lambda: sample.sequence,
            lambda: sample.copy(),
            lambda: np.asarray(sample),
        ]
        for use in uses:
            with pytest.raises(memlane.Forked) as caught:
                use()
            assert caught.value.code == "forked"
        assert array.sum() in (0, 499500)  # zeros, since the memory is not inherited; no crash
        assert sender.closed
        assert receiver.closed
        assert repr(sender) == "<memlane.Publisher 'test' closed>"
        sender.close()
        receiver.close()
        loan.give_up()

    in_child(work)
    # And the parent has lost nothing.
    assert array.sum() == 499500
    assert bytes(take(receiver)) == b"next"
    np.asarray(loan)[:] = 1
    assert loan.send() == 1


def test_the_child_opens_its_own(publisher: MakePublisher, subscriber: MakeSubscriber) -> None:
    sender, receiver = publisher("to child"), subscriber("to parent")
    child = os.fork()
    if child == 0:
        status = 1
        try:
            with memlane.Subscriber("to child") as mine, memlane.Publisher("to parent") as yours:
                yours.send(b"ready")
                yours.send(np.asarray(take(mine)) + 1)
                yours.flush(PATIENCE)
            status = 0
        finally:
            os._exit(status)
    assert bytes(take(receiver)) == b"ready"
    sender.send(np.arange(3))
    assert np.asarray(take(receiver)).tolist() == [1, 2, 3]
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


def test_a_child_ends_cleanly_with_everything_inherited() -> None:
    """The whole end of an interpreter, and not only os._exit: every destructor of the parent's objects runs in it."""
    run_python(
        """
        import os, sys
        import numpy as np
        import memlane

        sender, receiver = memlane.Publisher("test"), memlane.Subscriber("test")
        sender.send(np.arange(10))
        sample = receiver.take(10)
        array = np.asarray(sample)
        loan = sender.loan(100)
        view = memoryview(loan)
        child = os.fork()
        if child == 0:
            own = memlane.Publisher("test")
            forgotten = own.loan(5)
            sys.exit(7)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 7
        assert array.sum() == 45
        assert sender.send(b"") == 1
        sender.close()
        receiver.close()
        """,
        may_forget=True,
    )


def test_a_fork_in_an_event_loop_leaves_the_parents_alone() -> None:
    run_python(
        """
        import asyncio, os
        import memlane

        async def main():
            with memlane.Subscriber("test") as receiver, memlane.Publisher("test") as sender:
                waiting = asyncio.ensure_future(receiver.next())
                await asyncio.sleep(0.01)
                child = os.fork()
                if child == 0:
                    receiver.close()
                    os._exit(0)
                os.waitpid(child, 0)
                sender.send(b"still heard")
                assert bytes(await asyncio.wait_for(waiting, 10)) == b"still heard"

        asyncio.run(main())
        """
    )


def echo(connection: Connection, directory: str) -> None:
    """A worker: gives back what comes on one lane on another."""
    receiver, sender = memlane.Subscriber("there", directory=directory), memlane.Publisher("back", directory=directory)
    with receiver, sender:
        connection.send("ready")
        for _ in range(5):
            sender.send(np.asarray(take(receiver)) * 2)
        sender.flush(PATIENCE)


@pytest.mark.parametrize("method", ["fork", "spawn", "forkserver"])
def test_multiprocessing(
    publisher: MakePublisher, subscriber: MakeSubscriber, lane_directory: Path, method: str
) -> None:
    sender, receiver = publisher("there"), subscriber("back")
    context: BaseContext = multiprocessing.get_context(method)
    mine, yours = context.Pipe()
    worker = context.Process(target=echo, args=(yours, str(lane_directory)))  # type: ignore[attr-defined]
    worker.start()
    yours.close()
    assert mine.recv() == "ready"
    for number in range(5):
        assert sender.send(np.full(10, number)) == 1
        assert np.asarray(take(receiver)).tolist() == [number * 2] * 10
    worker.join(PATIENCE)
    assert worker.exitcode == 0
    worker.close()
    mine.close()
