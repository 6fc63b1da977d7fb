"""A sender as programs of the older library are written. Usage: sender.py KEY ROWS COLS COUNT."""

import sys

import numpy as np

from memlane.compat import ShareMemory

key, rows, cols, count = map(int, sys.argv[1:])
share = ShareMemory(key)
frame = 0
while frame < count:
    if share.get_share_status() == 0:
        share.put_data(np.full((rows, cols, 3), frame % 251, np.uint8))
        frame += 1
while share.get_share_status() != 0:
    pass
share.set_share_status(3)
share.destroy_share()
print("sent", count)
