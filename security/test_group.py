"""A group is let in by an explicit option, and then nobody else."""

from __future__ import annotations

import contextlib
import os
import shutil
import stat
import struct
from collections.abc import Callable
from pathlib import Path

import pytest
from conftest import eventually
from marks import needs_root
from patterns import Pattern
from places import home, names, only
from programs import LANGUAGES, Intruder, Refused, Visitor
from users import ALICE, ALICE_OF_TEAM, BOB_OF_TEAM, CAROL_OF_TEAM, MALLORY, NEIGHBOUR, TEAM, User

pytestmark = needs_root

StartVisitor = Callable[..., Visitor]
StartIntruder = Callable[..., Intruder]

MEMBERS = [ALICE_OF_TEAM, BOB_OF_TEAM, CAROL_OF_TEAM]


def shared(place: Path) -> Path:
    """Returns where the team meets: not there yet, in a folder where every member may create it."""
    around = place / "shared"
    around.mkdir()
    around.chmod(0o1777)
    return around / "lanes"


@pytest.mark.parametrize("receiver", LANGUAGES)
@pytest.mark.parametrize("sender", LANGUAGES)
def test_members_exchange_samples_in_every_pairing(
    pattern: Pattern, sender: str, receiver: str, place: Path, visitor: StartVisitor
) -> None:
    directory = shared(place)
    alice, bob, carol = visitor(sender, ALICE_OF_TEAM), visitor(receiver, BOB_OF_TEAM), visitor(receiver, CAROL_OF_TEAM)
    bob.ask(pattern.receiver.opens(directory, TEAM))
    alice.ask(pattern.sender.opens(directory, TEAM))
    carol.ask(pattern.receiver.opens(directory, TEAM))
    assert alice.ask("peers 2") == "yes"
    pattern.exchange(alice, [bob, carol], 3_000_000, 7)
    # The other way round: somebody who waits is woken by a bell of another user's.
    pattern.wake(alice, [bob, carol], 10, 8)


@pytest.mark.parametrize("umask", ["000", "022", "077"])
def test_everything_is_the_groups_whatever_the_umask(
    pattern: Pattern, umask: str, place: Path, visitor: StartVisitor
) -> None:
    directory = shared(place)
    alice = visitor("cpp", ALICE_OF_TEAM)
    alice.ask(f"umask {umask}")
    alice.ask(pattern.sender.opens(directory, TEAM))
    expected = {stat.S_IFDIR: 0o2770, stat.S_IFREG: 0o640, stat.S_IFSOCK: 0o660}
    everything = names(directory)
    assert len(everything) == 5
    for path in everything:
        status = path.lstat()
        assert (status.st_uid, status.st_gid) == (ALICE_OF_TEAM.uid, TEAM), path
        assert stat.S_IMODE(status.st_mode) == expected[stat.S_IFMT(status.st_mode)], path


@pytest.mark.parametrize("language", LANGUAGES)
def test_who_is_not_in_the_group_is_refused_with_and_without_the_option(
    pattern: Pattern, language: str, place: Path, visitor: StartVisitor, intruder: StartIntruder
) -> None:
    directory = shared(place)
    visitor("cpp", ALICE_OF_TEAM).ask(pattern.sender.opens(directory, TEAM))
    for outsider in (MALLORY, NEIGHBOUR):
        stranger = visitor(language, outsider)
        for kind in pattern.kinds:
            with pytest.raises(Refused, match="is not in the group") as refusal:
                stranger.ask(kind.opens(directory, TEAM))
            assert refusal.value.code == "permission-denied"
            with pytest.raises(Refused) as refusal:
                stranger.ask(kind.opens(directory))
            assert refusal.value.code in ("permission-denied", "foreign-directory")
        assert intruder(outsider, "paths", *names(directory)).found() == [f"stat {directory}"]


