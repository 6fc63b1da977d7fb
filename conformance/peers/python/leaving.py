"""How a peer leaves in the middle of things."""

import os
import signal


class Leaving:
    """Whether the program is about to return from main, ports open."""

    def __init__(self) -> None:
        self.has_begun = False

    def leave(self, how: str) -> None:
        """End the process in the middle of things, or by returning from the program with its ports open."""
        if how == "killed":
            os.kill(os.getpid(), signal.SIGKILL)
        if how == "at-once":
            os._exit(0)
        self.has_begun = True
