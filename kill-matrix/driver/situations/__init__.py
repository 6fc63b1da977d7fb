"""What a victim is in the middle of: a play for each role, order, state of the queue and policy.

Every step of the victim may be its last, at any fault point that it passes. Another pattern (a work queue, requests) is
another set of plays; the stage, the faults and the promises are the same.
"""

from . import both, publishers, subscribers
from .in_the_middle import IN_THE_MIDDLE
from .setting import PLAYS, Situation

PLAYS.sort(key=lambda each: each.role)
BY_NAME = {each.name: each for each in (*PLAYS, *IN_THE_MIDDLE)}

__all__ = ["BY_NAME", "IN_THE_MIDDLE", "PLAYS", "Situation", "both", "publishers", "subscribers"]
