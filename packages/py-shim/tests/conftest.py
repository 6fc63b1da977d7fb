"""What every test gets: an empty lane directory, which is empty again at its end; and no descriptor may be lost."""

from __future__ import annotations

import gc
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

import memlane

sys.path.insert(0, str(Path(__file__).parent))  # so that every test can import its helpers, however pytest was called

from support import eventually, open_descriptors


@pytest.fixture(autouse=True)
def lane_directory(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """An empty lane directory. A test that leaves anything in it, or a descriptor open, fails."""
    directory = tmp_path_factory.mktemp("lanes")
    directory.chmod(0o700)
    monkeypatch.setenv("MEMLANE_DIR", str(directory))
    before = open_descriptors()
    yield directory
    gc.collect()

    def leftovers() -> list[str]:
        return [str(path.relative_to(directory)) for path in directory.rglob("*")]

    assert eventually(lambda: not leftovers()), leftovers()
    assert eventually(lambda: open_descriptors() <= before), open_descriptors() - before


@pytest.fixture
def publisher() -> Iterator[Callable[..., memlane.Publisher]]:
    """Makes publishers of the lane "test", closed when the test ends."""
    made: list[memlane.Publisher] = []

    def make(name: str | int = "test", **options: Any) -> memlane.Publisher:
        made.append(memlane.Publisher(name, **options))
        return made[-1]

    yield make
    for port in made:
        port.close()
    made.clear()


@pytest.fixture
def subscriber() -> Iterator[Callable[..., memlane.Subscriber]]:
    """Makes subscribers of the lane "test", closed when the test ends."""
    made: list[memlane.Subscriber] = []

    def make(name: str | int = "test", **options: Any) -> memlane.Subscriber:
        made.append(memlane.Subscriber(name, **options))
        return made[-1]

    yield make
    for port in made:
        port.close()
    made.clear()


@pytest.fixture
def pair(
    publisher: Callable[..., memlane.Publisher], subscriber: Callable[..., memlane.Subscriber]
) -> tuple[memlane.Publisher, memlane.Subscriber]:
    """A publisher and a subscriber of one lane."""
    return publisher(), subscriber()
