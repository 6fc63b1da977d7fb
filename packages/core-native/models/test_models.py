"""Runs the models with Spin: the protocol as it is holds, and each of its mutants is found out."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

MODELS = Path(__file__).parent

pytestmark = pytest.mark.skipif(shutil.which("spin") is None, reason="Spin is not installed (Debian package spin)")


def errors(model: str, folder: Path, *defines: str) -> int:
    """Explores every state; returns how many errors Spin found."""
    command = ["spin", *defines, "-run", "-noclaim", "-safety", "-m2000000", "-w26", str(MODELS / model)]
    run = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=300)
    assert "error: max search depth too small" not in run.stdout
    found = re.search(r"errors: (\d+)", run.stdout)
    assert found is not None, run.stdout + run.stderr
    return int(found[1])


@pytest.mark.parametrize(
    ("model", "sizes"),
    [
        ("take_back.pml", ["-DSAMPLES=4"]),
        ("take_back.pml", ["-DSAMPLES=5"]),
        ("take_back.pml", ["-DSAMPLES=5", "-DCAPACITY=4", "-DDEPTH=2"]),
        ("sleep.pml", ["-DITEMS=3"]),
        ("sleep.pml", ["-DITEMS=6"]),
    ],
)
def test_the_protocol_holds(model: str, sizes: list[str], tmp_path: Path) -> None:
    assert errors(model, tmp_path, *sizes) == 0


@pytest.mark.parametrize(
    ("model", "mutant"),
    [
        ("take_back.pml", "-DNO_SENDER_FENCE"),
        ("take_back.pml", "-DNO_RECEIVER_FENCE"),
        ("take_back.pml", "-DNO_SKIP_YIELD"),
        ("take_back.pml", "-DONLY_DOUBTED_YIELDS"),
        ("sleep.pml", "-DNO_WAITER_FENCE"),
        ("sleep.pml", "-DNO_BRINGER_FENCE"),
        ("sleep.pml", "-DNO_SECOND_LOOK"),
    ],
)
def test_a_mutant_is_found_out(model: str, mutant: str, tmp_path: Path) -> None:
    assert errors(model, tmp_path, mutant) > 0
