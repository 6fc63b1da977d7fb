"""A peer as a process: steps go in, answers come out, and what the kernel shows of it can be looked at."""

import contextlib
import os
import select
import signal
import subprocess
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from form import Form

from .access import User

PATIENCE = 30.0  # seconds after which a driver gives up; a busy machine is slow, not wrong


def kind_of(descriptor: str) -> str:
    """What a descriptor is, by its link in /proc, without which one."""
    if "/memlane-kill-" in descriptor:
        return "folder of a lane" if "lane-" in Path(descriptor).name else "lane directory"
    return descriptor if descriptor.startswith("/") else descriptor.rstrip("0123456789]")


@dataclass(frozen=True)
class Nap:
    """A sleep of a thread: the system call, and how often the thread has gone to sleep before."""

    place: str
    number: int


class PeerGone(Exception):
    """The process has ended, or is no longer the program that it was."""


class PeerSilent(Exception):
    """The process is alive and does not answer."""


def eventually(condition: Callable[[], bool], limit: float = PATIENCE) -> bool:
    """Return True as soon as the condition holds, False if it does not within the limit."""
    end = time.monotonic() + limit
    while not condition():
        if time.monotonic() > end:
            return False
        time.sleep(0.001)
    return True


class Peer:
    """One process, its control channel, and what may be seen of it from outside."""

    def __init__(
        self,
        command: list[str],
        name: str,
        *,
        user: User | None = None,
        env: dict[str, str] | None = None,
        pass_fds: tuple[int, ...] = (),
    ):
        self.name = name
        self.process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env={**os.environ, **(env or {})},
            pass_fds=pass_fds,
            user=user and user.uid,
            group=user and user.gid,
            extra_groups=user and user.groups,
        )
        assert self.process.stdin is not None and self.process.stdout is not None
        self.input = self.process.stdin.fileno()
        self.output = self.process.stdout.fileno()
        self.death = os.pidfd_open(self.process.pid)
        self.heard = b""
        self.steps: list[str] = []

    @property
    def pid(self) -> int:
        """The number of the process."""
        return self.process.pid

    # ---- the control channel ----

    def start(self, do: str, **fields: object) -> None:
        """Send a step without waiting for its answer."""
        line = Form.of(do=do, **fields).line()
        self.steps.append(line)
        try:
            os.write(self.input, line.encode() + b"\n")
        except BrokenPipeError:
            raise PeerGone(self.name) from None

    def answer_is_here(self) -> bool:
        """Whether `finish` would return at once."""
        while b"\n" not in self.heard and select.select([self.output], [], [], 0)[0]:
            part = os.read(self.output, 65536)
            if not part:
                break
            self.heard += part
        return b"\n" in self.heard

    def finish(self, limit: float = PATIENCE, watch: Callable[[], bool] | None = None) -> Form:
        """Return the answer. PeerGone: the process ended first, or `watch`, called now and then, returned True."""
        end = time.monotonic() + limit
        while not self.answer_is_here():
            left = end - time.monotonic()
            if left < 0:
                raise PeerSilent(f"{self.name} does not answer: {self.steps[-3:]}")
            ready, _, _ = select.select([self.output, self.death], [], [], min(left, 0.002 if watch else left))
            if watch is not None and watch():
                raise PeerGone(self.name)
            if self.death in ready and not self.answer_is_here():
                raise PeerGone(self.name)
        line, self.heard = self.heard.split(b"\n", 1)
        return Form(line.decode())

    def ask(self, do: str, **fields: object) -> Form:
        """Do a step."""
        self.start(do, **fields)
        return self.finish()

    # ---- its life ----

    def signal(self, number: int) -> None:
        """Send a signal."""
        if not self.has_ended():
            os.kill(self.pid, number)

    def has_ended(self) -> bool:
        """Whether the process is gone."""
        return self.process.poll() is not None

    def is_frozen(self) -> bool:
        """Whether every thread of the process stands still."""
        return self._stat() == "T"

    def freeze(self) -> None:
        """Let every thread of the process stand still."""
        self.signal(signal.SIGSTOP)
        if not eventually(self.is_frozen):
            raise PeerSilent(f"{self.name} does not stand still")

    def runs(self, program: str) -> bool:
        """Whether the process is that program now."""
        try:
            return Path(f"/proc/{self.pid}/comm").read_text().strip() == program
        except OSError:
            return False

    def wait(self, limit: float = PATIENCE) -> int:
        """Return the exit code, or minus the signal that ended the process."""
        if not eventually(self.has_ended, limit):
            raise PeerSilent(f"{self.name} does not end: {self.steps[-3:]}")
        return self.process.returncode

    def end(self) -> None:
        """End the process by ending its input, or by force."""
        if self.death < 0:
            return
        assert self.process.stdin is not None and self.process.stdout is not None
        with contextlib.suppress(BrokenPipeError):
            self.process.stdin.close()
        try:
            self.signal(signal.SIGCONT)
            self.wait(10)
        except PeerSilent:
            self.process.kill()
            self.process.wait()
        self.process.stdout.close()
        os.close(self.death)
        self.death = -1

    # ---- what the kernel shows ----

    def _stat(self) -> str:
        try:
            return Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()[0]
        except OSError:
            return ""

    def place(self) -> str:
        """The system call that the main thread is in, as the kernel shows it: the same again while it waits there."""
        try:
            words = Path(f"/proc/{self.pid}/syscall").read_text().split()
        except OSError:
            return "gone"
        return " ".join(words[:2])

    def nap(self) -> Nap:
        """Where the main thread sleeps, and since when: the same again for as long as nobody wakes it."""
        try:
            status = Path(f"/proc/{self.pid}/task/{self.pid}/status").read_text()
        except OSError:
            return Nap("gone", 0)
        fields = dict(line.split(":\t", 1) for line in status.splitlines() if ":\t" in line)
        place = self.place() if fields["State"].startswith("S") else "running"
        return Nap(place, int(fields["voluntary_ctxt_switches"]))

    def begins_to_wait(self) -> Callable[[], bool]:
        """Return what tells, called now and then, whether the next step has come to where it waits for somebody else.

        A step that begins passes other calls, and may sleep for a moment in one of them: two looks must find it at the
        same place, not woken between them.
        """
        idle, last = self.place(), Nap("running", 0)

        def waits() -> bool:
            nonlocal last
            before, last = last, self.nap()
            return before == last and last.place not in (idle, "running")

        return waits

    def descriptors(self) -> Counter[str]:
        """How many descriptors of each kind are open."""
        kinds: Counter[str] = Counter()
        for entry in Path(f"/proc/{self.pid}/fd").iterdir():
            try:
                what = str(entry.readlink())
            except OSError:
                continue
            if what.endswith("/pagemap"):
                continue  # the core's look at its own pages, kept for as long as a thread lives
            kinds[kind_of(what)] += 1
        return kinds

    def mappings(self) -> Counter[str]:
        """How many mappings of shared memory of each name there are."""
        names: Counter[str] = Counter()
        for line in Path(f"/proc/{self.pid}/maps").read_text().splitlines():
            if "/memfd:memlane" in line:
                names[line.split("/memfd:")[1].split()[0]] += 1
        return names
