"""What a pattern tells the driver, which knows nothing of roles, policies and who gets what."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from ..process import Peer
    from ..samples import Samples
    from .situation import Situation


@dataclass(frozen=True)
class Role:
    """A kind of port."""

    name: str  # as in the steps of conformance/peers/PROTOCOL.md: `open-NAME`
    meets: str  # the kind of port that it links with
    side: Literal["sender", "receiver"]  # as which the core's list of fault points knows it

    @property
    def opens(self) -> str:
        """The step that opens such a port."""
        return f"open-{self.name}"

    @property
    def meets_by(self) -> str:
        """The step that waits until such a port is linked."""
        return f"wait-for-{self.meets}s"

    def passes(self, side: str) -> bool:
        """Whether such a port passes a point of that side."""
        return side in ("both", self.side)


@dataclass(frozen=True)
class Selections:
    """The names of situations for the tests that play a few of them."""

    at_system_calls: Sequence[str]  # for each role: a join, a send, a take and a leave
    in_languages: Sequence[str]  # survivors in other languages sleep and are woken as well
    in_a_group: Sequence[str]  # names are made and shown, removed, and found left by the dead
    in_a_group_at_system_calls: Sequence[str]  # for each role; each kind of name is made in one of them


class Pattern(ABC):
    """One pattern.

    Four processes play: V, the victim, in one of the roles; two survivors, which are linked with each other; and U, the
    understudy, which comes in the victim's role when the others have gone on.
    """

    name: str
    roles: tuple[Role, ...]
    survivors: Mapping[str, Role]  # in the order in which they open their ports
    receivers: Sequence[str]  # the survivors that take
    plays: Sequence[Situation]
    in_the_middle: Sequence[Situation]  # for victims that end by themselves: each leads up to the `strike`
    selections: Selections

    @abstractmethod
    def options(self, situation: Situation, survivor: str) -> Mapping[str, object]:
        """Return the fields with which a survivor opens its port."""

    @abstractmethod
    def warm_up(self, survivors: Mapping[str, Peer]) -> None:
        """Let two linked survivors do all for which a language opens something at the first time."""

    @abstractmethod
    def exchange(self, stage: Samples) -> None:
        """Let the survivors take what waits, and exchange something new."""

    @abstractmethod
    def feed(self, stage: Samples, survivor: str) -> None:
        """Let something come for a survivor that waits for it, when the victim is gone and nobody else will."""

    @abstractmethod
    def understudy(self, stage: Samples) -> None:
        """Let U join in the victim's role, and exchange something with the survivors."""

    @abstractmethod
    def owed(self, stage: Samples, receiver: str) -> Mapping[str, set[int]]:
        """Return what V, or a survivor, must have got by now, but for what its policy drops.

        By sender, the numbers of the samples.
        """

    @abstractmethod
    def loans(self, situation: Situation) -> Mapping[str, int]:
        """Return how many large payloads a survivor can lend at once, if nobody keeps any of its memory."""
