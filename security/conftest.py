"""What every test gets: a place in /tmp that other users can reach, in which nothing may be left but folders."""

from __future__ import annotations

import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))  # so that every test can import its helpers, however pytest was called

from patterns import PATTERNS, Pattern
from programs import Intruder, Program, Visitor
from users import User

# Of what ports put into a lane directory.
NAMES = ("door-", "lane-", *(f"{kind.verb}-" for pattern in PATTERNS for kind in pattern.kinds))


def eventually(condition: Callable[[], bool], seconds: float = 30.0) -> bool:
    """Waits until something is true."""
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            return False
        time.sleep(0.002)
    return True


@pytest.fixture(autouse=True)
def place(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder that everybody may enter. Short, since a socket's path ends at 108 bytes."""
    path = Path(tempfile.mkdtemp(prefix="mls-", dir="/tmp"))
    path.chmod(0o755)
    monkeypatch.setenv("MEMLANE_DIR", str(path / "unused"))
    try:
        yield path

        def left() -> list[str]:
            return [str(each) for each in path.rglob("*") if each.name.lstrip(".").startswith(NAMES)]

        assert eventually(lambda: not left()), left()
    finally:
        shutil.rmtree(path)


@pytest.fixture
def visitor() -> Iterator[Callable[..., Visitor]]:
    """Starts visitors, and ends them with the test."""
    started: list[Program] = []

    def start(language: str, user: User | None = None, *, before: list[str] | None = None) -> Visitor:
        started.append(Visitor(language, user, before=before))
        return started[-1]  # type: ignore[return-value]

    yield start
    ends = [each.end() for each in started if each.process.returncode is None]
    assert ends == [0] * len(ends)


@pytest.fixture
def intruder() -> Iterator[Callable[..., Intruder]]:
    """Starts intruders, and ends them with the test."""
    started: list[Intruder] = []

    def start(user: User, verb: str, *words: str | Path) -> Intruder:
        started.append(Intruder(user, verb, *words))
        return started[-1]

    yield start
    for each in started:
        each.end()


@pytest.fixture(params=PATTERNS, ids=lambda pattern: pattern.name)
def pattern(request: pytest.FixtureRequest) -> Pattern:
    """What lanes carry."""
    assert isinstance(request.param, Pattern)
    return request.param
