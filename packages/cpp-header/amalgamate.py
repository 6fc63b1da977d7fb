"""Makes the single header: all headers of the core in one file.

The rules:

- It starts at memlane/memlane.hpp. `#include "memlane/..."` is replaced by that file's text the first time, and dropped
  afterwards. Every other `#include` is the system's, and stays where it is.
- A file that was taken in under a condition (`#if defined(__linux__)`) is there only under that condition. If it is
  needed anywhere else too, that is an error: include it outside the condition first.
- Every header of the core must be taken in, and none may include itself, however indirectly. A header that names the
  same include twice is an error, since one of the two is a mistake. memlane/compat/ is not the core: it stands on it.
- The result says which version it is, and that it is not to be edited.

Usage: amalgamate.py OUTPUT
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

INCLUDE_ROOT = Path(__file__).resolve().parent.parent / "core-native" / "include"
START = "memlane/memlane.hpp"

OWN_INCLUDE = re.compile(r'\s*#\s*include\s*["<](memlane/[^">]+)[">]')
ANY_INCLUDE = re.compile(r"\s*#\s*include\b")
CONDITION = re.compile(r"\s*#\s*(ifdef|ifndef|if|elif|else|endif)\b\s*(.*?)\s*(?://.*)?$")
PRAGMA_ONCE = re.compile(r"\s*#\s*pragma\s+once\b")

BANNER = """\
// memlane {version}, all in one header. https://www.apache.org/licenses/LICENSE-2.0
// SPDX-License-Identifier: Apache-2.0
// Made by packages/cpp-header/amalgamate.py from the headers named below; not to be edited.
#pragma once
"""


class Mistake(Exception):
    """A rule is broken; the message names the file and the line."""


class Amalgamation:
    """The single header in the making."""

    def __init__(self, include_root: Path) -> None:
        self._include_root = include_root
        self.lines: list[str] = []
        # The file, and the conditions that its text stands under.
        self.taken: dict[str, tuple[str, ...]] = {}
        self._open: list[str] = []

    def take(self, name: str, conditions: tuple[str, ...] = ()) -> None:
        """Takes in the header `name`, which is needed where `conditions` hold."""
        if name in self._open:
            raise Mistake(f"{name} includes itself: {' -> '.join([*self._open, name])}")
        if name in self.taken:
            under = self.taken[name]
            if conditions[: len(under)] != under:
                raise Mistake(
                    f"{self._open[-1]} needs {name} {_spell(conditions)}, but it has been taken in {_spell(under)}"
                )
            return
        self._open.append(name)
        self.taken[name] = conditions
        self.lines.append(f"\n// ==== {name}\n")
        self._take_lines(name, list(conditions))
        self._open.pop()

    def _take_lines(self, name: str, conditions: list[str]) -> None:
        path = self._include_root / name
        if not path.is_file():
            raise Mistake(f"{' -> '.join(self._open)}: there is no such header")
        text = path.read_text(encoding="utf-8")
        if not any(PRAGMA_ONCE.match(line) for line in text.splitlines()):
            raise Mistake(f"{name} has no #pragma once")
        seen: set[tuple[str, tuple[str, ...]]] = set()
        for line in text.splitlines(keepends=True):
            if PRAGMA_ONCE.match(line):
                continue
            if ANY_INCLUDE.match(line):
                include = (line.strip(), tuple(conditions))
                if include in seen:
                    raise Mistake(f"{name} says twice: {line.strip()}")
                seen.add(include)
            if own := OWN_INCLUDE.match(line):
                self.take(own[1], tuple(conditions))
                continue
            if condition := CONDITION.match(line):
                _follow(conditions, condition[1], condition[2])
            self.lines.append(line)


def _follow(conditions: list[str], word: str, expression: str) -> None:
    """Keeps `conditions` at what holds after a line `#word expression`."""
    if word == "endif":
        conditions.pop()
    elif word == "else":
        conditions[-1] = f"not ({conditions[-1]})"
    elif word == "elif":
        conditions[-1] = f"{expression} and not ({conditions[-1]})"
    else:
        conditions.append(f"{word} {expression}")


def _spell(conditions: tuple[str, ...]) -> str:
    return f"under `{' and '.join(conditions)}`" if conditions else "under no condition"


def _version(include_root: Path) -> str:
    text = (include_root / "memlane" / "version.hpp").read_text(encoding="utf-8")
    found = re.search(r'\bversion = "([^"]+)"', text)
    if found is None:
        raise Mistake("memlane/version.hpp names no version")
    return found[1]


def amalgamate(include_root: Path = INCLUDE_ROOT) -> str:
    """Returns the text of the single header. Raises Mistake."""
    whole = Amalgamation(include_root)
    whole.take(START)
    headers = {path.relative_to(include_root).as_posix() for path in include_root.rglob("*.hpp")}
    core = {name for name in headers if not name.startswith("memlane/compat/")}
    if left_out := sorted(core - set(whole.taken)):
        raise Mistake(f"left out, since nothing from {START} on includes them: {', '.join(left_out)}")
    return BANNER.format(version=_version(include_root)) + "".join(whole.lines)


def main() -> int:
    """Writes the single header to the path that the command line names."""
    if len(sys.argv) != 2:
        print(__doc__, file=sys.stderr)
        return 2
    try:
        text = amalgamate()
    except Mistake as mistake:
        print(f"amalgamate.py: {mistake}", file=sys.stderr)
        return 1
    output = Path(sys.argv[1])
    output.parent.mkdir(parents=True, exist_ok=True)
    output.write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
