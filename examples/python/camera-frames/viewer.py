"""Looks at each frame where it lies: no copy is made, however large it is."""

import memlane
import numpy as np

with memlane.Subscriber("examples/camera", depth=4) as frames:
    for sample in frames.samples(until_idle=True):
        image = np.asarray(sample)
        height, width, _ = image.shape
        bar = int(np.argmax(image[0, :, 0]))
        print(f"frame {sample.sequence}: {width} x {height}, bar at {bar}", flush=True)
