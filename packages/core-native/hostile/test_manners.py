"""A process without manners: at the door, on the line, and in the lane directory."""

from __future__ import annotations

import contextlib
import os
import socket
import time
from collections.abc import Callable
from pathlib import Path

import layout
import pytest
from layout import GONE, HALF, INVITE, LEAVE, SEGMENT
from liar import LyingReceiver, find_port, opposite_end, port_body
from objects import descriptors, mappings, resident
from patterns import KINDS, Kind, opposite
from scene import LANE, Scene
from victims import eventually

Stage = Callable[..., Scene]

pytestmark = pytest.mark.parametrize("kind", KINDS)


def newcomer_is_served(stage: Scene) -> None:
    """Somebody honest who comes now is linked with the victim."""
    other = opposite(stage.kind)
    port = f"newcomer-{other.name}"
    healthy = stage.healthy
    healthy.ask(other.open_step, **{"as": port}, lane=LANE, directory=stage.directory, label="newcomer")
    assert healthy.ask(stage.kind.wait_step, port=port, n=1, timeout=20_000)["value"] == ["true"]
    healthy.ask("close", port=port)
    eventually(lambda: stage.victim.stat("peers") == 1, "the newcomer has left")


# ---- at the door ----


def test_a_crowd_that_says_nothing_keeps_nobody_out(scene: Stage) -> None:
    stage = scene()
    before = descriptors(stage.victim.pid)
    crowd = [stage.line(hello=False) for _ in range(400)]
    newcomer_is_served(stage)
    assert descriptors(stage.victim.pid) <= before + 200, "silent ones are bounded"
    for line in crowd:
        line.close()
    eventually(lambda: descriptors(stage.victim.pid) <= before + 2, "silent ones are let go")


def test_five_thousand_connections_one_after_the_other(scene: Stage) -> None:
    stage = scene()
    for number in range(5000):
        stage.line(hello=number % 2 == 0).close()
    newcomer_is_served(stage)


def test_a_process_that_says_it_is_many_is_stopped(scene: Stage) -> None:
    stage = scene()
    before = descriptors(stage.victim.pid)
    lines = [stage.line() for _ in range(200)]
    newcomer_is_served(stage)
    assert descriptors(stage.victim.pid) <= before + 200
    for line in lines:
        line.close()


def test_nonsense_is_hung_up_on(scene: Stage) -> None:
    stage = scene()
    line = stage.line(hello=False)
    body = line.hello_body()
    good = line.message(layout.HELLO, 0, 0, body)
    line.close()
    nonsense: list[bytes | tuple[bytes, int]] = [
        b"x",
        b"x" * 64,
        b"x" * 4096,
        b"x" * 100_000,
        good[:63],
        good[:64],
        good[:-1],
        good + b"x",
        line.message(layout.HELLO, 0, 0, body, magic=0),
        line.message(layout.HELLO, 0, 0, body, size=1),
        line.message(layout.HELLO, 0, 0, body, size=0xFFFFFFFF),
        line.message(layout.HELLO, 0, 0, body, version=0),
        line.message(layout.HELLO, 0, 0, body, version=2),
        line.message(layout.HELLO, 0, 0, body, handles=1),
        line.message(layout.HELLO, 0, 0, body, handles=65535),
        line.message(LEAVE, 1, 1),
        line.message(layout.REFUSE, 0, 0, b"x" * 128),
        *((good, count) for count in (1, 4, 5, 100, 253)),
    ]
    for each in nonsense:
        data, count = each if isinstance(each, tuple) else (each, 0)
        line = stage.line(hello=False)
        line.send(data, [0] * count)
        assert line.is_hung_up_on(), data
        line.close()
    line = stage.line()
    line.say_hello()
    assert line.is_hung_up_on(), "hello was said twice"
    line.close()


def test_one_byte_at_a_time(scene: Stage) -> None:
    stage = scene()
    line = stage.line(hello=False)
    for byte in line.message(layout.HELLO, 0, 0, line.hello_body()):
        if not line.send(bytes([byte])):
            break
    assert line.is_hung_up_on()
    line.close()


