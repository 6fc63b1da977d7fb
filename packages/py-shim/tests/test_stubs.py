"""What type checkers see is what there is."""

from __future__ import annotations

import inspect
import pkgutil
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest

import memlane

HERE = Path(__file__).parent
PACKAGE = Path(memlane.__file__).parent


def run(*command: str, folder: Path) -> None:
    process = subprocess.run(command, capture_output=True, text=True, check=False, cwd=folder)
    assert process.returncode == 0, process.stdout + process.stderr


@pytest.fixture
def installed() -> None:
    if not PACKAGE.is_relative_to(sysconfig.get_path("platlib")):
        pytest.skip("mypy finds the package only where it is installed")


def test_the_package_is_typed() -> None:
    assert (PACKAGE / "py.typed").read_bytes() == b""
    assert (PACKAGE / "_core.pyi").exists()


@pytest.mark.usefixtures("installed")
def test_the_stubs_tell_the_truth(tmp_path: Path) -> None:
    run(sys.executable, "-m", "mypy.stubtest", "memlane", folder=tmp_path)


@pytest.mark.usefixtures("installed")
@pytest.mark.parametrize("version", ["3.10", "3.14"])
def test_programs_are_well_typed(tmp_path: Path, version: str) -> None:
    """mypy accepts what is right (and says which type it has), and refuses what is wrong."""
    options = ["--strict", "--warn-unused-ignores", f"--python-version={version}", f"--cache-dir={tmp_path / 'cache'}"]
    run(sys.executable, "-m", "mypy", *options, str(HERE / "typed" / "programs.py"), folder=tmp_path)


def test_every_public_name_is_exported_and_documented() -> None:
    for module in [memlane, *(sys.modules[f"memlane.{info.name}"] for info in pkgutil.iter_modules(memlane.__path__)
                              if f"memlane.{info.name}" in sys.modules and info.name != "_core")]:  # fmt: skip
        assert module.__doc__, module.__name__
        for name in module.__all__:
            assert hasattr(module, name), f"{module.__name__}.{name}"
    for name in memlane.__all__:
        thing = getattr(memlane, name)
        if inspect.isclass(thing) or inspect.isfunction(thing):
            assert inspect.getdoc(thing), name
        if inspect.isclass(thing):
            for member, value in vars(thing).items():
                if not member.startswith("_") and callable(value):
                    assert inspect.getdoc(value), f"{name}.{member}"


def test_nothing_is_public_by_accident() -> None:
    public = {name for name in vars(memlane) if not name.startswith("_")}
    modules = {info.name for info in pkgutil.iter_modules(memlane.__path__)}
    assert public - modules - set(memlane.__all__) <= {"annotations"}
