"""The rules of the single header, each shown on headers small enough to see through."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import pytest


def _load() -> ModuleType:
    path = Path(__file__).parent.parent / "amalgamate.py"
    spec = importlib.util.spec_from_file_location("amalgamate", path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["amalgamate"] = module
    spec.loader.exec_module(module)
    return module


amalgamate = _load()

VERSION = '#pragma once\ninline constexpr std::string_view version = "1.2.3";\n'


def make(folder: Path, **headers: str) -> str:
    """Amalgamates headers given as name=text, version.hpp beside them."""
    (folder / "memlane").mkdir()
    for name, text in {"version": VERSION, **headers}.items():
        (folder / "memlane" / f"{name}.hpp").write_text(text)
    return str(amalgamate.amalgamate(folder))


def include(*names: str) -> str:
    return "#pragma once\n" + "".join(f'#include "memlane/{name}.hpp"\n' for name in names)


def test_a_header_that_two_others_need_is_taken_in_once_and_before_both(tmp_path: Path) -> None:
    text = make(
        tmp_path,
        memlane=include("version", "a", "b"),
        a=include("c") + "int a;\n",
        b=include("c") + "int b;\n",
        c="#pragma once\nint c;\n",
    )
    assert text.count("int c;") == 1
    assert text.index("int c;") < text.index("int a;") < text.index("int b;")
    assert text.count("#pragma once") == 1
    assert '"memlane/' not in text


def test_the_version_stands_at_the_top(tmp_path: Path) -> None:
    assert make(tmp_path, memlane=include("version")).startswith("// memlane 1.2.3,")


def test_a_system_header_stays_where_it_is(tmp_path: Path) -> None:
    text = make(tmp_path, memlane=include("version", "a"), a="#pragma once\n#include <span>\n")
    assert "#include <span>\n" in text


def test_a_header_left_out_is_a_mistake(tmp_path: Path) -> None:
    with pytest.raises(amalgamate.Mistake, match=r"left out.*memlane/forgotten\.hpp"):
        make(tmp_path, memlane=include("version"), forgotten="#pragma once\n")


def test_a_header_that_includes_itself_is_a_mistake(tmp_path: Path) -> None:
    with pytest.raises(amalgamate.Mistake, match=r"a\.hpp -> memlane/b\.hpp -> memlane/a\.hpp"):
        make(tmp_path, memlane=include("version", "a"), a=include("b"), b=include("a"))


def test_the_same_include_twice_in_one_header_is_a_mistake(tmp_path: Path) -> None:
    with pytest.raises(amalgamate.Mistake, match="says twice"):
        make(tmp_path, memlane=include("version", "a", "a"), a="#pragma once\n")


def test_a_header_without_pragma_once_is_a_mistake(tmp_path: Path) -> None:
    with pytest.raises(amalgamate.Mistake, match="no #pragma once"):
        make(tmp_path, memlane=include("version", "a"), a="int a;\n")


def test_a_header_that_does_not_exist_is_a_mistake(tmp_path: Path) -> None:
    with pytest.raises(amalgamate.Mistake, match="no such header"):
        make(tmp_path, memlane=include("version", "a"))


LINUX = '#pragma once\n#if defined(__linux__)\n#include "memlane/shared.hpp"\n#endif\n'


def test_headers_under_the_same_condition_share_what_they_need(tmp_path: Path) -> None:
    text = make(tmp_path, memlane=include("version", "a", "b"), a=LINUX, b=LINUX, shared="#pragma once\nint shared;\n")
    assert text.count("int shared;") == 1


def test_a_header_needed_outside_the_condition_that_it_stands_under_is_a_mistake(tmp_path: Path) -> None:
    with pytest.raises(amalgamate.Mistake, match=r"needs memlane/shared\.hpp under no condition"):
        make(tmp_path, memlane=include("version", "a", "b"), a=LINUX, b=include("shared"), shared="#pragma once\n")


def test_a_header_needed_on_the_other_side_of_an_else_is_a_mistake(tmp_path: Path) -> None:
    other = '#pragma once\n#if defined(__linux__)\n#else\n#include "memlane/shared.hpp"\n#endif\n'
    with pytest.raises(amalgamate.Mistake, match=r"needs memlane/shared\.hpp"):
        make(tmp_path, memlane=include("version", "a", "b"), a=LINUX, b=other, shared="#pragma once\n")
