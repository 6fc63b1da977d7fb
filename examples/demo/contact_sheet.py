"""The demo's contact sheet: listens to originals and results, and draws one of each source beside what became of it."""

from __future__ import annotations

import argparse
import asyncio
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import memlane
import numpy as np
import numpy.typing as npt
from frame_header import FrameHeader
from parent import end_with_parent

Image = npt.NDArray[np.uint8]

MOST = 16  # pairs on the sheet
THUMBNAIL = (320, 180)  # width, height: the box that a picture fits into
CAPTION = 46  # height
GAP = 14
COLUMNS = 2  # of pairs
HEADLINE = 84
BACKGROUND = (250, 250, 250)
INK = (40, 40, 40)
PALE = (120, 120, 120)


@dataclass
class Picture:
    """A frame made small."""

    header: FrameHeader
    size: tuple[int, int]  # of the frame: width, height
    image: Image


def thumbnail(image: Image) -> Image:
    """A small copy; the frame itself can go back to its sender."""
    height, width = image.shape[:2]
    scale = min(THUMBNAIL[0] / width, THUMBNAIL[1] / height)
    size = (round(width * scale), round(height * scale))
    return np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_AREA), np.uint8)


async def collect(subscriber: memlane.Subscriber, size: tuple[int, int]) -> list[Picture]:
    """Of each source the first frame of that size; originals and results come in one order."""
    pictures: dict[str, Picture] = {}
    async for sample in subscriber.samples(until_idle=True):
        with sample:
            header = FrameHeader.unpack(sample.user_header)
            height, width = sample.shape[:2]
            if (width, height) == size and header.source not in pictures and len(pictures) < MOST:
                pictures[header.source] = Picture(header, size, thumbnail(np.asarray(sample)))
    return list(pictures.values())


def write(sheet: Image, text: str, at: tuple[int, int], scale: float, colour: tuple[int, int, int]) -> None:
    """Write a line of text with its lower left corner at `at`."""
    printable = text.encode("ascii", "replace").decode()
    cv2.putText(sheet, printable, at, cv2.FONT_HERSHEY_SIMPLEX, scale, colour, 1, cv2.LINE_AA)


def draw(pairs: Sequence[tuple[Picture, Picture]]) -> Image:
    """The sheet: originals beside results, each pair with its caption."""
    cell_width = 2 * THUMBNAIL[0] + GAP // 2
    cell_height = THUMBNAIL[1] + CAPTION
    rows = -(-len(pairs) // COLUMNS)
    width = COLUMNS * cell_width + (COLUMNS + 1) * 2 * GAP
    height = HEADLINE + rows * (cell_height + GAP) + GAP
    sheet = np.full((height, width, 3), BACKGROUND, np.uint8)
    write(sheet, "memlane demo: originals beside results", (2 * GAP, 36), 0.8, INK)
    explanation = "left: as the C++ program published it    right: the edges that the Python program found in it"
    write(sheet, explanation, (2 * GAP, 62), 0.5, PALE)
    for index, pair in enumerate(pairs):
        left = 2 * GAP + index % COLUMNS * (cell_width + 2 * GAP)
        top = HEADLINE + index // COLUMNS * (cell_height + GAP)
        for picture, x in zip(pair, (left, left + THUMBNAIL[0] + GAP // 2), strict=True):
            height, width = picture.image.shape[:2]
            inset = x + (THUMBNAIL[0] - width) // 2
            sheet[top : top + height, inset : inset + width] = picture.image
        original, result = pair
        caption = (
            f"{original.header.source}, frame {original.header.number}, {original.size[0]} x {original.size[1]} x 3"
        )
        details = f"CRC-32 of the original {original.header.checksum:08x}, of the result {result.header.checksum:08x}"
        write(sheet, caption, (left, top + THUMBNAIL[1] + 18), 0.5, INK)
        write(sheet, details, (left, top + THUMBNAIL[1] + 37), 0.42, PALE)
    return sheet


async def main() -> None:
    """Listen until everybody has left, then draw."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--size", required=True, help="of the frames to show, such as 1920x1080")
    arguments = parser.parse_args()
    width, height = (int(number) for number in arguments.size.split("x"))
    end_with_parent()

    with (
        memlane.Subscriber("demo/results", depth=4, label="contact sheet") as results,
        memlane.Subscriber("demo/frames", depth=4, label="contact sheet") as frames,
    ):
        made, originals = await asyncio.gather(collect(results, (width, height)), collect(frames, (width, height)))
    by_number = {result.header.number: result for result in made}
    pairs = [(each, by_number[each.header.number]) for each in originals if each.header.number in by_number]
    arguments.out.parent.mkdir(parents=True, exist_ok=True)
    if not cv2.imwrite(str(arguments.out), draw(pairs)):
        raise OSError(f"cannot write {arguments.out}")
    print(json.dumps({"sheet": str(arguments.out), "pairs": len(pairs)}), flush=True)


if __name__ == "__main__":
    asyncio.run(main())
