"""The victims: the peers of the conformance suite, driven by steps (conformance/peers/PROTOCOL.md)."""

from __future__ import annotations

import contextlib
import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from form import Form

ROOT = Path(__file__).parents[3]
LANGUAGES = ["cpp", "python", "typescript"]
COMMANDS = {
    "cpp": [str(ROOT / "build/release/conformance/conformance_peer")],
    "python": [sys.executable, str(ROOT / "conformance/peers/python/peer.py")],
    "typescript": ["node", str(ROOT / "conformance/dist/main.js")],
}
PATIENCE = 60.0  # seconds

Reply = dict[str, list[str]]


class PeerError(Exception):
    """A step was answered with an error."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message


class Victim:
    """A peer in a process of its own."""

    def __init__(self, language: str) -> None:
        self.language = language
        self.process = subprocess.Popen(COMMANDS[language], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self._heard = b""
        self._next = 0
        self._pending: list[str] = []
        self.ask("hello")

    @property
    def pid(self) -> int:
        """Its process."""
        return self.process.pid

    def begin(self, do: str, **fields: object) -> None:
        """Send a step; finish() waits for its answer."""
        self._next += 1
        line = Form.of(do=do, **fields, id=self._next).line()
        self._pending.append(line)
        assert self.process.stdin is not None
        self.process.stdin.write(line.encode() + b"\n")
        self.process.stdin.flush()

    def finish(self) -> Reply:
        """Wait for the answer of the oldest step that was begun. Raises PeerError."""
        step = self._pending.pop(0)
        reply: Reply = {}
        for name, value in Form(self._line(step)).fields:
            reply.setdefault(name, []).append(value)
        if "error" in reply:
            raise PeerError(reply["error"][0], reply.get("message", [""])[0])
        return reply

    def ask(self, do: str, **fields: object) -> Reply:
        """Do a step."""
        self.begin(do, **fields)
        return self.finish()

    def stat(self, name: str, port: str = "main") -> int:
        """One of a port's statistics."""
        return int(self.ask("stats", port=port)[name][0])

    @contextlib.contextmanager
    def frozen(self) -> Iterator[None]:
        """Every thread of it stands still meanwhile."""
        os.kill(self.pid, signal.SIGSTOP)
        try:
            eventually(self._stands_still, "it does not stand still")
            yield
        finally:
            os.kill(self.pid, signal.SIGCONT)

    def _stands_still(self) -> bool:
        return Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()[0] == "T"

    def is_alive(self) -> bool:
        """Whether it still runs."""
        return self.process.poll() is None

    def end(self) -> None:
        """End it as programs end."""
        assert self.process.stdin is not None
        with contextlib.suppress(BrokenPipeError):
            self.process.stdin.close()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.process.wait(PATIENCE)
        self.kill()

    def kill(self) -> None:
        """End it at once, if it still runs."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.kill()
        self.process.wait()
        with contextlib.suppress(BrokenPipeError):
            self.process.stdin.close()
        self.process.stdout.close()

    def _line(self, step: str) -> str:
        assert self.process.stdout is not None
        deadline = time.monotonic() + PATIENCE
        while b"\n" not in self._heard:
            left = deadline - time.monotonic()
            ready, _, _ = select.select([self.process.stdout], [], [], max(0.0, left))
            assert ready, f"{self.language} has not answered: {step}"
            more = os.read(self.process.stdout.fileno(), 1 << 20)
            assert more, f"{self.language} has ended ({self.process.wait()}) before it answered: {step}"
            self._heard += more
        line, self._heard = self._heard.split(b"\n", 1)
        return line.decode()


def eventually(condition: object, what: str) -> None:
    """Wait for what must become true."""
    assert callable(condition)
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline, what
        time.sleep(0.002)


def lines(reply: Reply, name: str) -> Iterator[dict[str, str]]:
    """Read the lines of a reply that are lists themselves."""
    for line in reply.get(name, []):
        yield dict(Form(line).fields)
