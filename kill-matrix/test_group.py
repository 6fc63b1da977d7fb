"""A group is let in: directory, lane folders, files and doors are made in other steps, and belong to several users.

Victim and survivors are two members of the group, where the tests may become them (as root); else one. The victim dies
and freezes at each point where something of that is made, shown, or removed; and is killed at each system call by which
it is.
"""

from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor

import pytest
from driver.access import of_a_group
from driver.matrix import NOT_REACHED, Combination, Outcome, play, trace, workers
from driver.patterns import picked
from driver.places import PEER_COMMANDS, ROOT, VICTIM
from driver.system_calls import count_calls, faults, objection
from driver.system_calls import play as kill_at_call

# Where names come into being, and where those of others are taken away.
NAMES = ("door.", "file.", "lane.", "dead.", "port.announced", "port.unannounced", "death.")
SITUATIONS = [name for pattern in picked() for name in pattern.selections.in_a_group]
ACTIONS = ("kill", "stop")

# By which names are made and removed, and by which they, or whoever comes, are looked at. For those of other kinds see
# test_system_calls.py.
CALLS = frozenset(
    [
        "mkdir",
        "mkdirat",
        "open",
        "openat",
        "bind",
        "listen",
        "chmod",
        "fchmod",
        "fchmodat",
        "chown",
        "fchown",
        "fchownat",
        "link",
        "linkat",
        "rename",
        "renameat",
        "renameat2",
        "unlink",
        "unlinkat",
        "rmdir",
        "fgetxattr",
        "getgroups",
        "getsockopt",
        "fstat",
        "newfstatat",
        "lstat",
    ]
)
CALL_SITUATIONS = [name for pattern in picked() for name in pattern.selections.in_a_group_at_system_calls]

GROUP = of_a_group()
REPORT = ROOT / "build" / "reports" / "kill-matrix.txt"


@pytest.fixture(scope="module")
def pool() -> Iterator[ProcessPoolExecutor]:
    # Copied here and not in the workers, which end without clearing up.
    for program in ([str(VICTIM)], PEER_COMMANDS["cpp"]):
        GROUP.command(program)
    with workers() as executor:
        yield executor


def reached_and_failed(outcomes: list[Outcome]) -> tuple[list[Outcome], list[str]]:
    """Return those that met their fault, and what has failed."""
    reached = [outcome for outcome in outcomes if outcome.failure != NOT_REACHED]
    return reached, [f"{outcome.name}: {outcome.failure}" for outcome in reached if outcome.failure]


def note(what: str, outcomes: list[Outcome]) -> None:
    """Add a line to the report."""
    reached, failed = reached_and_failed(outcomes)
    users = "two members" if GROUP.victim else "one user"
    with REPORT.open("a") as file:
        file.write(
            f"group ({users}), {what}: {len(reached) - len(failed)} of {len(outcomes)}, "
            f"samples checked: {sum(outcome.samples for outcome in reached)}\n"
        )


def check(outcomes: list[Outcome]) -> None:
    """Nothing has failed, and nearly all met their faults."""
    reached, failed = reached_and_failed(outcomes)
    assert failed == []
    assert len(reached) > len(outcomes) * 0.9


@pytest.mark.parametrize("situation", SITUATIONS)
def test_the_others_go_on(situation: str, pool: ProcessPoolExecutor) -> None:
    points = [point for point in sorted(pool.submit(trace, situation, GROUP).result()) if point.startswith(NAMES)]
    assert len(points) > 10
    combinations = [Combination(situation, point, 1, action, access=GROUP) for action in ACTIONS for point in points]
    outcomes = list(pool.map(play, combinations))
    for action in ACTIONS:
        of_it = zip(combinations, outcomes, strict=True)
        note(f"{situation}, {action}", [outcome for each, outcome in of_it if each.action == action])
    check(outcomes)


@pytest.mark.skipif(bool(why_not := objection()), reason=why_not)
@pytest.mark.parametrize("situation", CALL_SITUATIONS)
def test_at_system_calls_the_others_go_on(situation: str, pool: ProcessPoolExecutor) -> None:
    counts = list(pool.map(count_calls, ["cpp"] * 2, [situation] * 2, [GROUP] * 2))
    chosen = [each for each in faults("kill", "cpp", situation, counts, GROUP) if each.call in CALLS]
    # These a private directory never needs; who comes second finds the lane directory made.
    needed = {"fchown", "fchmod", "fchownat"} | ({"renameat2"} if situation.endswith(" alone") else set())
    assert needed <= {each.call for each in chosen}
    outcomes = list(pool.map(kill_at_call, chosen))
    note(f"{situation}, killed at system calls", outcomes)
    check(outcomes)
