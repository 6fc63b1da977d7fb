"""The same round trip through gRPC, Python to Python over a Unix socket: one payload there, eight bytes back.

Prints one JSON object for each size. Starts its server itself, which ends when its standard input does.
"""

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import grpc  # type: ignore[import-not-found, import-untyped, unused-ignore]
import numpy as np

METHOD = "/bench.RoundTrip/send"
OPTIONS = [("grpc.max_send_message_length", -1), ("grpc.max_receive_message_length", -1)]


def answer_to(payload: bytes, _context: object) -> bytes:
    """The payload's first and last word; in round 0 every word between the ends must be its own index."""
    words = np.frombuffer(payload, np.uint32)
    if words[0] == 0 and not np.array_equal(words[1:-1], np.arange(1, len(words) - 1, dtype=np.uint32)):
        return bytes(8)
    return words[[0, -1]].tobytes()


def serve(door: str) -> None:
    """Answer until the standard input ends."""
    server = grpc.server(ThreadPoolExecutor(1), options=OPTIONS)
    handler = grpc.unary_unary_rpc_method_handler(answer_to)  # of bytes: no message class costs another copy
    server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler("bench.RoundTrip", {"send": handler}),))
    server.add_insecure_port(f"unix:{door}")
    server.start()
    sys.stdin.buffer.read()
    server.stop(None)


def measure(call: Callable[[bytes], bytes], nbytes: int, seconds: float, least: int) -> int:
    """The median of a round trip in nanoseconds."""
    words = np.arange(nbytes // 4, dtype=np.uint32)

    def round_trip(number: int) -> None:
        words[0], words[-1] = number, number ^ 0xFFFFFFFF
        if call(words.tobytes()) != words[[0, -1]].tobytes():
            raise RuntimeError(f"{nbytes} bytes did not arrive as they were sent")

    round_trip(0)
    times: list[int] = []
    end = time.monotonic() + seconds
    while len(times) < least or time.monotonic() < end:
        begin = time.monotonic_ns()
        round_trip(len(times) + 1)
        times.append(time.monotonic_ns() - begin)
    return int(statistics.median(times))


def main() -> None:
    """Measure, or be the server."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--serve", metavar="DOOR")
    parser.add_argument("--sizes", type=lambda text: [int(size) for size in text.split(",")], default=[])
    parser.add_argument("--seconds", type=float, default=0.2)
    parser.add_argument("--least", type=int, default=3)
    options = parser.parse_args()
    if options.serve is not None:
        serve(options.serve)
        return
    with tempfile.TemporaryDirectory() as folder:
        door = f"{folder}/door"
        command = [sys.executable, __file__, "--serve", door]
        with (
            subprocess.Popen(command, stdin=subprocess.PIPE),
            grpc.insecure_channel(f"unix:{door}", options=OPTIONS) as channel,
        ):
            grpc.channel_ready_future(channel).result(timeout=30)
            for nbytes in options.sizes:
                ns = measure(channel.unary_unary(METHOD), nbytes, options.seconds, options.least)
                print(json.dumps({"bytes": nbytes, "ns": ns}), flush=True)


if __name__ == "__main__":
    main()