@pytest.mark.parametrize("language", LANGUAGES)
def test_root_is_let_in_only_as_a_member(pattern: Pattern, language: str, place: Path, visitor: StartVisitor) -> None:
    directory = shared(place)
    visitor("cpp", ALICE_OF_TEAM).ask(pattern.sender.opens(directory, TEAM))
    with pytest.raises(Refused, match="is not in the group"):
        visitor(language, User(0, 0)).ask(pattern.receiver.opens(directory, TEAM))
    visitor(language, User(0, 0, (TEAM,))).ask(pattern.receiver.opens(directory, TEAM))


def test_a_door_hangs_up_on_a_stranger_before_a_byte_is_read(
    pattern: Pattern, place: Path, visitor: StartVisitor, intruder: StartIntruder
) -> None:
    directory = shared(place)
    alice = visitor("cpp", ALICE_OF_TEAM)
    alice.ask(pattern.sender.opens(directory, TEAM))
    door = only(directory, "door-*")
    # As if by accident, so that the knock gets as far as the door at all.
    directory.chmod(0o777)
    door.chmod(0o777)

    def knock(user: User) -> list[str]:
        alice.freeze()
        knocker = intruder(user, "knock", door)
        assert knocker.hear() == "knocked"
        alice.thaw()
        return knocker.found()

    for stranger in (MALLORY, NEIGHBOUR, User(0, 0)):
        assert knock(stranger) == ["reset with unread bytes"]
    for member in (BOB_OF_TEAM, CAROL_OF_TEAM, User(1234505, 1234505, (*range(3000, 3060), TEAM))):
        assert knock(member) == ["answered b''"], "its hello is read, and makes no sense"


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_port_without_the_option_is_refused_in_a_groups_directory(
    pattern: Pattern, language: str, place: Path, visitor: StartVisitor
) -> None:
    directory = shared(place)
    visitor("cpp", ALICE_OF_TEAM).ask(pattern.sender.opens(directory, TEAM))
    for user in MEMBERS:
        with pytest.raises(Refused, match=f"it is open to group {TEAM}") as refusal:
            visitor(language, user).ask(pattern.receiver.opens(directory))
        assert refusal.value.code == "foreign-directory"


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_port_with_the_option_is_refused_in_a_private_directory(
    pattern: Pattern, language: str, place: Path, visitor: StartVisitor
) -> None:
    directory = home(place, ALICE) / "lanes"
    first = visitor("cpp", ALICE)
    first.ask(pattern.sender.opens(directory))
    os.chown(directory, ALICE.uid, TEAM)  # even so: its rights are those of a private one
    with pytest.raises(Refused, match="chmod 2770") as refusal:
        visitor(language, ALICE_OF_TEAM).ask(pattern.receiver.opens(directory, TEAM))
    assert refusal.value.code == "foreign-directory"
    assert stat.S_IMODE(directory.stat().st_mode) == 0o700, "nothing was opened up"


@pytest.mark.parametrize("language", LANGUAGES)
def test_an_open_endpoint_is_no_way_in_for_a_port_that_asks_for_something_else(
    pattern: Pattern, language: str, place: Path, visitor: StartVisitor
) -> None:
    directory = shared(place)
    alice = visitor(language, ALICE_OF_TEAM)
    alice.ask(pattern.sender.opens(directory, TEAM))
    with pytest.raises(Refused, match="it is open to group"):
        alice.ask(pattern.receiver.opens(directory))
    with pytest.raises(Refused, match="not to group 1234599"):
        alice.ask(pattern.receiver.opens(directory, "1234599"))


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_group_has_a_name_that_must_be_known(
    pattern: Pattern, language: str, place: Path, visitor: StartVisitor
) -> None:
    directory = shared(place)
    bob = visitor(language, User(0, 0, (4,)))
    with pytest.raises(Refused, match='there is no group "no-such-group"') as refusal:
        bob.ask(pattern.sender.opens(directory, "no-such-group"))
    assert refusal.value.code == "invalid-argument"
    bob.ask(pattern.sender.opens(directory, "adm"))  # group 4 on every Debian
    assert directory.stat().st_gid == 4


