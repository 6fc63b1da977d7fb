"""The install prefix holds the package and nothing else."""

from __future__ import annotations

from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[3]
PREFIX = REPOSITORY / "build" / "prefix"
CORE_INCLUDE = REPOSITORY / "packages" / "core-native" / "include"


def files(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}


def test_the_headers_are_those_of_the_core() -> None:
    assert files(PREFIX / "include") == files(CORE_INCLUDE)


def test_beside_the_headers_there_is_only_what_finds_them_and_the_licence() -> None:
    assert files(PREFIX / "share") == {
        "cmake/memlane/memlane-config.cmake",
        "cmake/memlane/memlane-config-version.cmake",
        "cmake/memlane/memlane-targets.cmake",
        "doc/memlane/LICENSE",
        "pkgconfig/memlane.pc",
    }
    assert {path.name for path in PREFIX.iterdir()} == {"include", "share"}


def test_no_file_names_the_folder_that_it_was_built_or_installed_in() -> None:
    for name in files(PREFIX):
        text = (PREFIX / name).read_text(encoding="utf-8")
        assert str(REPOSITORY) not in text, name
