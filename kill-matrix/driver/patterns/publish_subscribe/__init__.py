"""Publish and subscribe: each subscriber gets what each publisher sends, but for what its policy drops.

The survivors are P, who publishes, and S, who subscribes.
"""

from . import both, in_the_middle, publishers, subscribers
from .pattern import PUBLISH_SUBSCRIBE

PUBLISH_SUBSCRIBE.plays.sort(key=lambda each: each.role.name)

__all__ = ["PUBLISH_SUBSCRIBE", "both", "in_the_middle", "publishers", "subscribers"]
