"""All combinations: which there are, which are run, and how one is run."""

import os
import random
import subprocess
import tempfile
import traceback
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from multiprocessing import get_context
from pathlib import Path

from .access import OWN, Access
from .harm import AtFaultPoints
from .ledger import Broken
from .patterns import BY_NAME, Pattern, Situation
from .places import LANE, VICTIM
from .stage import NotReached, Stage
from .troupe import Languages, Troupe, prepare_worker

ACTIONS = ("kill", "stop", "exit", "exit-at-once", "terminate", "exec", "fork", "fork-die", "clone-die")
NOT_REACHED = "the victim did not get that far"


@dataclass(frozen=True)
class Combination:
    """One death, or what is not one."""

    situation: str
    point: str
    passage: int
    action: str
    languages: Languages = field(default_factory=Languages)
    access: Access = OWN

    @property
    def fault(self) -> str:
        """As the victim's environment says it."""
        return f"{self.point}:{self.passage}:{self.action}"

    def __str__(self) -> str:
        return f"{self.situation}/{self.fault}"


@dataclass
class Outcome:
    """How one run went."""

    name: str
    failure: str = ""
    samples: int = 0
    recovery: float = 0.0


def points(pattern: Pattern) -> dict[str, tuple[str, ...]]:
    """All fault points, as the core lists them, and the roles that pass each."""
    run = subprocess.run([VICTIM], env={**os.environ, "MEMLANE_FAULT_LIST": "1"}, capture_output=True, check=True)
    listed = dict(line.split() for line in run.stdout.decode().splitlines())
    return {point: tuple(role.name for role in pattern.roles if role.passes(by)) for point, by in listed.items()}


# ---- in the workers ----

_TROUPES: dict[tuple[str, Languages, Access], Troupe] = {}


def troupe_of(pattern: Pattern, languages: Languages, access: Access = OWN) -> Troupe:
    """The survivors that this worker has for a pattern, in those languages, as those users."""
    key = (pattern.name, languages, access)
    if key not in _TROUPES:
        _TROUPES[key] = Troupe(pattern, languages, access)
    troupe = _TROUPES[key]
    if not troupe.survivors:
        troupe.measure_link(LANE)
    return troupe


def trace(name: str, access: Access = OWN) -> dict[str, int]:
    """Play a situation without a fault; return how often each point was passed."""
    with tempfile.TemporaryDirectory(prefix="memlane-kill-trace-") as folder:
        file = Path(folder) / "trace"
        Path(folder).chmod(0o777)  # the victim may be somebody else
        situation = BY_NAME[name]
        troupe = troupe_of(situation.pattern, Languages(), access)
        Stage(situation, troupe, AtFaultPoints(None, situation.prelude, file)).run()
        return dict(Counter(file.read_text().split()))


def run_on(
    name: str, pattern: Pattern, languages: Languages, make: Callable[[Troupe], Stage], access: Access = OWN
) -> Outcome:
    """Run a stage; once more if the victim did not get as far, since a wait was not needed this time, say."""
    outcome = Outcome(name)
    for _ in range(3):
        troupe = troupe_of(pattern, languages, access)
        stage = make(troupe)
        try:
            stage.run()
            return Outcome(name, samples=stage.ledger.samples, recovery=stage.recovery)
        except NotReached:
            outcome = Outcome(name, failure=NOT_REACHED)
        except Broken as error:
            return Outcome(name, failure=str(error))
        except Exception:  # whatever goes wrong belongs to this run
            troupe.dismiss()
            return Outcome(name, failure=traceback.format_exc())
    return outcome


def play(combination: Combination) -> Outcome:
    """Run one combination."""
    situation = BY_NAME[combination.situation]
    return run_on(
        str(combination),
        situation.pattern,
        combination.languages,
        lambda troupe: Stage(situation, troupe, AtFaultPoints(combination.fault, situation.prelude)),
        combination.access,
    )


def workers(count: int = int(os.environ.get("MEMLANE_KILL_JOBS", "3"))) -> ProcessPoolExecutor:
    """Processes that play; each has its own troupe."""
    return ProcessPoolExecutor(count, mp_context=get_context("fork"), initializer=prepare_worker)


# ---- the choice ----


def passages(traces: Iterable[dict[str, int]]) -> dict[str, int]:
    """How often each point was passed in each of several runs."""
    least: dict[str, int] | None = None
    for each in traces:
        least = each if least is None else {point: min(least[point], each[point]) for point in least if point in each}
    return least or {}


def all_combinations(
    plays: Sequence[Situation], passed: dict[str, dict[str, int]], deepest: int
) -> Iterator[Combination]:
    """Every situation, point, passage and action."""
    for situation in plays:
        for point, count in passed[situation.name].items():
            if situation.only and point not in situation.only:
                continue
            for passage in range(1, min(count, deepest) + 1):
                for action in ACTIONS:
                    # A program that is already ending cannot be ended by another of its threads.
                    if action == "exit" and situation.returns:
                        continue
                    yield Combination(situation.name, point, passage, action)


def choose(everything: list[Combination], size: int, seed: int) -> list[Combination]:
    """SIGKILL at each point of each situation, each action at each point in each role; the rest by lot."""
    lot = random.Random(seed)
    shuffled = lot.sample(everything, len(everything))
    chosen: dict[Combination, None] = {}
    covered: set[tuple[str, ...]] = set()
    for each in shuffled:
        role = BY_NAME[each.situation].role.name
        keys: list[tuple[str, ...]] = [(role, each.point, each.action)]
        if each.action == "kill":
            keys.append((each.situation, each.point))
        if any(key not in covered for key in keys):
            covered.update(keys)
            chosen[each] = None
    for each in shuffled:
        if len(chosen) >= size:
            break
        chosen.setdefault(each)
    order = {name: i for i, name in enumerate(BY_NAME)}
    return sorted(chosen, key=lambda each: (order[each.situation], each.point, each.passage, each.action))
