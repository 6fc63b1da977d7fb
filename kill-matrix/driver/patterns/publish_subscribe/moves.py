"""What the plays are made of."""

from ...company import Company
from ...places import LARGE
from ...samples import Samples
from .setting import setting


def survivor_takes_all(stage: Samples) -> None:
    """The surviving subscriber takes until it has the last sample of each publisher."""
    if setting(stage.situation).survivor_overflow == "drop-newest":
        stage.drain("S")
        return
    for sender, sends in list(stage.ledger.sends.items()):
        last = max((i for i, each in enumerate(sends, 1) if each.reached > 0), default=0)
        stage.take_until("S", lambda: last == 0 or last in stage.ledger.arrivals["S", sender])  # noqa: B023


def survivor_holds_one(stage: Samples) -> None:
    """The surviving subscriber holds a sample of the victim, of which it may have taken all at a freeze."""
    while "S" not in stage.holding:
        sent = stage.ledger.last_sequence("V")
        if not stage.ledger.missing("S", "V", 1, sent):
            stage.send("V", LARGE)
        else:
            stage.take_and_hold("S", 1)


def victim_takes_all(stage: Samples) -> None:
    """The victim takes all that it is owed: what was sent since it was linked."""
    first, last = stage.sent_before_link["P"] + 1, stage.ledger.last_sequence("P")
    stage.take_until("V", lambda: not stage.ledger.missing("V", "P", first, last))
    stage.victim_owed["P"] = range(first, last + 1)


def returns_as_messages(stage: Company, sender: str) -> None:
    """All loans are taken before the first is sent: a publisher that only sends looks at no return."""
    for i in range(140):
        stage.loan(sender, f"l{i}", 64, i)
    for ten in range(0, 140, 10):
        for i in range(ten, ten + 10):
            stage.send_loan(sender, f"l{i}", 64, i)
        survivor_takes_all(stage)
        if sender == "P":
            victim_takes_all(stage)
    stage.step(sender, "flush", timeout=10000)
