"""What they exchange: every sample goes through the ledger."""

import signal
from collections.abc import Callable
from typing import Any

from form import Form

from .ensemble import Ensemble
from .ledger import Broken
from .process import PATIENCE, eventually


class Samples(Ensemble):
    """Sends, takes, holds; those who live on among themselves, too."""

    def while_frozen(self) -> None:
        """Nobody else is delayed; then the victim goes on."""
        if not eventually(self.victim.is_frozen):
            raise Broken("the victim does not stand still")
        if (deed := self.at_first_freeze) is not None:
            self.at_first_freeze = None
            deed()
        self.open_survivors()
        if not self.situation.blocks_when_frozen and not self.pending:
            self.pattern.exchange(self)
            if not self.understudy_plays:
                self.understudy()
        self.victim.signal(signal.SIGCONT)

    def send(self, name: str, size: int = 100, count: int = 1) -> bool:
        """Send samples one by one. False: the receiver wanted it to fail."""
        for _ in range(count):
            self.begin_send(name, size)
            if not self.end_send(name):
                return False
        return True

    def begin_send(self, name: str, size: int = 100) -> None:
        """Begin to send one sample."""
        if name == "V":
            self.victim_is_fine()
        fields = {"bytes": size, "seed": self.ledger.begin(name, size), "count": 1}
        if name == "V":
            self.victim_start("send", **fields)
        else:
            self.start(name, "send", **fields)

    def end_send(self, name: str) -> bool:
        """Wait until it is sent."""
        if name == "V":
            answer = self.victim_finish(may_fail="queue-full")
        else:
            answer = self.survivor(name).peer.finish(watch=lambda: bool(self.watch() and False))
            self.pending.discard(name)
            self.check(name, answer, may_fail="queue-full")
        if answer.find("error") is not None:
            self.ledger.refused(name)
            return False
        self.ledger.done(name, answer.integer("reached"))
        return True

    def loan(self, name: str, loan: str, size: int, seed: int) -> None:
        """Take a loan, and fill it."""
        self.step(name, "loan", loan=loan, bytes=size, seed=seed)
        if name in self.pattern.survivors:
            self.loaned.add((name, loan))

    def send_loan(self, name: str, loan: str, size: int, seed: int) -> None:
        """Send a loan that was taken and filled before."""
        self.ledger.begin(name, size, seed)
        self.loaned.discard((name, loan))
        answer = self.step(name, "send-loan", loan=loan)
        self.ledger.done(name, answer.integer("reached"))

    def take(self, name: str, count: int, **fields: Any) -> int:
        """Take samples; all of them must come, if no other time is given."""
        answer = self.step(name, "take", count=count, **{"timeout": PATIENCE * 500, **fields})
        return self.note(name, answer, None if "timeout" in fields else count)

    def take_and_hold(self, name: str, count: int) -> None:
        """Take samples, and keep them."""
        self.take(name, count, hold="held")
        if name in self.pattern.survivors:
            self.holding.add(name)

    def release(self, name: str) -> None:
        """Let go of the samples that are held; they are still what they were."""
        for sample in self.step(name, "look", hold="held").all("sample"):
            self.ledger.unchanged(name, Form(sample))
        self.step(name, "release", hold="held")
        self.holding.discard(name)

    def note(self, name: str, answer: Form, wanted: int | None) -> int:
        """Enter the samples of an answer into the ledger."""
        samples = answer.all("sample")
        for sample in samples:
            self.ledger.arrived(name, Form(sample))
        if wanted is not None and len(samples) != wanted:
            told = f"sent {self.reached_so_far()}, arrived {dict(self.ledger.arrivals)}"
            raise Broken(f"{name} got {len(samples)} samples of {wanted}; {told}")
        return len(samples)

    def reached_so_far(self) -> dict[str, list[int]]:
        """How many receivers each sample went to, for messages."""
        return {sender: [each.reached for each in sends] for sender, sends in self.ledger.sends.items()}

    def drain(self, name: str) -> None:
        """Take what is there."""
        while self.take(name, 100, timeout=0) == 100:
            pass

    def take_until(self, name: str, done: Callable[[], bool]) -> None:
        """Take one sample after the other until it is done."""
        while True:
            self.watch()  # a freeze lets others take, and then it may be done
            if done():
                return
            if name == "V":
                self.take(name, 1)
                continue
            answer = self.survivor(name).peer.ask("take", count=1, timeout=PATIENCE * 500)
            self.check(name, answer)
            self.note(name, answer, 1)

    def understudy(self) -> None:
        """A new process in the victim's role joins, exchanges samples and leaves."""
        self.ledger.forget("U")
        self.pattern.understudy(self)
        self.step("U", "reset")
