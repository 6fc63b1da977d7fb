"""What every test gets: victims of each language, a healthy peer, and a lane directory of its own."""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

HERE = Path(__file__).parent
ROOT = HERE.parents[2]
sys.path[:0] = [str(HERE), str(ROOT / "conformance/peers/python")]

from objects import descriptors, forget_sockets  # noqa: E402
from patterns import Kind  # noqa: E402
from scene import Scene  # noqa: E402
from victims import LANGUAGES, Victim, eventually  # noqa: E402


@pytest.fixture(scope="session", autouse=True)
def _typescript_peer() -> None:
    """Make the TypeScript peer runnable, as the conformance suite does."""
    build = "import('./driver/build-peer.mjs').then((module) => module.default())"
    subprocess.run(["node", "--input-type=module", "-e", build], cwd=ROOT / "conformance", check=True)


class Cast:
    """The processes that play, one of each language and one healthy one, and new ones where one has died."""

    def __init__(self) -> None:
        self._players: dict[str, Victim] = {}

    def play(self, role: str, language: str) -> Victim:
        """Return the player of a role."""
        player = self._players.get(role)
        if player is None or not player.is_alive():
            player = self._players[role] = Victim(language)
        return player

    def end(self) -> None:
        """Let all of them end."""
        for player in self._players.values():
            player.end()


@pytest.fixture(scope="session")
def cast() -> Iterator[Cast]:
    """The players."""
    made = Cast()
    yield made
    made.end()


@pytest.fixture(params=LANGUAGES)
def language(request: pytest.FixtureRequest) -> str:
    """The victim's language."""
    return str(request.param)


@pytest.fixture
def kind() -> Kind:
    """The kind of the victim's port: the tests, or their file, say which."""
    raise LookupError("a test with a scene says of which kinds the victim's port may be: pytest.mark.parametrize")


def pytest_make_parametrize_id(val: object) -> str | None:
    """Name a kind of port in the names of tests."""
    return val.stem if isinstance(val, Kind) else None


@pytest.fixture
def lane_directory() -> Iterator[Path]:
    """A directory in which lanes meet, with a short name."""
    directory = Path(tempfile.mkdtemp(prefix="ml-", dir="/tmp"))
    yield directory
    forget_sockets()
    shutil.rmtree(directory, ignore_errors=True)


@pytest.fixture
def scene(cast: Cast, language: str, kind: Kind, lane_directory: Path) -> Iterator[Callable[..., Scene]]:
    """Open a scene. At its end the victim still serves the healthy one, and neither has grown."""
    scenes: list[Scene] = []
    before: dict[int, int] = {}

    def opened(**options: object) -> Scene:
        victim, healthy = cast.play(language, language), cast.play("healthy", "cpp")
        before.update({player.pid: descriptors(player.pid) for player in (victim, healthy)})
        scenes.append(Scene(lane_directory, victim, healthy, kind, **options))
        return scenes[-1]

    yield opened
    for one in scenes:
        players = (one.victim, one.healthy)
        one.hang_up()
        with _replaced_if_it_fails(players):
            one.no_links_but_the_honest()
            one.exchange()
            one.end()
            for player in players:
                eventually(lambda p=player: descriptors(p.pid) <= before[p.pid], "descriptors were left open")


@contextmanager
def _replaced_if_it_fails(players: tuple[Victim, ...]) -> Iterator[None]:
    """Whoever plays in the next scene is a new one then."""
    try:
        yield
    except BaseException:
        for player in players:
            player.kill()
        raise