def test_a_stream_of_everything_to_everybody(scene: Stage) -> None:
    stage = scene()
    line = stage.line()
    for kind_of in (*range(3, 12), 999, 65535):
        for to in (0, 1, 2, 7, 1 << 63, (1 << 64) - 1):
            if kind_of in (INVITE, HALF) and to == stage.port().number:
                continue
            line.say(kind_of, 1, to, b"\xff" * (to % 300))
    line.settle()
    line.close()


def test_one_who_hangs_up_with_everything_unread(scene: Stage) -> None:
    stage = scene()
    for _ in range(50):
        line = stage.line()
        for number in range(20):
            line.say(INVITE, number, 999_999)
        line.close()


# ---- names of others ----


def honest_name(stage: Scene) -> bytes:
    """The endpoint of the healthy peer."""
    honest = find_port(stage.directory, LANE, opposite(stage.kind), stage.healthy.pid)
    return honest.endpoint


def test_a_liar_with_the_name_of_an_honest_peer(scene: Stage) -> None:
    stage = scene()
    for waits in (True, False):
        line = stage.line(endpoint=honest_name(stage))
        if waits:
            assert line.is_hung_up_on()
        line.close()
        stage.exchange()
    assert stage.victim.stat("peers") == 1


def test_a_liar_with_the_victims_own_name(scene: Stage) -> None:
    stage = scene()
    line = stage.line(endpoint=stage.port().endpoint)
    assert line.is_hung_up_on()
    stage.exchange()
    line.close()


def test_a_liar_that_comes_before_the_one_whose_name_it_takes(scene: Stage) -> None:
    """An honest endpoint is there, but has not met the victim yet: the liar says that it is that one."""
    stage = scene()
    other = opposite(stage.kind)
    third = type(stage.healthy)("cpp")
    try:
        common = {"lane": "elsewhere", "directory": stage.directory}
        third.ask(other.open_step, **{"as": "elsewhere"}, **common)
        name = find_port(stage.directory, "elsewhere", other, third.pid).endpoint
        line = stage.line(endpoint=name)
        liar = opposite_end(line, LANE, 2)
        line.settle()
        third.ask(other.open_step, **{"as": "honest"}, lane=LANE, directory=stage.directory, label="third")
        assert third.ask(stage.kind.wait_step, port="honest", n=1, timeout=20_000)["value"] == ["true"]
        assert line.is_hung_up_on()
        eventually(lambda: stage.victim.stat("peers") == 2, "the third is linked as well")
        line.close()
        liar.close()
        third.ask("reset")
    finally:
        third.end()
    stage.no_links_but_the_honest()


def test_a_liar_whose_name_the_victim_is_about_to_call(scene: Stage) -> None:
    """The victim knows the name from the liar only, and opens a port that calls the one whose name it is."""
    stage = scene()
    other = opposite(stage.kind)
    third = type(stage.healthy)("cpp")
    try:
        third.ask(other.open_step, **{"as": "e"}, lane="elsewhere", directory=stage.directory, label="third")
        name = find_port(stage.directory, "elsewhere", other, third.pid).endpoint
        line = stage.line(endpoint=name)
        line.settle()
        stage.victim.ask(stage.kind.open_step, **{"as": "e"}, lane="elsewhere", directory=stage.directory)
        assert stage.victim.ask(other.wait_step, port="e", n=1, timeout=20_000)["value"] == ["true"]
        assert line.is_hung_up_on()
        line.close()
        stage.victim.ask("close", port="e")
        third.ask("reset")
    finally:
        third.end()


# ---- too much of everything ----


def test_one_that_never_answers_holds_nobody_up(scene: Stage) -> None:
    stage = scene()
    line = stage.line()
    to = stage.port().number
    if not stage.kind.sends:
        for number in range(5):
            line.say(INVITE, 100 + number, to, port_body(LANE, opposite(stage.kind).number))
    stage.exchange()
    newcomer_is_served(stage)
    line.close()


