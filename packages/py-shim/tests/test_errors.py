"""Errors: one class for each code, of the right kind, with a message that says what to do."""

from __future__ import annotations

import os
import pickle
import re
import resource
import stat
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from support import run_python

import memlane
from memlane import errors

CORE = Path(__file__).parents[2] / "core-native" / "include" / "memlane" / "error.hpp"

MakePublisher = Callable[..., memlane.Publisher]
MakeSubscriber = Callable[..., memlane.Subscriber]


@pytest.mark.skipif(not CORE.exists(), reason="the core's sources are not beside this package")
def test_there_is_one_class_for_each_code_of_the_core() -> None:
    codes = re.findall(r'case ErrorCode::\w+: return "([a-z-]+)";', CORE.read_text(encoding="utf-8"))
    classes = {kind.code: kind for kind in memlane.Error.__subclasses__()}
    assert sorted(codes) == sorted(classes)
    for kind in classes.values():
        assert getattr(memlane, kind.__name__) is kind
        assert kind.__name__ in memlane.__all__
        assert kind.__name__ in errors.__all__
        assert kind.__doc__


@pytest.mark.parametrize(
    ("kind", "built_in"),
    [
        (memlane.InvalidName, ValueError),
        (memlane.InvalidArgument, ValueError),
        (memlane.OutOfRange, ValueError),
        (memlane.Closed, RuntimeError),
        (memlane.Forked, RuntimeError),
        (memlane.Released, RuntimeError),
        (memlane.AlreadySent, RuntimeError),
        (memlane.Timeout, TimeoutError),
        (memlane.QueueFull, BlockingIOError),
        (memlane.Interrupted, InterruptedError),
        (memlane.BudgetSpent, MemoryError),
        (memlane.OutOfMemory, MemoryError),
        (memlane.DescriptorLimit, OSError),
        (memlane.PermissionDenied, PermissionError),
        (memlane.ForeignDirectory, PermissionError),
        (memlane.VersionMismatch, RuntimeError),
        (memlane.Corrupt, RuntimeError),
        (memlane.PatternMismatch, RuntimeError),
        (memlane.TypeMismatch, TypeError),
        (memlane.PeerFrozen, TimeoutError),
        (memlane.Deadlock, RuntimeError),
        (memlane.Unsupported, NotImplementedError),
        (memlane.SystemFailure, OSError),
    ],
)
def test_each_is_also_the_built_in_that_people_catch(kind: type[memlane.Error], built_in: type[BaseException]) -> None:
    error = errors.from_core(kind.code, "what happened", "a/lane", 13)
    assert type(error) is kind
    assert isinstance(error, built_in)
    assert (str(error), error.lane, error.system_error, error.code) == ("what happened", "a/lane", 13, kind.code)
    if isinstance(error, OSError):
        assert error.errno == 13
    again = pickle.loads(pickle.dumps(error))
    assert type(again) is kind
    assert (str(again), again.lane, again.system_error) == ("what happened", "a/lane", 13)


def test_an_unknown_code_is_an_error_all_the_same() -> None:
    assert type(errors.from_core("of-the-future", "text", "", 0)) is memlane.Error


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("", "is empty"),
        ("x" * 201, "has 201 bytes"),
        ("ü" * 101, "has 202 bytes"),
        ("a\0b", "holds a NUL byte"),
        ("a/../b", "has a part `..`"),
        (".", "has a part `.`"),
        ("/a", "has an empty part"),
        ("a/", "has an empty part"),
        ("a//b", "has an empty part"),
        ("a\nb", "holds a control character"),
        ("\udcff", "cannot be written as UTF-8"),
    ],
)
@pytest.mark.parametrize("port", [memlane.Publisher, memlane.Subscriber])
def test_bad_names(port: Callable[[str], memlane.Port], name: str, why: str) -> None:
    with pytest.raises(memlane.InvalidName, match=re.escape(why)) as caught:
        port(name)
    assert caught.value.code == "invalid-name"
    assert isinstance(caught.value, ValueError)


@pytest.mark.parametrize("name", [None, 1.5, b"bytes", True, ["a"]])
def test_what_is_no_name_at_all(name: Any) -> None:
    with pytest.raises(TypeError, match="a lane's name is a str or an int, not "):
        memlane.Publisher(name)


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ({"depth": 0}, "depth is 1 to 65536, not 0"),
        ({"depth": -1}, "depth is 1 to 65536, not -1"),
        ({"depth": 65537}, "depth is 1 to 65536, not 65537"),
        ({"depth": 1 << 80}, "depth is 1 to 65536, not 12089"),
        ({"label": "x" * 64}, "63 bytes"),
    ],
)
def test_options_out_of_range(subscriber: MakeSubscriber, options: dict[str, Any], text: str) -> None:
    with pytest.raises(memlane.OutOfRange, match=text):
        subscriber(**options)


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ({"history": -1}, "history is 0 to 65536, not -1"),
        ({"history": 65537}, "history is 0 to 65536, not 65537"),
        ({"memory_budget": 0}, "memory_budget is 1 to"),
        ({"memory_budget": -5}, "memory_budget is 1 to"),
        ({"max_held": 0}, "max_held is 1 to"),
        ({"label": "ü" * 32}, "63 bytes"),
        ({"group": -1}, "group is 0 to 4294967294, not -1"),
        ({"group": 2**32 - 1}, "group is 0 to 4294967294, not 4294967295"),
    ],
)
def test_options_of_a_publisher_out_of_range(publisher: MakePublisher, options: dict[str, Any], text: str) -> None:
    with pytest.raises(memlane.OutOfRange, match=text):
        publisher(**options)


