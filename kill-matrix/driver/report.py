"""How the combinations of one pattern went: the table of points x roles, and what is missing from it."""

import signal
from collections import Counter, defaultdict
from dataclasses import dataclass, field

from .harm import ENDS
from .matrix import ACTIONS, NOT_REACHED, Combination, Outcome
from .patterns import BY_NAME, Pattern


@dataclass
class Report:
    """What was run so far."""

    pattern: Pattern
    outcomes: dict[Combination, Outcome] = field(default_factory=dict)

    def add(self, combinations: list[Combination], outcomes: list[Outcome]) -> None:
        """Enter outcomes."""
        self.outcomes.update(zip(combinations, outcomes, strict=True))

    def counts(self) -> dict[tuple[str, str], Counter[str]]:
        """By point and role: how many of each action went well."""
        cells: dict[tuple[str, str], Counter[str]] = defaultdict(Counter)
        for combination, outcome in self.outcomes.items():
            if not outcome.failure:
                role = BY_NAME[combination.situation].role.name
                cells[combination.point, role][combination.action] += 1
        return cells

    def holes(self, listed: dict[str, tuple[str, ...]]) -> list[tuple[str, str, str]]:
        """Points, roles that pass them, and actions (SIGKILL and SIGSTOP at the least) that nobody met there."""
        cells = self.counts()
        return [
            (point, role, action)
            for point, roles in listed.items()
            for role in roles
            for action in ("kill", "stop")
            if cells[point, role][action] == 0
        ]

    def table(self, listed: dict[str, tuple[str, ...]], seed: int) -> str:
        """Points by roles, with how often each was met by each action."""
        cells = self.counts()
        names = [role.name for role in self.pattern.roles]
        head = ["fault point".ljust(26)]
        head += [f"{name}: " + " ".join(f"{action:>12}" for action in ACTIONS) for name in names]
        lines = [f"pattern: {self.pattern.name}", "", "  ".join(head)]
        for point, roles in listed.items():
            row = [point.ljust(26)]
            for role in names:
                numbers = (str(cells[point, role][action]) if role in roles else "-" for action in ACTIONS)
                row.append(" " * (len(role) + 2) + " ".join(f"{number:>12}" for number in numbers))
            lines.append("  ".join(row))
        good = [outcome for outcome in self.outcomes.values() if not outcome.failure]
        unmet = [outcome for outcome in self.outcomes.values() if outcome.failure == NOT_REACHED]
        failed = [outcome for outcome in self.outcomes.values() if outcome.failure and outcome not in unmet]
        actions = [each.action for each, how in self.outcomes.items() if not how.failure]
        killed = sum(ENDS.get(action) == -signal.SIGKILL for action in actions)
        ended = sum(action in ENDS for action in actions)
        slowest = max((outcome.recovery for outcome in good), default=0.0)
        lines += [
            "",
            f"combinations: {len(good)} of {len(self.outcomes)} ({len(unmet)} were not met this time); points x roles: "
            f"{sum(len(roles) for roles in listed.values())}; situations: {len(self.pattern.plays)}; seed {seed}",
            f"killed at a point: {killed}; ended otherwise: {ended - killed}; "
            f"samples checked: {sum(each.samples for each in good)}; lost, stuck or left behind in: {len(failed)}",
            f"longest from a death to the next samples: {slowest * 1000:.0f} ms",
        ]
        lines += [f"FAILED {outcome.name}: {outcome.failure}" for outcome in failed]
        return "\n".join(lines) + "\n"