@pytest.mark.parametrize("mode", [0o2770, 0o770])
def test_a_directory_made_by_an_operator_is_used(
    pattern: Pattern, mode: int, place: Path, visitor: StartVisitor
) -> None:
    directory = place / "lanes"
    directory.mkdir()
    os.chown(directory, 0, TEAM)
    directory.chmod(mode)
    alice, bob = visitor("cpp", ALICE_OF_TEAM), visitor("cpp", BOB_OF_TEAM)
    alice.ask(pattern.sender.opens(directory, TEAM))
    bob.ask(pattern.receiver.opens(directory, TEAM))
    pattern.exchange(alice, [bob], 1000, 1)
    for path in names(directory):
        assert path.lstat().st_gid == TEAM, path
        assert path.lstat().st_mode & 0o007 == 0, path


@pytest.mark.parametrize("mode", [0o2777, 0o2771, 0o2750, 0o700, 0o2760])
def test_a_directory_with_other_rights_is_refused(
    pattern: Pattern, mode: int, place: Path, visitor: StartVisitor
) -> None:
    directory = home(place, ALICE_OF_TEAM) / "lanes"
    directory.mkdir()
    os.chown(directory, ALICE_OF_TEAM.uid, TEAM)
    directory.chmod(mode)
    with pytest.raises(Refused, match="chmod 2770") as refusal:
        visitor("cpp", ALICE_OF_TEAM).ask(pattern.sender.opens(directory, TEAM))
    assert refusal.value.code == "foreign-directory"
    assert list(directory.iterdir()) == []


def access_list(user: int) -> bytes:
    """Returns an access control list that lets a user in, as the kernel stores one: linux/posix_acl_xattr.h."""
    nobody = 0xFFFFFFFF
    entries = [(0x01, 7, nobody), (0x02, 7, user), (0x04, 7, nobody), (0x10, 7, nobody), (0x20, 0, nobody)]
    return struct.pack("<I", 2) + b"".join(struct.pack("<HHI", *entry) for entry in entries)


@pytest.mark.parametrize("attribute", ["system.posix_acl_access", "system.posix_acl_default"])
def test_a_directory_with_an_access_control_list_is_refused(
    pattern: Pattern, attribute: str, place: Path, visitor: StartVisitor
) -> None:
    directory = place / "lanes"
    directory.mkdir()
    os.chown(directory, 0, TEAM)
    directory.chmod(0o2770)
    try:
        os.setxattr(directory, attribute, access_list(MALLORY.uid))
    except OSError as error:
        pytest.skip(f"no access control lists here: {error}")
    with pytest.raises(Refused, match="access control list") as refusal:
        visitor("cpp", ALICE_OF_TEAM).ask(pattern.sender.opens(directory, TEAM))
    assert refusal.value.code == "foreign-directory"


def test_of_many_members_that_come_first_at_once_none_is_shut_out(
    pattern: Pattern, place: Path, visitor: StartVisitor
) -> None:
    around = shared(place).parent
    members = [visitor("cpp", MEMBERS[i % 3]) for i in range(9)]
    for round_ in range(20):
        directory = around / f"{round_}"
        for i, member in enumerate(members):
            member.say((pattern.sender if i < 4 else pattern.receiver).opens(directory, TEAM))
        for member in members:
            member.answer()
        for i, member in enumerate(members[:4]):
            assert member.ask("peers 5") == "yes", i
            pattern.exchange(member, members[4:], 1000, 1)
        for member in members:
            member.ask("close")
        assert list(directory.iterdir()) == []
    assert sorted(each.name for each in around.iterdir()) == sorted(map(str, range(20))), "no hidden one is left"


def owners(directory: Path) -> set[int]:
    """Returns whose names are in a directory, in which they come and go."""
    found = set()
    for path in names(directory)[1:]:
        with contextlib.suppress(FileNotFoundError):
            found.add(path.lstat().st_uid)
    return found


