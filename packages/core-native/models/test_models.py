"""Runs the models with Spin: the protocol as it is holds, and each of its mutants is found out."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

MODELS = Path(__file__).parent

pytestmark = [
    pytest.mark.skipif(shutil.which("spin") is None, reason="Spin is not installed (Debian package spin)"),
    pytest.mark.timeout(300),  # seconds on a busy machine: the largest takes some five
]


def errors(model: str, folder: Path, defines: str) -> int:
    """Explores every state; returns how many errors Spin found."""
    # In a folder of its own: Spin writes its checker, and the trail to an error, where it runs.
    for file in MODELS.glob("*.pml"):
        shutil.copy(file, folder)
    command = ["spin", *defines.split(), "-run", "-noclaim", "-safety", "-m2000000", "-w24", model]
    run = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=300)
    assert "error: max search depth too small" not in run.stdout
    assert "Error:" not in run.stdout, run.stdout
    found = re.search(r"errors: (\d+)", run.stdout)
    assert found is not None, run.stdout + run.stderr
    return int(found[1])


# Each over the store buffers of x86, and over weaker ones.
MEMORY = {
    "take_back.pml": ["-DSAMPLES=4", "-DSAMPLES=5 -DCAPACITY=4 -DDEPTH=2"],
    "ring.pml": ["", "-DRETURNS=2 -DHOLDS=2 -DPAYLOADS=3"],
    "sleep.pml": [
        "-DITEMS=4",
        "-DLINKS=2",
        "-DLINKS=2 -DITEMS=1 -DTHREADS=2",
        "-DTHREADS=3 -DSAME",
        "-DITEMS=3 -DLOOP",
        "-DITEMS=3 -DLOOP -DLOOP_READS",
        "-DLINKS=2 -DLOOP",
        "-DLINKS=2 -DITEMS=1 -DTHREADS=2 -DLOOP",
        "-DTHREADS=2 -DITEMS=3 -DLOOP -DSAME",
    ],
}
# A mutex or a system call covers each step: the order of stores plays no part.
STEPS = {
    "join.pml": [""],
    "lane_folder.pml": ["", "-DPORTS=3", "-DDEATH"],
}


@pytest.mark.parametrize("buffers", ["", "-DWEAK"])
@pytest.mark.parametrize(("model", "sizes"), [(model, sizes) for model in MEMORY for sizes in MEMORY[model]])
def test_the_protocol_holds_whatever_stores_wait(model: str, sizes: str, buffers: str, tmp_path: Path) -> None:
    assert errors(model, tmp_path, f"{sizes} {buffers}") == 0


@pytest.mark.parametrize(("model", "sizes"), [(model, sizes) for model in STEPS for sizes in STEPS[model]])
def test_the_protocol_holds_step_by_step(model: str, sizes: str, tmp_path: Path) -> None:
    assert errors(model, tmp_path, sizes) == 0


BESIDE_A_LOOP = "-DLINKS=2 -DITEMS=1 -DTHREADS=2 -DLOOP"

MUTANTS = {
    "take_back.pml": [
        "-DNO_SENDER_FENCE",
        "-DNO_RECEIVER_FENCE",
        "-DNO_SKIP_YIELD",
        "-DONLY_DOUBTED_YIELDS",
        "-DFORGET_THE_DOUBT",
        "-DWEAK -DPLAIN_TAIL",
        "-DWEAK -DPLAIN_FLOOR",
        "-DWEAK -DPLAIN_RETURNS",
    ],
    "ring.pml": [
        "-DPAYLOADS=3 -DPUSH_INTO_FULL",
        "-DRETURN_INTO_FULL",
        "-DREUSE_WHEN_TAKEN",
        "-DCLOSE_TAKES_ALL",
        "-DWEAK -DPLAIN_TAIL",
        "-DWEAK -DPLAIN_RETURNS",
    ],
    "sleep.pml": [
        "-DNO_WAITER_FENCE",
        "-DNO_BRINGER_FENCE",
        "-DNO_SECOND_LOOK",
        "-DRING_ONCE_FOR_EVER",
        "-DCLEAR_AFTER_ARM",
        "-DLOOP -DNO_WAITER_FENCE",
        "-DLOOP -DNO_BRINGER_FENCE",
        "-DLOOP -DNO_SECOND_LOOK",
        "-DLINKS=2 -DITEMS=1 -DTHREADS=2 -DFORGET_WHO_LOOKED_EARLY",
        f"{BESIDE_A_LOOP} -DLOOP_IS_NOT_RUNG",
        f"{BESIDE_A_LOOP} -DSLEEP_ON_A_STALE_RING",
        f"{BESIDE_A_LOOP} -DSWALLOW_THE_LOOPS_RING",
        "-DTHREADS=2 -DLOOP -DSAME -DKEEP_THE_LOOPS_RING",
        "-DTHREADS=2 -DITEMS=3 -DLOOP -DSAME -DREARM_IN_SILENCE",
    ],
    "join.pml": [
        "-DLOOK_BEFORE_ANNOUNCE",
        "-DIGNORE_INVITATIONS",
        "-DRETURN_WHEN_OFFERED",
        "-DKEEP_ONE_CONNECTION",
        "-DBURY_UNHEARD",
        "-DFORGET_THE_DOOR",
        "-DGO_ON_WAITING",
    ],
    "lane_folder.pml": [
        "-DLOOK_BEFORE_ANNOUNCE",
        "-DKEEP_THE_FILE",
        "-DLOOK_ONCE",
        "-DPORTS=3 -DREMOVE_UNREAD",
        "-DDEATH -DDOOR_FIRST",
    ],
}


@pytest.mark.parametrize(("model", "mutant"), [(model, mutant) for model in MUTANTS for mutant in MUTANTS[model]])
def test_a_mutant_is_found_out(model: str, mutant: str, tmp_path: Path) -> None:
    assert errors(model, tmp_path, mutant) > 0
