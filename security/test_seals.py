"""Memory that can be written to by others is not used at all."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from marks import needs_strace
from patterns import Pattern
from places import own
from programs import Refused, Visitor

StartVisitor = Callable[..., Visitor]


@needs_strace
def test_a_kernel_that_seals_in_word_only_is_refused(pattern: Pattern, place: Path, visitor: StartVisitor) -> None:
    """As gVisor does: the seal is said to be there, and new writable mappings are allowed all the same."""
    lie = "inject=fcntl:retval=0:when=3+"  # those before size the bell and give the door its number
    in_word_only = ["strace", "-f", "-qq", "-o", "/dev/null", "-e", "trace=fcntl", "-e", lie]
    sender = visitor("cpp", before=in_word_only)
    sender.ask(pattern.sender.opens(own(place)))
    with pytest.raises(Refused, match="does not enforce F_SEAL_FUTURE_WRITE") as refusal:
        sender.ask("send 100 1")
    assert refusal.value.code == "unsupported"
    sender.ask("close")
