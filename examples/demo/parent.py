"""A part of the demo does not outlive the program that started it: that program holds the other end of its input."""

import os
import sys
import threading


def end_with_parent() -> None:
    """End this process as soon as the standard input ends."""

    def watch() -> None:
        while os.read(sys.stdin.fileno(), 64):
            pass
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()
