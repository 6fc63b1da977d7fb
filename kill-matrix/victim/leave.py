"""The Python peer of the conformance suite, which also does the step `end`: it leaves in the middle of things."""

import atexit
import multiprocessing
import os
import runpy
import signal
import sys
from collections.abc import Iterator
from pathlib import Path

PEER = Path(__file__).resolve().parents[2] / "conformance" / "peers" / "python" / "peer.py"
sys.path.insert(0, str(PEER.parent))

from form import Form  # noqa: E402


def nothing() -> None:
    """What a child of multiprocessing does; then it exits as such a child does."""


def end(how: str) -> None:
    """End the program, its ports, loans and samples as they are. Returns where the program then returns from main."""
    if how == "exception":
        raise RuntimeError("an exception that nobody catches")
    if how == "KeyboardInterrupt":
        raise KeyboardInterrupt
    if how == "sys.exit":
        sys.exit(0)
    if how == "sys.exit in atexit":
        atexit.register(sys.exit, 0)
    if how == "os._exit":
        os._exit(0)
    if how == "os.abort":
        os.abort()
    if how == "SIGTERM":
        os.kill(os.getpid(), signal.SIGTERM)
    if how == "os.fork, the child exits":
        child = os.fork()
        if child == 0:
            sys.exit(0)
        os.waitpid(child, 0)
    if how == "os.fork, the child raises":
        child = os.fork()
        if child == 0:
            raise RuntimeError("an exception in the child")
        os.waitpid(child, 0)
    if how == "os.fork, the parent dies":
        if os.fork() == 0:
            sys.exit(0)
        os.kill(os.getpid(), signal.SIGKILL)
    if how == "multiprocessing":
        process = multiprocessing.get_context("fork").Process(target=nothing)
        process.start()
        process.join()
    if how == "os.execv":
        os.execv("/bin/true", ["true"])


class Steps:
    """The standard input, without the steps that are meant for us."""

    def __iter__(self) -> Iterator[str]:
        """Return line after line; ends, one way or the other, with the step `end`."""
        for line in sys.__stdin__ or ():
            step = Form(line.rstrip("\n"))
            if step.text("do") == "end":
                return end(step.text("how"))
            yield line
        return None


sys.stdin = Steps()  # the peer only iterates over it
runpy.run_path(str(PEER), run_name="__main__")
