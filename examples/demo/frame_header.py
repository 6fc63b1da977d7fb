"""What travels beside each frame of the demo, in the user header: see frame_header.hpp."""

from __future__ import annotations

import struct
from dataclasses import dataclass

LAYOUT = struct.Struct("<IIQ40s")


@dataclass(frozen=True)
class FrameHeader:
    """The user header of a frame."""

    checksum: int  # CRC-32 of the payload
    original_checksum: int  # CRC-32 of the original that it was made from
    number: int  # from 1
    source: str

    @classmethod
    def unpack(cls, packed: bytes) -> FrameHeader:
        """Read one."""
        checksum, original_checksum, number, source = LAYOUT.unpack(packed)
        return cls(checksum, original_checksum, number, source.rstrip(b"\0").decode(errors="replace"))

    def pack(self) -> bytes:
        """Write it."""
        return LAYOUT.pack(self.checksum, self.original_checksum, self.number, self.source.encode()[:40])
