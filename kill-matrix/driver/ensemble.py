"""Who takes part: the victim, and those who live on, each led step by step."""

import tempfile
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from form import Form

from .harm import Harm
from .ledger import Broken, Ledger
from .places import LANE, VICTIM
from .process import Peer, PeerGone, eventually
from .troupe import Survivor, Troupe

if TYPE_CHECKING:
    from .patterns.situation import Situation


class VictimOver(Exception):
    """The victim does nothing more."""


class Ensemble:
    """One victim, in one situation, with the survivors of a troupe and a lane directory of their own."""

    def __init__(self, situation: "Situation", troupe: Troupe, harm: Harm, command: list[str] | None = None) -> None:
        self.situation = situation
        self.pattern = situation.pattern
        self.troupe = troupe
        self.harm = harm
        self.ledger = Ledger()
        self.fired = False
        self.over = False
        self.was_linked = False
        self.died_at = 0.0
        self.recovery = 0.0  # seconds from the death to the next samples exchanged
        self.loaned: set[tuple[str, str]] = set()  # survivors, and what they have on loan
        self.pending: set[str] = set()  # survivors in the middle of a step
        self.opened: set[str] = set()
        self.holding: set[str] = set()  # survivors that hold samples
        self.understudy_plays = False  # has a part of its own
        self.at_first_freeze: Callable[[], object] | None = None
        self.sent_before_link: Counter[str] = Counter()  # by everybody, when the victim was linked
        self.victim_owed: dict[
            str, range
        ] = {}  # numbers of the samples that it must have got if it lives on, by sender
        self.victim_waits: Callable[[], bool] = lambda: False
        self.waits: Callable[[], bool] = lambda: False
        self.corpses: list[Peer] = []
        self.access = troupe.access
        self.around = Path(tempfile.mkdtemp(prefix="memlane-kill-"))
        self.access.around(self.around)
        self.directory = self.access.lane_directory(self.around)
        self.victim = harm.start(self.access.command(command or [str(VICTIM)]), "V", self.access.victim)

    # ---- the victim ----

    def open_victim(self, **fields: Any) -> None:
        """Open the victim's port."""
        self.victim_step(self.situation.role.opens, **self.where("V"), join_timeout=10000, **fields)
        self.was_linked = bool(self.opened)
        self.sent_before_link = self.ledger.sent_so_far()

    def meet(self) -> None:
        """The survivors have come; wait until the victim is linked with the one of the opposite kind."""
        self.victim_is_fine()
        self.victim_step(self.situation.role.meets_by, n=1, timeout=20000)
        self.was_linked = True
        self.sent_before_link = self.ledger.sent_so_far()

    def victim_step(self, do: str, *, may_fail: str = "", **fields: Any) -> Form:
        """Let the victim do a step. VictimOver: it died before it answered."""
        self.victim_start(do, **fields)
        return self.victim_finish(may_fail)

    def victim_start(self, do: str, **fields: Any) -> None:
        """Begin a step of the victim."""
        self.victim_is_fine()
        try:
            self.victim_waits = self.victim.begins_to_wait()
            self.victim.start(do, **fields)
        except PeerGone:
            self.over = True
            raise VictimOver from None

    def victim_finish(self, may_fail: str = "") -> Form:
        """Return the answer to the step."""
        try:
            answer = self.victim.finish(watch=self.watch)
        except PeerGone:
            self.over = True
            raise VictimOver from None
        error = answer.find("error")
        if error is not None and error != may_fail:
            if self.is_doomed():  # it is just ending
                raise VictimOver
            raise Broken(f"the victim: {answer.find('message')} ({self.victim.steps[-1]})")
        return answer

    def victim_sleeps(self) -> None:
        """Wait until the step that the victim is in waits for somebody else."""
        eventually(
            lambda: self.watch() or self.victim.has_ended() or self.victim.answer_is_here() or self.victim_waits()
        )

    def victim_is_fine(self) -> None:
        """VictimOver, if it has met its end meanwhile."""
        if self.watch() or self.is_doomed():
            raise VictimOver

    def is_doomed(self) -> bool:
        """Whether its end has come, or is just coming."""
        return self.fired and self.harm.is_an_end

    def strike(self) -> None:
        """The victim ends here, if it is one that ends by itself."""
        self.harm.strike(self.victim)
        self.victim_is_fine()

    def watch(self) -> bool:
        """Look whether a fault has fired; deals with a freeze at once. True: the victim is over."""
        for event in self.harm.events(self.victim):
            self.fired |= event.expected
            if event.action == "stop":
                self.while_frozen()
            elif event.expected and self.harm.is_an_end:
                self.died_at = time.monotonic()
        if self.fired and self.harm.action == "exec" and not self.over:
            self.over = eventually(lambda: self.victim.runs("cat"))
        return self.over

    def while_frozen(self) -> None:
        """The victim stands still now."""
        raise NotImplementedError

    # ---- those who live on ----

    def survivor(self, name: str) -> Survivor:
        """The process of that name."""
        return self.troupe.get(name)

    def step(self, name: str, do: str, *, may_fail: str = "", **fields: Any) -> Form:
        """Let somebody do a step, and look after the victim."""
        if name == "V":
            return self.victim_step(do, may_fail=may_fail, **fields)
        self.watch()  # before: what a freeze lets others take must not get mixed up with this step's samples
        answer = self.survivor(name).peer.ask(do, **fields)
        self.check(name, answer, may_fail)
        return answer

    def check(self, name: str, answer: Form, may_fail: str = "") -> None:
        """An answer must not be an error."""
        if answer.find("error") not in (None, may_fail):
            raise Broken(f"{name}: {answer.find('message')}")

    def start(self, name: str, do: str, **fields: Any) -> None:
        """Begin a step that needs the victim to end."""
        self.pending.add(name)
        peer = self.survivor(name).peer
        self.waits = peer.begins_to_wait()
        peer.start(do, **fields)

    def sleeps(self, name: str) -> None:
        """Wait until that step waits."""
        peer = self.survivor(name).peer
        eventually(lambda: self.watch() or peer.answer_is_here() or self.waits())

    def finish(self, name: str) -> Form:
        """Return the answer of the step that was begun."""
        peer = self.survivor(name).peer

        def look() -> bool:
            self.watch()
            return False

        answer = peer.finish(watch=look)
        self.pending.discard(name)
        self.check(name, answer)
        return answer

    def open_survivors(self) -> None:
        """Open the ports of those who live on, if they are not open."""
        for name, role in self.pattern.survivors.items():
            self.watch()  # a freeze lets them come at once
            if name not in self.opened:
                self.opened.add(name)
                fields = {**self.pattern.options(self.situation, name), **self.where(name)}
                answer = self.survivor(name).peer.ask(role.opens, **fields, join_timeout=1000)
                self.check(name, answer)

    def where(self, label: str) -> dict[str, Any]:
        """The fields that every opening of a port has."""
        return {"lane": LANE, "directory": self.directory, "group": self.access.group, "label": label}
