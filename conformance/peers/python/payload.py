"""What payloads hold, and how they are checked: the same as ../cpp/payload.hpp, which says why."""

import zlib
from collections.abc import Iterator

PERIOD = 65521  # bytes
HALF = 2048  # bytes on either side of a window's middle


def _make_pattern() -> bytes:
    made = bytearray(PERIOD)
    state = 0x9E3779B9
    for i in range(PERIOD):  # xorshift32
        state ^= (state << 13) & 0xFFFFFFFF
        state ^= state >> 17
        state ^= (state << 5) & 0xFFFFFFFF
        made[i] = state >> 24
    return bytes(made)


_PATTERN = _make_pattern()


def fill(view: memoryview, seed: int, at: int = 0) -> None:
    """Fill `view`, of single bytes, with what belongs at position `at` of the endless pattern of `seed`."""
    position = (seed * 40503 + at) % PERIOD
    done = 0
    while done < len(view):
        part = min(len(view) - done, PERIOD - position)
        view[done : done + part] = _PATTERN[position : position + part]
        done += part
        position = 0


def _windows(size: int, stride: int) -> Iterator[tuple[int, int]]:
    """Yield the parts of a payload that are filled and summed up, as (begin, end): see ../cpp/payload.hpp."""
    if stride == 0:
        yield 0, size
        return
    done = 0
    for middle in range(0, size + 1, stride):
        begin, end = max(done, middle - HALF), min(size, middle + HALF)
        if begin < end:
            yield begin, end
        done = max(done, end)
    begin = max(done, size - HALF)
    if begin < size:
        yield begin, size


def write(view: memoryview, seed: int, stride: int) -> None:
    """Fill the windows of a payload."""
    for begin, end in _windows(len(view), stride):
        fill(view[begin:end], seed, begin)


def sum_up(view: memoryview, stride: int, before: int = 0) -> int:
    """Return the CRC-32 of the windows of a payload, continued from the sum of what came before."""
    total = before
    for begin, end in _windows(len(view), stride):
        total = zlib.crc32(view[begin:end], total)
    return total
