"""The demo's filter: finds the edges of each frame with OpenCV, from the lane and into the lane, without a copy."""

import argparse
import json
import zlib
from typing import Any

import cv2
import memlane
import numpy as np
import numpy.typing as npt
from frame_header import FrameHeader
from parent import end_with_parent

Image = npt.NDArray[np.uint8]

# Who looks at the results: the checker and the contact sheet.
AUDIENCE = 2
EDGE_COLOUR = (64, 220, 255)  # blue, green, red


def find_edges(image: Image, out: Image) -> None:
    """Draw the edges of `image` over a dark copy of it, into `out`."""
    grey = cv2.GaussianBlur(cv2.cvtColor(image, cv2.COLOR_BGR2GRAY), (5, 5), 0)
    thickness = max(1, image.shape[0] // 270)  # to be seen on a thumbnail too
    edges = cv2.dilate(cv2.Canny(grey, 20, 60), np.ones((thickness, thickness), np.uint8))
    cv2.convertScaleAbs(image, dst=out, alpha=0.35)
    out[edges != 0] = EDGE_COLOUR


def tell(**facts: Any) -> None:
    """Print a line for the program that started this one."""
    print(json.dumps(facts), flush=True)


def process(sample: memlane.Sample, results: memlane.Publisher, fault: str) -> None:
    """Publish what becomes of one frame."""
    header = FrameHeader.unpack(sample.user_header)
    image = np.asarray(sample)
    if image.flags.owndata or image.flags.writeable:
        raise RuntimeError("the frame was copied on its way to NumPy")
    loan = results.loan(image.shape, image.dtype)
    result = np.asarray(loan)
    find_edges(image, result)
    made = FrameHeader(zlib.crc32(result.data), zlib.crc32(image.data), header.number, header.source)
    if header.number == 5 and fault == "change":
        result[0, 0, 0] ^= 1
    if header.number == 5 and fault == "lose":
        return
    loan.send(encoding="bgr8", user_header=made.pack())
    tell(processed=header.number)


def main() -> None:
    """Work until the camera has left."""
    parser = argparse.ArgumentParser()
    # What a test wants to go wrong with the fifth frame, to see that the demo notices.
    parser.add_argument("--fault", choices=["none", "change", "lose"], default="none")
    fault = parser.parse_args().fault
    end_with_parent()

    with memlane.Publisher("demo/results", label="filter") as results:
        if not results.wait_for_subscribers(AUDIENCE, timeout=60):
            raise TimeoutError("the other programs did not come")
        with memlane.Subscriber("demo/frames", depth=4, label="filter") as frames:
            for sample in frames.samples(until_idle=True):
                with sample:  # given back at the end of the block, and not when the next one comes
                    process(sample, results, fault)


if __name__ == "__main__":
    main()
