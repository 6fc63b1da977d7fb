"""Programs that end by themselves in the middle of things, in all the ways that Python and JavaScript have."""

from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor

import pytest
from driver.endings import WAYS, Ending, play
from driver.matrix import workers
from driver.patterns import picked


@pytest.fixture(scope="module")
def pool() -> Iterator[ProcessPoolExecutor]:
    with workers() as executor:
        yield executor


@pytest.mark.parametrize("situation", [each.name for pattern in picked() for each in pattern.in_the_middle])
@pytest.mark.parametrize("language", WAYS)
def test_the_others_go_on(language: str, situation: str, pool: ProcessPoolExecutor) -> None:
    outcomes = list(pool.map(play, [Ending(language, situation, how) for how in WAYS[language]]))
    assert [f"{outcome.name}: {outcome.failure}" for outcome in outcomes if outcome.failure] == []