def test_ten_thousand_links_are_too_many(scene: Stage) -> None:
    stage = scene()
    maps = mappings(stage.victim.pid)
    line = stage.line()
    to = stage.port().number
    count = 20_000
    refused = 0
    if not stage.kind.sends:
        for number in range(1, count):
            line.say(INVITE, number, to, port_body(LANE, opposite(stage.kind).number))
            heard = line.hear()
            assert heard is not None
            refused += heard.type == GONE
            heard.close()
    else:
        one = LyingReceiver(line, LANE, 1, hand_over=False)
        for number in range(1, count):
            line.say(HALF, number, to, one.body(), [one.half.fd, one.bell])
            heard = line.hear()
            assert heard is not None
            refused += heard.type == GONE
            heard.close()
        one.close()
    assert refused > 0, "nobody needs so many"
    assert mappings(stage.victim.pid) < 40_000
    line.close()
    eventually(lambda: mappings(stage.victim.pid) <= maps + 8, "the memory of all those links is back")
    stage.no_links_but_the_honest()
    if not stage.kind.sends:
        while (error := stage.error_of(lambda: stage.victim.ask("take", count=1, timeout=0))) is not None:
            assert "at most" in error


def test_queues_without_measure_are_refused(scene: Stage, kind: Kind) -> None:
    """Each asks the sender for 17 MB: a process gets so many, and not all of the machine."""
    if not kind.sends:
        pytest.skip("a sender's half has the size that the receiver chose")
    stage = scene()
    before = resident(stage.victim.pid)
    line = stage.line()
    one = LyingReceiver(line, LANE, 1, depth=65536, hand_over=False)
    refused = 0
    for number in range(1, 100):
        line.say(HALF, number, stage.port().number, one.body(), [one.half.fd, one.bell])
        heard = line.hear()
        assert heard is not None
        refused += heard.type == GONE
        heard.close()
    assert refused > 0
    one.close()
    line.close()
    stage.no_links_but_the_honest()
    eventually(lambda: resident(stage.victim.pid) < before + (200 << 20), "the memory is back")


def test_the_same_memory_thirty_thousand_times(scene: Stage, kind: Kind) -> None:
    if kind.sends:
        pytest.skip("a sender is handed no segments")
    stage = scene()
    maps = mappings(stage.victim.pid)
    line = stage.line()
    with stage.lying_sender(line) as liar:
        for segment in range(2, 30_000):
            line.say(SEGMENT, liar.number, liar.to, layout.SEGMENT_BODY.pack(segment, layout.PAGE), [liar.payload.fd])
        line.settle()
        assert mappings(stage.victim.pid) < 30_000
        error = stage.error_of(lambda: stage.victim.ask("take", count=1, timeout=20_000))
        assert error is not None
        assert "at most" in error
    line.close()
    eventually(lambda: mappings(stage.victim.pid) <= maps + 8, "the mappings are gone")


def test_complaints_without_end_hold_no_samples_up(scene: Stage, kind: Kind) -> None:
    if kind.sends:
        pytest.skip("a sender is told nothing")
    stage = scene()
    line = stage.line()
    to = stage.port().number
    sent = 0
    stage.sender.ask("send", count=5, bytes=10)
    taken = 0
    while taken < 5:
        for _ in range(3):  # more than are told meanwhile
            line.say(INVITE, stage.next_number(), to)
            line.hear_only(GONE)
            sent += 1
        assert sent < 1000, "samples are taken between the complaints"
        with contextlib.suppress(Exception):
            taken += len(stage.victim.ask("take", count=1, timeout=20_000)["sample"])
    line.close()
    stage.drain()


# ---- in the lane directory ----


def plant(folder: Path, stem: str, target: Path) -> list[Path]:
    """Everything that a name can be, and should not be."""
    names = [folder / f"{stem}-{'0' * 31}{digit}-1" for digit in range(1, 8)]
    names[0].mkdir()
    names[1].symlink_to("/dev/zero")
    names[2].symlink_to(folder)
    os.mkfifo(names[3])
    names[4].symlink_to("nowhere")
    names[5].write_bytes(b"x" * 216)
    names[6].hardlink_to(target)
    return names


def announcements(folder: Path) -> list[Path]:
    """Everything that has the name of a port."""
    return [path for kind in KINDS for path in folder.glob(f"{kind.stem}-*")]


