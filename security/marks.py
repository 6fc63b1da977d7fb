"""Where a test can run at all."""

import os
import shutil
import subprocess

import pytest

needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can become other users")


def why_no_strace() -> str:
    """Returns why system calls cannot be traced here; empty if they can."""
    if shutil.which("strace") is None:
        return "strace is not installed (Debian package strace)"
    tried = subprocess.run(["strace", "-qq", "-o", "/dev/null", "true"], capture_output=True, text=True)
    return "" if tried.returncode == 0 else f"strace may not trace here: {tried.stderr.strip()}"


NO_STRACE = why_no_strace()
needs_strace = pytest.mark.skipif(NO_STRACE != "", reason=NO_STRACE)
