"""A display that is slower than the sensor: it never sees an old reading, and never slows the sensor down."""

import time

import memlane
import numpy as np

with memlane.Subscriber("examples/temperature", depth=1, overflow="drop-oldest") as readings:
    for sample in readings.samples(until_idle=True):
        print(f"{float(np.asarray(sample)):.1f} degrees", flush=True)
        time.sleep(0.05)
