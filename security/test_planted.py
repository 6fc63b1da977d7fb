"""Names planted in the lane directory: no link is followed, nothing of another owner used, nothing else touched."""

from __future__ import annotations

import contextlib
import os
import shutil
import socket
import stat
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import memlane
import pytest
from conftest import eventually
from marks import needs_root
from patterns import Pattern
from places import only, own
from programs import Intruder
from users import MALLORY

STRANGER = "ab" * 16  # an endpoint that is nobody's
COUNTERS = 160  # where the live counters of an announcement begin: docs/layout.md


@contextlib.contextmanager
def service(path: Path) -> Iterator[socket.socket]:
    """Another program's socket, at which nobody should call."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as listener:
        listener.bind(str(path))
        listener.listen()
        listener.setblocking(False)
        yield listener


def was_called(listener: socket.socket) -> bool:
    """Tells whether anybody has connected."""
    try:
        listener.accept()[0].close()
    except BlockingIOError:
        return False
    return True


def announce(pattern: Pattern, directory: Path, endpoint: str) -> Path:
    """Announces a receiver of an endpoint on the only lane."""
    name = only(directory, "lane-*") / f"{pattern.receiver.verb}-{endpoint}-1"
    name.write_bytes(b"")
    name.chmod(0o600)
    return name


def test_a_link_in_the_place_of_the_directory_is_refused(pattern: Pattern, place: Path) -> None:
    (place / "link").symlink_to(own(place))
    for kind in pattern.kinds:
        for path in (place / "link", f"{place}/link/", f"{place}/link/."):
            with pytest.raises(memlane.ForeignDirectory, match="symbolic link"):
                kind.port("lane", directory=path)
    assert list((place / "own").iterdir()) == []


def test_a_link_in_the_place_of_a_lanes_folder_is_refused(pattern: Pattern, place: Path) -> None:
    directory = own(place)
    with pattern.sender.port("lane", directory=directory):
        name = only(directory, "lane-*").name
    elsewhere = place / "elsewhere"
    elsewhere.mkdir(mode=0o700)
    (directory / name).symlink_to(elsewhere)
    with pytest.raises(memlane.ForeignDirectory, match="is not a folder"):
        pattern.sender.port("lane", directory=directory)
    assert list(elsewhere.iterdir()) == []
    (directory / name).unlink()


def test_a_link_in_the_place_of_the_lane_file_is_refused(pattern: Pattern, place: Path) -> None:
    directory = own(place)
    with pattern.sender.port("lane", directory=directory):
        folder = only(directory, "lane-*")
        real = place / "kept"
        (folder / "lane").rename(real)
        (folder / "lane").symlink_to(real)
        with pytest.raises(memlane.Corrupt, match="symbolic link"):
            pattern.receiver.port("lane", directory=directory)
        (folder / "lane").unlink()


def test_a_link_in_the_place_of_a_door_is_not_followed(pattern: Pattern, place: Path) -> None:
    directory = own(place)
    with pattern.sender.port("lane", directory=directory), service(place / "service") as listener:
        door = directory / f"door-{STRANGER}"
        door.symlink_to(place / "service")
        announcement = announce(pattern, directory, STRANGER)
        with pattern.sender.port("lane", directory=directory) as second:
            assert second.stats().peers == 0
        assert eventually(lambda: not door.is_symlink() and not announcement.exists()), "removed as a dead one"
        assert not was_called(listener)
        assert stat.S_ISSOCK((place / "service").lstat().st_mode), "what the link led to stays"


@needs_root
def test_a_door_of_another_owner_is_not_knocked_at(pattern: Pattern, place: Path) -> None:
    directory = own(place)
    door = directory / f"door-{STRANGER}"
    with pattern.sender.port("lane", directory=directory), service(door) as listener:
        os.chown(door, MALLORY.uid, MALLORY.gid)
        door.chmod(0o777)  # so that it is only the owner that is wrong with it
        announcement = announce(pattern, directory, STRANGER)
        with pattern.sender.port("lane", directory=directory) as second:
            assert second.stats().peers == 0
        assert not was_called(listener)
        announcement.unlink()
        door.unlink()


@needs_root
def test_somebody_else_behind_a_door_of_ours_is_told_nothing(
    pattern: Pattern, place: Path, intruder: Callable[..., Intruder]
) -> None:
    directory = own(place)
    door = directory / f"door-{STRANGER}"
    with pattern.sender.port("lane", directory=directory):
        mallory = intruder(MALLORY, "stand behind", door)
        assert mallory.hear() == "standing"
        announcement = announce(pattern, directory, STRANGER)
        with pattern.sender.port("lane", directory=directory) as second:
            assert second.stats().peers == 0
        assert mallory.found() == ["was told 0 bytes"]
        announcement.unlink()
        door.unlink()


def counters(file: Path) -> bytes:
    """Returns the live counters of an announcement."""
    return file.read_bytes()[COUNTERS:]


def as_symbolic_link(target: Path, name: Path) -> None:
    """Plants a symbolic link."""
    name.symlink_to(target)


def as_hard_link(target: Path, name: Path) -> None:
    """Plants a second name of the file."""
    name.hardlink_to(target)


def as_pipe(_: Path, name: Path) -> None:
    """Plants a pipe, which would hold up whoever opens it."""
    os.mkfifo(name)


@pytest.mark.parametrize("plant", [as_symbolic_link, as_hard_link, as_pipe])
def test_nothing_in_the_place_of_an_announcement_is_written_to(
    pattern: Pattern, plant: Callable[[Path, Path], None], place: Path
) -> None:
    directory = own(place)
    target = place / "diary"
    target.write_bytes(b"d" * 1000)
    with pattern.sender.port("lane", directory=directory) as robbed:
        announcement = only(only(directory, "lane-*"), f"{pattern.sender.verb}-*")

        def moves(sender: Any, file: Path) -> Callable[[], bool]:
            before = counters(file)

            def look() -> bool:
                robbed.send(b"x")
                sender.send(b"x")
                return counters(file) != before

            return look

        assert eventually(moves(robbed, announcement)), "counters are shown"
        with pattern.sender.port("lane", directory=directory) as other:
            (control,) = set(announcement.parent.glob(f"{pattern.sender.verb}-*")) - {announcement}
            announcement.unlink()
            plant(target, announcement)
            # Twice: between the two, the other one's counters had their turn as well.
            for _ in range(2):
                assert eventually(moves(other, control))
    assert target.read_bytes() == b"d" * 1000


def test_links_under_the_hidden_names_are_not_followed(pattern: Pattern, place: Path) -> None:
    directory = own(place)
    target = place / "diary"
    target.write_bytes(b"diary")
    with pattern.sender.port("first", directory=directory):
        endpoint = only(directory, "door-*").name.removeprefix("door-")
        with pattern.sender.port("second", directory=directory):
            (folder,) = {each for each in directory.glob("lane-*") if list(each.glob(f"{pattern.sender.verb}-*-2"))}
        folder.mkdir(mode=0o700)
        # Whoever knows the endpoint knows under which names its next ports will write.
        for number in range(3, 9):
            for prefix in (".lane", f".{pattern.sender.verb}"):
                (folder / f"{prefix}-{endpoint}-{number:x}").symlink_to(target)
        for _ in range(2):
            with pattern.sender.port("second", directory=directory) as second:
                assert second.send(b"x") == 0
        assert len(list(folder.glob(f".{pattern.sender.verb}-*"))) == 4, "those of the two ports are gone"
        shutil.rmtree(folder)
    assert target.read_bytes() == b"diary"


@needs_root
def test_a_directory_of_another_owner_is_refused(pattern: Pattern, place: Path) -> None:
    directory = own(place)
    os.chown(directory, MALLORY.uid, MALLORY.gid)
    for kind in pattern.kinds:
        with pytest.raises(memlane.ForeignDirectory, match="belongs to user 65534"):
            kind.port("lane", directory=directory)
    assert list(directory.iterdir()) == []


@needs_root
@pytest.mark.parametrize("name", ["lane-*", "lane-*/lane"])
def test_a_lanes_folder_or_file_of_another_owner_is_refused(pattern: Pattern, name: str, place: Path) -> None:
    directory = own(place)
    with pattern.sender.port("lane", directory=directory) as publisher:
        owned = only(directory, name)
        os.chown(owned, MALLORY.uid, MALLORY.gid)
        for kind in pattern.kinds:
            with pytest.raises(memlane.ForeignDirectory, match="belongs to user 65534"):
                kind.port("lane", directory=directory)
        os.chown(owned, 0, 0)
        with pattern.receiver.port("lane", directory=directory):
            assert publisher.send(b"x") == 1, "the lane is usable again"
