"""Death or delay at every system call of a join, a send, a take and a leave, by strace: no code of ours in it."""

import random
import re
import shutil
import tempfile
from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from .access import OWN, Access
from .harm import ByTracer
from .matrix import Outcome, run_on, troupe_of
from .patterns import BY_NAME
from .places import PEER_COMMANDS
from .process import Peer
from .stage import Stage
from .troupe import Languages


@dataclass(frozen=True)
class AtCall:
    """What happens at the `when`-th call of that name."""

    language: str
    situation: str
    call: str
    when: int
    action: str = "kill"
    access: Access = OWN

    def __str__(self) -> str:
        return f"{self.language}, {self.situation}: {self.action} at {self.call} {self.when}"


def objection() -> str:
    """Why it cannot be done here, or nothing."""
    if shutil.which("strace") is None:
        return "strace is not installed (Debian package strace)"
    peer = Peer(["cat"], "probe")
    with tempfile.TemporaryDirectory(prefix="memlane-kill-strace-") as folder:
        harm = ByTracer(None, 0, Path(folder) / "log")
        try:
            harm.attach(peer)
        except RuntimeError as error:
            return f"strace may not attach here: {error}"
        finally:
            harm.close()
            peer.end()
    return ""


def count_calls(language: str, situation: str, access: Access = OWN) -> dict[str, int]:
    """Play without a death; return how often each call was made by the thread that made it most."""
    with tempfile.TemporaryDirectory(prefix="memlane-kill-strace-") as folder:
        log = Path(folder) / "log"
        harm = ByTracer(None, 0, log)
        played = BY_NAME[situation]
        Stage(played, troupe_of(played.pattern, Languages(), access), harm, PEER_COMMANDS[language]).run()
        by_thread: dict[str, Counter[str]] = defaultdict(Counter)
        for thread, call in re.findall(r"^(\d+) +(\w+)\(", log.read_text(errors="replace"), re.MULTILINE):
            by_thread[thread][call] += 1
    most: dict[str, int] = {}
    for calls in by_thread.values():
        for call, count in calls.items():
            most[call] = max(most.get(call, 0), count)
    # Threads that are ending make this one; it is no step of ours.
    most.pop("exit", None)
    most.pop("exit_group", None)
    return most


def play(fault: AtCall) -> Outcome:
    """Run one."""
    situation = BY_NAME[fault.situation]
    with tempfile.TemporaryDirectory(prefix="memlane-kill-strace-") as folder:
        return run_on(
            str(fault),
            situation.pattern,
            Languages(),
            lambda troupe: Stage(
                situation,
                troupe,
                ByTracer(fault.call, fault.when, Path(folder) / "log", fault.action),
                PEER_COMMANDS[fault.language],
            ),
            fault.access,
        )


def faults(
    action: str, language: str, situation: str, counts: Iterable[dict[str, int]], access: Access = OWN
) -> list[AtCall]:
    """All there are: what every run had in common."""
    first, *others = counts
    return [
        AtCall(language, situation, call, when, action, access)
        for call, count in sorted(first.items())
        for when in range(1, min([count, *(other.get(call, 0) for other in others)]) + 1)
    ]


def some(all_of_them: list[AtCall], size: int, seed: int) -> list[AtCall]:
    """A part of them, by lot: each call once before any comes twice."""
    lot = random.Random(seed)
    shuffled = lot.sample(all_of_them, len(all_of_them))
    first = {fault.call: fault for fault in reversed(shuffled)}
    rest = [fault for fault in shuffled if first[fault.call] is not fault]
    firsts = list(first.values())
    lot.shuffle(firsts)
    return (firsts + rest)[:size]
