"""Plays again: `SITUATION/POINT:N:ACTION` is one combination, `SITUATION` a situation without a fault."""

import sys
import time

from driver.matrix import Combination, play, trace
from driver.troupe import prepare_worker

prepare_worker()
for text in sys.argv[1:]:
    situation, _, fault = text.partition("/")
    begin = time.monotonic()
    if fault:
        point, passage, action = fault.split(":")
        outcome = play(Combination(situation, point, int(passage), action))
        print(f"{text}: {outcome.failure or 'ok'} ({time.monotonic() - begin:.3f} s)")
    else:
        for point, count in sorted(trace(situation).items()):
            print(f"{count:5} {point}")
