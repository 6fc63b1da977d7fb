"""Death at every system call of a join, a send, a take and a leave, by strace: no code of ours takes part in it."""

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
class CallDeath:
    """SIGKILL at the `when`-th call of that name."""

    language: str
    situation: str
    call: str
    when: int
    access: Access = OWN

    def __str__(self) -> str:
        return f"{self.language}, {self.situation}: {self.call} {self.when}"


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


def play(death: CallDeath) -> Outcome:
    """Run one."""
    situation = BY_NAME[death.situation]
    with tempfile.TemporaryDirectory(prefix="memlane-kill-strace-") as folder:
        return run_on(
            str(death),
            situation.pattern,
            Languages(),
            lambda troupe: Stage(
                situation,
                troupe,
                ByTracer(death.call, death.when, Path(folder) / "log"),
                PEER_COMMANDS[death.language],
            ),
            death.access,
        )


def deaths(language: str, situation: str, counts: Iterable[dict[str, int]], access: Access = OWN) -> list[CallDeath]:
    """All there are: what every run had in common."""
    first, *others = counts
    return [
        CallDeath(language, situation, call, when, access)
        for call, count in sorted(first.items())
        for when in range(1, min([count, *(other.get(call, 0) for other in others)]) + 1)
    ]


def some(all_of_them: list[CallDeath], size: int, seed: int) -> list[CallDeath]:
    """A part of them, by lot: each call once before any comes twice."""
    lot = random.Random(seed)
    shuffled = lot.sample(all_of_them, len(all_of_them))
    first = {death.call: death for death in reversed(shuffled)}
    rest = [death for death in shuffled if first[death.call] is not death]
    firsts = list(first.values())
    lot.shuffle(firsts)
    return (firsts + rest)[:size]
