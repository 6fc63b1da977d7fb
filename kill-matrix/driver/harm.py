"""What is done to a victim: by a fault point in its own core, or from outside, with no code of ours in it."""

import os
import signal
import subprocess
from dataclasses import dataclass
from pathlib import Path

from .access import User
from .process import PATIENCE, Peer, eventually
from .troupe import reap

# Actions after which the process is gone, or another program, with how it then ends; `stop` and `fork` let it go on.
ENDS = {
    "kill": -signal.SIGKILL,
    "exit": 0,
    "exit-at-once": 0,
    "terminate": -signal.SIGABRT,
    "exec": None,
    "fork-die": -signal.SIGKILL,
    "clone-die": -signal.SIGKILL,
}


@dataclass(frozen=True)
class Event:
    """A fault has fired, or is just firing."""

    expected: bool  # the one that the combination is about, not one that belongs to the situation
    action: str


class Harm:
    """Nothing is done to the victim."""

    action = ""

    @property
    def is_an_end(self) -> bool:
        """Whether the victim is over after it."""
        return self.action in ENDS

    @property
    def exit_code(self) -> int | None:
        """How the process then ends; None: it does not, but is another program."""
        return ENDS[self.action]

    def strike(self, victim: Peer) -> None:
        """The situation is in the middle of things."""

    def start(self, command: list[str], name: str, user: User | None) -> Peer:
        """Start the victim."""
        return Peer(command, name, user=user)

    def attach(self, victim: Peer) -> None:
        """Begin: the victim is ready, and has opened no port."""

    def events(self, victim: Peer) -> list[Event]:  # noqa: ARG002  # for those who do something
        """Return what has happened since the last look."""
        return []

    def let_go(self) -> bool:
        """End what lives on in the victim's place. False: it does not end."""
        return True

    def close(self) -> None:
        """End whatever is left."""


class AtFaultPoints(Harm):
    """The victim does it itself: see victim/arm.cpp."""

    def __init__(self, fault: str | None, prelude: tuple[str, ...] = (), trace: Path | None = None) -> None:
        self.point, _, rest = (fault or "").partition(":")
        self.action = rest.partition(":")[2]
        self.report, self.report_end = os.pipe()
        self.leash_end, self.leash = os.pipe()
        os.set_blocking(self.report, False)
        self.child = 0
        self.env = {
            "MEMLANE_FAULT": ",".join(each for each in (*prelude, fault) if each),
            "MEMLANE_FAULT_REPORT": str(self.report_end),
            "MEMLANE_FAULT_LEASH": str(self.leash_end),
        }
        if trace is not None:
            self.env["MEMLANE_FAULT_TRACE"] = str(trace)

    def start(self, command: list[str], name: str, user: User | None) -> Peer:
        """Start the victim, armed."""
        try:
            return Peer(command, name, user=user, env=self.env, pass_fds=(self.report_end, self.leash_end))
        finally:
            os.close(self.report_end)
            os.close(self.leash_end)

    def events(self, victim: Peer) -> list[Event]:  # noqa: ARG002  # it is told by a pipe
        """Return which faults have fired."""
        try:
            lines = os.read(self.report, 65536).decode().splitlines()
        except BlockingIOError:
            return []
        events = []
        for line in lines:
            point, action, child = line.split()
            self.child = int(child) or self.child
            events.append(Event(point == self.point and action == self.action, action))
        return events

    def let_go(self) -> bool:
        """End the child, or the program that took the victim's place."""
        if self.leash >= 0:
            os.close(self.leash)
            self.leash = -1
        return self.child == 0 or eventually(lambda: reap(self.child))

    def close(self) -> None:
        """End whatever is left."""
        self.let_go()
        if self.report >= 0:
            os.close(self.report)
            self.report = -1


# What is injected: death, and a system call that begins late, long after what was looked at before it may have changed.
INJECTED = {"kill": "signal=SIGKILL", "delay": "delay_enter=50000"}


class ByTracer(Harm):
    """Something is done as the victim enters a system call for the n-th time (in one thread)."""

    def __init__(self, call: str | None, when: int, log: Path, action: str = "kill") -> None:
        self.rule = [f"--inject={call}:{INJECTED[action]}:when={when}"] if call is not None else []
        self.action = action if call is not None else ""
        self.log = log
        self.tracer: subprocess.Popen[bytes] | None = None
        self.told = False

    def attach(self, victim: Peer) -> None:
        """From here on its calls are counted."""
        command = ["strace", "-f", "-qq", "-o", str(self.log), *self.rule, "-p", str(victim.pid)]
        self.tracer = subprocess.Popen(command, stderr=subprocess.PIPE)
        if not eventually(lambda: is_traced(victim.pid) or self.tracer_has_failed()):
            raise RuntimeError("strace does not attach")
        if self.tracer_has_failed() and not victim.has_ended():
            assert self.tracer.stderr is not None
            raise RuntimeError(self.tracer.stderr.read().decode())

    def tracer_has_failed(self) -> bool:
        """Whether it has ended."""
        return self.tracer is not None and self.tracer.poll() is not None

    def events(self, victim: Peer) -> list[Event]:
        """Return that it was done, once."""
        if self.told or not self.action or not self.is_done_to(victim):
            return []
        self.told = True
        return [Event(True, self.action)]

    def is_done_to(self, victim: Peer) -> bool:
        """Whether the victim has been killed, or delayed."""
        return victim.has_ended() if self.is_an_end else "(DELAYED)" in self.log.read_text(errors="replace")

    def close(self) -> None:
        """Let the victim go, if it is still there."""
        if self.tracer is None:
            return
        self.tracer.terminate()
        self.tracer.wait(PATIENCE)
        assert self.tracer.stderr is not None
        self.tracer.stderr.close()
        self.tracer = None


class ByItself(Harm):
    """The program ends in one of the ways that its language has, with ports, loans and samples in its hands."""

    action = "by itself"
    is_an_end = True

    def __init__(self, how: str, exit_code: int) -> None:
        self.how = how
        self.code = exit_code
        self.struck = False

    @property
    def exit_code(self) -> int:
        """How the process ends."""
        return self.code

    def strike(self, victim: Peer) -> None:
        """Now."""
        victim.start("end", how=self.how)
        self.struck = True

    def events(self, victim: Peer) -> list[Event]:  # noqa: ARG002  # it was told
        """Return that it was told to end."""
        if not self.struck:
            return []
        self.struck = False
        return [Event(True, self.action)]


def is_traced(pid: int) -> bool:
    """Whether every thread of a process has a tracer."""
    try:
        threads = list(Path(f"/proc/{pid}/task").iterdir())
        return all("\nTracerPid:\t0\n" not in (thread / "status").read_text() for thread in threads)
    except OSError:
        return False
