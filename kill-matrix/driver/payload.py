"""The sums of what is sent: the same pattern as conformance/peers/python/payload.py, which fills and sums it up."""

import zlib
from functools import lru_cache

from payload import fill


@lru_cache(maxsize=4096)
def checksum(seed: int, size: int) -> int:
    """Return the CRC-32 that a payload of that seed and size must have."""
    data = bytearray(size)
    fill(memoryview(data), seed)
    return zlib.crc32(data)
