"""The counting side of the throughput, in Python. What payloads and counts hold: common/payload.hpp."""

from array import array

import memlane


def main() -> None:
    """Counts until the end comes."""
    good = 0
    with memlane.Subscriber("bench/stream", depth=1024) as stream, memlane.Publisher("bench/counts") as counts:
        stream.wait_for_publishers(1, timeout=20)
        for sample in stream.samples(until_idle=True):
            header = sample.user_header
            if header == b"e":
                break
            with memoryview(sample) as data, data.cast("B") as octets, octets.cast("I") as words:
                number = words[0]
                if number == good + 1 and words[-1] == number ^ 0xFFFFFFFF:
                    good = number
            if header:
                counts.send(array("I", [good, good ^ 0xFFFFFFFF]))
                good = 0


if __name__ == "__main__":
    main()
