"""The end of the interpreter: it comes, without a crash, and nothing is left behind, whatever was still open."""

from __future__ import annotations

import signal

import pytest
from support import PATIENCE, python, run_python

# The directory is looked into by the fixture that every test has.
ENDS = {
    "open ports": "",
    "samples, arrays and loans that are held": """
        sender.send(np.arange(1000))
        sample = receiver.take(10)
        array = np.asarray(sample)
        loan = sender.loan(1000)
        view = memoryview(loan)
        tensor = np.from_dlpack(sample)
        """,
    "a cycle of garbage": """
        sample = [receiver, sender]
        sample.append(sample)
        """,
    "ports that other modules hold": """
        import sys
        sys.forgotten = [sender, receiver]
        """,
    "a thread that waits": """
        import threading, time
        threading.Thread(target=receiver.take, args=(None,), daemon=True).start()
        threading.Thread(target=lambda: list(receiver), daemon=True).start()
        threading.Thread(target=sender.flush, daemon=True).start()
        threading.Thread(target=memlane.wait, args=([receiver],), daemon=True).start()
        time.sleep(0.05)
        """,
    "threads that work": """
        import contextlib, threading
        def work():
            with contextlib.suppress(memlane.Error):
                while True:
                    sender.try_send(b"x")
                    receiver.take()
        for _ in range(3):
            threading.Thread(target=work, daemon=True).start()
        """,
    "an event loop that waits": """
        import asyncio
        async def main():
            asyncio.ensure_future(receiver.next())
            await asyncio.sleep(0.01)
        asyncio.run(main())
        """,
}


@pytest.mark.parametrize("end", ENDS)
def test_the_interpreter_ends(end: str) -> None:
    code = (
        "import memlane\nimport numpy as np\nsender, receiver = memlane.Publisher('test'), memlane.Subscriber('test')\n"
    )
    lines = ENDS[end].splitlines()
    code += "\n".join(line[8:] for line in lines)
    for _ in range(3):
        run_python(code, may_forget=True)


def test_sys_exit_in_the_middle() -> None:
    code = """
    import sys
    import memlane
    with memlane.Publisher("test") as sender, sender.loan(1000) as loan:
        sys.exit(3)
    """
    with python(code) as process:
        process.communicate(timeout=PATIENCE)
    assert process.returncode == 3


def test_an_exception_that_nobody_catches() -> None:
    code = """
    import memlane
    sender, receiver = memlane.Publisher("test"), memlane.Subscriber("test")
    sender.send(b"x")
    sample = receiver.take(10)
    raise KeyError
    """
    with python(code, may_forget=True) as process:
        _, err = process.communicate(timeout=PATIENCE)
    assert process.returncode == 1
    assert err.endswith("KeyError\n")


@pytest.mark.parametrize("sign", [signal.SIGKILL, signal.SIGTERM])
def test_a_killed_process_leaves_names_that_the_next_one_removes(sign: signal.Signals) -> None:
    code = """
    import memlane, sys
    sender, receiver = memlane.Publisher("test"), memlane.Subscriber("test")
    sender.send(b"x")
    sample = receiver.take(10)
    print("ready")
    sys.stdin.read()
    """
    with python(code) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        process.send_signal(sign)
        process.communicate(timeout=PATIENCE)
    assert process.returncode == -sign
    run_python(
        "import memlane\nwith memlane.Publisher('test') as port: assert port.wait_for_subscribers(1, 0) is False"
    )


def test_importing_costs_and_leaves_nothing() -> None:
    out = run_python(
        """
        import os, sys, threading
        before = set(os.listdir("/proc/self/fd"))
        import memlane
        assert set(os.listdir("/proc/self/fd")) == before
        assert threading.active_count() == 1
        assert len(os.listdir("/proc/self/task")) == 1
        assert "numpy" not in sys.modules
        print("quiet")
        """
    )
    assert out == "quiet\n"
