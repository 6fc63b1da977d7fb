"""By default a lane is for one user: nobody else sees, reads or reaches anything of it."""

from __future__ import annotations

import os
import shutil
import stat
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from marks import needs_root
from patterns import Pattern
from places import home, names, only
from programs import LANGUAGES, Intruder, Refused, Visitor
from users import ALICE, MALLORY, User

pytestmark = needs_root

StartVisitor = Callable[..., Visitor]
StartIntruder = Callable[..., Intruder]

ROOT = User(0, 0)


@pytest.mark.parametrize("language", LANGUAGES)
def test_another_user_sees_reads_and_reaches_nothing(
    pattern: Pattern, language: str, place: Path, visitor: StartVisitor, intruder: StartIntruder
) -> None:
    directory = home(place, ALICE) / "lanes"
    visitor(language, ALICE).ask(pattern.sender.opens(directory))
    everything = names(directory)
    assert len(everything) == 1 + 1 + 3, "a door, a folder, a lane file and an announcement"
    assert f"list {directory}" in intruder(ALICE, "look", *everything).found(), "whoever may, can"
    assert intruder(MALLORY, "paths", *everything).found() == [f"stat {directory}"]


@pytest.mark.parametrize("language", LANGUAGES)
def test_another_user_cannot_reach_the_process_or_its_memory(
    pattern: Pattern, language: str, place: Path, visitor: StartVisitor, intruder: StartIntruder
) -> None:
    alice = visitor(language, ALICE)
    alice.ask(pattern.sender.opens(home(place, ALICE) / "lanes"))
    assert f"signal {alice.pid}" in intruder(ALICE, "processes", str(alice.pid)).found(), "whoever may, can"
    assert intruder(MALLORY, "processes", str(alice.pid)).found() == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_ports_of_another_user_are_refused(pattern: Pattern, language: str, place: Path, visitor: StartVisitor) -> None:
    directory = home(place, ALICE) / "lanes"
    visitor("cpp", ALICE).ask(pattern.sender.opens(directory))
    mallory = visitor(language, MALLORY)
    for kind in pattern.kinds:
        with pytest.raises(Refused) as refusal:
            mallory.ask(kind.opens(directory))
        assert refusal.value.code == "permission-denied"


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("who", [ROOT, MALLORY], ids=["root", "another"])
def test_a_door_hangs_up_on_another_user_before_a_byte_is_read(
    pattern: Pattern, language: str, who: User, place: Path, visitor: StartVisitor, intruder: StartIntruder
) -> None:
    directory = home(place, ALICE) / "lanes"
    alice = visitor(language, ALICE)
    alice.ask(pattern.sender.opens(directory))
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


def test_a_directory_of_another_user_is_refused_even_to_root(
    pattern: Pattern, place: Path, visitor: StartVisitor
) -> None:
    directory = home(place, ALICE) / "lanes"
    visitor("cpp", ALICE).ask(pattern.sender.opens(directory))
    with pytest.raises(Refused, match="belongs to user") as refusal:
        visitor("cpp").ask(pattern.receiver.opens(directory))
    assert refusal.value.code == "foreign-directory"


@pytest.fixture
def fallback(monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[User, Path]]:
    """A user for whom nothing is set, and where that one's lanes are then; gone with the test, whoever made it."""
    monkeypatch.delenv("MEMLANE_DIR")
    monkeypatch.delenv("XDG_RUNTIME_DIR", raising=False)
    user = User(1_500_000_000 + os.getpid(), 1234501)
    path = Path(f"/tmp/memlane-{user.uid}")
    yield user, path
    if path.is_symlink():
        path.unlink()
    shutil.rmtree(path, ignore_errors=True)


def test_where_nothing_is_set_lanes_are_in_a_private_folder_in_tmp(
    pattern: Pattern, fallback: tuple[User, Path], visitor: StartVisitor
) -> None:
    user, path = fallback
    one, other = visitor("cpp", user), visitor("python", user)
    one.ask(pattern.sender.opens("-"))
    other.ask(pattern.receiver.opens("-"))
    pattern.exchange(one, [other], 3_000_000, 1)
    status = path.lstat()
    assert (status.st_uid, stat.S_IFMT(status.st_mode), stat.S_IMODE(status.st_mode)) == (user.uid, stat.S_IFDIR, 0o700)
    assert [each for each in Path("/dev/shm").iterdir() if each.lstat().st_uid == user.uid] == [], (
        "systemd empties that"
    )


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("how", ["folder", "link"])
def test_the_place_in_tmp_is_not_used_if_another_user_was_there_first(
    pattern: Pattern, language: str, how: str, fallback: tuple[User, Path], place: Path, visitor: StartVisitor
) -> None:
    user, path = fallback
    if how == "folder":
        path.mkdir()
        path.chmod(0o777)
    else:
        (place / "trap").mkdir()
        os.chown(place / "trap", user.uid, user.gid)
        (place / "trap").chmod(0o700)
        path.symlink_to(place / "trap")  # to a folder that would be fine itself
    os.chown(path, MALLORY.uid, MALLORY.gid, follow_symlinks=False)
    with pytest.raises(Refused) as refusal:
        visitor(language, user).ask(pattern.sender.opens("-"))
    assert refusal.value.code == "foreign-directory"
    assert list(path.iterdir()) == []
