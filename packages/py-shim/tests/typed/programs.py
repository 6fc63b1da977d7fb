"""Programs as people write them, for type checkers only: see test_stubs.py. Nothing of it is run."""

from __future__ import annotations

import asyncio
from typing import Any

import numpy as np
import numpy.typing as npt
from typing_extensions import assert_type

import memlane


def publish(image: npt.NDArray[np.uint8]) -> None:
    with memlane.Publisher(
        "camera/front", history=1, memory_budget=1 << 30, max_held=8, send_timeout=0.5, label="left"
    ) as frames:
        memlane.Publisher("camera/back", checksum=True)
        assert_type(frames, memlane.Publisher)
        with frames.loan((1080, 1920, 3), "uint8") as frame:
            assert_type(frame, memlane.Loan)
            np.asarray(frame)[:] = image
            memoryview(frame)[0] = 1
            np.from_dlpack(frame)  # type: ignore[arg-type,unused-ignore]
        assert_type(frames.send(image), int)
        frames.send(b"bytes", encoding="text", user_header=b"header", timeout=None)
        assert_type(frames.try_send(frames.loan(5, None)), int | None)
        frames.loan([1, 2], np.float32).send(timeout=1)
        frames.reserve(1 << 20, count=4)
        assert_type(frames.wait_for_subscribers(2, timeout=1.5), bool)
        assert_type(frames.flush(), bool)
        assert_type(frames.stats().sent, int)
        assert_type(frames.name, str)
        assert_type(frames.fileno(), int)
    frames.loan(1, "uint8").shape = (2,)  # type: ignore[misc]
    frames.send()  # type: ignore[call-arg]
    memlane.Publisher("name", 1)  # type: ignore[call-arg]
    memlane.Publisher(1.5)  # type: ignore[arg-type]
    memlane.Publisher("name", depth=1)  # type: ignore[call-arg]


def subscribe() -> None:
    with memlane.Subscriber("camera/front", depth=4, overflow="drop-oldest") as sub:
        for sample in sub:
            assert_type(sample, memlane.Sample)
            image: npt.NDArray[Any] = np.asarray(sample)
            assert_type(sample.shape, tuple[int, ...])
            assert_type(sample.sender.label, str)
            assert_type(sample.user_header, bytes)
            assert_type(sample.sent_time, float)
            print(bytes(sample), len(sample), memoryview(sample), image)
        taken = sub.take(timeout=0.1)
        taken.shape  # type: ignore[union-attr]  # noqa: B018
        if taken is not None:
            with taken as entered:
                assert_type(entered, memlane.Sample)
        assert_type(memlane.wait([sub], 1.0), list[memlane.Subscriber])
        samples = sub.samples(until_idle=True)
        assert_type(next(samples), memlane.Sample)
    memlane.Subscriber(5, overflow="drop")  # type: ignore[arg-type]
    memlane.Sample(1)  # type: ignore[arg-type]


async def both() -> None:
    with memlane.Subscriber("lane") as sub, memlane.Publisher("lane") as pub:
        assert_type(await pub.send_async(b"", timeout=...), int)
        assert_type(await sub.next(timeout=1), memlane.Sample | None)
        async for sample in sub:
            assert_type(sample, memlane.Sample)
        async for sample in sub.samples(until_idle=True):
            assert_type(sample, memlane.Sample)


def errors() -> None:
    try:
        asyncio.run(both())
    except memlane.QueueFull as error:
        assert_type(error.code, str)
        assert_type(error.lane, str)
    except memlane.Error as error:
        assert_type(error.system_error, int)


class Derived(memlane.Sample):  # type: ignore[misc]
    pass
