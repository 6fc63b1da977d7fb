"""Ctrl-C ends every call that waits."""

from __future__ import annotations

import signal
import time

import pytest
from support import PATIENCE, python

PROLOGUE = """
import signal, sys, threading, time
import memlane

sender, receiver = memlane.Publisher("test"), memlane.Subscriber("test", depth=1)
frozen = memlane.Publisher("other")
full = sender.send(b"fills the queue")

def ready():
    print("ready", flush=True)
"""

WAITS = {
    "take": "receiver.take(); ready(); receiver.take(None)",
    "take with a timeout": "receiver.take(); ready(); receiver.take(1000)",
    "for": "receiver.take(); ready(); next(iter(receiver))",
    "until idle": "receiver.take(); ready(); next(receiver.samples(until_idle=True))",
    "send": "ready(); sender.send(b'')",
    "the end of a loan's block": "loan = sender.loan(4); loan.__enter__(); ready(); loan.__exit__(None, None, None)",
    "flush": "ready(); sender.flush()",
    "wait_for_subscribers": "ready(); sender.wait_for_subscribers(2)",
    "wait_for_publishers": "ready(); receiver.wait_for_publishers(2)",
    "wait": "receiver.take(); ready(); memlane.wait([receiver])",
    "behind another thread": """
receiver.take()
threading.Thread(target=receiver.take, args=(None,), daemon=True).start()
time.sleep(0.1)
ready()
receiver.take(None)
""",
}


@pytest.mark.parametrize("wait", WAITS)
def test_ctrl_c_ends_the_wait(wait: str) -> None:
    code = f"{PROLOGUE}\ntry:\n" + "\n".join("    " + line for line in WAITS[wait].splitlines())
    code += "\nexcept KeyboardInterrupt:\n    print('interrupted')\n"
    code += "sender.close(); receiver.close(); frozen.close()\n"
    with python(code) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        time.sleep(0.1)  # mostly it waits by now; if not, Ctrl-C comes before the wait, which is as good
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=PATIENCE)
    assert err == ""
    assert out == "interrupted\n"
    assert process.returncode == 0


def test_ctrl_c_ends_the_opening_of_a_port_that_waits_for_a_frozen_peer() -> None:
    peer = "import memlane, sys\nport = memlane.Publisher('test')\nprint('open')\nsys.stdin.read()\nport.close()"
    code = """
    import memlane
    print("ready")
    try:
        memlane.Subscriber("test", join_timeout=None)
    except KeyboardInterrupt:
        print("interrupted")
    """
    with python(peer) as frozen:
        assert frozen.stdout is not None
        assert frozen.stdout.readline() == "open\n"
        frozen.send_signal(signal.SIGSTOP)
        with python(code) as process:
            assert process.stdout is not None
            assert process.stdout.readline() == "ready\n"
            time.sleep(0.1)
            process.send_signal(signal.SIGINT)
            out, err = process.communicate(timeout=PATIENCE)
        frozen.send_signal(signal.SIGCONT)
        assert frozen.communicate(timeout=PATIENCE) == ("", "")
    assert (out, err, process.returncode) == ("interrupted\n", "", 0)


def test_a_signal_handler_runs_and_the_wait_goes_on() -> None:
    code = f"""{PROLOGUE}
heard = []
signal.signal(signal.SIGUSR1, lambda *_: (heard.append(1), print("heard", flush=True)))
receiver.take()
ready()
sample = receiver.take(None)
assert heard and bytes(sample) == b"after"
del sample
sender.close(); receiver.close(); frozen.close()
"""
    with python(code) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        process.send_signal(signal.SIGUSR1)
        assert process.stdout.readline() == "heard\n"
        with python("import memlane\nwith memlane.Publisher('test') as port: port.send(b'after')") as other:
            assert other.communicate(timeout=PATIENCE) == ("", "")
        out, err = process.communicate(timeout=PATIENCE)
    assert (out, err, process.returncode) == ("", "", 0)
