"""A lane in asyncio: awaited beside other tasks, with no thread between."""

import asyncio
import sys

import memlane


async def listen() -> None:
    """Print what comes, until the publisher has left."""
    with memlane.Subscriber("examples/hello") as greetings:
        async for sample in greetings.samples(until_idle=True):
            print(bytes(sample).decode(), flush=True)


async def tick() -> None:
    """Anything else that the program has to do."""
    ticks = 0
    try:
        while True:
            await asyncio.sleep(0.01)
            ticks += 1
    finally:
        print(f"the clock ticked {ticks} times meanwhile", file=sys.stderr)


async def main() -> None:
    """Listen and tick at the same time."""
    ticking = asyncio.create_task(tick())
    await listen()
    ticking.cancel()
    await asyncio.gather(ticking, return_exceptions=True)


asyncio.run(main())
