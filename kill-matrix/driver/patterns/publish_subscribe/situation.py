"""How a function becomes a play of this pattern."""

from collections.abc import Callable
from typing import Any

from ...company import Company
from ..pattern import Role
from .pattern import PUBLISH_SUBSCRIBE
from .setting import Setting

Play = Callable[[Company], None]


def situation(*roles: Role, **options: Any) -> Callable[[Play], Play]:
    """Enter a play into the list, for each of the roles that the victim may have in it, with options of Setting."""

    def enter(play: Play) -> Play:
        for role in roles:
            verb = play.__name__.removeprefix(f"{role.name}_").replace("_", " ")
            PUBLISH_SUBSCRIBE.plays.append(
                Setting(name=f"{role.name} {verb}", pattern=PUBLISH_SUBSCRIBE, role=role, play=play, **options)
            )
        return play

    return enter
