"""Death, or a delay, at the system calls of a join, a send, a take and a leave, in each language, by no code of ours.

Some of them, by lot (MEMLANE_KILL_SEED): few for Python and Node.js, which take long to start. MEMLANE_KILL_SIZE=all
plays them all.
"""

import os
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor

import pytest
from driver.matrix import NOT_REACHED, workers
from driver.patterns import picked
from driver.places import ROOT
from driver.system_calls import count_calls, faults, objection, play, some

SEED = int(os.environ.get("MEMLANE_KILL_SEED", "1"))
AT_MOST = {
    "kill": {"cpp": 120, "python": 12, "typescript": 12},
    "delay": {"cpp": 40, "python": 6, "typescript": 6},
}
DONE = {"kill": "killed", "delay": "delayed"}
SITUATIONS = [name for pattern in picked() for name in pattern.selections.at_system_calls]

why_not = objection()
pytestmark = pytest.mark.skipif(bool(why_not), reason=why_not)


@pytest.fixture(scope="module")
def pool() -> Iterator[ProcessPoolExecutor]:
    with workers() as executor:
        yield executor


@pytest.mark.parametrize("situation", SITUATIONS)
@pytest.mark.parametrize("language", ["cpp", "python", "typescript"])
@pytest.mark.parametrize("action", list(DONE))
def test_the_others_go_on(action: str, language: str, situation: str, pool: ProcessPoolExecutor) -> None:
    counts = list(pool.map(count_calls, [language] * 2, [situation] * 2))
    everything = faults(action, language, situation, counts)
    size = len(everything) if os.environ.get("MEMLANE_KILL_SIZE") == "all" else AT_MOST[action][language]
    outcomes = list(pool.map(play, some(everything, size, SEED)))
    # How often a thread sleeps is not the same in every run: some of the last ones are not reached.
    reached = [outcome for outcome in outcomes if outcome.failure != NOT_REACHED]
    failed = [f"{outcome.name}: {outcome.failure}" for outcome in reached if outcome.failure]
    with (ROOT / "build" / "reports" / "kill-matrix.txt").open("a") as file:
        file.write(
            f"{language}, {situation}: {DONE[action]} at {len(reached) - len(failed)} of {len(everything)} "
            f"system calls, samples checked: {sum(outcome.samples for outcome in reached)}\n"
        )
    assert failed == []
    assert len(reached) > len(outcomes) * 0.7
