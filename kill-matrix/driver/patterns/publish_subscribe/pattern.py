"""What publish and subscribe tells the driver."""

from collections.abc import Mapping
from typing import Any

from ...ledger import Broken
from ...places import LARGE, SLOT
from ...process import Peer, eventually
from ...samples import Samples
from ..pattern import Pattern, Selections
from ..situation import Situation
from .moves import survivor_takes_all
from .roles import PUBLISHER, ROLES, SUBSCRIBER
from .setting import setting


class PublishSubscribe(Pattern):
    """The pattern. Its plays enter themselves."""

    name = "publish-subscribe"
    roles = ROLES
    receivers = ("S",)
    selections = Selections(
        at_system_calls=("publisher second", "subscriber second"),
        in_languages=(
            "publisher second",
            "publisher sleeps before a full queue",
            "subscriber first",
            "subscriber with a full queue",
        ),
        in_a_group=(
            "publisher alone",
            "subscriber alone",
            "publisher second",
            "subscriber first",
            "publisher clears up",
            "subscriber clears up",
            "subscriber mourns",
        ),
        in_a_group_at_system_calls=("publisher alone", "subscriber second"),
    )

    def __init__(self) -> None:
        self.survivors = {"S": SUBSCRIBER, "P": PUBLISHER}
        self.plays: list[Situation] = []
        self.in_the_middle: list[Situation] = []

    def options(self, situation: Situation, survivor: str) -> Mapping[str, object]:
        """Return the fields with which a survivor opens its port."""
        options = setting(situation)
        if survivor == "S":
            return {"depth": options.survivor_depth, "overflow": options.survivor_overflow}
        return {"budget": options.budget_slots * SLOT, "history": options.history}

    def warm_up(self, survivors: Mapping[str, Peer]) -> None:
        """Some languages open more when they wait for the first time."""
        survivors["P"].ask("send", count=1, bytes=100)
        survivors["S"].ask("take", count=2, timeout=100)
        survivors["P"].ask("flush", timeout=10000)

    def exchange(self, stage: Samples) -> None:
        """Two new samples go from the surviving publisher to the surviving subscriber."""
        survivor_takes_all(stage)
        stage.drain("S")
        first = stage.ledger.last_sequence("P") + 1
        for _ in range(2):
            # Until the death of a victim that wanted sends to fail has been heard, they do.
            if not eventually(lambda: stage.send("P", LARGE)):
                raise Broken("P cannot send")
        stage.take_until("S", lambda: not stage.ledger.missing("S", "P", first, first + 1))

    def feed(self, stage: Samples, survivor: str) -> None:  # noqa: ARG002  # only S waits for samples
        """A sample for whoever subscribes."""
        stage.send("P")

    def understudy(self, stage: Samples) -> None:
        """U gets what P sends, or S what U sends."""
        fresh: dict[str, Any] = {**stage.where("U"), "join_timeout": 10000}
        ledger = stage.ledger
        if stage.situation.role is PUBLISHER:
            stage.step("U", "open-publisher", **fresh)
            stage.send("U", 100, 2)
            stage.take_until("S", lambda: not ledger.missing("S", "U", 1, 2))
        else:
            stage.step("U", "open-subscriber", depth=4, **fresh)
            first = ledger.last_sequence("P") + 1
            self.exchange(stage)
            stage.take_until("U", lambda: not ledger.missing("U", "P", first, first + 1))

    def owed(self, stage: Samples, receiver: str) -> Mapping[str, set[int]]:
        """S is owed all of P's samples, and those of V that reached anybody; V is owed what it was to take."""
        if receiver == "V":
            return {sender: set(numbers) for sender, numbers in stage.victim_owed.items()}
        owed = {"P": set(range(1, stage.ledger.last_sequence("P") + 1))}
        if stage.situation.role is PUBLISHER:
            owed["V"] = self._owed_by_victim(stage)
        return owed if receiver == "S" else {}

    def _owed_by_victim(self, stage: Samples) -> set[int]:
        options = setting(stage.situation)
        depth = options.survivor_depth
        owed = [i for i, each in enumerate(stage.ledger.sends["V"], 1) if each.reached > 0]
        if options.survivor_overflow == "drop-oldest":
            # Who died as it made room has made room for nothing.
            owed = owed[1 - depth :] if stage.over else owed[-depth:]
        elif options.survivor_overflow == "drop-newest":
            owed = owed[:depth]
        return set(owed)

    def loans(self, situation: Situation) -> Mapping[str, int]:
        """P can lend its budget, but for what its history keeps."""
        options = setting(situation)
        return {"P": options.budget_slots - options.history}


PUBLISH_SUBSCRIBE = PublishSubscribe()
