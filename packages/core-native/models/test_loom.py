"""Runs the transliteration in loom/: the C++11 orders as they are hold, and each weakened one is found out."""

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

LOOM = Path(__file__).parent / "loom"
TARGET = Path(__file__).parents[3] / "build" / "loom"
MINUTES = 8  # most goes into compiling loom, once


def cargo(*arguments: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "CARGO_TARGET_DIR": str(TARGET), "RUST_BACKTRACE": "0"}
    return subprocess.run(
        ["cargo", *arguments], cwd=LOOM, env=environment, capture_output=True, text=True, timeout=60 * MINUTES
    )


def missing() -> str:
    """What is missing to run this, or nothing."""
    if shutil.which("cargo") is None:
        return "Rust is not installed (https://rustup.rs)"
    wanted = re.search(r'rust-version = "([\d.]+)"', (LOOM / "Cargo.toml").read_text())
    there = re.match(r"cargo ([\d.]+)", cargo("--version").stdout)
    assert wanted is not None
    if there is None or [int(n) for n in there[1].split(".")] < [int(n) for n in wanted[1].split(".")]:
        return f"loom needs Rust {wanted[1]} or newer"
    return ""


@pytest.mark.timeout(60 * MINUTES)
def test_the_orders_hold_and_each_weakened_one_is_found_out() -> None:
    if reason := missing():
        pytest.skip(reason)
    fetched = cargo("fetch", "--locked")
    if fetched.returncode != 0:
        pytest.skip(f"the crates that loom consists of cannot be had: {fetched.stderr.strip().splitlines()[-1]}")
    run = cargo("test", "--locked", "--offline", "--jobs=2", "--", "--test-threads=1")
    assert run.returncode == 0, run.stdout[-20000:] + run.stderr[-20000:]
    passed = sum(int(count) for count in re.findall(r"(\d+) passed", run.stdout))
    assert passed == len(re.findall("#\\[test\\]", "".join(file.read_text() for file in (LOOM / "tests").glob("*.rs"))))
