"""Starting the programs in programs/, talking with them line by line, and ending them."""

from __future__ import annotations

import json
import os
import select
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

from users import User

HERE = Path(__file__).parent
BUILT = HERE.parent / "build" / "release" / "security"
PATIENCE = 60.0  # seconds; a deadline, and no measurement

LANGUAGES = ("cpp", "python", "typescript")
VISITORS = {
    "cpp": [str(BUILT / "security_visitor")],
    "python": [sys.executable, str(HERE / "programs" / "visitor.py")],
    "typescript": [shutil.which("node") or "node", str(HERE / "programs" / "visitor.mjs")],
}


class Refused(Exception):
    """What a visitor was told by the library."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code


class Program:
    """A process that is told lines and answers them."""

    def __init__(self, command: list[str]) -> None:
        # Its errors go where pytest's own go.
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self.pid = self.process.pid
        self._heard = b""

    def say(self, line: str) -> None:
        """Sends a line."""
        assert self.process.stdin is not None
        self.process.stdin.write(line.encode() + b"\n")
        self.process.stdin.flush()

    def hear(self) -> str:
        """Returns the next line."""
        assert self.process.stdout is not None
        out = self.process.stdout.fileno()
        while b"\n" not in self._heard:
            assert select.select([out], [], [], PATIENCE)[0], f"{self.process.args!r} says nothing"
            more = os.read(out, 65536)
            assert more, f"{self.process.args!r} has ended: {self.process.wait()}"
            self._heard += more
        line, _, self._heard = self._heard.partition(b"\n")
        return line.decode()

    def end(self) -> int:
        """Ends the input, waits for the program's end, and returns how it ended."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.close()
        try:
            return self.process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            self.kill()
            raise
        finally:
            self.end_output()

    def end_output(self) -> None:
        """Hears no more of it."""
        assert self.process.stdout is not None
        self.process.stdout.close()

    def freeze(self) -> None:
        """Stops it, and returns when it stands still."""
        self.process.send_signal(signal.SIGSTOP)
        end = time.monotonic() + PATIENCE
        while "State:\tT" not in Path(f"/proc/{self.pid}/status").read_text():
            assert time.monotonic() < end, "it does not stop"
            time.sleep(0.001)

    def thaw(self) -> None:
        """Lets it go on."""
        self.process.send_signal(signal.SIGCONT)

    def kill(self) -> None:
        """Kills it."""
        self.process.kill()
        self.process.wait()
        self.process.communicate()  # closes the pipes


class Visitor(Program):
    """A process of some user that opens ports."""

    def __init__(self, language: str, user: User | None = None, *, before: list[str] | None = None) -> None:
        super().__init__([*(before or []), *VISITORS[language]])
        if user is not None:
            self.ask(" ".join(["become", *user.words()]))

    def ask(self, command: str) -> str:
        """Returns what a command answers. Raises Refused if the library refuses."""
        self.say(command)
        return self.answer()

    def answer(self) -> str:
        """Returns the answer to a command that was said."""
        kind, _, rest = self.hear().partition(" ")
        if kind == "ok":
            return rest
        code, _, message = rest.partition(": ")
        raise Refused(code, message)


class Intruder(Program):
    """A process of a user who has no business here."""

    def __init__(self, user: User, verb: str, *words: str | Path) -> None:
        super().__init__(
            [sys.executable, str(HERE / "programs" / "intruder.py"), *user.words(), verb, *map(str, words)]
        )

    def found(self) -> list[str]:
        """Ends it, and returns what succeeded."""
        assert self.process.stdin is not None
        self.process.stdin.close()
        found: list[str] = json.loads(self.hear())
        self.end()
        return found
