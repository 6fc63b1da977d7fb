"""Survivors in Python and TypeScript: a part of the matrix, by lot, with a victim in C++ that dies in every way."""

import os
import random
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor

import pytest
from driver.matrix import ACTIONS, NOT_REACHED, Combination, play, trace, workers
from driver.patterns import picked
from driver.troupe import Languages

SEED = int(os.environ.get("MEMLANE_KILL_SEED", "1"))
SITUATIONS = [name for pattern in picked() for name in pattern.selections.in_languages]


@pytest.fixture(scope="module")
def pool() -> Iterator[ProcessPoolExecutor]:
    with workers(1) as executor:  # its survivors take long to start, and live on
        yield executor


@pytest.mark.parametrize("situation", SITUATIONS)
@pytest.mark.parametrize("languages", [Languages("python", "typescript"), Languages("typescript", "python")], ids=str)
def test_the_others_go_on(languages: Languages, situation: str, pool: ProcessPoolExecutor) -> None:
    points = sorted(pool.submit(trace, situation).result())
    lot = random.Random(SEED)
    combinations = [Combination(situation, lot.choice(points), 1, action, languages) for action in ACTIONS]
    outcomes = list(pool.map(play, combinations))
    reached = [outcome for outcome in outcomes if outcome.failure != NOT_REACHED]
    failed = [f"{outcome.name}: {outcome.failure}" for outcome in reached if outcome.failure]
    assert failed == []
    # Whether somebody sleeps, and is woken, depends on who was quicker.
    assert len(reached) > len(outcomes) / 2
