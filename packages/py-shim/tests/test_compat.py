"""The older library's class: its own usage, between all pairs of its two languages, and what Python adds."""

from __future__ import annotations

import ctypes
import gc
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

import memlane
from memlane.compat import CAN_READ, CAN_WRITE, FINISHED, PROCESSING, ShareMemory

PROGRAMS = Path(__file__).parent / "compat"
INCLUDE = Path(__file__).parents[3] / "packages" / "core-native" / "include"
KEY = 12331

# The first test that needs them has the C++ programs compiled, which takes minutes where much else is compiled.
pytestmark = pytest.mark.timeout(600)

Command = Callable[..., list[str]]


@pytest.fixture(scope="module")
def programs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, Command]]:
    """How to run the sender and the receiver in each language; the C++ ones are compiled as old programs would be."""
    folder = tmp_path_factory.mktemp("compat")

    def compiled(name: str) -> str:
        flags = ["-std=c++20", "-O1", "-Wall", "-Wextra", "-Werror", "-pthread"]
        paths = [f"-I{INCLUDE}", f"-I{INCLUDE / 'memlane' / 'compat'}"]
        program = str(folder / name)
        subprocess.run(["c++", *flags, *paths, str(PROGRAMS / f"{name}.cpp"), "-o", program], check=True)
        return program

    with ThreadPoolExecutor() as pool:
        paths = dict(zip(["sender", "receiver"], pool.map(compiled, ["sender", "receiver"]), strict=True))

    def cpp(name: str) -> Command:
        return lambda *arguments: [paths[name], *map(str, arguments)]

    def python(name: str) -> Command:
        return lambda *arguments: [sys.executable, str(PROGRAMS / f"{name}.py"), *map(str, arguments)]

    return {name: {"cpp": cpp(name), "python": python(name)} for name in ["sender", "receiver"]}


@pytest.fixture
def start() -> Iterator[Callable[[list[str]], subprocess.Popen[str]]]:
    started: list[subprocess.Popen[str]] = []

    def run(command: list[str]) -> subprocess.Popen[str]:
        started.append(subprocess.Popen(command, stdout=subprocess.PIPE, text=True))
        return started[-1]

    yield run
    for process in started:
        if process.poll() is None:
            process.kill()
        process.communicate()


def becomes(condition: Callable[[], bool]) -> bool:
    deadline = time.monotonic() + 20
    while not condition():
        if time.monotonic() > deadline:
            return False
    return True


@pytest.fixture
def pair() -> Iterator[tuple[ShareMemory, ShareMemory]]:
    writer, reader = ShareMemory(KEY), ShareMemory(KEY)
    yield writer, reader
    writer.destroy_share()
    reader.destroy_share()


@pytest.mark.parametrize("first", ["sender", "receiver"])
@pytest.mark.parametrize("receiver", ["cpp", "python"])
@pytest.mark.parametrize("sender", ["cpp", "python"])
def test_the_benchmark_program_loses_and_tears_nothing(
    programs: dict[str, dict[str, Command]],
    start: Callable[[list[str]], subprocess.Popen[str]],
    sender: str,
    receiver: str,
    first: str,
) -> None:
    rows, cols, count = 480, 640, 100
    commands = {
        "sender": programs["sender"][sender](KEY, rows, cols, count),
        "receiver": programs["receiver"][receiver](KEY, rows * cols * 3),
    }
    running = {}
    for role in [first, "receiver" if first == "sender" else "sender"]:
        running[role] = start(commands[role])
    assert running["sender"].communicate(timeout=60)[0].splitlines() == [f"sent {count}"]
    assert running["receiver"].communicate(timeout=60)[0].splitlines() == ["ready", f"received {count}"]


@pytest.mark.parametrize("receiver", ["cpp", "python"])
@pytest.mark.parametrize("sender", ["cpp", "python"])
def test_a_receiver_that_was_killed_is_replaced(
    programs: dict[str, dict[str, Command]],
    start: Callable[[list[str]], subprocess.Popen[str]],
    sender: str,
    receiver: str,
) -> None:
    size = 480 * 640 * 3
    killed = start(programs["receiver"][receiver](KEY, size))
    assert killed.stdout is not None
    assert killed.stdout.readline() == "ready\n"
    os.kill(killed.pid, signal.SIGKILL)
    killed.wait()
    sending = start(programs["sender"][sender](KEY, 480, 640, 30))
    receiving = start(programs["receiver"][receiver](KEY, size))
    assert sending.communicate(timeout=60)[0] == "sent 30\n"
    assert receiving.communicate(timeout=60)[0].splitlines()[-1] == "received 30"


def test_the_readme_s_few_lines(
    programs: dict[str, dict[str, Command]], start: Callable[[list[str]], subprocess.Popen[str]]
) -> None:
    # It gets the data at once, without asking whether there is any.
    sending = start(programs["sender"]["cpp"](KEY, 8, 8, 1))
    share = ShareMemory(KEY)
    np_data = np.array(share.get_data(), dtype=np.uint8)
    assert np_data.shape == (192,)
    assert not np_data.any()
    assert sending.communicate(timeout=60)[0] == "sent 1\n"
    share.destroy_share()


def test_the_constants_are_the_old_ones() -> None:
    assert (CAN_WRITE, CAN_READ, PROCESSING, FINISHED) == (0, 1, 2, 3)


