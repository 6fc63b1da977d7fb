"""The receiving side of the demo's table: acknowledges every batch, and looks at all of it where it is asked to."""

import zlib

import memlane
import numpy as np
from parent import end_with_parent


def main() -> None:
    """Work until the sender has left."""
    end_with_parent()
    answer = np.zeros(2, np.uint32)
    with memlane.Publisher("demo/answers") as answers, memlane.Subscriber("demo/batches") as batches:
        for sample in batches.samples(until_idle=True):
            with sample:  # given back at the end of the block, so that the next batch finds its memory
                frames = np.asarray(sample)
                answer[:] = (sample.sequence, zlib.crc32(frames.data) if sample.user_header else 0)
                del frames
            answers.send(answer)


if __name__ == "__main__":
    main()
