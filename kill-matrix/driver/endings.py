"""How programs end by themselves, in Python and in JavaScript, in the middle of things."""

import signal
from dataclasses import dataclass

from .harm import ByItself
from .matrix import Outcome, run_on
from .patterns import BY_NAME
from .places import ENDING_COMMANDS
from .stage import Stage
from .troupe import Languages

# What victim/leave.py and victim/leave.mjs know, and the exit codes that the languages then give.
WAYS: dict[str, dict[str, int]] = {
    "python": {
        "return": 0,
        "exception": 1,
        "KeyboardInterrupt": -signal.SIGINT,
        "sys.exit": 0,
        "os._exit": 0,
        "os.abort": -signal.SIGABRT,
        "SIGTERM": -signal.SIGTERM,
        "os.fork, the child exits": 0,
        "os.fork, the child raises": 0,
        "os.fork, the parent dies": -signal.SIGKILL,
        "multiprocessing": 0,
        "os.execv": 0,
    },
    "typescript": {
        "return": 0,
        "exception": 1,
        "rejection": 1,
        "process.exit": 0,
        "process.exit in beforeExit": 0,
        "process.reallyExit": 0,
        "process.abort": -signal.SIGABRT,
        "SIGTERM": -signal.SIGTERM,
        "SIGINT": -signal.SIGINT,
    },
}


@dataclass(frozen=True)
class Ending:
    """One way to go."""

    language: str
    situation: str
    how: str

    def __str__(self) -> str:
        return f"{self.language}, {self.situation}: {self.how}"


def play(ending: Ending) -> Outcome:
    """Run one."""
    harm = ByItself(ending.how, WAYS[ending.language][ending.how])
    command = ENDING_COMMANDS[ending.language]
    situation = BY_NAME[ending.situation]
    return run_on(str(ending), situation.pattern, Languages(), lambda troupe: Stage(situation, troupe, harm, command))
