"""Death at every step: each fault point of the core, in each role, by each way to go.

    MEMLANE_KILL_SEED     which combinations are chosen (printed with the table)
    MEMLANE_KILL_SIZE     at least how many of each pattern, or `all`; none: what must be
    MEMLANE_KILL_PATTERN  which pattern; none: all of them
    MEMLANE_KILL_JOBS     how many at a time

One combination again: python kill-matrix/run.py "SITUATION/POINT:N:ACTION"
"""

import os
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor

import pytest
from driver.matrix import (
    NOT_REACHED,
    Combination,
    all_combinations,
    choose,
    passages,
    play,
    points,
    trace,
    workers,
)
from driver.patterns import BY_NAME, Situation, picked
from driver.places import ROOT
from driver.report import Report

SEED = int(os.environ.get("MEMLANE_KILL_SEED", "1"))
SIZE = os.environ.get("MEMLANE_KILL_SIZE", "0")

# Whether somebody has to sleep, and be woken, depends on who was quicker. The table shows whether enough of it was met.
BY_CHANCE = ("sleep.armed", "sleep.fenced", "sleep.over", "bell.rung")

PLAYS: list[Situation] = [situation for pattern in picked() for situation in pattern.plays]

reports = {pattern.name: Report(pattern) for pattern in picked()}


@pytest.fixture(scope="session")
def pool() -> Iterator[ProcessPoolExecutor]:
    with workers() as executor:
        yield executor


@pytest.fixture(scope="session")
def listed() -> dict[str, dict[str, tuple[str, ...]]]:
    """For each pattern the points, and the roles that pass each."""
    return {pattern.name: points(pattern) for pattern in picked()}


@pytest.fixture(scope="session")
def passed(pool: ProcessPoolExecutor) -> dict[str, dict[str, int]]:
    """How often each situation passes each point: what two runs without a fault have in common."""
    names = [situation.name for situation in PLAYS]
    first, second = list(pool.map(trace, names)), list(pool.map(trace, names))
    return {name: passages(runs) for name, *runs in zip(names, first, second, strict=True)}


@pytest.fixture(scope="session")
def chosen(passed: dict[str, dict[str, int]]) -> list[Combination]:
    """For each pattern by a lot of its own, so that none changes what is chosen of another."""
    combinations: list[Combination] = []
    for pattern in picked():
        everything = list(all_combinations(pattern.plays, passed, deepest=4))
        combinations += everything if SIZE == "all" else choose(everything, int(SIZE), SEED)
    return combinations


def test_every_point_is_passed_in_each_role(
    listed: dict[str, dict[str, tuple[str, ...]]], passed: dict[str, dict[str, int]]
) -> None:
    for pattern in picked():
        seen = {(point, play.role.name) for play in pattern.plays for point in passed[play.name]}
        assert {(point, role) for point, roles in listed[pattern.name].items() for role in roles} == seen


@pytest.mark.parametrize("name", [situation.name for situation in PLAYS])
def test_the_others_go_on(name: str, chosen: list[Combination], pool: ProcessPoolExecutor) -> None:
    combinations = [each for each in chosen if each.situation == name]
    outcomes = list(pool.map(play, combinations))
    reports[BY_NAME[name].pattern.name].add(combinations, outcomes)
    assert outcomes
    # What comes the second time depends on who was quicker as well; the first time of all else comes always.
    failed = [
        f"{outcome.name}: {outcome.failure}"
        for combination, outcome in zip(combinations, outcomes, strict=True)
        if outcome.failure
        and not (outcome.failure == NOT_REACHED and (combination.passage > 1 or combination.point in BY_CHANCE))
    ]
    assert failed == []


def test_what_depends_on_chance_is_met_in_the_end(
    listed: dict[str, dict[str, tuple[str, ...]]], passed: dict[str, dict[str, int]], pool: ProcessPoolExecutor
) -> None:
    """Plays others of a kind that was not met, until one is."""
    for pattern in picked():
        report = reports[pattern.name]
        everything = list(all_combinations(pattern.plays, passed, deepest=1))
        for hole in report.holes(listed[pattern.name]):
            for each in everything:
                if (each.point, BY_NAME[each.situation].role.name, each.action) != hole or hole[0] not in BY_CHANCE:
                    continue
                outcome = pool.submit(play, each).result()
                report.add([each], [outcome])
                assert outcome.failure in ("", NOT_REACHED), outcome
                if not outcome.failure:
                    break


def test_nothing_is_missing_from_the_table(listed: dict[str, dict[str, tuple[str, ...]]]) -> None:
    file = ROOT / "build" / "reports" / "kill-matrix.txt"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text("\n".join(report.table(listed[name], SEED) for name, report in reports.items()))
    assert {name: report.holes(listed[name]) for name, report in reports.items()} == {name: [] for name in reports}