def test_options_that_make_no_sense(publisher: MakePublisher, subscriber: MakeSubscriber) -> None:
    for call, text in (
        (
            lambda: subscriber(overflow="drop"),
            r'overflow is "block", "drop-oldest", "drop-newest" or "fail", not "drop"',
        ),
        (lambda: subscriber(join_timeout=float("nan")), "join_timeout is not a number"),
        (lambda: publisher(send_timeout=float("nan")), "send_timeout is not a number"),
        (lambda: publisher(label="\ud800"), "UTF-8"),
        (lambda: publisher(label="a\0b"), "label"),
        (lambda: publisher(group="no such group"), 'there is no group "no such group"'),
        (lambda: publisher(group="root\0"), "there is no group"),
        (lambda: publisher(group=" 0"), "there is no group"),
    ):
        with pytest.raises(memlane.InvalidArgument, match=text):
            call()


@pytest.mark.parametrize(
    "options",
    [
        {"history": 1.5},
        {"history": "1"},
        {"memory_budget": 1e6},
        {"send_timeout": "1"},
        {"checksum": 1},
        {"checksum": "crc32c"},
        {"join_timeout": []},
        {"label": b"bytes"},
        {"label": None},
        {"directory": 5},
        {"group": 1.5},
        {"group": True},
        {"spin": "fast"},
        {"depth": 3},  # a subscriber's
    ],
)
def test_options_of_a_wrong_type(publisher: MakePublisher, options: dict[str, Any]) -> None:
    with pytest.raises(TypeError):
        publisher(**options)


def test_numbers_of_other_libraries_are_numbers(publisher: MakePublisher, subscriber: MakeSubscriber) -> None:
    numpy = pytest.importorskip("numpy")
    sender = publisher(history=numpy.int8(3), send_timeout=numpy.float32(0.5), memory_budget=numpy.uint64(1 << 30))
    assert sender.wait_for_subscribers(numpy.int64(0), numpy.float64(0.1))
    assert subscriber(numpy.int64(5)).name == "key/5"
    assert subscriber().take(10**400) is not None if sender.send(b"") else True


def test_headers_beyond_their_bounds(publisher: MakePublisher) -> None:
    sender = publisher()
    with pytest.raises(memlane.OutOfRange, match="63 bytes"):
        sender.send(b"", encoding="x" * 64)
    with pytest.raises(memlane.OutOfRange, match="64 bytes"):
        sender.send(b"", user_header=bytes(65))
    wrong: Any = 5
    with pytest.raises(TypeError, match="encoding is a str, not int"):
        sender.send(b"", encoding=wrong)
    with pytest.raises(TypeError):
        sender.send(b"", user_header=wrong)
    assert sender.stats().sent == 0


def test_a_directory_of_another_owner_or_with_looser_rights(tmp_path: Path) -> None:
    loose = tmp_path / "loose"
    loose.mkdir(mode=0o755)
    link = tmp_path / "link"
    own = tmp_path / "own"
    own.mkdir(mode=0o700)
    link.symlink_to(own)
    for folder in (loose, link):
        with pytest.raises(memlane.ForeignDirectory) as caught:
            memlane.Publisher("test", directory=folder)
        assert isinstance(caught.value, PermissionError)
        assert str(folder) in str(caught.value)
    assert stat.S_IMODE(loose.stat().st_mode) == 0o755
    assert list(loose.iterdir()) == list(own.iterdir()) == []


def test_a_group_that_this_process_is_not_in(publisher: MakePublisher) -> None:
    with pytest.raises(memlane.PermissionDenied, match='not in the group "4294967294"'):
        publisher(group=2**32 - 2)


@pytest.fixture
def as_another_user() -> Iterator[None]:
    if os.geteuid() != 0:
        pytest.skip("only root may become another user")
    os.seteuid(65534)
    yield
    os.seteuid(0)


def test_a_directory_without_permission(tmp_path: Path, as_another_user: None) -> None:
    with pytest.raises((memlane.PermissionDenied, memlane.ForeignDirectory)) as caught:
        memlane.Publisher("test", directory="/root/lanes")
    assert isinstance(caught.value, PermissionError)


def test_a_path_that_is_none() -> None:
    with pytest.raises(memlane.Error):
        memlane.Publisher("test", directory="/proc/nothing/here")
    with pytest.raises(ValueError, match="null"):
        memlane.Publisher("test", directory="a\0b")


def test_no_descriptor_left() -> None:
    run_python(
        """
        import os, resource
        import memlane
        resource.setrlimit(resource.RLIMIT_NOFILE, (24, 24))
        ports = []
        try:
            while True:
                ports.append(memlane.Publisher(len(ports)))
        except memlane.DescriptorLimit as error:
            assert isinstance(error, OSError) and error.errno == 24, error.errno
        for port in ports:
            port.close()
        with memlane.Publisher("test") as sender, memlane.Subscriber("test") as receiver:
            sender.send(b"as if nothing had been")
            assert bytes(receiver.take(10)) == b"as if nothing had been"
        """
    )
    assert resource.getrlimit(resource.RLIMIT_NOFILE)[0] > 24


def test_the_traceback_ends_in_the_callers_line() -> None:
    code = "import memlane\nmemlane.Publisher('')"
    process = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert process.returncode == 1
    last = process.stderr.strip().splitlines()[-1]
    assert last.startswith('memlane.errors.InvalidName: the lane name "" is empty')
