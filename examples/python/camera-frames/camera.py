"""A camera: draws each frame straight into memory of the lane. Its picture is a white bar that moves to the right."""

import memlane
import numpy as np

HEIGHT, WIDTH, BAR, STEP = 1080, 1920, 192, 48

with memlane.Publisher("examples/camera", label="camera") as frames:
    frames.reserve(HEIGHT * WIDTH * 3, 4)  # memory is ready before the first frame
    frames.wait_for_subscribers(1)
    for number in range(30):
        with frames.loan((HEIGHT, WIDTH, 3), "uint8") as frame:  # sent at the end of the block
            image = np.asarray(frame)
            image[:] = 0
            image[:, number * STEP : number * STEP + BAR] = 255
