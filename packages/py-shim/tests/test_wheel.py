"""The package as people get it: what is in it, that it installs into nothing, and that its sources build alone."""

from __future__ import annotations

import email
import os
import re
import shutil
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

HERE = Path(__file__).parent
PROJECT = HERE.parent
ROOT = PROJECT.parent.parent
CORE = PROJECT.parent / "core-native" / "include"

SMOKE = """
import memlane
with memlane.Subscriber("test") as sub, memlane.Publisher("test") as pub:
    assert pub.send(b"hello") == 1
    with pub.loan((2, 3), "float32") as loan:
        memoryview(loan).cast("B")[:] = bytes(24)
    assert bytes(sub.take(10)) == b"hello"
    sample = sub.take(10)
    assert memoryview(sample).tolist() == [[0, 0, 0], [0, 0, 0]]
    del sample
print(memlane.__version__, memlane.__file__)
"""


def run(*command: str | Path, folder: Path, **environment: str) -> str:
    process = subprocess.run(
        command, cwd=folder, capture_output=True, text=True, check=False, env={**os.environ, **environment}
    )
    assert process.returncode == 0, process.stdout + process.stderr
    return process.stdout


def version() -> str:
    found = re.search(r'^version = "(.+)"$', (PROJECT / "pyproject.toml").read_text(encoding="utf-8"), re.MULTILINE)
    assert found is not None
    return found[1]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel that the setup has built, or, where it has not, one that is built now."""
    built = list((ROOT / "build" / "wheels").glob("memlane-*.whl"))
    if not built:
        folder = tmp_path_factory.mktemp("wheel")
        run(sys.executable, "-m", "build", "--wheel", "--no-isolation", "-o", folder, PROJECT, folder=folder)
        built = list(folder.glob("memlane-*.whl"))
    assert len(built) == 1
    return built[0]


@pytest.fixture(scope="module")
def sdist(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("sdist")
    run(sys.executable, "-m", "build", "--sdist", "--no-isolation", "-o", folder, PROJECT, folder=folder)
    (made,) = folder.iterdir()
    return made


def contents(wheel: Path) -> set[str]:
    with zipfile.ZipFile(wheel) as archive:
        return {re.sub(r"_core\..*\.so$", "_core.so", name) for name in archive.namelist()}


def test_the_wheel_holds_this_and_nothing_else(wheel: Path) -> None:
    info = f"memlane-{version()}.dist-info"
    assert contents(wheel) == {
        "memlane/__init__.py",
        "memlane/_bell_watch.py",
        "memlane/_core.pyi",
        "memlane/_core.so",
        "memlane/_dtype.py",
        "memlane/_shared_block.py",
        "memlane/compat.py",
        "memlane/errors.py",
        "memlane/port.py",
        "memlane/publisher.py",
        "memlane/py.typed",
        "memlane/samples.py",
        "memlane/stats.py",
        "memlane/subscriber.py",
        "memlane/waiting.py",
        f"{info}/METADATA",
        f"{info}/RECORD",
        f"{info}/WHEEL",
        f"{info}/licenses/LICENSE",
    }


def test_the_wheel_needs_nothing(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        (name,) = [name for name in archive.namelist() if name.endswith("METADATA")]
        metadata = email.message_from_bytes(archive.read(name))
    assert (metadata["Name"], metadata["Version"]) == ("memlane", version())
    assert metadata["Requires-Python"] == ">=3.10"
    assert metadata.get_all("Requires-Dist") is None
    assert metadata["License-Expression"] == "Apache-2.0"
    assert len(metadata.get_payload()) > 100


@pytest.fixture(scope="module")
def module(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("module")
    with zipfile.ZipFile(wheel) as archive:
        (name,) = [name for name in archive.namelist() if name.endswith(".so")]
        return Path(archive.extract(name, folder))


@pytest.mark.skipif(shutil.which("readelf") is None or shutil.which("nm") is None, reason="needs binutils")
def test_the_module_stays_loaded_and_shows_one_symbol(module: Path, tmp_path: Path) -> None:
    assert "NODELETE" in run("readelf", "-d", module, folder=tmp_path)
    symbols = run("nm", "-D", "--defined-only", "--format=just-symbols", module, folder=tmp_path).split()
    # What the C++ runtime wants to be one in the whole process is visible by its nature (GNU_UNIQUE).
    assert [name for name in symbols if not name.startswith("_Z")] == ["PyInit__core"]
    needed = set(re.findall(r"NEEDED.*\[(.+)\]", run("readelf", "-d", module, folder=tmp_path)))
    loader = {name for name in needed if name.startswith("ld-linux")}
    libraries = {name.split(".")[0] for name in needed - loader}
    assert libraries <= {"libstdc++", "libm", "libgcc_s", "libc", "libpthread"}


@pytest.mark.skipif(not CORE.exists(), reason="the core's sources are not beside this package")
def test_the_sources_take_the_core_along(sdist: Path) -> None:
    with tarfile.open(sdist) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}
    for folder, suffixes in (("src/core", (".cpp", ".hpp", ".py")), ("src/memlane", (".py", ".pyi"))):
        for path in (PROJECT / folder).iterdir():
            if path.suffix in suffixes:
                assert f"{folder}/{path.name}" in names
    headers = {f"core/include/{path.relative_to(CORE)}" for path in CORE.rglob("*.hpp")}
    assert headers <= names
    assert {"CMakeLists.txt", "LICENSE", "README.md", "pyproject.toml", "PKG-INFO"} <= names
    assert not [name for name in names if name.startswith(("build", "tests")) or name.endswith((".so", ".pyc"))]


def test_it_installs_into_an_empty_environment(wheel: Path, tmp_path: Path, lane_directory: Path) -> None:
    environment = tmp_path / "venv"
    run(sys.executable, "-m", "venv", environment, folder=tmp_path)
    python = environment / "bin" / "python"
    run(python, "-m", "pip", "install", "--no-index", "--disable-pip-version-check", wheel, folder=tmp_path)
    out = run(python, "-W", "error", "-c", SMOKE, folder=tmp_path, PYTHONPATH="")
    assert out.startswith(f"{version()} {environment}")
    assert "numpy" not in run(python, "-m", "pip", "list", folder=tmp_path)


@pytest.mark.timeout(600)
def test_the_sources_build_alone(wheel: Path, sdist: Path, tmp_path: Path, lane_directory: Path) -> None:
    alone = tmp_path / "alone"
    alone.mkdir()
    shutil.copy(sdist, alone)
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check"]
    run(*pip, "wheel", "--no-build-isolation", "--no-deps", "--no-index", "-w", "made", sdist.name, folder=alone)
    (made,) = (alone / "made").iterdir()
    assert contents(made) == contents(wheel)
    run(*pip, "install", "--no-deps", "--no-index", "--target", "installed", made, folder=alone)
    out = run(sys.executable, "-W", "error", "-c", SMOKE, folder=alone, PYTHONPATH=str(alone / "installed"))
    assert out.split()[1].startswith(str(alone / "installed"))
