"""Helpers of the tests."""

from __future__ import annotations

import ctypes
import os
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import memlane

T = TypeVar("T")

PATIENCE = 30.0  # seconds: far more than anything here takes, so that who waits so long has found a bug


def eventually(condition: Callable[[], object], patience: float = PATIENCE) -> bool:
    """Whether a condition comes true."""
    deadline = time.monotonic() + patience
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.002)
    return True


def there(value: T | None) -> T:
    """The value, which must not be None."""
    assert value is not None
    return value


def take(subscriber: memlane.Subscriber) -> memlane.Sample:
    """The next sample, which must come."""
    return there(subscriber.take(PATIENCE))


def open_descriptors() -> set[str]:
    """Every open descriptor of this process, with what it is.

    But for /proc/self/pagemap: the core keeps it, one for each thread that has looked for stray writes.
    """
    entries = [entry for entry in Path("/proc/self/fd").iterdir() if entry.is_symlink()]  # but for the one that looks
    found = {f"{entry.name} {entry.readlink()}" for entry in entries}
    return {descriptor for descriptor in found if not descriptor.endswith("/pagemap")}


def python(code: str, *arguments: str, may_forget: bool = False) -> subprocess.Popen[str]:
    """Starts a program, given as a text, in an interpreter of its own. Warnings are errors.

    Args:
        may_forget: It may leave ports open when it ends.
    """
    forgotten = ["-W", "ignore::ResourceWarning"] if may_forget else []
    return subprocess.Popen(
        [sys.executable, "-W", "error", *forgotten, "-c", textwrap.dedent(code), *arguments],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
    )


def run_python(code: str, *arguments: str, may_forget: bool = False) -> str:
    """Runs a program to its end, which must be a clean one, and gives what it printed."""
    with python(code, *arguments, may_forget=may_forget) as process:
        out, err = process.communicate(timeout=PATIENCE * 2)
    assert (process.returncode, err) == (0, "")
    return out


def ask_for_writable_memory(thing: object) -> None:
    """Raises BufferError if it is refused."""
    view = (ctypes.c_byte * 128)()  # a Py_buffer
    get_buffer = ctypes.pythonapi.PyObject_GetBuffer
    get_buffer.argtypes = [ctypes.py_object, ctypes.c_void_p, ctypes.c_int]
    PyBUF_WRITABLE = 1  # noqa: N806
    if get_buffer(thing, view, PyBUF_WRITABLE) == 0:
        ctypes.pythonapi.PyBuffer_Release(view)