def test_what_one_puts_the_other_reads(pair: tuple[ShareMemory, ShareMemory]) -> None:
    writer, reader = pair
    image = np.arange(48 * 64 * 3, dtype=np.uint8).reshape(48, 64, 3)
    assert reader.get_share_status() == 0
    assert reader.get_share_body_size() == 0
    assert writer.put_data(image) == 1
    assert writer.get_share_status() == 1
    assert becomes(lambda: reader.get_share_status() == 1)
    assert (reader.get_height(), reader.get_width()) == (48, 64)
    assert reader.get_share_body_size() == image.nbytes
    data = reader.get_data()
    assert isinstance(data, ctypes.Array)
    assert isinstance(data, ctypes.c_uint8 * image.nbytes)
    assert bytes(data) == image.tobytes()
    assert becomes(lambda: writer.get_share_status() == 0)
    assert reader.get_share_body_size() == 0


@pytest.mark.parametrize("size", [0, 1, 4095, 4096, 1_000_000])
def test_any_size_and_any_buffer(pair: tuple[ShareMemory, ShareMemory], size: int) -> None:
    writer, reader = pair
    payload = bytes(i % 251 for i in range(size))
    for source in (payload, bytearray(payload), np.frombuffer(payload, np.uint8), (ctypes.c_uint8 * size)(*payload)):
        writer.put_data(source)
        assert becomes(lambda: reader.get_share_status() == 1)
        assert bytes(reader.get_data()) == payload
    writer.put_data(np.frombuffer(payload, np.uint8)[::-1])
    assert bytes(reader.get_data()) == payload[::-1]


def test_a_batch_says_the_height_and_width_of_its_images(pair: tuple[ShareMemory, ShareMemory]) -> None:
    writer, reader = pair
    for shape in [(20, 30), (20, 30, 3), (4, 20, 30, 3)]:
        writer.put_data(np.zeros(shape, np.uint8))
        assert len(reader.get_data(timeout=20)) == np.prod(shape)
        assert (reader.get_height(), reader.get_width()) == (20, 30)
    writer.put_data(b"no image")
    reader.get_data(timeout=20)
    assert (reader.get_height(), reader.get_width()) == (20, 30)


def test_the_next_body_waits_for_the_reader(pair: tuple[ShareMemory, ShareMemory]) -> None:
    writer, reader = pair
    assert writer.put_data(b"first") == 1
    assert writer.put_data(b"second", timeout=0.05) == 0
    putting = threading.Thread(target=writer.put_data, args=(b"third",))
    putting.start()
    assert bytes(reader.get_data()) == b"first"
    assert bytes(reader.get_data()) == b"third"
    putting.join()


def test_an_array_stays_as_it_is(pair: tuple[ShareMemory, ShareMemory]) -> None:
    writer, reader = pair
    kept = []
    for number in range(5):
        writer.put_data(np.full(100_000, number, np.uint8))
        kept.append(reader.get_data(timeout=20))
    gc.collect()
    for number, data in enumerate(kept):
        assert set(data) == {number}
    view = np.ctypeslib.as_array(kept.pop())
    del data
    gc.collect()
    assert (view == 4).all()


def test_a_write_into_an_array_is_seen_by_nobody(pair: tuple[ShareMemory, ShareMemory]) -> None:
    writer, reader = pair
    witness = ShareMemory(KEY)
    writer.put_data(bytes(100_000))
    assert becomes(lambda: witness.get_share_status() == 1)
    data = reader.get_data(timeout=20)
    for i in range(0, len(data), 1000):
        data[i] = 255
    assert not any(witness.get_data(timeout=20))
    witness.destroy_share()


def test_either_side_may_write_and_echo(pair: tuple[ShareMemory, ShareMemory]) -> None:
    one, other = pair
    one.put_data(bytes(range(200)) * 100)
    other.put_data(other.get_data(timeout=20))
    assert bytes(one.get_data(timeout=20)) == bytes(range(200)) * 100


def test_several_keys_in_one_process() -> None:
    shares = {key: (ShareMemory(key), ShareMemory(key)) for key in (1, 2, 3)}
    for key, (writer, _) in shares.items():
        writer.put_data(bytes([key]) * 10)
    for key, (writer, reader) in shares.items():
        assert bytes(reader.get_data()) == bytes([key]) * 10
        writer.destroy_share()
        reader.destroy_share()


def test_finished_ends_every_wait(pair: tuple[ShareMemory, ShareMemory]) -> None:
    writer, reader = pair
    reading = threading.Thread(target=reader.get_data)
    reading.start()
    writer.set_share_status(FINISHED)
    reading.join(timeout=20)
    assert not reading.is_alive()
    assert len(reader.get_data()) == 0
    assert writer.put_data(b"more") == 0


def test_a_wait_for_data_ends_with_its_timeout(pair: tuple[ShareMemory, ShareMemory]) -> None:
    _, reader = pair
    assert len(reader.get_data(timeout=0.05)) == 0


def test_what_is_kept_waiting_by_another_subscriber_goes_on_when_that_has_room(
    pair: tuple[ShareMemory, ShareMemory],
) -> None:
    writer, reader = pair
    with memlane.Subscriber(KEY, depth=1) as subscriber:
        writer.put_data(b"first")
        assert bytes(reader.get_data()) == b"first"
        assert writer.put_data(b"second", timeout=0.05) == 0
        putting = threading.Thread(target=writer.put_data, args=(b"second",))
        putting.start()
        assert subscriber.take(timeout=20) is not None
        assert bytes(reader.get_data()) == b"second"
        putting.join()


def test_after_destroy_share_a_call_says_so() -> None:
    share = ShareMemory(KEY)
    share.destroy_share()
    share.destroy_share()
    for call in (share.get_share_status, share.get_data, share.get_height, share.get_share_body_size):
        with pytest.raises(memlane.Closed):
            call()
    with pytest.raises(memlane.Closed):
        share.put_data(b"x")


def test_importing_prints_nothing_and_opens_nothing() -> None:
    code = "import memlane.compat, os; print(os.listdir('/proc/self/task') == [str(os.getpid())])"
    output = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert output.stdout == "True\n"
    assert output.stderr == ""
