"""Coroutines: the event loop itself waits for the ports. No thread is made, and nothing is asked again and again."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, TypeVar

import numpy as np
import pytest
from support import PATIENCE, eventually, open_descriptors, there

import memlane

T = TypeVar("T")
MakePublisher = Callable[..., memlane.Publisher]
MakeSubscriber = Callable[..., memlane.Subscriber]


def run(main: Coroutine[Any, Any, T]) -> T:
    """Runs a coroutine to its end in an event loop of its own; a hang is an error."""
    return asyncio.run(asyncio.wait_for(main, PATIENCE), debug=True)


async def soon(call: Callable[[], T]) -> T:
    """Calls it when the others have begun to wait."""
    await asyncio.sleep(0.02)
    return call()


def number(sample: memlane.Sample | None) -> int:
    return int(np.asarray(there(sample)))


def test_next_gives_what_is_there_and_waits_for_what_is_not(
    publisher: MakePublisher, subscriber: MakeSubscriber
) -> None:
    sender, receiver = publisher(), subscriber()

    async def main() -> list[int]:
        sender.send(np.int64(1))
        first = await receiver.next()
        second, _ = await asyncio.gather(receiver.next(), soon(lambda: sender.send(np.int64(2))))
        third, _ = await asyncio.gather(receiver.next(PATIENCE), soon(lambda: sender.send(np.int64(3))))
        return [number(first), number(second), number(third)]

    assert run(main()) == [1, 2, 3]


def test_next_gives_up_when_its_time_is_over(subscriber: MakeSubscriber) -> None:
    receiver = subscriber()

    async def main() -> None:
        assert await receiver.next(0.02) is None
        assert await receiver.next(0) is None
        assert await receiver.next(-1) is None
        with pytest.raises(memlane.InvalidArgument, match="not a number"):
            await receiver.next(float("nan"))
        endless = asyncio.ensure_future(receiver.next(float("inf")))
        await asyncio.sleep(0.02)
        assert not endless.done()
        receiver.stop()
        assert await endless is None

    run(main())


def test_async_for_gives_every_sample_in_order(publisher: MakePublisher, subscriber: MakeSubscriber) -> None:
    sender, receiver = publisher(), subscriber(depth=3)

    async def main() -> list[int]:
        async def send() -> None:
            for value in range(300):
                await sender.send_async(np.int64(value))
            await sender.flush_async()
            receiver.close()

        sending = asyncio.ensure_future(send())
        received = [number(sample) async for sample in receiver]
        await sending
        return received

    assert run(main()) == list(range(300))


def test_async_for_until_idle(publisher: MakePublisher, subscriber: MakeSubscriber) -> None:
    sender, receiver = publisher(), subscriber()

    async def main() -> list[int]:
        async def send() -> None:
            for value in range(10):
                sender.send(np.int64(value))
                await asyncio.sleep(0.001)
            sender.close()

        sending = asyncio.ensure_future(send())
        received = [number(sample) async for sample in receiver.samples(until_idle=True)]
        await sending
        return received

    assert run(main()) == list(range(10))


def test_several_ports_in_one_loop(publisher: MakePublisher, subscriber: MakeSubscriber) -> None:
    names = [f"lane/{i}" for i in range(10)]
    receivers = [subscriber(name) for name in names]
    senders = [publisher(name) for name in names]

    async def main() -> list[list[int]]:
        async def receive(receiver: memlane.Subscriber) -> list[int]:
            return [number(sample) async for sample in receiver.samples(until_idle=True)]

        async def send(sender: memlane.Publisher) -> None:
            for value in range(50):
                await sender.send_async(np.int64(value))
                await asyncio.sleep(0)
            sender.close()

        results = await asyncio.gather(*map(receive, receivers), *map(send, senders))
        return [result for result in results if result is not None]

    assert run(main()) == [list(range(50))] * 10


def test_several_coroutines_at_one_port(publisher: MakePublisher, subscriber: MakeSubscriber) -> None:
    sender, receiver = publisher(), subscriber()

    async def main() -> list[int]:
        waiting = [asyncio.ensure_future(receiver.next()) for _ in range(5)]
        await asyncio.sleep(0.02)
        for value in range(5):
            sender.send(np.int64(value))
        return sorted(number(sample) for sample in await asyncio.gather(*waiting))

    assert run(main()) == [0, 1, 2, 3, 4]


def test_coroutines_that_wait_for_different_things_of_one_port(
    publisher: MakePublisher, subscriber: MakeSubscriber
) -> None:
    sender = publisher()

    async def main() -> None:
        two = asyncio.ensure_future(sender.wait_for_subscribers_async(2))
        assert await sender.wait_for_subscribers_async(timeout=0.01) is False
        receivers = [subscriber(depth=1)]
        assert await sender.wait_for_subscribers_async() is True
        receivers.append(subscriber(depth=1))
        assert await two is True
        assert await receivers[0].wait_for_publishers_async(timeout=PATIENCE) is True
        sender.send(np.int64(0))
        flushed = asyncio.ensure_future(sender.flush_async())
        sent = [asyncio.ensure_future(sender.send_async(np.int64(value))) for value in (1, 2)]
        assert await sender.flush_async(0.01) is False
        assert not any(each.done() for each in (flushed, *sent))
        values = [number(await receiver.next()) for _ in range(3) for receiver in receivers]
        assert sorted(values) == [0, 0, 1, 1, 2, 2]
        assert await flushed is True
        assert await asyncio.gather(*sent) == [2, 2]

    run(main())


def test_send_async_waits_for_room_and_lets_the_loop_go_on(
    publisher: MakePublisher, subscriber: MakeSubscriber
) -> None:
    sender, receiver = publisher(), subscriber(depth=1)

    async def main() -> None:
        values = np.zeros(4)
        sender.send(values)
        sending = asyncio.ensure_future(sender.send_async(values, encoding="x", user_header=b"y"))
        await asyncio.sleep(0.02)
        assert not sending.done()
        values[:] = 9  # it was copied at once
        there(receiver.take())
        assert await sending == 1
        sample = there(receiver.take())
        assert (np.asarray(sample).tolist(), sample.encoding, sample.user_header) == ([0, 0, 0, 0], "x", b"y")

    run(main())


def test_send_async_gives_up_when_its_time_is_over(publisher: MakePublisher, subscriber: MakeSubscriber) -> None:
    sender, receiver = publisher(send_timeout=0.02), subscriber(depth=1, label="slow one")

    async def main() -> None:
        sender.send(b"fills the queue")
        loan = sender.loan(4, None)
        for timeout in (..., 0.02, 0):
            with pytest.raises(memlane.Timeout, match="slow one"):
                await sender.send_async(loan, timeout=timeout)
        there(receiver.take())
        assert await sender.send_async(loan) == 1
        with pytest.raises(memlane.AlreadySent):
            await sender.send_async(loan)

    run(main())


def test_overflow_fail_is_told_at_once(publisher: MakePublisher, subscriber: MakeSubscriber) -> None:
    sender, receiver = publisher(), subscriber(depth=1, overflow="fail")

    async def main() -> None:
        await sender.send_async(b"")
        with pytest.raises(memlane.QueueFull):
            await sender.send_async(b"")

    run(main())
    assert receiver.take() is not None


def test_cancelling_loses_nothing(publisher: MakePublisher, subscriber: MakeSubscriber) -> None:
    sender, receiver = publisher(), subscriber(depth=1)

    async def main() -> None:
        for value in range(20):
            waiting = asyncio.ensure_future(receiver.next())
            await asyncio.sleep(0)
            sender.send(np.int64(value))
            if value % 2:
                await asyncio.sleep(0)  # perhaps it is awake already
            waiting.cancel()
            try:
                received = await waiting
            except asyncio.CancelledError:
                received = await receiver.next()
            assert number(received) == value
        sender.send(b"fills the queue")
        loan = sender.loan(4, None)
        sending = asyncio.ensure_future(sender.send_async(loan))
        await asyncio.sleep(0.01)
        sending.cancel()
        with pytest.raises(asyncio.CancelledError):
            await sending
        there(receiver.take())
        assert receiver.take() is None
        assert loan.send() == 1

    run(main())


@pytest.mark.parametrize("in_thread", [False, True])
def test_close_and_stop_settle_what_is_awaited(
    publisher: MakePublisher, subscriber: MakeSubscriber, in_thread: bool
) -> None:
    def end(call: Callable[[], None]) -> Awaitable[None]:
        return soon(lambda: threading.Thread(target=call).start() if in_thread else call())

    async def main() -> None:
        sender, receiver, full = publisher("a"), subscriber("b"), subscriber("a", depth=1)
        sender.send(b"fills the queue")
        for call in (receiver.stop, receiver.close):
            one, other, _ = await asyncio.gather(receiver.next(), receiver.next(), end(call))
            assert one is other is None
        with pytest.raises(memlane.Closed):
            await receiver.next()
        assert [sample async for sample in receiver] == []
        for call, error in ((sender.stop, memlane.Interrupted), (sender.close, memlane.Closed)):
            sending = asyncio.ensure_future(sender.send_async(b""))
            flushing = asyncio.ensure_future(sender.flush_async())
            await end(call)
            with pytest.raises(error):
                await sending
            if call == sender.stop:
                assert await flushing is False
            else:
                with pytest.raises(memlane.Closed):
                    await flushing
        there(full.take())

    run(main())


def test_a_lane_that_is_never_empty_does_not_starve_the_loop(
    publisher: MakePublisher, subscriber: MakeSubscriber
) -> None:
    sender, receiver = publisher(), subscriber(depth=1000)
    for value in range(1000):
        sender.send(np.int64(value))

    async def main() -> None:
        turns = 0

        async def other() -> None:
            nonlocal turns
            while True:
                turns += 1
                await asyncio.sleep(0)

        task = asyncio.ensure_future(other())
        count = 0
        async for _ in receiver:
            count += 1
            if count == 1000:
                break
        task.cancel()
        assert turns > 10

    run(main())


def test_one_loop_after_the_other(publisher: MakePublisher, subscriber: MakeSubscriber) -> None:
    sender, receiver = publisher(), subscriber()

    async def main() -> int:
        sample, _ = await asyncio.gather(receiver.next(), soon(lambda: sender.send(np.int64(7))))
        return number(sample)

    assert [run(main()) for _ in range(3)] == [7, 7, 7]


def test_two_loops_at_once_are_refused(publisher: MakePublisher, subscriber: MakeSubscriber) -> None:
    receiver = subscriber()
    waiting = threading.Event()

    def in_another_thread() -> None:
        async def main() -> None:
            task = asyncio.ensure_future(receiver.next())
            await asyncio.sleep(0)
            waiting.set()
            await task

        asyncio.run(main())

    thread = threading.Thread(target=in_another_thread)
    thread.start()
    assert waiting.wait(PATIENCE)
    with pytest.raises(RuntimeError, match="awaited in another event loop"):
        run(receiver.next())
    receiver.stop()
    thread.join(PATIENCE)
    assert not thread.is_alive()


def test_a_port_forgotten_in_a_loop_gives_its_descriptors_back() -> None:
    before = open_descriptors()

    async def main() -> None:
        with memlane.Publisher("test") as sender, memlane.Subscriber("test") as receiver:
            assert await receiver.next(0.001) is None
            await sender.send_async(b"")
            sample = await receiver.next()
        assert sample is not None

    run(main())
    assert eventually(lambda: open_descriptors() <= before), open_descriptors() - before


def test_no_thread_is_made(publisher: MakePublisher, subscriber: MakeSubscriber) -> None:
    sender, receiver = publisher(), subscriber()
    before = threading.active_count()

    async def main() -> int:
        waiting = asyncio.ensure_future(receiver.next())
        await asyncio.sleep(0.01)
        during = threading.active_count()
        sender.send(b"")
        await waiting
        return during

    assert run(main()) == before


def test_an_idle_wait_wakes_nobody(subscriber: MakeSubscriber) -> None:
    """What is not polled costs no turns of the loop."""
    receiver = subscriber()

    async def main() -> int:
        loop = asyncio.get_running_loop()
        waiting = asyncio.ensure_future(receiver.next())
        await asyncio.sleep(0.05)
        turns = 0
        select = loop._selector.select  # type: ignore[attr-defined]

        def counted(timeout: float | None = None) -> Any:
            nonlocal turns
            turns += 1
            return select(timeout)

        loop._selector.select = counted  # type: ignore[attr-defined]
        await asyncio.sleep(0.5)
        receiver.stop()
        await waiting
        return turns

    assert run(main()) <= 6
