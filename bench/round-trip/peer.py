"""The answering side of the round trip, in Python. What payloads and answers hold: common/payload.hpp."""

import argparse
from array import array

import memlane
import numpy as np

BLOCK = 1 << 20


def is_whole(words: memoryview) -> bool:
    """Whether every word between the ends is its own index. In blocks: a payload may be as large as the memory."""
    inner = np.asarray(words)[1:-1]
    for begin in range(0, len(inner), BLOCK):
        part = inner[begin : begin + BLOCK]
        if not np.array_equal(part, np.arange(begin + 1, begin + 1 + len(part), dtype=np.uint32)):
            return False
    return True


def main() -> None:
    """Answers until the end comes."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--wait", choices=["spin", "sleep"], required=True)
    spin = 3600.0 if parser.parse_args().wait == "spin" else 0.0

    answer = array("I", [0, 0])
    with memlane.Subscriber("bench/ping", spin=spin) as ping, memlane.Publisher("bench/pong", spin=spin) as pong:
        ping.wait_for_publishers(1, timeout=20)
        for sample in ping.samples(until_idle=True):
            header = sample.user_header
            if header == b"e":
                break
            words = memoryview(sample).cast("B").cast("I")
            answer[0] = words[0]
            answer[1] = words[-1]
            if header == b"w" and not is_whole(words):
                answer[1] = 0
            words.release()
            sample.release()
            pong.send(answer)


if __name__ == "__main__":
    main()
