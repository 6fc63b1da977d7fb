"""A sensor: a new reading every few milliseconds, of which only the last one matters."""

import time

import memlane
import numpy as np

with memlane.Publisher("examples/temperature", history=1) as readings:  # who joins late gets the last one at once
    readings.wait_for_subscribers(1)
    for tenths in range(200, 301):
        readings.send(np.float64(tenths / 10))  # a scalar
        time.sleep(0.005)
