"""The sums of what is sent: the same pattern as conformance/peers/python/payload.py, which fills and sums it up."""

import sys
import zlib
from functools import lru_cache

from .places import PEERS

sys.path.insert(0, str(PEERS / "python"))
from payload import fill  # type: ignore[import-not-found, unused-ignore]  # found by the line above


@lru_cache(maxsize=4096)
def checksum(seed: int, size: int) -> int:
    """Return the CRC-32 that a payload of that seed and size must have."""
    data = bytearray(size)
    fill(memoryview(data), seed)
    return zlib.crc32(data)
