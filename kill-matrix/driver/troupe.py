"""Those who live on: two survivors and an understudy, used again for one combination after the other."""

import ctypes
import os
import resource
import tempfile
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from .access import OWN, Access
from .ledger import Broken
from .places import PEER_COMMANDS
from .process import Peer, eventually

if TYPE_CHECKING:
    from .patterns.pattern import Pattern

PR_SET_CHILD_SUBREAPER = 36


def prepare_worker() -> None:
    """Adopt those whose parent dies, since a victim's children end with the test; have no cores dumped."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if ctypes.CDLL(None, use_errno=True).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "prctl")


@dataclass(frozen=True)
class Languages:
    """In which language each of the survivors is written."""

    sender: str = "cpp"
    receiver: str = "cpp"

    def of(self, side: str) -> str:
        """The language of the survivor on that side."""
        return self.sender if side == "sender" else self.receiver

    def __str__(self) -> str:
        return f"{self.sender} to {self.receiver}"


@dataclass
class Survivor:
    """A peer with what it looked like before it opened a port."""

    peer: Peer
    descriptors: Counter[str] = field(default_factory=Counter)
    linked: Counter[str] | None = None  # with one link, to its counterpart

    def rest(self) -> None:
        """Let go of everything; nothing of memlane may be left in the process."""
        self.peer.ask("reset")
        if not eventually(lambda: self.leftover() == ""):
            raise Broken(f"{self.peer.name} has kept {self.leftover()}")

    def open_for_links(self) -> Counter[str]:
        """What is open and mapped, but for the payload memory, of which there may be more or less."""
        all_of_it = self.peer.descriptors() + self.peer.mappings()
        return Counter({what: count for what, count in all_of_it.items() if "memlane-payload" not in what})

    def kept(self) -> Counter[str]:
        """What it has open and mapped beyond what one link takes."""
        assert self.linked is not None
        return self.open_for_links() - self.linked

    def leftover(self) -> str:
        """What is open or mapped that was not at first."""
        kept = self.peer.descriptors() - self.descriptors
        mapped = self.peer.mappings()
        return ", ".join(f"{count} {what}" for what, count in (kept + mapped).items())


class Troupe:
    """The survivors that one worker has for one pattern."""

    def __init__(self, pattern: "Pattern", languages: Languages, access: Access = OWN) -> None:
        self.pattern = pattern
        self.languages = languages
        self.access = access
        self.survivors: dict[str, Survivor] = {}

    def get(self, name: str) -> Survivor:
        """Return the survivor of that name; a new one if there is none."""
        if name not in self.survivors:
            role = self.pattern.survivors.get(name)
            language = "cpp" if role is None else self.languages.of(role.side)
            command = self.access.command(PEER_COMMANDS[language])
            survivor = Survivor(Peer(command, name, user=self.access.others))
            survivor.peer.ask("hello")
            survivor.peer.ask("reset")
            survivor.descriptors = survivor.peer.descriptors()
            self.survivors[name] = survivor
        return self.survivors[name]

    def measure_link(self, lane: str) -> None:
        """Look what the two have open when they are linked, so that later more or less of it is noticed."""
        with tempfile.TemporaryDirectory(prefix="memlane-kill-") as around:
            self.access.around(Path(around))
            directory = self.access.lane_directory(Path(around))
            where = {"lane": lane, "directory": directory, "group": self.access.group}
            for name, role in self.pattern.survivors.items():
                self.get(name).peer.ask(role.opens, **where, label=name)
            self.pattern.warm_up({name: self.get(name).peer for name in self.pattern.survivors})
            for survivor in map(self.get, self.pattern.survivors):
                # A handle that came with a message is closed when the message has been dealt with.
                eventually(lambda: not any("memfd" in kind for kind in survivor.open_for_links()), 5)  # noqa: B023
                survivor.linked = survivor.open_for_links()
            for name in self.pattern.survivors:
                self.get(name).rest()

    def dismiss(self) -> None:
        """End them all: something went wrong, or the run is over."""
        for survivor in self.survivors.values():
            survivor.peer.end()
        self.survivors.clear()


def reap(child: int) -> bool:
    """Wait for an orphan that has been adopted; False while it lives."""
    try:
        return os.waitpid(child, os.WNOHANG)[0] == child
    except ChildProcessError:
        return True
