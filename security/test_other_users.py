"""By default a lane is for one user: nobody else sees, reads or reaches anything of it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from marks import needs_root
from places import home, names, only
from programs import LANGUAGES, Intruder, Refused, Visitor
from users import ALICE, MALLORY, User

pytestmark = needs_root

StartVisitor = Callable[..., Visitor]
StartIntruder = Callable[..., Intruder]

ROOT = User(0, 0)


@pytest.mark.parametrize("language", LANGUAGES)
def test_another_user_sees_reads_and_reaches_nothing(
    language: str, place: Path, visitor: StartVisitor, intruder: StartIntruder
) -> None:
    directory = home(place, ALICE) / "lanes"
    visitor(language, ALICE).ask(f"pub lane {directory} -")
    everything = names(directory)
    assert len(everything) == 1 + 1 + 3, "a door, a folder, a lane file and an announcement"
    assert f"list {directory}" in intruder(ALICE, "look", *everything).found(), "whoever may, can"
    assert intruder(MALLORY, "paths", *everything).found() == [f"stat {directory}"]


@pytest.mark.parametrize("language", LANGUAGES)
def test_another_user_cannot_reach_the_process_or_its_memory(
    language: str, place: Path, visitor: StartVisitor, intruder: StartIntruder
) -> None:
    alice = visitor(language, ALICE)
    alice.ask(f"pub lane {home(place, ALICE) / 'lanes'} -")
    assert f"signal {alice.pid}" in intruder(ALICE, "processes", str(alice.pid)).found(), "whoever may, can"
    assert intruder(MALLORY, "processes", str(alice.pid)).found() == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_ports_of_another_user_are_refused(language: str, place: Path, visitor: StartVisitor) -> None:
    directory = home(place, ALICE) / "lanes"
    visitor("cpp", ALICE).ask(f"pub lane {directory} -")
    mallory = visitor(language, MALLORY)
    for verb in ("pub", "sub"):
        with pytest.raises(Refused) as refusal:
            mallory.ask(f"{verb} lane {directory} -")
        assert refusal.value.code == "permission-denied"


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("who", [ROOT, MALLORY], ids=["root", "another"])
def test_a_door_hangs_up_on_another_user_before_a_byte_is_read(
    language: str, who: User, place: Path, visitor: StartVisitor, intruder: StartIntruder
) -> None:
    directory = home(place, ALICE) / "lanes"
    alice = visitor(language, ALICE)
    alice.ask(f"pub lane {directory} -")
    door = only(directory, "door-*")
    # As if by accident, so that the knock gets as far as the door at all.
    directory.chmod(0o777)
    door.chmod(0o777)
    alice.freeze()
    stranger = intruder(who, "knock", door)
    assert stranger.hear() == "knocked"
    alice.thaw()
    assert stranger.found() == ["reset with unread bytes"]
    # The same from the user herself is read.
    alice.freeze()
    herself = intruder(ALICE, "knock", door)
    assert herself.hear() == "knocked"
    alice.thaw()
    assert herself.found() == ["answered b''"]
    directory.chmod(0o700)


def test_a_directory_of_another_user_is_refused_even_to_root(place: Path, visitor: StartVisitor) -> None:
    directory = home(place, ALICE) / "lanes"
    visitor("cpp", ALICE).ask(f"pub lane {directory} -")
    with pytest.raises(Refused, match="belongs to user") as refusal:
        visitor("cpp").ask(f"sub lane {directory} -")
    assert refusal.value.code == "foreign-directory"