def clean(paths: list[Path]) -> None:
    """Take away what was planted and is still there."""
    for path in paths:
        with contextlib.suppress(FileNotFoundError):
            path.rmdir() if path.is_dir() and not path.is_symlink() else path.unlink()


def test_planted_names_keep_nobody_from_joining(scene: Stage) -> None:
    stage = scene()
    folder = stage.directory / layout.lane_folder(LANE)
    planted = []
    for each in KINDS:
        for stem in (each.stem, f".{each.stem}"):
            planted += plant(folder, stem, folder / "lane")
    try:
        newcomer_is_served(stage)
        stage.exchange()
    finally:
        clean(planted)


def test_planted_doors_keep_nobody_from_joining(scene: Stage) -> None:
    """Ports are announced behind doors that are links, folders, sockets of another kind, or another's door."""
    stage = scene()
    folder = stage.directory / layout.lane_folder(LANE)
    port = stage.port()
    doors = [stage.directory / f"door-{'a' * 31}{digit}" for digit in range(7)]
    doors[0].symlink_to(port.door)
    doors[1].hardlink_to(port.door)
    doors[2].mkdir()
    doors[3].symlink_to(doors[3])
    doors[4].write_bytes(b"")
    stream = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    stream.bind(str(doors[5]))
    stream.listen()
    datagrams = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    datagrams.bind(str(doors[6]))
    # The victim's number behind each of them: who is led to the victim must not spoil the link that it has.
    announced = [folder / f"{stage.kind.stem}-{door.name[5:]}-{port.number:x}" for door in doors]
    for name in announced:
        name.write_bytes(b"x" * 216)
    try:
        newcomer_is_served(stage)
        stage.exchange()
        assert stage.error_of(lambda: stage.victim.ask("stats")) is None
    finally:
        stream.close()
        datagrams.close()
        clean([*announced, *doors])


def test_a_folder_of_somebody_else_is_refused(scene: Stage) -> None:
    if os.geteuid() != 0:
        pytest.skip("only root can make a folder that belongs to somebody else")
    stage = scene()
    folder = stage.directory / layout.lane_folder("theirs")
    folder.mkdir(mode=0o700)
    os.chown(folder, 65534, 65534)
    error = stage.error_of(
        lambda: stage.victim.ask(stage.kind.open_step, **{"as": "x"}, lane="theirs", directory=stage.directory)
    )
    assert error is not None
    assert error.startswith("foreign-directory: ")
    assert "65534" in error
    clean([folder])


def test_names_that_are_taken_away_end_no_link(scene: Stage) -> None:
    stage = scene()
    folder = stage.directory / layout.lane_folder(LANE)
    for path in [*stage.directory.glob("door-*"), *folder.iterdir()]:
        path.unlink()
    time.sleep(0.15)  # the counters in an announcement are written again after a tenth of a second
    stage.exchange()
    stage.exchange()


def test_an_announcement_that_becomes_a_pipe_or_a_link_holds_nobody_up(scene: Stage) -> None:
    stage = scene()
    folder = stage.directory / layout.lane_folder(LANE)
    precious = stage.directory / "precious"
    precious.write_bytes(b"precious")
    for make in (os.mkfifo, lambda path: path.symlink_to(precious), lambda path: path.mkdir()):
        names = announcements(folder)
        clean(names)
        for name in names:
            make(name)
        time.sleep(0.15)
        stage.exchange()
        stage.exchange()
    assert precious.read_bytes() == b"precious"
    precious.unlink()
    clean(announcements(folder))


def test_names_that_are_planted_ahead_keep_no_port_from_opening(scene: Stage) -> None:
    """A port's next number can be guessed."""
    stage = scene()
    folder = stage.directory / layout.lane_folder(LANE)
    endpoint = stage.port().door.name[5:]
    planted = [folder / f".{stage.kind.stem}-{endpoint}-{stage.port().number + 1:x}"]
    planted[0].write_bytes(b"planted")
    stage.victim.ask(stage.kind.open_step, **{"as": "next"}, lane=LANE, directory=stage.directory, join_timeout=1000)
    stage.victim.ask("close", port="next")
    clean(planted)
    stage.no_links_but_the_honest()
