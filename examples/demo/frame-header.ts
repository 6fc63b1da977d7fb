// What travels beside each frame of the demo, in the user header: see frame_header.hpp.

export interface FrameHeader {
  /** CRC-32 of the payload. */
  readonly checksum: number;
  /** CRC-32 of the original that it was made from. */
  readonly originalChecksum: number;
  /** From 1. */
  readonly number: number;
}

export function readFrameHeader(packed: Uint8Array): FrameHeader {
  const view = new DataView(packed.buffer, packed.byteOffset, packed.byteLength);
  return {
    checksum: view.getUint32(0, true),
    originalChecksum: view.getUint32(4, true),
    number: Number(view.getBigUint64(8, true)),
  };
}
