"""A lane in asyncio: awaited beside other tasks, with no thread between."""

import asyncio
import sys

import memlane


async def listen() -> None:
    """Print what comes, until the publisher has left."""
    with memlane.Subscriber("examples/hello") as greetings:
        async for sample in greetings.samples(until_idle=True):
            print(bytes(sample).decode(), flush=True)


async def main() -> None:
    """Listen, and do something else meanwhile."""
    listening = asyncio.create_task(listen())
    ticks = 0
    while not listening.done():
        await asyncio.sleep(0.01)
        ticks += 1
    await listening  # raises what went wrong in it
    print(f"the clock ticked {ticks} times meanwhile", file=sys.stderr)


asyncio.run(main())
