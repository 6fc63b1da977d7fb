"""A receiver as programs of the older library are written. Usage: receiver.py KEY SIZE."""

import sys

import numpy as np

from memlane.compat import ShareMemory

key, size = map(int, sys.argv[1:])
share = ShareMemory(key)
print("ready", flush=True)
frames = 0
while True:
    if share.get_share_status() == 1:
        data = share.get_data()
        share.set_share_can_write()
        image = np.array(data, dtype=np.uint8)
        if len(data) != size or (image != frames % 251).any():
            print(f"frame {frames} is not whole", flush=True)
            sys.exit(1)
        frames += 1
    if share.get_share_status() == 3:
        break
share.destroy_share()
print("received", frames)
