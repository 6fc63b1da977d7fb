"""The programs of the README run."""

from __future__ import annotations

import re
import signal
from pathlib import Path

from support import PATIENCE, python

README = (Path(__file__).parent.parent / "README.md").read_text(encoding="utf-8")


def test_the_two_programs_understand_each_other() -> None:
    publisher, subscriber = re.findall(r"```python\n(.*?)```", README, re.DOTALL)
    # The second joins late, and is given the last frame.
    with python(f"{publisher}\n    print('sent')\n    input()\n") as first:
        assert first.stdout is not None
        assert first.stdout.readline() == "sent\n"
        with python(
            f"try:\n    {subscriber.replace(chr(10), chr(10) + '    ')}\nexcept KeyboardInterrupt: pass\n"
        ) as second:
            assert second.stdout is not None
            assert second.stdout.readline() == "(1080, 1920, 3) 0.0\n"
            second.send_signal(signal.SIGINT)
            assert second.communicate(timeout=PATIENCE) == ("", "")
        assert first.communicate("\n", timeout=PATIENCE) == ("", "")
    assert (first.returncode, second.returncode) == (0, 0)