def test_names_of_a_dead_member_are_removed_by_another(pattern: Pattern, place: Path, visitor: StartVisitor) -> None:
    directory = shared(place)
    alice, bob = visitor("cpp", ALICE_OF_TEAM), visitor("cpp", BOB_OF_TEAM)
    alice.ask(pattern.sender.opens(directory, TEAM))
    alice.kill()
    assert len(names(directory)) == 5
    bob.ask(pattern.receiver.opens(directory, TEAM, lane="other"))
    assert eventually(lambda: owners(directory) == {BOB_OF_TEAM.uid})
    # And by who was linked when it happened.
    carol = visitor("cpp", CAROL_OF_TEAM)
    carol.ask(pattern.sender.opens(directory, TEAM, lane="other"))
    carol.kill()
    assert eventually(lambda: owners(directory) == {BOB_OF_TEAM.uid})


def test_what_a_dead_member_left_half_made_is_removed(pattern: Pattern, place: Path, visitor: StartVisitor) -> None:
    """As a kill between two steps leaves it: a door, and a lane's folder that is not open to the group yet."""
    directory = shared(place)
    alice, bob = visitor("cpp", ALICE_OF_TEAM), visitor("cpp", BOB_OF_TEAM)
    alice.ask(pattern.sender.opens(directory, TEAM))
    door, folder = only(directory, "door-*"), only(directory, "lane-*")
    hidden = directory / f".{folder.name}-{door.name.removeprefix('door-')}-2"
    hidden.mkdir(mode=0o700)
    os.chown(hidden, ALICE_OF_TEAM.uid, TEAM)
    alice.freeze()
    bob.ask(pattern.sender.opens(directory, TEAM, lane="other"))
    assert hidden.exists(), "its maker may go on"
    alice.kill()
    bob.ask("close")
    bob.ask(pattern.receiver.opens(directory, TEAM, lane="other"))
    assert eventually(lambda: owners(directory) == {BOB_OF_TEAM.uid})


def test_the_groups_place_in_tmp_is_not_used_if_a_stranger_was_there_first(
    pattern: Pattern, visitor: StartVisitor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("MEMLANE_DIR")
    group = 1_100_000_000 + os.getpid()
    directory = Path(f"/tmp/memlane-group-{group}")
    directory.mkdir()
    try:
        directory.chmod(0o2770)
        os.chown(directory, MALLORY.uid, MALLORY.gid)  # what the kernel would let a stranger make
        with pytest.raises(Refused) as refusal:
            visitor("cpp", User(ALICE.uid, group)).ask(pattern.sender.opens("-", group))
        assert refusal.value.code == "permission-denied", "the kernel lets no member in"
        directory.chmod(0o777)
        with pytest.raises(Refused, match=f"not to group {group}") as refusal:
            visitor("cpp", User(ALICE.uid, group)).ask(pattern.sender.opens("-", group))
        assert refusal.value.code == "foreign-directory"
        assert list(directory.iterdir()) == []
    finally:
        directory.rmdir()


def test_without_a_directory_the_group_meets_in_one_named_after_it(
    pattern: Pattern, visitor: StartVisitor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("MEMLANE_DIR")
    monkeypatch.setenv("XDG_RUNTIME_DIR", "/nowhere")  # a user's own
    group = 1_000_000_000 + os.getpid()
    directory = Path(f"/tmp/memlane-group-{group}")
    try:
        alice, bob = visitor("cpp", User(ALICE.uid, group)), visitor("cpp", User(BOB_OF_TEAM.uid, group))
        alice.ask(pattern.sender.opens("-", group))
        bob.ask(pattern.receiver.opens("-", group))
        pattern.exchange(alice, [bob], 1000, 1)
        assert stat.S_IMODE(directory.stat().st_mode) == 0o2770
        alice.ask("close")
        bob.ask("close")
        assert list(directory.iterdir()) == []
    finally:
        shutil.rmtree(directory, ignore_errors=True)
