"""The layout as docs/layout.md describes it, written down once more: nothing here comes from the core."""

from __future__ import annotations

import struct

VERSION = 1
MESSAGE_MAGIC = 0x31454E414C4D454D
SENDER_HALF_MAGIC = 0x454E414C4D454D53
RECEIVER_HALF_MAGIC = 0x454E414C4D454D52
MAX_MESSAGE = 4096
PAGE = 4096

HELLO, REFUSE, INVITE, HALF, GONE, SEGMENT, SEGMENT_DROP, RETURNS, CLOSING, LEAVE = range(1, 11)
PUBLISHER, SUBSCRIBER = 1, 2
BLOCK, DROP_OLDEST, DROP_NEWEST, FAIL = range(4)

YIELDED = 1 << 32
HAS_META = 1
CORRUPT = 17  # the number of the error code

HEADER = struct.Struct("<QIIHHIQQ24x")
HELLO_BODY = struct.Struct("<16s16sq32s")
PORT_BODY = struct.Struct("<16sBBBxIq64s")
HALF_BODY = struct.Struct("<96sQ8x")
SEGMENT_BODY = struct.Struct("<I4xQ")
RETURNS_BODY = struct.Struct("<QQ")
GONE_BODY = struct.Struct("<I4x120s")
HALF_HEADER = struct.Struct("<QIIQ40x")
DESCRIPTOR = struct.Struct("<QQQQIIBBHI16x8Q")
META = struct.Struct("<BB6x64s64s")

# Offsets in a descriptor.
SEGMENT_AT, TICKET_AT, CHECKSUM_AT = 32, 36, 44

# Offsets in the halves.
TAIL, FLOOR, SENDER_ARMED, DROPPED, RETURNS_HEAD = 64, 128, 192, 256, 264
HEAD, RETURNS_TAIL, RECEIVER_ARMED = 64, 128, 192
ENTRIES = 512


def _remainder(byte: int) -> int:
    for _ in range(8):
        byte = byte >> 1 ^ (0x82F63B78 if byte & 1 else 0)
    return byte


_REMAINDERS = [_remainder(byte) for byte in range(256)]


def crc32c(data: bytes) -> int:
    """Return the CRC-32C of RFC 3720."""
    value = 0xFFFFFFFF
    for byte in data:
        value = value >> 8 ^ _REMAINDERS[(value ^ byte) & 0xFF]
    return value ^ 0xFFFFFFFF


def with_checksum(descriptor: bytes, payload: bytes, meta: bytes = b"") -> bytes:
    """Put the checksum of its sample into a descriptor."""
    assert descriptor[CHECKSUM_AT : CHECKSUM_AT + 4] == bytes(4)
    counted = descriptor[:TICKET_AT] + bytes(4) + descriptor[TICKET_AT + 4 :]
    checksum = crc32c(payload + meta + counted).to_bytes(4, "little")
    return descriptor[:CHECKSUM_AT] + checksum + descriptor[CHECKSUM_AT + 4 :]


def bit_ceil(n: int) -> int:
    """Return the smallest power of two that is not less than n."""
    return 1 << (n - 1).bit_length()


def pages(size: int) -> int:
    """Round up to whole pages."""
    return (size + PAGE - 1) // PAGE * PAGE


def sender_capacity(depth: int) -> int:
    """Return how many descriptors a sender's half has."""
    return bit_ceil(depth + 1)


def receiver_capacity(depth: int) -> int:
    """Return how many returns a receiver's half has."""
    return bit_ceil(max(depth, 112))


def lane_hash(name: str) -> bytes:
    """Return the 128-bit FNV-1a hash of a lane's name: two words, the higher one first."""
    value = 0x6C62272E07BB014262B821756295C58D
    for byte in name.encode():
        value = (value ^ byte) * 0x1000000000000000000013B % (1 << 128)
    return struct.pack("<QQ", value >> 64, value & (1 << 64) - 1)


def lane_folder(name: str) -> str:
    """Return the name of a lane's folder."""
    return "lane-" + words_to_text(lane_hash(name))


def words_to_text(words: bytes) -> str:
    """Write two words as the directory does."""
    return "".join(f"{word:016x}" for word in struct.unpack("<QQ", words))


def text_to_words(text: str) -> bytes:
    """Read two words as the directory has them."""
    return struct.pack("<QQ", int(text[:16], 16), int(text[16:32], 16))
