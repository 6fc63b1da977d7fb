"""What was sent and what arrived: every sample once, in order, unchanged."""

from collections import Counter, defaultdict
from dataclasses import dataclass

from form import Form

from .payload import checksum


class Broken(Exception):
    """A promise that was not kept."""


@dataclass
class Sent:
    """A sample whose send has returned."""

    size: int
    seed: int
    reached: int


class Ledger:
    """Samples by their sender and receiver."""

    def __init__(self) -> None:
        self.sends: dict[str, list[Sent]] = defaultdict(list)
        self.unfinished: dict[str, Sent] = {}
        self.arrivals: dict[tuple[str, str], list[int]] = defaultdict(list)
        self.samples = 0

    def begin(self, sender: str, size: int, seed: int | None = None) -> int:
        """Note a send that begins, and return the seed of its payload."""
        if seed is None:
            seed = (sum(sender.encode()) * 1000 + len(self.sends[sender])) % 50000
        self.unfinished[sender] = Sent(size, seed, 0)
        return seed

    def done(self, sender: str, reached: int) -> None:
        """Note that the send has returned."""
        sent = self.unfinished.pop(sender)
        sent.reached = reached
        self.sends[sender].append(sent)

    def refused(self, sender: str) -> None:
        """Note that the send has failed, and reached nobody."""
        self.unfinished.pop(sender)

    def last_sequence(self, sender: str) -> int:
        """The number of the last sample whose send has returned."""
        return len(self.sends[sender])

    def sent_so_far(self) -> Counter[str]:
        """How many samples each has sent."""
        return Counter({sender: len(sends) for sender, sends in self.sends.items()})

    def forget(self, name: str) -> None:
        """Somebody of that name begins anew."""
        self.sends.pop(name, None)
        for key in [key for key in self.arrivals if name in key]:
            del self.arrivals[key]

    def arrived(self, receiver: str, sample: Form) -> None:
        """Note a sample, and hold it against what was sent."""
        sender, sequence = self.unchanged(receiver, sample)
        before = self.arrivals[receiver, sender]
        if before and sequence <= before[-1]:
            raise Broken(f"sample {sequence} of {sender} at {receiver} came after {before[-1]}")
        before.append(sequence)

    def unchanged(self, receiver: str, sample: Form) -> tuple[str, int]:
        """Hold a sample against what was sent; return its sender and number."""
        self.samples += 1
        sender, sequence = sample.text("sender"), sample.integer("sequence")
        known = self.sends[sender]
        sent = known[sequence - 1] if sequence <= len(known) else self.unfinished.get(sender)
        whose = f"sample {sequence} of {sender} at {receiver}"
        if sent is None or sequence > len(known) + 1:
            raise Broken(f"{whose} was never sent")
        if sample.integer("bytes") != sent.size or sample.integer("crc") != checksum(sent.seed, sent.size):
            raise Broken(f"{whose} was changed")
        return sender, sequence

    def missing(self, receiver: str, sender: str, first: int, last: int) -> list[int]:
        """Return which of those samples have not arrived."""
        return sorted(set(range(first, last + 1)) - set(self.arrivals[receiver, sender]))
