"""All combinations: which there are, which are run, how they went."""

import os
import random
import subprocess
import tempfile
import traceback
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from multiprocessing import get_context
from pathlib import Path

from .access import OWN, Access
from .harm import AtFaultPoints
from .ledger import Broken
from .places import LANE, VICTIM
from .situations import BY_NAME, PLAYS
from .stage import NotReached, Stage
from .troupe import Languages, Troupe, prepare_worker

ACTIONS = ("kill", "stop", "exit", "exit-at-once", "terminate", "exec", "fork", "fork-die", "clone-die")
NOT_REACHED = "the victim did not get that far"
ROLES = ("publisher", "subscriber")


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


def points() -> dict[str, tuple[str, ...]]:
    """All fault points, and the roles that pass each, as the core lists them."""
    run = subprocess.run([VICTIM], env={**os.environ, "MEMLANE_FAULT_LIST": "1"}, capture_output=True, check=True)
    listed = dict(line.split() for line in run.stdout.decode().splitlines())
    return {point: ROLES if by == "both" else (by,) for point, by in listed.items()}


# ---- in the workers ----

_TROUPES: dict[tuple[Languages, Access], Troupe] = {}


def troupe_of(languages: Languages, access: Access = OWN) -> Troupe:
    """The survivors that this worker has, in those languages, as those users."""
    if (languages, access) not in _TROUPES:
        _TROUPES[languages, access] = Troupe(languages, access)
    troupe = _TROUPES[languages, access]
    if not troupe.survivors:
        troupe.measure_link(LANE)
    return troupe


def trace(name: str, access: Access = OWN) -> dict[str, int]:
    """Play a situation without a fault; return how often each point was passed."""
    with tempfile.TemporaryDirectory(prefix="memlane-kill-trace-") as folder:
        file = Path(folder) / "trace"
        Path(folder).chmod(0o777)  # the victim may be somebody else
        situation = BY_NAME[name]
        Stage(situation, troupe_of(Languages(), access), AtFaultPoints(None, situation.prelude, file)).run()
        return dict(Counter(file.read_text().split()))


def run_on(name: str, languages: Languages, make: Callable[[Troupe], Stage], access: Access = OWN) -> Outcome:
    """Run a stage; once more if the victim did not get as far, since a wait was not needed this time, say."""
    outcome = Outcome(name)
    for _ in range(3):
        troupe = troupe_of(languages, access)
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


def all_combinations(passed: dict[str, dict[str, int]], deepest: int) -> Iterator[Combination]:
    """Every situation, point, passage and action."""
    for situation in PLAYS:
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
    """A part of them: SIGKILL at each point of each situation, each action at each point in each role, then by lot."""
    lot = random.Random(seed)
    shuffled = lot.sample(everything, len(everything))
    chosen: dict[Combination, None] = {}
    covered: set[tuple[str, ...]] = set()
    for each in shuffled:
        role = BY_NAME[each.situation].role
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
    order = {situation.name: i for i, situation in enumerate(PLAYS)}
    return sorted(chosen, key=lambda each: (order[each.situation], each.point, each.passage, each.action))


# ---- the report ----


@dataclass
class Report:
    """What was run so far."""

    outcomes: dict[Combination, Outcome] = field(default_factory=dict)

    def add(self, combinations: list[Combination], outcomes: list[Outcome]) -> None:
        """Enter outcomes."""
        self.outcomes.update(zip(combinations, outcomes, strict=True))

    def counts(self) -> dict[tuple[str, str], Counter[str]]:
        """By point and role: how many of each action went well."""
        cells: dict[tuple[str, str], Counter[str]] = defaultdict(Counter)
        for combination, outcome in self.outcomes.items():
            if not outcome.failure:
                role = BY_NAME[combination.situation].role
                cells[combination.point, role][combination.action] += 1
        return cells

    def holes(self, listed: dict[str, tuple[str, ...]]) -> list[str]:
        """Points that nobody met in a role that passes them, by a SIGKILL and by a SIGSTOP at the least."""
        cells = self.counts()
        return [
            f"{point}: no {action} of a {role}"
            for point, roles in listed.items()
            for role in roles
            for action in ("kill", "stop")
            if cells[point, role][action] == 0
        ]

    def table(self, listed: dict[str, tuple[str, ...]], seed: int) -> str:
        """Points by roles, with how often each was met by each action."""
        cells = self.counts()
        head = ["fault point".ljust(26)]
        head += [f"{role}: " + " ".join(f"{action:>12}" for action in ACTIONS) for role in ROLES]
        lines = ["  ".join(head)]
        for point, roles in listed.items():
            row = [point.ljust(26)]
            for role in ROLES:
                numbers = (str(cells[point, role][action]) if role in roles else "-" for action in ACTIONS)
                row.append(" " * (len(role) + 2) + " ".join(f"{number:>12}" for number in numbers))
            lines.append("  ".join(row))
        good = [outcome for outcome in self.outcomes.values() if not outcome.failure]
        unmet = [outcome for outcome in self.outcomes.values() if outcome.failure == NOT_REACHED]
        failed = [outcome for outcome in self.outcomes.values() if outcome.failure and outcome not in unmet]
        deaths = sum(each.action not in ("stop", "fork") for each, how in self.outcomes.items() if not how.failure)
        slowest = max((outcome.recovery for outcome in good), default=0.0)
        lines += [
            "",
            f"combinations: {len(good)} of {len(self.outcomes)} ({len(unmet)} were not met this time); points x roles: "
            f"{sum(len(roles) for roles in listed.values())}; situations: {len(PLAYS)}; seed {seed}",
            f"processes ended at a point: {deaths}; samples checked: {sum(each.samples for each in good)}; "
            f"lost, stuck or left behind in: {len(failed)}",
            f"longest from a death to the next samples: {slowest * 1000:.0f} ms",
        ]
        lines += [f"FAILED {outcome.name}: {outcome.failure}" for outcome in failed]
        return "\n".join(lines) + "\n"
